"""What a network computes, as a list of operations: its forward pass, recorded for ONNX.

Operations work on lengths that are known, and ONNX files have a batch size that is not. So the pass
is recorded twice, with two batch sizes (and two sizes of images, if those are not fixed): what
differs depends on them, and is None in the steps; what is equal is fixed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Shape, Spec
from minicnn.layers.apply import RNG_KEY, compute
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.models.network import Network
from minicnn.support.auto_names import numbered, snake

BATCH_SIZES = (2, 3)
# Of images: the second one is odd, so that what depends on it shows; or, for networks that halve
# images and put the halves beside each other again, not.
LENGTHS = ((192, 251), (192, 256))
# Computed in the file: what they would make of constants is larger than these.
NOT_FOLDED = ("broadcast_to",)


class CannotRecord(Exception):
    """What the network does cannot be a fixed list of operations; the text says why."""


class LayerUse:
    """One call of a layer: `path` is its name, after those of the networks that it is inside of."""

    def __init__(self, path: str, layer: Layer | None) -> None:
        self.path, self.layer = path, layer

    @property
    def label(self) -> str:
        """The layer as messages name it."""
        return f"layer {self.path!r} ({type(self.layer).__name__})"


class Array:
    """The placeholder of an array in one pass; `values` are those of a constant."""

    def __init__(self, shape: Shape, dtype: str, values: np.ndarray | None, label: str) -> None:
        self.shape, self.dtype, self.values, self.label = shape, dtype, values, label


class Record(NamedTuple):
    """One operation of one pass."""

    use: LayerUse
    kernel: str
    reads: tuple[Array | None, ...]
    result: Array
    attributes: dict[str, Any]
    arguments: dict[str, Any]


class Pass:
    """One forward pass of a network at inference, for inputs of these Specs."""

    def __init__(self, model: Network, specs: Sequence[Spec]) -> None:
        self.model = model
        self.records: list[Record] = []
        self._known: dict[Any, tuple[Any, Array]] = {}  # constants, and what is computed from them
        self.inputs = [Array(tuple(s.shape), s.dtype, None, "") for s in specs]
        apply = _Apply(self, LayerUse("", model), ())
        results = model.graph.inner_forward(apply, *self.inputs, training=False)
        self.outputs = [self.array(x) for x in results]

    def array(self, x: Any) -> Array:
        """Return the placeholder of a value, a Parameter or an array of constants."""
        if isinstance(x, Array):
            return x
        if id(x) not in self._known:
            values = x.value if isinstance(x, Parameter) else np.asarray(x)
            label = x.name.rpartition("/")[2] if isinstance(x, Parameter) else "constant"
            self._known[id(x)] = x, Array(tuple(values.shape), values.dtype.name, values, label)
        return self._known[id(x)][1]

    def step(self, use: LayerUse, operation: Any, inputs: Any, arguments: dict[str, Any]) -> Array:
        """Record one operation, or compute it if all that it reads is known."""
        if any(x is RNG_KEY for x in inputs):
            raise CannotRecord(f"{use.label} draws random numbers at inference")
        reads = tuple(None if x is None else self.array(x) for x in inputs)
        try:
            return self._step(use, operation, reads, arguments)
        except ValueError as err:
            raise CannotRecord(f"{use.label} does not fit all sizes of the inputs: {err}") from err

    def _step(self, use: LayerUse, operation: Any, reads: Any, arguments: dict[str, Any]) -> Array:
        constant = all(r is None or r.values is not None for r in reads)
        if constant and operation.name not in NOT_FOLDED:
            return self._folded(operation, reads, arguments)
        attributes = operation.resolve(*reads, **arguments)
        specs = [None if r is None else Spec(r.shape, r.dtype) for r in reads]
        spec = CONTRACTS[operation.forward].specs(*specs, **attributes)[0]
        result = Array(tuple(map(int, spec.shape)), spec.dtype, None, "")
        self.records.append(Record(use, operation.name, reads, result, attributes, arguments))
        return result

    def _folded(self, operation: Any, reads: Any, arguments: dict[str, Any]) -> Array:
        key = (operation.name, *map(id, reads), repr(sorted(arguments.items())))
        if key not in self._known:
            values = compute(operation, *(r and r.values for r in reads), **arguments)
            label = next(r.label for r in reads if r is not None)
            self._known[key] = reads, Array(tuple(values.shape), values.dtype.name, values, label)
        return self._known[key][1]


class _Apply:
    """The `apply` of a pass inside one call of a layer."""

    def __init__(self, recording: Pass, use: LayerUse, names: tuple[str, ...]) -> None:
        self.recording, self.use, self.names = recording, use, names

    def __call__(self, operation: Any, *inputs: Any, **arguments: Any) -> Array:
        return self.recording.step(self.use, operation, inputs, arguments)

    def inside(self, layer: Layer) -> _Apply:
        """Return the `apply` inside a layer, which is asked for at each of its calls."""
        outermost = layer is self.recording.model
        names = self.names if outermost else (*self.names, _name_inside(self.use.layer, layer))
        return _Apply(self.recording, LayerUse("/".join(names) or layer.name, layer), names)


def _name_inside(outer: Layer | None, layer: Layer) -> str:
    """Return a layer's name; inside a layer of the user's, an automatic one is counted there.

    Two networks that are built alike thus have the same names in their files.
    """
    stem = snake(type(layer).__name__)
    by_name = isinstance(outer, Network) and not outer.is_subclassed
    if outer is None or by_name or not re.fullmatch(rf"{stem}(_\d+)?", layer.name):
        return layer.name
    alike = [one for one in outer.sublayers if type(one) is type(layer)]
    places = [i for i, one in enumerate(alike) if one is layer]
    return numbered(stem, places[0]) if places else stem


class Value:
    """An array of the file: its lengths, of which those are None that the file leaves open.

    `batch` are the axes that are as long as the batch, `array` the values of a constant, and
    `label` what to call it.
    """

    def __init__(self, arrays: Sequence[Array], number: int) -> None:
        a, b = arrays
        self.number, self.dtype, self.label = number, a.dtype, a.label
        self.shape: tuple[int | None, ...] = common(a.shape, b.shape)
        lengths = enumerate(zip(a.shape, b.shape, strict=True))
        self.batch = frozenset(axis for axis, pair in lengths if pair == BATCH_SIZES)
        self.array = None if a.values is None else _same_values(a.values, b.values)
        self.uses = 0

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


class Step(NamedTuple):
    """One operation: attributes and arguments are None where they depend on the sizes."""

    use: LayerUse
    kernel: str
    reads: tuple[Value | None, ...]
    value: Value
    attributes: dict[str, Any]
    arguments: dict[str, Any]
    exact: tuple[dict[str, Any], ...] = ()  # the attributes of both passes


class Recording(NamedTuple):
    """A network as a list of operations, from the values of its inputs to those of its outputs."""

    inputs: list[Value]
    steps: list[Step]
    outputs: list[Value]


def record(model: Network) -> Recording:
    """Return what a network computes at inference.

    Raises
    ------
    CannotRecord : it cannot be a list of operations for all sizes of the inputs
    """
    specs = [t.spec for t in model.graph.inputs]
    open_sizes = any(None in spec.shape[1:] for spec in specs)
    for lengths in LENGTHS if open_sizes else LENGTHS[1:]:
        sizes = zip(BATCH_SIZES, lengths, strict=True)
        try:
            first, second = (
                Pass(model, [_filled(spec, n, size) for spec in specs]) for n, size in sizes
            )
        except (CannotRecord, ValueError) as err:  # images of an odd size may not fit
            if lengths is LENGTHS[-1]:
                raise CannotRecord(str(err)) from err
        else:
            break
    return _merged(first, second)


def _filled(spec: Spec, n: int, length: int) -> Spec:
    dtype = "float32" if spec.dtype == "uint8" else spec.dtype
    return Spec((n, *(length if one is None else one for one in spec.shape[1:])), dtype)


def _merged(a: Pass, b: Pass) -> Recording:
    """Return the steps of two passes as one list."""
    for one, other in zip_longest(a.records, b.records):
        if one is None or other is None or one.kernel != other.kernel:
            raise CannotRecord(
                f"{(one or other).use.label} computes something else for other sizes of the inputs"
            )
    values: dict[tuple[int, int], Value] = {}

    def value(*arrays: Array | None) -> Any:
        if arrays[0] is None or arrays[1] is None:
            return None
        key = id(arrays[0]), id(arrays[1])
        if key not in values:
            values[key] = Value(arrays, len(values))  # type: ignore[arg-type]
        values[key].uses += 1
        return values[key]

    inputs = [value(*pair) for pair in zip(a.inputs, b.inputs, strict=True)]
    steps = [_step(one, other, value) for one, other in zip(a.records, b.records, strict=True)]
    outputs = [value(*pair) for pair in zip(a.outputs, b.outputs, strict=True)]
    return Recording(inputs, steps, outputs)


def _step(a: Record, b: Record, value: Callable[..., Any]) -> Step:
    try:
        reads = tuple(value(*pair) for pair in zip(a.reads, b.reads, strict=True))
    except CannotRecord as err:
        raise CannotRecord(f"{a.use.label} {err}") from None
    result = value(a.result, b.result)
    result.uses = 0
    attributes, arguments = common(a.attributes, b.attributes), common(a.arguments, b.arguments)
    return Step(a.use, a.kernel, reads, result, attributes, arguments, (a.attributes, b.attributes))


def common(a: Any, b: Any) -> Any:
    """Return what two structures have in common, with None where they differ.

    >>> common((2, 5, 1), (3, 5, 1)), common({"scale": 0.5}, {"scale": 0.5})
    ((None, 5, 1), {'scale': 0.5})
    """
    if isinstance(a, dict) and isinstance(b, dict):
        return {key: common(a[key], b[key]) for key in a if key in b}
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return None
        pairs = [common(x, y) for x, y in zip(a, b, strict=True)]
        return type(a)(*pairs) if hasattr(a, "_fields") else tuple(pairs)
    return a if a is b or bool(np.all(a == b)) else None


def _same_values(a: np.ndarray, b: np.ndarray | None) -> np.ndarray:
    """Return the values of a constant; a single one if only their number depends on the sizes."""
    if b is not None and (a is b or (a.shape == b.shape and np.array_equal(a, b, equal_nan=True))):
        return a
    if b is not None and a.size and b.size and np.all(a == a.flat[0]) and np.all(b == a.flat[0]):
        return a.flat[0].reshape(())
    raise CannotRecord("has constants that depend on the batch size or on the images' size")
