"""What is looked at while a network learns. None of it changes the training."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minicnn import layers
from minicnn.apps.explorer.training.datasets import TrainingData
from minicnn.explain.tape import Tape
from minicnn.layers.activation_functions import relu
from minicnn.layers.base import Layer
from minicnn.models import Model
from minicnn.models.batches import Batch

TEST_IMAGES = 256
SAMPLE = 32  # training images, by which gradients and dead units are measured
BINS = 41  # of a histogram; odd, so that 0 is in the middle of one
MOST_VALUES = 20_000  # in a histogram; of more, every second, third, ... is counted
DENSE_UNTIL, FEW_UNTIL = 100, 1000  # steps with measurements each 10 and each 50 steps


class Histogram(NamedTuple):
    """How many values lie in each of BINS intervals between -limit and limit.

    If all are 0, so is the limit, and all lie in the interval in the middle. If none is finite, the
    limit is NaN.
    """

    counts: np.ndarray  # int32
    limit: float


class LayerMeasures(NamedTuple):
    """What was measured of one layer; None where it does not apply."""

    name: str
    kind: str
    weights: Histogram | None = None
    gradients: Histogram | None = None
    update_ratio: float | None = None  # size of the last update / size of the weights
    dead: float | None = None  # share of its ReLU units that are 0 for all images


class Measured(NamedTuple):
    """Everything that was measured after one step."""

    step: int
    test_loss: float
    test_accuracy: float
    layers: list[LayerMeasures]
    tape: Tape
    gradients: dict[str, np.ndarray]  # by parameter name


class Sample(NamedTuple):
    """The images that everything is measured on, always the same ones."""

    x: np.ndarray
    y: np.ndarray
    test: Batch
    labels: np.ndarray  # of all training images

    @classmethod
    def of(cls, model: Model, data: TrainingData) -> Sample:
        """Return some of the images, evenly spaced."""
        train, test = _spaced(len(data.x_train), SAMPLE), _spaced(len(data.x_test), TEST_IMAGES)
        batch = model.prepare_batch(Batch((data.x_test[test],), data.y_test[test]))
        return cls(data.x_train[train], data.y_train[train], batch, data.y_train)


def is_measured(step: int, steps_per_epoch: int) -> bool:
    """Return whether a running training is measured after so many steps: often at first."""
    every = 10 if step <= DENSE_UNTIL else 50 if step <= FEW_UNTIL else 100
    return step % every == 0 or step % steps_per_epoch == 0


def measure(model: Model, sample: Sample, before: list[np.ndarray] | None = None) -> Measured:
    """Measure a model after a step.

    Parameters
    ----------
    before : the weights before that step; None: not known
    """
    optimizer, _ = model.need_compiled()
    result = model.test_step(sample.test)
    right = result.predictions.argmax(-1) == np.asarray(sample.test.labels).reshape(-1)
    tape = Tape(model, sample.x, training=True)
    gradients = _gradients(model, tape, sample.y)
    ratios = _update_ratios(model, before)
    found = [_of_layer(layer, tape, gradients, ratios) for layer in model.layers]
    kept = [one for one in found if one.weights is not None or one.dead is not None]
    return Measured(optimizer.steps, result.loss, float(right.mean()), kept, tape, gradients)


def first_kernels(model: Model) -> np.ndarray | None:
    """Return the kernels of the first convolution, (h, w, channels, n); None if there is none."""
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            return np.array(layer.kernel.value)
    return None


def histogram(values: np.ndarray) -> Histogram:
    """Count the finite values in equal intervals, symmetrically around 0.

    >>> histogram(np.array([-1.0, 0.0, 0.0, 1.0])).counts[[0, 20, 40]].tolist()
    [1, 2, 1]
    """
    flat = values.ravel()
    some = flat[:: -(-flat.size // MOST_VALUES)]
    some = some[np.isfinite(some)]
    if some.size == 0 < flat.size:
        return Histogram(np.zeros(BINS, np.int32), math.nan)
    limit = float(np.abs(some).max(initial=0))
    counts, _ = np.histogram(some, BINS, (-limit or -1.0, limit or 1.0))
    return Histogram(counts.astype(np.int32), limit)


def _spaced(count: int, most: int) -> np.ndarray:
    """Return at most so many indices, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.int64))


def _gradients(model: Model, tape: Tape, y: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients of the mean loss by parameter name."""
    _, loss = model.need_compiled()
    losses = tape.losses(loss, loss.prepare(y, tape.output.shape))
    found = tape.gradient(losses, np.full(losses.shape, 1 / losses.size, np.float32))
    by_name = {p.name: found.of(p) for p in model.parameters}
    return {name: dw for name, dw in by_name.items() if dw is not None}


def _update_ratios(model: Model, before: list[np.ndarray] | None) -> dict[str, float]:
    """Return the size of the last update divided by that of the weights, by parameter name."""
    if before is None:
        return {}
    pairs = zip(model.parameters, before, strict=True)
    sizes = {p.name: (_size(p.value - old), _size(old)) for p, old in pairs if p.value.ndim > 1}
    return {name: change / size for name, (change, size) in sizes.items() if size}


def _of_layer(
    layer: Layer, tape: Tape, gradients: dict[str, np.ndarray], ratios: dict[str, float]
) -> LayerMeasures:
    measures = LayerMeasures(layer.name, type(layer).__name__, dead=_dead_share(layer, tape))
    kernel = getattr(layer, "kernel", None)
    if kernel is None or kernel.name not in gradients:
        return measures
    return measures._replace(
        weights=histogram(kernel.value),
        gradients=histogram(gradients[kernel.name]),
        update_ratio=ratios.get(kernel.name),
    )


def _dead_share(layer: Layer, tape: Tape) -> float | None:
    """Return the share of a layer's ReLU units that are 0 for all images; None without ReLU."""
    if getattr(layer, "activation", None) is not relu:
        return None
    y = tape[layer.name]
    return float((y.reshape(-1, y.shape[-1]) <= 0).all(0).mean())


def _size(x: np.ndarray) -> float:
    return float(np.sqrt(np.square(x, dtype=np.float64).mean()))
