"""The optimizer's state in Keras's files: the number of steps, the learning rate, the slots.

Keras 3 numbers the arrays: steps, learning rate (unless it follows a schedule), averages of the
weights, sums of gradients, then the optimizer's own. Keras 2 names them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

import numpy as np

from minicnn.interop.keras.layer_weights import legacy_weights
from minicnn.interop.keras.training import short_float
from minicnn.layers.parameter import Parameter
from minicnn.models.model import Model
from minicnn.models.strategy import gather_together
from minicnn.optimizers import Nadam, Optimizer

# For each optimizer: groups of slots. Those of a group alternate from weight to weight. Each slot
# has its name here, in Keras 3 and in Keras 2.
MOMENTS = [[("first", "momentum", "m"), ("second", "velocity", "v")]]
SLOTS: dict[str, list[list[tuple[str, str, str]]]] = {
    "SGD": [[("velocity", "momentum", "momentum|m")]],
    "RMSprop": [
        [("square", "velocity", "rms|velocity")],
        [("velocity", "momentum", "momentum")],
        [("mean", "average_gradient", "mg|average_gradient")],
    ],
    "Adam": [*MOMENTS, [("largest", "velocity_hat", "vhat")]],
    "AdamW": [*MOMENTS, [("largest", "velocity_hat", "vhat")]],
    "Adamax": [[("first", "momentum", "m"), ("norm", "norm", "v|u")]],
    "Nadam": MOMENTS,
    "Adagrad": [[("accumulator", "accumulator", "accumulator")]],
    "Adadelta": [
        [
            ("square", "accumulated_grad", "accum_grad|accumulated_grad"),
            ("delta_square", "accumulated_delta_var", "accum_var|accumulated_delta_var"),
        ]
    ],
    "Ftrl": [[("accumulator", "accumulator", "accumulator"), ("linear", "linear", "linear")]],
    "Lion": [[("momentum", "momentum", "m|momentum")]],
}  # fmt: skip
SHARED = [
    [("average", "average", "average")],
    [("gradient_accumulator", "gradient_accumulator", "-")],
]


def state_arrays(network: Model) -> list[tuple[str, np.ndarray]]:
    """Return the arrays in Keras 3's order with their names, "adam/dense_kernel_momentum".

    If several processes share the training, all must call it; the first one gets the whole state.
    """
    gather_together(network)
    optimizer, _ = network.need_compiled()
    known = dict(network.slots)
    paths = {id(p): path for path, p in network.named_parameters().items()}
    found: list[tuple[str, np.ndarray]] = [("iteration", np.asarray(optimizer.steps, np.int64))]
    if not optimizer.has_schedule:
        rate = np.asarray(float(optimizer.learning_rate), np.float32)
        found.append(("learning_rate", rate))
    for slot, name, path, parameter in _places(network, optimizer):
        value = known.get((paths[id(parameter)], slot))
        if value is None:
            value = np.full(parameter.shape, optimizer.all_slots[slot], np.float32)
        found.append((f"{path.replace('/', '_')}_{name}", value.reshape(parameter.keras_shape)))
    if isinstance(optimizer, Nadam):
        found.append(("variable", np.asarray(_nadam_product(optimizer), np.float32)))
    return [(f"{optimizer.name}/{name}", value) for name, value in found]


def take_numbered(network: Model, arrays: list[np.ndarray], path: object) -> None:
    """Set the state from Keras 3's arrays; one that does not fit is left out, with a warning."""
    optimizer, _ = network.need_compiled()
    places = list(_places(network, optimizer))
    if isinstance(optimizer, Nadam) and len(arrays) > 2:
        arrays = arrays[:-1]  # the product of all momentums so far, which the steps give
    scalars = _scalars(arrays, len(places))
    slots = arrays[scalars : scalars + len(places)]
    if not slots and scalars:  # the optimizer had not taken a step
        _set_steps(optimizer, arrays[:scalars])
        return
    shapes = [parameter.keras_shape for *_, parameter in places]
    if not scalars or [one.shape for one in slots] != shapes:
        _warn(path)
        return
    _set_steps(optimizer, arrays[:scalars])
    for (slot, _, _, parameter), value in zip(places, slots, strict=True):
        network.slot(parameter, slot)[...] = value.reshape(parameter.shape)


def take_named(network: Model, named: list[tuple[str, np.ndarray]], path: object) -> None:
    """Set the state from arrays with names, of Keras 2 or 3."""
    if not named:
        return
    if not any(name.endswith(":0") for name, _ in named):
        take_numbered(network, [value for _, value in named], path)
        return
    optimizer, _ = network.need_compiled()
    scalars = [value for _, value in named if value.ndim == 0]
    trained = trained_parameters(network)
    values = {}
    for slot, _, words in (one for group in _groups(optimizer) for one in group):
        pattern = re.compile(rf"(/|^)({words})(/|:0$)")
        found = [value for name, value in named if value.ndim and pattern.search(name)]
        if [one.shape for one in found] != [parameter.keras_shape for _, parameter in trained]:
            _warn(path)
            return
        values[slot] = found
    _set_steps(optimizer, scalars[:1])
    for slot, found in values.items():
        for (_, parameter), value in zip(trained, found, strict=True):
            network.slot(parameter, slot)[...] = value.reshape(parameter.shape)


def trained_parameters(network: Model) -> list[tuple[str, Parameter]]:
    """Return the weights that training changes, in Keras's order, with their paths."""
    trained = {id(parameter) for parameter in network.trainable_parameters}
    return [
        (path.partition("/")[2], parameter)
        for path, parameter in legacy_weights(network)
        if id(parameter) in trained
    ]


def _groups(optimizer: Optimizer) -> list[list[tuple[str, str, str]]]:
    """Return the groups of slots that this optimizer keeps."""
    used = optimizer.all_slots
    groups = [*SHARED, *SLOTS.get(type(optimizer).__name__, [])]
    return [[one for one in group if one[0] in used] for group in groups]


def _places(network: Model, optimizer: Optimizer) -> Iterator[tuple[str, str, str, Parameter]]:
    """Yield (slot, its name in Keras, the weight's path, the weight) in Keras 3's order."""
    trained = trained_parameters(network)
    for group in _groups(optimizer):
        for path, parameter in trained:
            for slot, name, _ in group:
                yield slot, name, path, parameter


def _scalars(arrays: list[np.ndarray], slots: int) -> int:
    """Return how many numbers come before the slots: the steps, and perhaps the learning rate.

    It is 0 if the arrays do not fit. An optimizer that had not taken a step has no slots yet.
    """
    if len(arrays) <= 2 and all(one.ndim == 0 for one in arrays):
        return len(arrays)
    count = len(arrays) - slots
    return count if count in (1, 2) and all(one.ndim == 0 for one in arrays[:count]) else 0


def _set_steps(optimizer: Optimizer, scalars: list[np.ndarray]) -> None:
    steps = float(scalars[0]) if scalars else 0.0
    if 0 <= steps < 2**53:
        optimizer.steps = int(steps)
    if len(scalars) > 1 and not optimizer.has_schedule:
        optimizer.learning_rate = short_float(float(scalars[1]))


def _nadam_product(optimizer: Nadam) -> float:
    product = 1.0
    for t in range(1, int(optimizer.iterations) + 1):
        product *= optimizer.beta_1 * (1.0 - 0.5 * 0.96**t)
    return product


def _warn(path: object) -> None:
    warnings.warn(
        f"{path}: the optimizer's state does not fit this optimizer, so it starts anew",
        stacklevel=2,
    )
