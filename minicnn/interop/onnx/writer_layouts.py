"""Where each value of a network is in an ONNX graph, and in which order its axes are there.

minicnn's images are (N, H, W, C), ONNX's operators take (N, C, H, W). So each value has a `Laid`,
which says what its tensor's axes are. Most operators take any order. What needs another one asks
for it, and a `Transpose` is written only then. In the same way a value may be in its tensor only
once where it is repeated, or without its last axes if those have length 1; and the features that
Flatten makes of channels-first images are in another order, which Dense takes over in its weights.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.interop.onnx.writer_graph import Graph
from minicnn.interop.onnx.writer_trace import LayerUse, Step, Value

Axes = tuple[int, ...]
ADVICE = "A .mcnn file holds every network."
UNIT = -1  # an axis of a tensor that the value does not have; its length is 1


class Order(NamedTuple):
    """The order of the features (N, F) that were made of `lengths`, in which `axes` permutes them.

    The features of the value are in the order of an array of `lengths`; those of the tensor are in
    the order of that array with its axes permuted.
    """

    lengths: tuple[int, ...]
    axes: Axes

    @property
    def indices(self) -> np.ndarray:
        """The place in the value of each feature of the tensor."""
        places = np.arange(math.prod(self.lengths)).reshape(self.lengths)
        return places.transpose(self.axes).ravel()


class Laid(NamedTuple):
    """A value's tensor: for each of its axes the value's axis, or UNIT.

    Along the axes in `spread` the value is repeated: the tensor has them with length 1 or lacks
    them.
    """

    tensor: str
    axes: Axes
    spread: frozenset[int] = frozenset()
    order: Order | None = None

    @property
    def present(self) -> Axes:
        """The value's axes that the tensor has."""
        return tuple(axis for axis in self.axes if axis != UNIT)

    @property
    def is_plain(self) -> bool:
        """Whether the tensor has the value's axes, perhaps in another order, and no others."""
        return not self.spread and self.order is None and UNIT not in self.axes


def as_given(rank: int) -> Axes:
    """Return the value's own order of axes."""
    return tuple(range(rank))


def channels_first(rank: int) -> Axes:
    """Return the order (N, C, ...).

    >>> channels_first(4)
    (0, 3, 1, 2)
    """
    return as_given(rank) if rank < 3 else (0, rank - 1, *range(1, rank - 1))


class Layouts:
    """The values of a network in the graph that is being written.

    `use` is the call of a layer whose operations are being written: nodes are called as it.
    """

    def __init__(self, graph: Graph, path: str) -> None:
        self.graph, self.path = graph, path
        self.use = LayerUse("", None)
        self.first_input: tuple[Value, str] | None = None
        self._laid: dict[int, Laid] = {}
        self._fetched: dict[Any, str] = {}
        self._named: LayerUse | None = None  # the use whose first node has its name
        self._batch_size = ""
        self._numbers = itertools.count(-1, -1)  # of values that are no results of steps

    # --- nodes ----------------------------------------------------------------------------------

    def emit(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of the layer: the first one has its name, the others their operator's, too."""
        name = self.use.path
        if self._named is self.use:
            name = f"{name}/{op.lower()}"
        self._named = self.use
        return self.graph.node(op, list(inputs), name, **attributes)

    def number(self, value: float, label: str, dtype: str = "float32") -> str:
        """Add a constant number of the layer."""
        return self.constant(np.array(value, dtype), label)

    def constant(self, array: np.ndarray, label: str) -> str:
        """Add a constant of the layer."""
        return self.graph.constant(array, f"{self.use.path}/{label}")

    def integers(self, values: Any, label: str) -> str:
        """Add a list of integers of the layer."""
        return self.graph.integers(list(values), f"{self.use.path}/{label}")

    def refused(self, reason: str) -> UnsupportedError:
        """Return the error for what cannot be written, which names the layer."""
        return UnsupportedError(
            self.path, f"{self.use.label} cannot be written: {reason}. {ADVICE}"
        )

    # --- values ---------------------------------------------------------------------------------

    def new_number(self) -> int:
        """Return a number for a value that is no result of a step."""
        return next(self._numbers)

    def put(self, value: Value, laid: Laid) -> None:
        """Remember where a value is."""
        self._laid[value.number] = laid

    def plain(self, step: Step, tensor: str, axes: Axes | None = None) -> None:
        """Remember the tensor of a step's result, which has its axes in this order."""
        self.put(step.value, Laid(tensor, as_given(step.value.rank) if axes is None else axes))

    def renamed(self, old: str, new: str) -> None:
        """Take note that a tensor has got another name, that of an output."""
        self._laid = {
            number: laid._replace(tensor=new) if laid.tensor == old else laid
            for number, laid in self._laid.items()
        }
        self._fetched = {
            key: new if tensor == old else tensor for key, tensor in self._fetched.items()
        }

    def laid(self, value: Value) -> Laid:
        """Return where a value that is no constant is."""
        return self._laid[value.number]

    def axes_of(self, value: Value) -> Axes:
        """Return all axes of a value in the order of its tensor, as far as it has one."""
        if value.array is not None:
            return as_given(value.rank)
        present = self.laid(value).present
        missing = tuple(axis for axis in range(value.rank) if axis not in present)
        if not missing:
            return present
        by_order = [one for one in (as_given, channels_first) if _keeps(one(value.rank), present)]
        return by_order[0](value.rank) if by_order else (*present, *missing)

    def fetch(self, value: Value, axes: Axes | None = None, *, spread: bool = False) -> str:
        """Return a tensor with exactly the value's axes, in this order; default: their own.

        With `spread`, axes along which the value is repeated may have length 1.
        """
        axes = as_given(value.rank) if axes is None else axes
        key = (_identity(value), axes, spread)
        if key not in self._fetched:
            self._fetched[key] = self._fetch(value, axes, spread=spread)
        return self._fetched[key]

    def _fetch(self, value: Value, axes: Axes, *, spread: bool) -> str:
        if value.array is not None:
            return self._fetch_constant(value, axes, spread=spread)
        laid = self.laid(value)
        tensor = self._in_order(laid)
        base = _node_name(laid.tensor)
        tensor = self._without_units(tensor, laid.axes, base)
        present = laid.present
        wanted = tuple(axis for axis in axes if axis in present)
        if present != wanted:
            permutation = [present.index(axis) for axis in wanted]
            tensor = self.graph.node("Transpose", [tensor], f"{base}/transpose", perm=permutation)
        missing = [i for i, axis in enumerate(axes) if axis not in present]
        if missing:
            places = self.graph.integers(missing, f"{base}/unsqueeze/axes")
            tensor = self.graph.node("Unsqueeze", [tensor, places], f"{base}/unsqueeze")
        return tensor if spread else self._expanded(tensor, value, axes, laid.spread)

    def _in_order(self, laid: Laid) -> str:
        """Return the tensor with features in the value's order, which costs three nodes."""
        if laid.order is None:
            return laid.tensor
        base, (lengths, axes) = _node_name(laid.tensor), laid.order
        shape = [0, *(lengths[axis] for axis in axes)]
        shape_name = self.graph.integers(shape, f"{base}/unflatten/shape")
        tensor = self.graph.node("Reshape", [laid.tensor, shape_name], f"{base}/unflatten")
        back = [0, *(1 + axes.index(i) for i in range(len(axes)))]
        tensor = self.graph.node("Transpose", [tensor], f"{base}/transpose", perm=back)
        return self.graph.node("Flatten", [tensor], f"{base}/flatten")

    def _without_units(self, tensor: str, axes: Axes, base: str) -> str:
        units = [i for i, axis in enumerate(axes) if axis == UNIT]
        if not units:
            return tensor
        if len(axes) - len(units) == 2 and units[0] == 2:
            return self.graph.node("Flatten", [tensor], f"{base}/flatten")
        places = self.graph.integers(units, f"{base}/squeeze/axes")
        return self.graph.node("Squeeze", [tensor, places], f"{base}/squeeze")

    def _expanded(self, tensor: str, value: Value, axes: Axes, spread: frozenset[int]) -> str:
        """Return the tensor with the values repeated along these axes of the value."""
        if not spread:
            return tensor
        base = f"{self.use.path}/expand"
        lengths = [value.shape[axis] if axis in spread else 1 for axis in axes]
        if None not in lengths:
            shape = self.graph.integers(lengths, f"{base}/shape")  # type: ignore[arg-type]
            return self.graph.node("Expand", [tensor, shape], base)
        parts = []
        for axis, length in zip(axes, lengths, strict=True):
            if length is None and axis not in value.batch:
                raise self.refused("it repeats values as often as an image's size says")
            known = [] if length is None else [length]
            parts.append(self.graph.integers(known, f"{base}/length") if known else self._count())
        shape = self.graph.node("Concat", parts, f"{base}/shape", axis=0)
        return self.graph.node("Expand", [tensor, shape], base)

    def _count(self) -> str:
        """Return the tensor (1,) of the batch size."""
        if self.first_input is None:
            raise self.refused("it needs the batch size, and the network has no input with one")
        if not self._batch_size:
            _, tensor = self.first_input
            self._batch_size = self.graph.node("Shape", [tensor], "batch_size", start=0, end=1)
        return self._batch_size

    # --- constants ------------------------------------------------------------------------------

    def _fetch_constant(self, value: Value, axes: Axes, *, spread: bool) -> str:
        """Return a constant with its axes in this order."""
        array = full_rank(value)
        lost = frozenset(i for i, n in enumerate(value.shape) if array.shape[i] != n)
        if lost and not spread and None not in value.shape:
            array, lost = np.broadcast_to(array, value.shape), frozenset()  # type: ignore[arg-type]
        tensor = self.constant(array.transpose(axes), value.label)
        return tensor if spread else self._expanded(tensor, value, axes, lost)

    def operand(self, value: Value, axes: Axes, order: Order | None = None) -> str:
        """Return a constant for an operator that broadcasts, for tensors with these axes."""
        key = (_identity(value), axes, order)
        if key not in self._fetched:
            array = full_rank(value)
            if order is not None and array.shape[1] > 1:
                array = array[:, order.indices]
            kept = [axis for axis in axes if axis != UNIT]
            array = array.transpose(kept)
            for place, axis in enumerate(axes):
                if axis == UNIT:
                    array = np.expand_dims(array, place)
            self._fetched[key] = self.constant(_stripped(array), value.label)
        return self._fetched[key]

    def with_rows(self, value: Value, order: Order | None) -> str:
        """Return a constant whose first axis has the order of a tensor's features."""
        if order is None:
            return self.fetch(value)
        if value.array is None:
            raise self.refused("its weights are computed from its inputs")
        key = (_identity(value), order)
        if key not in self._fetched:
            self._fetched[key] = self.constant(np.asarray(value.array)[order.indices], value.label)
        return self._fetched[key]

    # --- several values -------------------------------------------------------------------------

    def together(self, values: list[Value]) -> tuple[list[str], Laid]:
        """Return tensors that ONNX broadcasts to the values' common shape, and how the result lies.

        They have the order of the first one of the highest rank that is no constant.
        """
        tensors = [v for v in values if v.array is None]
        if not tensors:
            spread = [_constant_spread(v) for v in values]
            names = [self.fetch(v, spread=True) for v in values]
            return names, Laid("", as_given(values[0].rank), frozenset.intersection(*spread))
        places = [self.laid(v) for v in tensors]
        if all(one.axes == places[0].axes and one.order == places[0].order for one in places):
            axes, order = places[0].axes, places[0].order
            if any(self._fits_not(v, axes, order) for v in values):
                axes, order = self.axes_of(tensors[0]), None
        else:
            leading = min(tensors, key=lambda v: len(self.laid(v).spread))
            axes, order = self.axes_of(leading), None
        names = [self._operand(v, axes, order) for v in values]
        spread = [self.spread(v) for v in values]
        return names, Laid("", axes, frozenset.intersection(*spread), order)

    def _fits_not(self, value: Value, axes: Axes, order: Order | None) -> bool:
        """Return whether a constant has values along an axis that a tensor with `axes` lacks."""
        if value.array is None:
            return False
        lengths = full_rank(value).shape
        return any(n > 1 and i not in axes for i, n in enumerate(lengths))

    def _operand(self, value: Value, axes: Axes, order: Order | None) -> str:
        if value.array is not None:
            return self.operand(value, axes, order)
        laid = self.laid(value)
        if laid.axes == axes and laid.order == order:
            return laid.tensor
        return self.fetch(value, axes, spread=True)

    def spread(self, value: Value) -> frozenset[int]:
        """Return the axes along which a value is repeated."""
        return self.laid(value).spread if value.array is None else _constant_spread(value)


def _identity(value: Value) -> Any:
    """Return a key for a value: a constant that is used twice is written once."""
    return value.number if value.array is None else (id(value.array), value.shape)


def full_rank(value: Value) -> np.ndarray:
    """Return the array of a constant with as many axes as the value has."""
    array = np.asarray(value.array)
    return array.reshape((1,) * (value.rank - array.ndim) + array.shape)


def _constant_spread(value: Value) -> frozenset[int]:
    lengths = full_rank(value).shape
    return frozenset(i for i, n in enumerate(value.shape) if lengths[i] != n)


def _stripped(array: np.ndarray) -> np.ndarray:
    """Return the array without its first axes of length 1, which broadcasting adds again."""
    while array.ndim and array.shape[0] == 1:
        array = array[0]
    return array


def _keeps(axes: Axes, present: Axes) -> bool:
    return tuple(axis for axis in axes if axis in present) == present


def _node_name(tensor: str) -> str:
    return tensor.removesuffix(":0")
