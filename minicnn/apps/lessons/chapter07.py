"""Lessons of chapter 7: a step with momentum, and a step of Adam."""

from __future__ import annotations

import math

import numpy as np

from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends import kernel
from minicnn.backends.numpy.adam import adam_update
from minicnn.backends.numpy.optimizers import sgd_update

PLAIN = {"weight_decay": 0.0, "decoupled": False, "multiplier": 1.0}
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def _momentum(
    w: np.ndarray,
    dw: np.ndarray,
    velocity: np.ndarray,
    rate: float,
    momentum: float,
    nesterov: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    rates = np.array([rate, rate])
    update = kernel("sgd_update")
    return update(w, dw, velocity, rates, momentum=momentum, nesterov=nesterov, **PLAIN)


def _normal(
    rng: np.random.Generator, names: tuple[str, ...], shape: tuple[int, ...], dtype: type
) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=shape).astype(dtype) for name in names}


def _momentum_case(
    rng: np.random.Generator, text: str, shape: tuple[int, ...], dtype: type = np.float64
) -> Case:
    arrays = _normal(rng, ("w", "dw", "velocity"), shape, dtype)
    return Case(text, **arrays, rate=0.03, momentum=0.9)


SGD_MOMENTUM = Lesson(
    name="sgd_momentum",
    chapter=7,
    title="a step of SGD with momentum",
    task="Let the weights roll downhill like a ball: one step with a velocity.",
    stub='''
def sgd_momentum(
    w: np.ndarray, dw: np.ndarray, velocity: np.ndarray, rate: float, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new w and the new velocity.

    The velocity keeps a part of itself and is pushed against the gradient; the weights move by it:
        new velocity = momentum * velocity - rate * dw
        new w        = w + new velocity

    w : any shape, the weights
    dw : the same shape, the gradient of the loss with respect to w
    velocity : the same shape, how far the weights moved in the last step
    rate : a number, the learning rate
    momentum : a number from 0 to 1, the part of the velocity that is kept
    """
''',
    cases=lambda rng: [
        Case("three weights", w=np.array([1.0, 2, 3]), dw=np.array([4.0, -8, 2]),
             velocity=np.array([10.0, 20, -30]), rate=0.25, momentum=0.5),
        _momentum_case(rng, "a matrix of weights", (3, 4)),
        _momentum_case(rng, "the kernels of a convolution", (3, 3, 2, 5)),
    ],
    reference=_momentum,
    solution=(sgd_update,),
    results=("w", "velocity"),
    mistakes=(
        Mistake("The weights moved by the old velocity. Compute the new one first.",
                lambda w, dw, velocity, rate, momentum: w + velocity),
        Mistake("The push goes uphill: the gradient is subtracted, - rate * dw.",
                lambda w, dw, velocity, rate, momentum:
                _momentum(w, dw, velocity, -rate, momentum)[0]),
        Mistake("The velocity was subtracted from the weights. It has the right sign already, "
                "because the gradient was subtracted when it was computed: w + velocity.",
                lambda w, dw, velocity, rate, momentum:
                2 * w - _momentum(w, dw, velocity, rate, momentum)[0]),
        Mistake("The learning rate is missing: the push is rate * dw.",
                lambda w, dw, velocity, rate, momentum:
                _momentum(w, dw, velocity, 1.0, momentum)[0]),
        Mistake("The old velocity has no influence: that is SGD without momentum.",
                lambda w, dw, velocity, rate, momentum: _momentum(w, dw, velocity, rate, 0.0)[0]),
        Mistake("The whole old velocity was kept; only the part `momentum` of it is.",
                lambda w, dw, velocity, rate, momentum: _momentum(w, dw, velocity, rate, 1.0)[0]),
        Mistake("The push was multiplied by 1 - momentum, as in a mean. Here it is rate * dw.",
                lambda w, dw, velocity, rate, momentum:
                _momentum(w, dw, velocity, rate * (1 - momentum), momentum)[0]),
        Mistake("The whole velocity was multiplied by the rate; only the gradient is.",
                lambda w, dw, velocity, rate, momentum:
                _momentum(w, dw, velocity, rate, momentum * rate)[0]),
        Mistake("That is Nesterov's step, which looks ahead. Here the weights move by the new "
                "velocity alone.",
                lambda w, dw, velocity, rate, momentum:
                _momentum(w, dw, velocity, rate, momentum, nesterov=True)[0]),
        Mistake("The weights have not moved.",
                lambda w, dw, velocity, rate, momentum: w),
        Mistake("The weights are right, but you returned the old velocity. The next step needs the "
                "new one.", lambda w, dw, velocity, rate, momentum: velocity, of="velocity"),
        Mistake("The weights are right, the velocity has the wrong sign: it is what is added to w.",
                lambda w, dw, velocity, rate, momentum:
                -_momentum(w, dw, velocity, rate, momentum)[1], of="velocity"),
    ),
    race=lambda rng: _momentum_case(rng, "LeNet's first dense layer", (800, 500), np.float32),
)  # fmt: skip


def _adam(
    w: np.ndarray,
    dw: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    t: int,
    rate: float,
    betas: tuple[float, float] = (BETA_1, BETA_2),
    step: float | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a step by the engine; `step` is the rate after bias correction."""
    if step is None:
        step = rate * math.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    attributes = {"beta_1": betas[0], "beta_2": betas[1], "epsilon": EPSILON, **PLAIN}
    return kernel("adam_update")(w, dw, first, second, np.array([rate, step]), **attributes)


def _with_the_old_means(
    w: np.ndarray, dw: np.ndarray, first: np.ndarray, second: np.ndarray, t: int, rate: float
) -> np.ndarray:
    return _adam(w, dw, first, second, t, rate, betas=(1.0, 1.0))[0]


def _without_the_root(
    w: np.ndarray, dw: np.ndarray, first: np.ndarray, second: np.ndarray, t: int, rate: float
) -> np.ndarray:
    _, m, s = _adam(w, dw, first, second, t, rate)
    m_hat, s_hat = m / (1 - BETA_1**t), s / (1 - BETA_2**t)
    return w - rate * m_hat / (s_hat + EPSILON)


def _adam_case(
    rng: np.random.Generator, text: str, shape: tuple[int, ...], t: int, dtype: type = np.float64
) -> Case:
    arrays = _normal(rng, ("w", "dw", "first", "second"), shape, dtype)
    arrays["second"] **= 2
    return Case(text, **arrays, t=t, rate=0.01)


ADAM_STEP = Lesson(
    name="adam_step",
    chapter=7,
    title="a step of Adam",
    task="Give each weight a step of its own size, by the size that its gradients have had.",
    stub='''
def adam_step(
    w: np.ndarray, dw: np.ndarray, first: np.ndarray, second: np.ndarray, t: int, rate: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the new w, first and second, for beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7.

    Moving means of the gradient and of its square:
        new first  = beta_1 * first + (1 - beta_1) * dw
        new second = beta_2 * second + (1 - beta_2) * dw^2
    In step t both are too small, because they began at 0. This rate makes up for it:
        step  = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
        new w = w - step * new first / (sqrt(new second) + epsilon)

    w : any shape, the weights
    dw : the same shape, the gradient of the loss with respect to w
    first : the same shape, the moving mean of the gradients
    second : the same shape, the moving mean of their squares
    t : the number of this step, 1 for the first one
    rate : a number, the learning rate
    """
''',
    cases=lambda rng: [
        Case("the first step", w=np.array([1.0, 2, 3]), dw=np.array([0.5, -2, 100]),
             first=np.zeros(3), second=np.zeros(3), t=1, rate=0.1),
        _adam_case(rng, "the fourth step", (3, 4), 4),
        _adam_case(rng, "step 200", (3, 3, 2, 4), 200),
    ],
    reference=_adam,
    solution=(adam_update,),
    results=("w", "first", "second"),
    mistakes=(
        Mistake("The bias correction is missing: use `step`, not `rate`.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate, step=rate)[0]),
        Mistake("Only the first mean was corrected: sqrt(1 - beta_2^t) is missing.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate, step=rate / (1 - BETA_1**t))[0]),
        Mistake("Only the second mean was corrected: divide by 1 - beta_1^t, too.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate,
                      step=rate * math.sqrt(1 - BETA_2**t))[0]),
        Mistake("In the correction the root of 1 - beta_2^t is missing.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate,
                      step=rate * (1 - BETA_2**t) / (1 - BETA_1**t))[0]),
        Mistake("In the correction beta was multiplied by t; it is beta to the power of t, "
                "beta ** t.",
                lambda w, dw, first, second, t, rate: None if t == 1 else
                _adam(w, dw, first, second, t, rate, step=rate
                      * math.sqrt(abs(1 - BETA_2 * t)) / (1 - BETA_1 * t))[0]),
        Mistake("The step uses the old means; compute the new ones first.", _with_the_old_means),
        Mistake("The square root of the second mean is missing.", _without_the_root),
        Mistake("beta_1 and beta_2 are exchanged in the means.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate, betas=(BETA_2, BETA_1))[0]),
        Mistake("In the first mean the gradient has the weight beta_1; it is 1 - beta_1.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate, betas=(1 - BETA_1, BETA_2))[0]),
        Mistake("The step goes uphill; subtract it.",
                lambda w, dw, first, second, t, rate:
                2 * w - _adam(w, dw, first, second, t, rate)[0]),
        Mistake("The weights have not moved.", lambda w, dw, first, second, t, rate: w),
        Mistake("The weights are right, but `first` is the old mean; return the new one.",
                lambda w, dw, first, second, t, rate: first, of="first"),
        Mistake("The weights are right, but `first` was divided by 1 - beta_1^t. Return the mean "
                "itself; the next step begins with it.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate)[1] / (1 - BETA_1**t), of="first"),
        Mistake("The weights are right, but `second` was divided by 1 - beta_2^t. Return the mean "
                "itself; the next step begins with it.",
                lambda w, dw, first, second, t, rate:
                _adam(w, dw, first, second, t, rate)[2] / (1 - BETA_2**t), of="second"),
        Mistake("The weights are right, but `second` is the old mean; return the new one.",
                lambda w, dw, first, second, t, rate: second, of="second"),
    ),
    race=lambda rng: _adam_case(rng, "LeNet's first dense layer", (800, 500), 10, np.float32),
)  # fmt: skip

LESSONS = (SGD_MOMENTUM, ADAM_STEP)
