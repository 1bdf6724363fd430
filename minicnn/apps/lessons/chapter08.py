"""Lessons of chapter 8: the gradients of a hidden layer, and a whole step of training."""

from __future__ import annotations

import numpy as np

from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends import kernel
from minicnn.backends.numpy import activations, dense, losses
from minicnn.backends.numpy.optimizers import sgd_update

Arrays = tuple[np.ndarray, ...]
PLAIN = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "decoupled": False}


def _dense_gradients(dz: np.ndarray, x: np.ndarray, w: np.ndarray) -> Arrays:
    (dx,) = kernel("dense_backward_input")(dz, w)
    return dx, *kernel("dense_backward_weights")(dz, x)


def _hidden(dy: np.ndarray, x: np.ndarray, w: np.ndarray, y: np.ndarray) -> Arrays:
    (dz,) = kernel("relu_backward")(dy, y)
    return _dense_gradients(dz, x, w)


def _hidden_case(
    rng: np.random.Generator, text: str, n: int, inputs: int, units: int, dtype: type = np.float64
) -> Case:
    shapes = {"dy": (n, units), "x": (n, inputs), "w": (inputs, units)}
    arrays: dict[str, np.ndarray] = {
        name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()
    }
    y = np.maximum(arrays["x"] @ arrays["w"], 0)
    return Case(text, **arrays, y=y)


HIDDEN_BACKWARD = Lesson(
    name="hidden_backward",
    chapter=8,
    title="the gradients of a dense layer with ReLU",
    task="Go backward through a hidden layer: first through its ReLU, then through its weights.",
    stub='''
def hidden_backward(
    dy: np.ndarray, x: np.ndarray, w: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dx, dw and db of a dense layer with ReLU.

    The layer is z[n, j] = b[j] + sum over i of x[n, i] w[i, j], then y = max(z, 0).
    ReLU lets the gradient pass where y > 0:
        dz[n, j] = dy[n, j] where y[n, j] > 0, else 0
    Then, as for every dense layer:
        dx[n, i] = sum over j of dz[n, j] w[i, j]
        dw[i, j] = sum over n of x[n, i] dz[n, j]
        db[j]    = sum over n of dz[n, j]

    dy : (N, UNITS), the gradient of the loss with respect to y
    x : (N, IN), the input
    w : (IN, UNITS), the weights
    y : (N, UNITS), the output
    """
''',
    cases=lambda rng: [
        Case("one image", dy=np.array([[1.0, -2, 3]]), x=np.array([[1.0, 2]]),
             w=np.array([[1.0, 2, -3], [4, -5, 2]]), y=np.array([[9.0, 0, 1]])),
        _hidden_case(rng, "a batch of four", 4, 3, 5),
        _hidden_case(rng, "a batch of six, as many inputs as units", 6, 4, 4),
    ],
    reference=_hidden,
    solution=(
        activations.relu_backward, dense.dense_backward_input, dense.dense_backward_weights,
    ),
    results=("dx", "dw", "db"),
    mistakes=(
        Mistake("The ReLU is missing: where y is 0, no gradient passes.",
                lambda dy, x, w, y: _dense_gradients(dy, x, w)[0]),
        Mistake("The gradient was multiplied by y; it passes unchanged where y > 0.",
                lambda dy, x, w, y: _dense_gradients(dy * y, x, w)[0]),
        Mistake("The gradient passes where y is 0; it must pass where y > 0.",
                lambda dy, x, w, y: _dense_gradients(np.where(y > 0, 0, dy), x, w)[0]),
        Mistake("ReLU's own formula was used, max(dy, 0). The sign of y decides, not that of dy.",
                lambda dy, x, w, y: _dense_gradients(np.maximum(dy, 0), x, w)[0]),
        Mistake("The condition looks at x; the ReLU stands behind the weights, so look at y.",
                lambda dy, x, w, y: _dense_gradients(np.where(x > 0, dy, 0), x, w)[0]
                if x.shape == dy.shape else _dense_gradients(dy, x, w)[0] * (x > 0)),
        Mistake("dx is dz times w; it must be dz times w transposed, dz @ w.T.",
                lambda dy, x, w, y: np.where(y > 0, dy, 0) @ w),
        Mistake("dx is right. In dw the ReLU is missing; use dz there, too.",
                lambda dy, x, w, y: _dense_gradients(dy, x, w)[1], of="dw"),
        Mistake("The gradient dw is that of the first image alone; sum over the batch.",
                lambda dy, x, w, y: _hidden(dy[:1], x[:1], w, y[:1])[1], of="dw"),
        Mistake("You have one dw for each image; sum over the batch.",
                lambda dy, x, w, y: x[:, :, None] * np.where(y > 0, dy, 0)[:, None, :], of="dw"),
        Mistake("dw was divided by the number of images. The mean is already in dy, because the "
                "loss is a mean; here it is a sum.",
                lambda dy, x, w, y: _hidden(dy, x, w, y)[1] / len(x), of="dw"),
        Mistake("In db the ReLU is missing; use dz there, too.",
                lambda dy, x, w, y: dy.sum(0), of="db"),
        Mistake("db was summed over the units; sum over the images, the first axis.",
                lambda dy, x, w, y: np.where(y > 0, dy, 0).sum(1), of="db"),
        Mistake("db is one number; there is one bias for each of the units.",
                lambda dy, x, w, y: np.where(y > 0, dy, 0).sum(), of="db"),
        Mistake("db was divided by the number of images. The mean is already in dy.",
                lambda dy, x, w, y: _hidden(dy, x, w, y)[2] / len(x), of="db"),
    ),
    race=lambda rng: _hidden_case(rng, "LeNet's first dense layer", 64, 800, 500, np.float32),
)  # fmt: skip


def _loss_and_gradients(
    x: np.ndarray, labels: np.ndarray, w: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean loss, and the gradients of w and b."""
    (scores,) = kernel("dense_forward")(x, w, b)
    name, labels = "softmax_sparse_categorical_crossentropy", labels.astype(np.int32)
    each, probabilities = kernel(f"{name}_forward")(scores, labels, label_smoothing=0.0)
    dloss = np.full(len(x), 1 / len(x), x.dtype)
    (d_scores,) = kernel(f"{name}_backward")(dloss, probabilities, labels, label_smoothing=0.0)
    dw, db = kernel("dense_backward_weights")(d_scores, x)
    return each.mean(), dw, db


def _moved(w: np.ndarray, dw: np.ndarray, rate: float) -> np.ndarray:
    rates = np.array([rate, rate])
    return kernel("sgd_update")(w, dw, None, rates, **PLAIN, multiplier=1.0)[0]


def _step(x: np.ndarray, labels: np.ndarray, w: np.ndarray, b: np.ndarray, rate: float) -> Arrays:
    loss, dw, db = _loss_and_gradients(x, labels, w, b)
    return loss, _moved(w, dw, rate), _moved(b, db, rate)


def _loss_after_the_step(
    x: np.ndarray, labels: np.ndarray, w: np.ndarray, b: np.ndarray, rate: float
) -> np.ndarray:
    _, w, b = _step(x, labels, w, b, rate)
    return _step(x, labels, w, b, rate)[0]


def _probabilities(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    (scores,) = kernel("dense_forward")(x, w, b)
    return kernel("softmax_forward")(scores)[0]


def _without_the_largest(
    x: np.ndarray, labels: np.ndarray, w: np.ndarray, b: np.ndarray, rate: float
) -> np.ndarray:
    """Return the loss as the formula says, overflow included."""
    powers = np.exp(x @ w + b)
    p = powers / powers.sum(1, keepdims=True)
    return -np.log(p[np.arange(len(x)), labels]).mean()


def _by_p_alone(
    x: np.ndarray, labels: np.ndarray, w: np.ndarray, b: np.ndarray, rate: float
) -> np.ndarray:
    return w - rate * x.T @ _probabilities(x, w, b) / len(x)


def _step_case(
    rng: np.random.Generator,
    text: str,
    n: int,
    inputs: int,
    classes: int,
    dtype: type = np.float64,
    *,
    size: float = 1.0,
    bias: float = 0.0,
) -> Case:
    shapes = {"x": (n, inputs), "w": (inputs, classes), "b": (classes,)}
    arrays: dict[str, np.ndarray] = {
        name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()
    }
    arrays["x"] *= dtype(size)
    arrays["b"] += dtype(bias)
    return Case(text, labels=rng.integers(0, classes, n), **arrays, rate=0.3)


TRAINING_STEP = Lesson(
    name="training_step",
    chapter=8,
    title="a whole step of training",
    task="Train a network of one dense layer with softmax for one step: forward, loss, backward, "
    "update.",
    stub='''
def training_step(
    x: np.ndarray, labels: np.ndarray, w: np.ndarray, b: np.ndarray, rate: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the loss before the step, and the new w and b.

    scores    = x @ w + b
    p         = softmax of each row of scores (subtract the largest score of the row first, so that
                no power overflows)
    loss      = mean over n of -log p[n, labels[n]]
    d_scores  = (p - t) / N, where t[n, labels[n]] is 1 and all other t are 0
    dw        = x.T @ d_scores,    db = sum over n of d_scores[n]
    new w     = w - rate * dw,     new b = b - rate * db

    x : (N, IN), the input
    labels : (N,), the right class of each row, as a whole number
    w : (IN, CLASSES), the weights
    b : (CLASSES,), the biases
    rate : a number, the learning rate
    """
''',
    cases=lambda rng: [
        Case("two images, two classes", x=np.array([[1.0, 0], [0, 2]]), labels=np.array([1, 1]),
             w=np.array([[0.0, 0], [0, 1]]), b=np.array([0.0, 0]), rate=0.5),
        _step_case(rng, "a batch of five", 5, 3, 4),
        _step_case(rng, "large scores", 4, 3, 3, bias=1000.0),
    ],
    reference=_step,
    solution=(
        losses.softmax_sparse_categorical_crossentropy_forward,
        losses.softmax_categorical_crossentropy_forward,
        losses.softmax_categorical_crossentropy_backward, dense.dense_backward_weights, sgd_update,
    ),
    results=("loss", "w", "b"),
    mistakes=(
        Mistake("The loss is a sum over the batch; take the mean.",
                lambda x, labels, w, b, rate: _step(x, labels, w, b, rate)[0] * len(x)),
        Mistake("A power became too large for a number (overflow). Subtract the largest score of "
                "each row before np.exp.", _without_the_largest),
        Mistake("p[:, labels] takes the columns of all labels from every row. Each row has one "
                "label: p[np.arange(N), labels].",
                lambda x, labels, w, b, rate: -np.log(_probabilities(x, w, b)[:, labels]).mean()),
        Mistake("You have one loss for each row; take their mean.",
                lambda x, labels, w, b, rate:
                -np.log(_probabilities(x, w, b)[np.arange(len(x)), labels])),
        Mistake("The loss is that after the step; compute it with the weights from before.",
                _loss_after_the_step),
        Mistake("That is the mean of the probabilities; the loss has the logarithm, -log p.",
                lambda x, labels, w, b, rate:
                _probabilities(x, w, b)[np.arange(len(x)), labels].mean()),
        Mistake("The loss is negative; the logarithm of a probability is below 0, so put a minus "
                "before it.", lambda x, labels, w, b, rate: -_step(x, labels, w, b, rate)[0]),
        Mistake("The loss is that of the first image alone; take the mean over the batch.",
                lambda x, labels, w, b, rate: _step(x[:1], labels[:1], w, b, rate)[0]),
        Mistake("The bias has no influence on the loss: scores = x @ w + b.",
                lambda x, labels, w, b, rate: _step(x, labels, w, 0 * b, rate)[0]),
        Mistake("The loss is right. The step is {rate} times a sum over the batch: d_scores must "
                "be divided by N, because the loss is a mean.",
                lambda x, labels, w, b, rate: _step(x, labels, w, b, rate * len(x))[1], of="w"),
        Mistake("The weights go uphill, so the loss grows: subtract the gradient.",
                lambda x, labels, w, b, rate: _step(x, labels, w, b, -rate)[1], of="w"),
        Mistake("The labels have no influence on the weights: d_scores is p - t, not p.",
                _by_p_alone, of="w"),
        Mistake("The learning rate is missing in the step of the weights.",
                lambda x, labels, w, b, rate: _step(x, labels, w, b, 1.0)[1], of="w"),
        Mistake("The gradient of the weights is that of the first image alone; sum over the "
                "batch.",
                lambda x, labels, w, b, rate:
                _step(x[:1], labels[:1], w, b, rate / len(x))[1], of="w"),
        Mistake("The result is the gradient dw itself; return the new weights.",
                lambda x, labels, w, b, rate: _loss_and_gradients(x, labels, w, b)[1], of="w"),
        Mistake("The biases have not moved; they learn, too.",
                lambda x, labels, w, b, rate: b, of="b"),
        Mistake("For the biases the gradients are summed, and d_scores is not divided by N.",
                lambda x, labels, w, b, rate: _step(x, labels, w, b, rate * len(x))[2], of="b"),
        Mistake("The biases go uphill: subtract their gradient.",
                lambda x, labels, w, b, rate: _step(x, labels, w, b, -rate)[2], of="b"),
    ),
    race=lambda rng: _step_case(rng, "a thousand digits", 1000, 784, 10, np.float32,
                                     size=0.1),
)  # fmt: skip

LESSONS = (HIDDEN_BACKWARD, TRAINING_STEP)
