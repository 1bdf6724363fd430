"""What happens to the data before the first step: it is checked, and labels become arrays.

Arrays are checked and converted as a whole, here and only here. The batches of an iterable are
prepared one by one when they come; of these, the first one is looked at here.
"""

from __future__ import annotations

from typing import Any

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
    EpochStart,
    IterableBatches,
    is_arrays,
    picked,
)
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.training.arranging import batches_for
from minicnn.models.training.class_weights import check_classes, class_of_each, weighted
from minicnn.models.training.measuring import new_measures
from minicnn.support.structures import single


def validation_batches(
    model: CompiledNetwork, data: Any, batch_size: int | None, steps: int | None
) -> Batches:
    """Return the batches of `validation_data`: of arrays in a tuple, or of an iterable."""
    # A list of arrays could only be inputs without labels, so it is read like a tuple.
    is_tuple = isinstance(data, tuple) or (isinstance(data, list) and is_arrays(data))
    arguments = tuple(data) if is_tuple else (data,)
    if isinstance(data, np.ndarray) or (is_tuple and len(arguments) not in (2, 3)):
        got = f"{len(arguments)} arrays" if is_tuple else f"one array {shape_text(data.shape)}"
        raise ArgumentError(
            f"validation_data must be (x, y), (x, y, weights) or an iterable of batches; got {got}"
        )
    options = {"batch_size": batch_size, "steps": steps, "steps_name": "validation_steps"}
    return batches_for(model, *arguments, **options)


def split_off(
    model: CompiledNetwork, data: Batches, fraction: float
) -> tuple[ArrayBatches, ArrayBatches]:
    """Return the samples to train on, and those at the arrays' end for `validation_split`."""
    if not isinstance(data, ArrayBatches) or data.labels is None:
        raise ArgumentError("validation_split needs arrays; pass validation_data instead")
    kept = split_size(data.samples, 1 - fraction)  # as Keras rounds
    if kept in (0, data.samples):
        raise ArgumentError(
            f"validation_split={fraction} of {data.samples} samples leaves no sample for "
            f"{'training' if kept == 0 else 'validation'}"
        )
    classes = _classes(model, data.labels)
    if set(classes[kept:]) - set(classes[:kept]):
        warn_caller(
            "validation_split takes the samples at the arrays' end, and these have classes that "
            "the others do not have: the samples seem to be sorted by class. Shuffle x and y first"
        )
    return (
        _rows(data, slice(0, kept), shuffle=data.shuffle, steps=data.steps),
        _rows(data, slice(kept, None), shuffle=False, steps=None),
    )


def prepare_training_data(
    model: CompiledNetwork,
    data: Batches,
    class_weight: dict[int, float] | None,
    start: EpochStart,
    epochs: int,
) -> None:
    """Build the network and check all that can be checked before the first step.

    Arrays get labels as the kernels read them, and weights that include `class_weight`.
    """
    if isinstance(data, ArrayBatches):
        prepare_arrays(model, data)
        whole = Batch(data.inputs, data.labels, data.weights)
        data.weights = weighted(whole, class_weight).weights
        first = Batch(*(picked(arrays, slice(0, 1)) for arrays in (data.inputs, data.labels)))
    else:
        first = _prepare_first_batch(model, data, class_weight, start, epochs)
    _try_metrics(model, first)
    if class_weight is not None:
        check_classes(class_weight, max(model.output_shapes(first.inputs)[0][-1], 2))


def prepare_validation_data(model: CompiledNetwork, data: Batches, epochs: int) -> None:
    """Check now what would otherwise be found after the first epoch; prepare arrays."""
    if isinstance(data, ArrayBatches):
        prepare_arrays(model, data)
    else:
        _prepare_first_batch(model, data, None, START, epochs)


def prepare_arrays(model: CompiledNetwork, data: ArrayBatches) -> None:
    """Build the network, check the arrays as a whole, and convert their labels for the kernels."""
    data.labels = model.prepare_batch(Batch(data.inputs, data.labels)).labels


def _prepare_first_batch(
    model: CompiledNetwork,
    data: IterableBatches,
    class_weight: dict[int, float] | None,
    start: EpochStart,
    epochs: int,
) -> Batch:
    """Return the first batch, prepared; the iterable will give it again."""
    if data.once and data.steps is None and epochs > 1:
        raise ArgumentError(
            f"a generator gives its batches once, but there are {epochs} epochs; pass a list, an "
            "object whose __iter__ starts anew, or the number of batches per epoch: "
            "steps_per_epoch=, validation_steps="
        )
    batch, _ = data.begin(start)
    if batch is None:
        raise ArgumentError("the data gave no batch; fit needs at least one")
    return model.prepare_batch(weighted(batch, class_weight))


def _try_metrics(model: CompiledNetwork, batch: Batch) -> None:
    """Raise the errors of metrics that do not fit such outputs, before a step changes weights."""
    outputs = [np.zeros(shape, np.float32) for shape in model.output_shapes(batch.inputs)]
    for measure in new_measures(model).metrics:
        measure.update(batch.labels, single(outputs), None)


def _classes(model: CompiledNetwork, labels: Any) -> np.ndarray:
    """Return each sample's class; no classes if the labels are something else."""
    try:
        return class_of_each(labels) if isinstance(model.loss, Crossentropy) else np.array([])
    except (ArgumentError, TypeError):
        return np.array([])


def _rows(data: ArrayBatches, rows: slice, *, shuffle: bool, steps: int | None) -> ArrayBatches:
    return ArrayBatches(
        picked(data.inputs, rows),
        picked(data.labels, rows),
        picked(data.weights, rows),
        data.batch_size,
        shuffle=shuffle,
        steps=steps,
    )
