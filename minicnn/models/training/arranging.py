"""From arrays in lists and dicts, as users give them, to batches in the order of the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.dlpack import is_foreign
from minicnn.errors import ArgumentError
from minicnn.models.batches import (
    Batch,
    Batches,
    as_arrays,
    as_labels,
    as_weights,
    batches_in,
    batches_of,
    check_lengths,
    is_arrays,
    parts_of,
)
from minicnn.models.compiled_network import CompiledNetwork


def batch_for(model: CompiledNetwork, x: Any, y: Any = None, weights: Any = None) -> Batch:
    """Return a batch, in which a dict's arrays have been put into the order of the network."""
    inputs = inputs_for(model, x)
    if not model.is_built and (_is_nested(y) or _is_nested(weights)):
        model.build_for(inputs)
    batch = Batch(inputs, _labels(model, y, len(inputs[0])), _weights(model, weights))
    check_lengths(batch)
    return batch


def inputs_for(model: CompiledNetwork, x: Any) -> tuple[np.ndarray, ...]:
    """Return the arrays of a batch, equally long, in the order of the network's inputs."""
    is_array = isinstance(x, np.ndarray)  # the usual case, which costs least
    inputs = as_arrays(x if is_array or not isinstance(x, Mapping) else model.flat_inputs(x))
    if len(inputs) > 1:
        check_lengths(Batch(inputs))
    return inputs


def batches_for(
    model: CompiledNetwork, x: Any, y: Any = None, weights: Any = None, **options: Any
) -> Batches:
    """Return the batches of arrays, or of an iterable, as `batches_of` does, for this network."""
    if is_arrays(x) or (isinstance(x, Mapping) and is_arrays(list(x.values()))):
        return batches_in(batch_for(model, x, y, weights), **options)
    return batches_of(
        x, y, weights, arrange=lambda item: batch_for(model, *parts_of(item)), **options
    )


def _labels(model: CompiledNetwork, y: Any, count: int) -> Any:
    """Return the labels of the only loss, or a tuple with those of each."""
    if y is None:
        return None
    if not model.is_built or len(model.graph.outputs) == 1:
        return as_labels(_of_one(model, y, count))
    if not _is_nested(y):
        y = [y]
    return _each(model, y, "y", as_labels)


def _weights(model: CompiledNetwork, weights: Any) -> Any:
    """Return the sample weights, one array or one for each loss."""
    if weights is None:
        return None
    if not _is_nested(weights):
        return as_weights(weights)
    if not model.is_built or len(model.graph.outputs) == 1:
        return as_weights(_of_one(model, weights, 0))
    return _each(model, weights, "sample_weight", as_weights)


def _of_one(model: CompiledNetwork, given: Any, count: int) -> Any:
    """Return the array for a network with one output, also from a list or a dict of one array."""
    if isinstance(given, np.ndarray):
        return given
    if isinstance(given, Mapping):
        if len(given) != 1:
            raise ArgumentError(
                f"{model.name} has one output, so y must be one array; got a dict with the keys "
                f"{list(given)}"
            )
        return next(iter(given.values()))
    if _is_nested(given) and len(given) == 1 and count in (0, len(given[0])):
        return given[0]
    return given


def _each(model: CompiledNetwork, given: Any, what: str, convert: Any) -> Any:
    """Return an array for each output that has a loss; the array alone if there is one such."""
    names, wanted = model.output_names, [target.output for target in model.targets]
    if isinstance(model.output_structure, dict) and not isinstance(given, Mapping):
        raise ArgumentError(
            f"the outputs are a dict, so {what} must be a dict, too, with the keys {names}"
        )
    if isinstance(given, Mapping):
        missing = [names[i] for i in wanted if names[i] not in given and what == "y"]
        if missing:
            raise ArgumentError(f"y has the keys {list(given)}, and {missing} are missing")
        values = [given.get(names[i]) for i in wanted]
    elif len(given) == len(names):
        values = [given[i] for i in wanted]
    elif len(given) == len(wanted):
        values = list(given)
    else:
        raise ArgumentError(
            f"{what} must be one array for each of the outputs {names}; got {len(given)}"
        )
    arrays = tuple(convert(value) for value in values)
    return arrays[0] if len(arrays) == 1 else arrays


def _is_nested(given: Any) -> bool:
    """Return whether this is a dict, or a list of arrays, of which some may be None."""
    if isinstance(given, np.ndarray):
        return False
    if isinstance(given, Mapping):
        return True
    return (
        isinstance(given, (list, tuple))
        and any(one is not None for one in given)
        and all(one is None or isinstance(one, np.ndarray) or is_foreign(one) for one in given)
    )
