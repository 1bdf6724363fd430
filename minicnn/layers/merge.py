"""Merge layers, which join the branches of a network. They take a list of inputs."""

from __future__ import annotations

from typing import Any, ClassVar

from minicnn.checks import quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.operations.arrange import BROADCAST_TO
from minicnn.operations.binary import OPERATIONS
from minicnn.operations.elementwise import ADD, MULTIPLY, RESCALE
from minicnn.operations.operation import Operation
from minicnn.operations.shape import CONCATENATE, RESHAPE
from minicnn.shapes import is_int


class Merge(Layer):
    """Base class of layers that combine two or more inputs, one after the other."""

    takes_many = True

    def chain(
        self, apply: Apply, operation: Operation, inputs: tuple[Any, ...], **arguments: Any
    ) -> Any:
        """Return operation(operation(a, b), c), and so on for all inputs."""
        y = inputs[0]
        for x in inputs[1:]:
            y = apply(operation, y, x, **arguments)
        return y

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return one operation for each input but the first."""
        return len(input_shapes) - 1


class _Elementwise(Merge):
    """Base class of merge layers that compute each value from those of its place.

    Inputs of different shapes are broadcast: an axis of length 1 is repeated, and an input with
    fewer axes gets further ones of length 1 after the batch.
    """

    operation: ClassVar[Operation]

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the operation of this class on all inputs, one after the other."""
        shape = common_shape([tuple(x.shape) for x in inputs])
        equal = tuple(broadcast(apply, x, shape) for x in inputs)
        return self.chain(apply, self.operation, equal)


def common_shape(shapes: list[Shape]) -> Shape:
    """Return the shape to which the inputs of these shapes are broadcast.

    >>> common_shape([(None, 7, 7, 3), (None, 1, 1, 3), (None, 3)])
    (None, 7, 7, 3)
    """
    rank = max(map(len, shapes))
    full = [(*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) for shape in shapes]
    lengths = []
    for axis, given in enumerate(zip(*full, strict=True)):
        longer = {n for n in given if n != 1} or {1}
        if len(longer) > 1 or (axis == 0 and len(set(given)) > 1):
            texts = " and ".join(map(shape_text, shapes))
            raise ShapeError(
                f"all inputs must have the same shape, or length 1 where they differ; got {texts}"
            )
        lengths.append(longer.pop())
    return tuple(lengths)


def broadcast(apply: Apply, x: Any, shape: Shape) -> Any:
    """Return x in this shape, which `common_shape` found."""
    if tuple(x.shape) == shape:
        return x
    if len(x.shape) < len(shape):
        x = apply(RESHAPE, x, shape=((1,) * (len(shape) - len(x.shape)) + tuple(x.shape[1:])))
    return x if tuple(x.shape) == shape else apply(BROADCAST_TO, x, shape=shape)


class Add(_Elementwise):
    """Adds its inputs. Those of different shapes are broadcast.

    [(N, ...), (N, ...), ...] -> (N, ...). See `minicnn.operations.add`.

    >>> Add()([np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)]).tolist()
    [[2.0, 2.0]]
    """

    operation = ADD


class Subtract(_Elementwise):
    """Subtracts the second of two inputs from the first.

    [(N, ...), (N, ...)] -> (N, ...).

    >>> Subtract()([np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)]).tolist()
    [[0.0, 0.0]]
    """

    operation = OPERATIONS["subtract"]

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return a - b."""
        check_two(inputs)
        return super().forward(apply, *inputs, training=training)


class Multiply(_Elementwise):
    """Multiplies its inputs element by element. Those of different shapes are broadcast.

    [(N, ...), (N, ...), ...] -> (N, ...). See `minicnn.operations.multiply`.

    >>> Multiply()([np.full((1, 2), 3, np.float32), np.full((1, 2), 2, np.float32)]).tolist()
    [[6.0, 6.0]]
    """

    operation = MULTIPLY


class Average(_Elementwise):
    """Returns the mean of its inputs, value by value.

    [(N, ...), (N, ...), ...] -> (N, ...).

    >>> Average()([np.full((1, 2), 3, np.float32), np.full((1, 2), 2, np.float32)]).tolist()
    [[2.5, 2.5]]
    """

    operation = ADD

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return (a + b + ...) / count."""
        total = super().forward(apply, *inputs, training=training)
        return apply(RESCALE, total, scale=1 / len(inputs))


class Maximum(_Elementwise):
    """Returns the largest of its inputs, value by value.

    [(N, ...), (N, ...), ...] -> (N, ...).

    >>> Maximum()([np.full((1, 2), 3, np.float32), np.full((1, 2), 2, np.float32)]).tolist()
    [[3.0, 3.0]]
    """

    operation = OPERATIONS["maximum"]


class Minimum(_Elementwise):
    """Returns the smallest of its inputs, value by value.

    [(N, ...), (N, ...), ...] -> (N, ...).

    >>> Minimum()([np.full((1, 2), 3, np.float32), np.full((1, 2), 2, np.float32)]).tolist()
    [[2.0, 2.0]]
    """

    operation = OPERATIONS["minimum"]


class Concatenate(Merge):
    """Joins its inputs along an axis; along the last one, an image gets the channels of all.

    [(N, ..., C1), (N, ..., C2), ...] -> (N, ..., C1 + C2 + ...). See
    `minicnn.operations.concatenate`.

    >>> Concatenate()([np.zeros((1, 4), np.float32), np.zeros((1, 3), np.float32)]).shape
    (1, 7)
    """

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        if not is_int(axis) or axis == 0:
            raise ArgumentError(
                f"axis must be an integer other than 0, the batch; got {quoted(axis)}"
            )
        self.axis = int(axis)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return a, b, ... in one array."""
        return self.chain(apply, CONCATENATE, inputs, axis=self.axis)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 0: nothing is computed."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


def check_two(inputs: Any) -> None:
    """Raise ArgumentError unless there are two inputs."""
    if len(inputs) != 2:
        raise ArgumentError(f"takes a list of 2 inputs; got {len(inputs)}")


def add(inputs: Any, **options: Any) -> Any:
    """Return Add(**options)(inputs)."""
    return Add(**options)(inputs)


def subtract(inputs: Any, **options: Any) -> Any:
    """Return Subtract(**options)(inputs)."""
    return Subtract(**options)(inputs)


def multiply(inputs: Any, **options: Any) -> Any:
    """Return Multiply(**options)(inputs)."""
    return Multiply(**options)(inputs)


def average(inputs: Any, **options: Any) -> Any:
    """Return Average(**options)(inputs)."""
    return Average(**options)(inputs)


def maximum(inputs: Any, **options: Any) -> Any:
    """Return Maximum(**options)(inputs)."""
    return Maximum(**options)(inputs)


def minimum(inputs: Any, **options: Any) -> Any:
    """Return Minimum(**options)(inputs)."""
    return Minimum(**options)(inputs)


def concatenate(inputs: Any, axis: int = -1, **options: Any) -> Any:
    """Return Concatenate(axis, **options)(inputs)."""
    return Concatenate(axis, **options)(inputs)
