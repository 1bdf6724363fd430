"""Lessons of chapter 2: one neuron, and how it learns."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import activations, dense, losses
from minicnn.backends.numpy.optimizers import sgd_update


def _score(x: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    """Return z = x w + b, (N,)."""
    return operations.dense(x, w[:, None], np.array([b], x.dtype))[0][:, 0]


def _neuron(x: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    return operations.sigmoid(_score(x, w, b))[0]


NEURON = Lesson(
    name="neuron",
    chapter=2,
    title="the output of one neuron",
    task="Compute what one neuron answers to a batch of inputs: a probability for each.",
    stub='''
def neuron(x: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    """Return p[n] = 1 / (1 + e^-z), where z = b + sum over i of x[n, i] w[i].

    x : (N, F), one row of numbers for each input
    w : (F,), the weights
    b : a number, the bias
    p : (N,), between 0 and 1
    """
''',
    cases=lambda rng: [
        Case("one input of two numbers", x=np.array([[1.0, 2]]), w=np.array([3.0, -1]), b=-2.0),
        Case("a batch", x=rng.normal(size=(4, 3)), w=rng.normal(size=3), b=0.7),
        Case("a larger batch", x=rng.normal(size=(50, 20)), w=rng.normal(size=20), b=-1.3),
    ],
    reference=_neuron,
    solution=(dense.dense_forward, activations.sigmoid_forward),
    results=("p",),
    mistakes=(
        Mistake("The bias is missing: add b to each sum.", lambda x, w, b: _neuron(x, w, 0.0)),
        Mistake("The sigmoid is missing: z is any number, and must become one between 0 and 1.",
                _score),
        Mistake("The bias was added after the sigmoid. It belongs to the sum, before it.",
                lambda x, w, b: _neuron(x, w, 0.0) + b),
        Mistake("The exponent has the wrong sign: it is e^-z, so that a large z gives a large p.",
                lambda x, w, b: 1 - _neuron(x, w, b)),
        Mistake("Every p is 0 or 1. A neuron that can learn answers something in between.",
                lambda x, w, b: (_score(x, w, b) > 0) * 1.0),
        Mistake("That is a softmax over the batch. Each input is answered for itself.",
                lambda x, w, b: operations.softmax(_score(x, w, b)[None])[0][0]),
    ),
    race=lambda rng: Case(
        "a thousand digits", x=rng.random(size=(1000, 784), dtype=np.float32),
        w=rng.normal(size=784).astype(np.float32) / 10, b=0.5),
)  # fmt: skip


def _gradients(x: np.ndarray, t: np.ndarray, w: np.ndarray, b: float) -> tuple[np.ndarray, ...]:
    """Return dw and db of the mean loss, by the engine's backward functions."""
    z, of_dense = operations.dense(x, w[:, None], np.array([b], x.dtype))
    _, of_loss = operations.sigmoid_binary_crossentropy(z, t[:, None])
    each = np.full(len(x), 1 / len(x), x.dtype)
    dz = operations.sigmoid_binary_crossentropy_backward(each, of_loss)
    _, dw, db = operations.dense_backward(dz, of_dense)
    return dw[:, 0], db[0]


def _step(
    x: np.ndarray, t: np.ndarray, w: np.ndarray, b: float, rate: float
) -> tuple[np.ndarray, ...]:
    dw, db = _gradients(x, t, w, b)
    return _moved(w, dw, rate), _moved(np.asarray(b, x.dtype), db, rate)


def _moved(w: np.ndarray, dw: np.ndarray, rate: float) -> np.ndarray:
    rates = np.array([rate, rate])
    plain = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "decoupled": False}
    return sgd_update(w, dw, None, rates, **plain, multiplier=1.0)[0]  # type: ignore[arg-type]


def _probabilities_as_errors(
    x: np.ndarray, t: np.ndarray, w: np.ndarray, b: float, rate: float
) -> np.ndarray:
    return w - rate * _neuron(x, w, b) @ x / len(x)


NEURON_STEP = Lesson(
    name="neuron_step",
    chapter=2,
    title="one step of learning",
    task="Let one neuron learn: move its weights and its bias one step downhill.",
    stub='''
def neuron_step(
    x: np.ndarray, t: np.ndarray, w: np.ndarray, b: float, rate: float
) -> tuple[np.ndarray, float]:
    """Return the new w and b after one step of gradient descent on a batch.

    The neuron answers p[n] = 1 / (1 + e^-z), z = b + sum over i of x[n, i] w[i].
    Its error is e[n] = p[n] - t[n], and the slopes of the mean loss are
        dw[i] = mean over n of e[n] x[n, i],    db = mean over n of e[n].
    A step goes against the slope: w - rate * dw and b - rate * db.

    x : (N, F), the inputs
    t : (N,), the right answers, 0 or 1
    w : (F,), the weights
    b : a number, the bias
    rate : a number, the learning rate
    """
''',
    cases=lambda rng: [
        Case("one input", x=np.array([[1.0, 2]]), t=np.array([1.0]), w=np.array([0.0, 0]), b=0.0,
             rate=0.5),
        _learning_case(rng, "a batch of four", 4, 3, 0.3),
        _learning_case(rng, "a larger batch", 30, 6, 0.1),
    ],
    reference=_step,
    solution=(
        losses.sigmoid_binary_crossentropy_backward, dense.dense_backward_weights, sgd_update,
    ),
    results=("w", "b"),
    mistakes=(
        Mistake("The step goes uphill, so the loss grows. Subtract the slope.",
                lambda x, t, w, b, rate: _step(x, t, w, b, -rate)[0]),
        Mistake("The slopes of the inputs are added up; take their mean, as the docstring says. "
                "Otherwise the step would grow with the batch.",
                lambda x, t, w, b, rate: _step(x, t, w, b, rate * len(x))[0]),
        Mistake("The slope is that of the first input; take the mean over the whole batch.",
                lambda x, t, w, b, rate: _step(x[:1], t[:1], w, b, rate)[0]),
        Mistake("The right answers t have no influence: the error is p - t, not p.",
                _probabilities_as_errors),
        Mistake("The learning rate is missing: the step is rate times the slope.",
                lambda x, t, w, b, rate: _step(x, t, w, b, 1.0)[0]),
        Mistake("The weights have not moved.", lambda x, t, w, b, rate: w),
        Mistake("The result is the slope dw itself; the function returns the new weights.",
                lambda x, t, w, b, rate: _gradients(x, t, w, b)[0]),
        Mistake("The bias has not moved; it learns, too.", lambda x, t, w, b, rate: b, of="b"),
        Mistake("The bias goes uphill. Subtract its slope.",
                lambda x, t, w, b, rate: _step(x, t, w, b, -rate)[1], of="b"),
        Mistake("For the bias the errors are added up; take their mean.",
                lambda x, t, w, b, rate: _step(x, t, w, b, rate * len(x))[1], of="b"),
    ),
    race=lambda rng: _learning_case(rng, "a thousand digits", 1000, 784, 0.1, np.float32),
)  # fmt: skip


def _learning_case(
    rng: np.random.Generator,
    text: str,
    count: int,
    features: int,
    rate: float,
    dtype: type = np.float64,
) -> Case:
    x, w = rng.normal(size=(count, features)), rng.normal(size=features) / features**0.5
    t = (x.sum(1) + rng.normal(size=count) > 0).astype(dtype)
    return Case(text, x=x.astype(dtype), t=t, w=w.astype(dtype), b=0.4, rate=rate)


LESSONS = (NEURON, NEURON_STEP)
