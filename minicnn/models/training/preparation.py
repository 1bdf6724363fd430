"""Before a training: what it measures itself on, and that its data can be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.checks import shape_text, warn_caller
from minicnn.data.validation_split import split_size
from minicnn.errors import ArgumentError
from minicnn.losses import Crossentropy
from minicnn.models.batches import (
    START,
    ArrayBatches,
    Batch,
    Batches,
    IterableBatches,
    Place,
    batches_of,
    is_arrays,
)
from minicnn.models.training.class_weights import check_classes, class_of_each, weighted

if TYPE_CHECKING:
    from minicnn.models.model import Model


def validation_batches(data: Any, batch_size: int | None, steps: int | None) -> Batches:
    """`validation_data`: (x, y), (x, y, weights) or an iterable of batches."""
    # A list of arrays alone would be inputs without labels, so it means the same.
    together = isinstance(data, tuple) or (isinstance(data, list) and is_arrays(data))
    parts = tuple(data) if together else (data,)
    if isinstance(data, np.ndarray) or (together and len(parts) not in (2, 3)):
        got = f"{len(parts)} parts" if together else f"one array {shape_text(data.shape)}"
        raise ArgumentError(
            f"validation_data must be (x, y), (x, y, weights) or an iterable of batches; got {got}"
        )
    return batches_of(*parts, batch_size=batch_size, steps=steps, steps_name="validation_steps")


def split_off(model: Model, data: Batches, fraction: float) -> tuple[ArrayBatches, ArrayBatches]:
    """The samples to train on, and the arrays' end for `validation_split`."""
    if not isinstance(data, ArrayBatches) or data.labels is None:
        raise ArgumentError("validation_split needs arrays; pass validation_data instead")
    kept = split_size(data.samples, 1 - fraction)  # as Keras rounds
    if kept in (0, data.samples):
        raise ArgumentError(
            f"validation_split={fraction} of {data.samples} samples leaves one part empty"
        )
    classes = _classes(model, data.labels)
    if set(classes[kept:]) - set(classes[:kept]):
        warn_caller(
            "validation_split takes the arrays' end, and it has classes that the rest has not: "
            "the samples seem to be sorted by class. Shuffle x and y first"
        )
    return (
        _part(data, slice(0, kept), shuffle=data.shuffle),
        _part(data, slice(kept, None), shuffle=False),
    )


def check_training_data(
    model: Model,
    data: Batches,
    class_weight: dict[int, float] | None,
    place: Place,
    epochs: int,
) -> None:
    """Build the network, and refuse arrays as a whole; of an iterable, its first batch."""
    if isinstance(data, ArrayBatches):
        _check_labeled(model, data)
        whole = Batch(data.inputs, data.labels, data.weights)
        data.weights = weighted(whole, class_weight).weights
        labels = data.labels[:1]  # type: ignore[index]
    else:
        labels = _check_first_batch(model, data, class_weight, place, epochs).labels
    _try_metrics(model, labels)
    check_classes(class_weight, max(model.graph.outputs[0].shape[-1], 2))


def check_validation_data(model: Model, data: Batches, epochs: int) -> None:
    """Refuse now what would else be found after the first epoch."""
    if isinstance(data, ArrayBatches):
        _check_labeled(model, data)
    else:
        _check_first_batch(model, data, None, START, epochs)


def _check_labeled(model: Model, data: ArrayBatches) -> None:
    """Refuse arrays as a whole, and their labels."""
    model.check_inputs(data.inputs)
    if data.labels is None:
        raise ArgumentError("training and evaluation need labels y")
    shape = (data.samples, *model.graph.outputs[0].shape[1:])
    data.labels = model.loss.prepare(data.labels, shape)  # type: ignore[union-attr]


def _check_first_batch(
    model: Model,
    data: IterableBatches,
    class_weight: dict[int, float] | None,
    place: Place,
    epochs: int,
) -> Batch:
    """The batch, with labels as the loss wants them."""
    if data.once and data.steps is None and epochs > 1:
        raise ArgumentError(
            f"a generator gives its batches once, and here are {epochs} epochs; pass a list, an "
            "object whose __iter__ starts anew, or how many are for an epoch: steps_per_epoch=, "
            "validation_steps="
        )
    batch, _ = data.begin(place)
    if batch is None:
        raise ArgumentError("the data gave no batch; fit needs at least one")
    return model.prepared(weighted(batch, class_weight))


def _try_metrics(model: Model, labels: np.ndarray) -> None:
    """Refuse metrics that cannot count such outputs, before a step has moved the weights."""
    shape = (len(labels), *model.graph.outputs[0].shape[1:])
    for metric in model.new_metrics():
        metric.update(labels, np.zeros(shape, np.float32))


def _classes(model: Model, labels: np.ndarray) -> np.ndarray:
    """Each sample's class, none where labels are something else."""
    try:
        return class_of_each(labels) if isinstance(model.loss, Crossentropy) else np.array([])
    except (ArgumentError, TypeError):
        return np.array([])


def _part(data: ArrayBatches, rows: slice, *, shuffle: bool) -> ArrayBatches:
    labels, weights = data.labels, data.weights
    return ArrayBatches(
        tuple(x[rows] for x in data.inputs),
        None if labels is None else labels[rows],
        None if weights is None else weights[rows],
        data.batch_size,
        shuffle=shuffle,
    )
