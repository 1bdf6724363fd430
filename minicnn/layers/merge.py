"""Merge layers: where the branches of a network meet. They take a list of inputs."""

from __future__ import annotations

from typing import Any

from minicnn.checks import quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.base import Apply, Layer
from minicnn.ops.elementwise import ADD, MULTIPLY
from minicnn.ops.operation import Operation
from minicnn.ops.shape import CONCATENATE
from minicnn.shapes import is_int


class _Merge(Layer):
    """A layer of two or more inputs, taken together one after the other."""

    takes_many = True

    def chain(
        self, apply: Apply, operation: Operation, inputs: tuple[Any, ...], **arguments: Any
    ) -> Any:
        """operation(operation(a, b), c), and so on."""
        y = inputs[0]
        for x in inputs[1:]:
            y = apply(operation, y, x, **arguments)
        return y

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """One operation for each input but the first."""
        return len(input_shapes) - 1


class Add(_Merge):
    """The sum of its inputs, which all have one shape.

    [(N, ...), (N, ...), ...] -> (N, ...). See `minicnn.ops.add`.

    >>> Add()([np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)]).tolist()
    [[2.0, 2.0]]
    """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """a + b + ..."""
        return self.chain(apply, ADD, inputs)


class Multiply(_Merge):
    """The product of its inputs, which all have one shape, number by number.

    [(N, ...), (N, ...), ...] -> (N, ...). See `minicnn.ops.multiply`.

    >>> Multiply()([np.full((1, 2), 3, np.float32), np.full((1, 2), 2, np.float32)]).tolist()
    [[6.0, 6.0]]
    """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """a * b * ..."""
        return self.chain(apply, MULTIPLY, inputs)


class Concatenate(_Merge):
    """Its inputs behind each other; along the last axis, one image with the channels of all.

    [(N, ..., C1), (N, ..., C2), ...] -> (N, ..., C1 + C2 + ...). See `minicnn.ops.concatenate`.

    >>> Concatenate()([np.zeros((1, 4), np.float32), np.zeros((1, 3), np.float32)]).shape
    (1, 7)
    """

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        if not is_int(axis) or axis == 0:
            raise ArgumentError(f"axis must be an integer, not 0 (the batch); got {quoted(axis)}")
        self.axis = int(axis)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """a, then b, then ..."""
        return self.chain(apply, CONCATENATE, inputs, axis=self.axis)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Nothing is computed."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
