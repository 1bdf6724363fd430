"""Merge layers, which join the branches of a network. They take a list of inputs."""

from __future__ import annotations

from typing import Any

from minicnn.checks import quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.operations.elementwise import ADD, MULTIPLY
from minicnn.operations.operation import Operation
from minicnn.operations.shape import CONCATENATE
from minicnn.shapes import is_int


class _Merge(Layer):
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


class Add(_Merge):
    """Adds its inputs, which all have the same shape.

    [(N, ...), (N, ...), ...] -> (N, ...). See `minicnn.operations.add`.

    >>> Add()([np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)]).tolist()
    [[2.0, 2.0]]
    """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return a + b + ..."""
        return self.chain(apply, ADD, inputs)


class Multiply(_Merge):
    """Multiplies its inputs element by element; they all have the same shape.

    [(N, ...), (N, ...), ...] -> (N, ...). See `minicnn.operations.multiply`.

    >>> Multiply()([np.full((1, 2), 3, np.float32), np.full((1, 2), 2, np.float32)]).tolist()
    [[6.0, 6.0]]
    """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return a * b * ..."""
        return self.chain(apply, MULTIPLY, inputs)


class Concatenate(_Merge):
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
