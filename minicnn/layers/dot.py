"""The merge layer that multiplies two inputs as matrices, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_flag, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.merge import Merge, check_two
from minicnn.layers.operators import FUNCTIONS
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import RESHAPE_WHOLE, TRANSPOSE
from minicnn.operations.binary import MATMUL
from minicnn.shapes import is_int


class Dot(Merge):
    """Sums the products of two inputs along one axis of each, sample by sample.

    [(N, ..., K), (N, ..., K)] -> (N, ..., ...): all axes of the first input but the summed one,
    then those of the second. Of two vectors it makes (N, 1).

    Parameters
    ----------
    axes : the axis of both inputs, or one axis for each; not 0, the batch
    normalize : whether to divide by the lengths of the vectors, which makes cosines; default False
    options : those of `Layer`

    >>> Dot(1)([np.array([[1, 2]], np.float32), np.array([[3, 4]], np.float32)]).tolist()
    [[11.0]]
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **options: Any) -> None:
        super().__init__(**options)
        given = list(axes) if isinstance(axes, Sequence) and not isinstance(axes, str) else [axes]
        if len(given) not in (1, 2) or not all(is_int(axis) and axis != 0 for axis in given):
            raise ArgumentError(
                f"axes must be one integer or two, and not 0, the batch; got {quoted(axes)}"
            )
        self.axes = int(given[0]) if isinstance(axes, int) else tuple(map(int, given))
        self.normalize = check_flag(normalize, "normalize")

    def build(self, *input_shapes: Any) -> None:
        """Create nothing, but refuse inputs whose axes do not match."""
        shapes = input_shapes[0] if len(input_shapes) == 1 else input_shapes
        check_two(shapes)
        self._summed_axes(*shapes)

    def call(self, inputs: Any) -> Any:
        """Return the sums of products."""
        check_two(inputs)
        a, b = inputs
        axes = self._summed_axes(a.shape, b.shape)
        if self.normalize:
            a, b = _unit(a, axes[0]), _unit(b, axes[1])
        (first, rest_a), (second, rest_b) = _matrix(a, axes[0]), _matrix(b, axes[1])
        second = apply_operation(TRANSPOSE, second, axes=(0, 2, 1))
        y = apply_operation(MATMUL, first, second)
        return apply_operation(RESHAPE_WHOLE, y, shape=(a.shape[0], *(rest_a + rest_b or (1,))))

    def _summed_axes(self, a: Shape, b: Shape) -> tuple[int, int]:
        """Return the axis of each input, counted from the first one."""
        given = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes * 2
        found = []
        for shape, axis in zip((a, b), given, strict=False):
            if not -len(shape) < axis < len(shape) or axis % len(shape) == 0:
                raise ShapeError(f"there is no axis {axis} to sum along in {shape_text(shape)}")
            found.append(axis % len(shape))
        if a[found[0]] != b[found[1]]:
            raise ShapeError(
                f"the summed axes must have the same length; got axis {found[0]} of "
                f"{shape_text(a)} and axis {found[1]} of {shape_text(b)}"
            )
        return found[0], found[1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Any, axes: int | Sequence[int] = -1, **options: Any) -> Any:
    """Return Dot(axes, **options)(inputs)."""
    return Dot(axes, **options)(inputs)


def _matrix(x: Any, axis: int) -> tuple[Any, Shape]:
    """Return x as (N, rows, K), where K is the length of the axis, and the axes of the rows."""
    others = [i for i in range(1, len(x.shape)) if i != axis]
    rest = tuple(x.shape[i] for i in others)
    x = apply_operation(TRANSPOSE, x, axes=(0, *others, axis))
    shape = (x.shape[0], math.prod(rest), x.shape[-1])
    return apply_operation(RESHAPE_WHOLE, x, shape=shape), rest


def _unit(x: Any, axis: int) -> Any:
    """Return x divided by its length along the axis."""
    square = FUNCTIONS["sum"](FUNCTIONS["square"](x), axis=axis, keepdims=True)
    return FUNCTIONS["multiply"](x, FUNCTIONS["rsqrt"](FUNCTIONS["maximum"](square, 1e-12)))
