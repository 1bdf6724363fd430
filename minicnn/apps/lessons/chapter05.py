"""Lessons of chapter 5: softmax and cross-entropy."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import losses
from minicnn.backends.numpy import softmax as in_numpy


def _softmax(z: np.ndarray) -> np.ndarray:
    return operations.softmax(z)[0]


def _shifted_by(z: np.ndarray, shift: np.ndarray | float) -> np.ndarray:
    """Return the softmax as it is computed after `shift` is subtracted, overflow included."""
    powers = np.exp(z - shift)
    return powers / powers.sum(-1, keepdims=True)


def _divided_by_the_sum_of_all(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum()


SOFTMAX = Lesson(
    name="softmax",
    chapter=5,
    title="from scores to probabilities",
    task="Turn the scores of each image into probabilities that add up to 1.",
    stub='''
def softmax(z: np.ndarray) -> np.ndarray:
    """Return p[n, i] = e^z[n, i] / (sum over j of e^z[n, j]).

    Scores may be as large as 1000. Subtract the largest score of each row first: the result
    is the same, and no power is too large.

    z : (N, C), the scores
    p : (N, C), each row adds up to 1
    """
''',
    cases=lambda rng: [
        Case("three equal scores and two different ones",
             z=np.array([[1.0, 1, 1], [0, 0, 2]])),
        Case("a batch", z=rng.normal(size=(4, 5)) * 3),
        Case("one large score in the batch", z=np.array([[0.0, 1, 2], [800, 1000, 999]])),
        Case("as many images as classes", z=rng.normal(size=(6, 6))),
    ],
    reference=_softmax,
    solution=(in_numpy.softmax_forward,),
    results=("p",),
    mistakes=(
        Mistake("e to the power of 1000 is too large for a number (overflow), and infinity divided "
                "by infinity is NaN. Subtract the largest score of each row first.",
                lambda z: _shifted_by(z, 0)),
        Mistake("You subtracted the largest score of the whole batch. In the other rows all powers "
                "then become 0, and 0 / 0 is NaN. Each row has a largest score of its own.",
                lambda z: _shifted_by(z, z.max())),
        Mistake("The columns add up to 1. Each row is one image, so its row adds up to 1.",
                lambda z: _softmax(z.T.copy()).T),
        Mistake("The whole batch adds up to 1. Each row adds up to 1: sum with axis=1 and "
                "keepdims=True.",
                lambda z: _softmax(z.reshape(1, -1)).reshape(z.shape)),
        Mistake("The whole batch adds up to 1. Each row adds up to 1: sum with axis=1 and "
                "keepdims=True.", _divided_by_the_sum_of_all),
        Mistake("The powers are not divided by their sum.",
                lambda z: np.exp(z - z.max(-1, keepdims=True))),
        Mistake("The scores were divided by their sum, without e^z.",
                lambda z: z / z.sum(-1, keepdims=True)),
        Mistake("That is the logarithm of the probabilities.", lambda z: np.log(_softmax(z))),
        Mistake("These are powers of 2; take powers of e, np.exp.",
                lambda z: _softmax(z * np.log(2))),
    ),
    race=lambda rng: Case("ten thousand images",
                          z=rng.normal(size=(10_000, 10)).astype(np.float32)),
)  # fmt: skip


def _cross_entropy(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return operations.categorical_crossentropy(p, t)[0].mean(dtype=np.float64)


def _two_sided(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return _cross_entropy(p, t) - ((1 - t) * np.log(1 - p)).sum(-1).mean()


CROSS_ENTROPY = Lesson(
    name="cross_entropy",
    chapter=5,
    title="how wrong probabilities are",
    task="Compute the loss of a batch: the mean of minus the logarithm of the right probability.",
    stub='''
def cross_entropy(p: np.ndarray, t: np.ndarray) -> float:
    """Return the mean over n of -(sum over c of t[n, c] ln p[n, c]).

    p : (N, C), the probabilities, all of them above 0
    t : (N, C), 1 for the right class and 0 elsewhere
    """
''',
    cases=lambda rng: [
        Case("one image, the right class has 1/4", p=np.array([[0.5, 0.25, 0.25]]),
             t=np.array([[0.0, 1, 0]])),
        _loss_case(rng, "a batch of four", 4, 3),
        _loss_case(rng, "a batch of fifty", 50, 10),
    ],
    reference=_cross_entropy,
    solution=(losses.categorical_crossentropy_forward,),
    results=("loss",),
    mistakes=(
        Mistake("The losses of the images are added up; take their mean, so that the loss does not "
                "grow with the batch.", lambda p, t: _cross_entropy(p, t) * len(p)),
        Mistake("You have one loss for each image; take their mean.",
                lambda p, t: operations.categorical_crossentropy(p, t)[0]),
        Mistake("The sum was divided by the number of all probabilities, N C; divide by the number "
                "of images, N. np.mean of the whole array does this.",
                lambda p, t: _cross_entropy(p, t) / p.shape[1]),
        Mistake("That is log10; the loss is made with the natural logarithm, np.log.",
                lambda p, t: _cross_entropy(p, t) / np.log(10)),
        Mistake("That is log2; the loss is made with the natural logarithm, np.log.",
                lambda p, t: _cross_entropy(p, t) / np.log(2)),
        Mistake("The wrong classes were counted, too, with ln(1 - p). That is the loss of many "
                "yes-or-no questions. Here one of C classes is right, and only it counts.",
                _two_sided),
        Mistake("That is the logarithm of the mean; take the mean of the logarithms.",
                lambda p, t: -np.log((p * t).sum(-1).mean())),
        Mistake("That is 1 minus the right probability, without a logarithm.",
                lambda p, t: 1 - (p * t).sum(-1).mean()),
    ),
    race=lambda rng: _loss_case(rng, "ten thousand images", 10_000, 10, np.float32),
)  # fmt: skip


def _loss_case(
    rng: np.random.Generator, text: str, count: int, classes: int, dtype: type = np.float64
) -> Case:
    p = _softmax(rng.normal(size=(count, classes)).astype(dtype))
    t: np.ndarray = np.eye(classes, dtype=dtype)[rng.integers(0, classes, count)]
    return Case(text, p=p, t=t)


LESSONS = (SOFTMAX, CROSS_ENTROPY)
