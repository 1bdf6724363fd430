"""Layers that change the shape of arrays and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_axes, check_int, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.weight_arguments import check_data_format
from minicnn.operations.arrange import TRANSPOSE
from minicnn.operations.shape import RESHAPE
from minicnn.operations.upsample import UPSAMPLE2D


class Moving(Layer):
    """Base class of layers without arithmetic."""

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 0: nothing is computed."""
        return 0


class Identity(Moving):
    """Returns its input, of any shape.

    >>> Identity()(np.ones((1, 2), np.float32)).tolist()
    [[1.0, 1.0]]
    """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x."""
        return inputs[0]


class Flatten(Moving):
    """Flattens each sample to a vector.

    (N, ...) -> (N, features). See `minicnn.operations.reshape`. With data_format "channels_first"
    the channels, which are the first axis of a sample, become the last one before.

    >>> Flatten()(np.zeros((5, 7, 7, 256), np.float32)).shape
    (5, 12544)
    """

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.data_format = check_data_format(data_format)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return reshape(x, (-1,))."""
        x = inputs[0]
        rank = len(x.shape)
        if self.data_format == "channels_first" and rank > 2:
            x = apply(TRANSPOSE, x, axes=(0, *range(2, rank), 1))
        return apply(RESHAPE, x, shape=(-1,))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Moving):
    """Gives each sample another shape, with its values in the same order; one length may be -1.

    (N, ...) -> (N, *target_shape). See `minicnn.operations.reshape`.

    >>> Reshape((4, -1))(np.zeros((5, 12), np.float32)).shape
    (5, 4, 3)
    """

    def __init__(self, target_shape: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        if isinstance(target_shape, str) or not isinstance(target_shape, Sequence):
            raise ArgumentError(
                f"target_shape must be a tuple like (7, 7, -1); got {quoted(target_shape)}"
            )
        lengths = [n if n == -1 else check_int(n, "target_shape") for n in target_shape]
        if lengths.count(-1) > 1:
            raise ArgumentError(f"target_shape may have one -1; got {quoted(target_shape)}")
        self.target_shape = tuple(lengths)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return reshape(x, target_shape)."""
        return apply(RESHAPE, inputs[0], shape=self.target_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Moving):
    """Puts the axes of each sample into another order.

    (N, d1, d2, ...) -> (N, ...). `dims` are the numbers of the input's axes, from 1, in the order
    of the output: (3, 1, 2) makes (C, H, W) of (H, W, C).

    >>> Permute((3, 1, 2))(np.zeros((5, 7, 8, 3), np.float32)).shape
    (5, 3, 7, 8)
    """

    def __init__(self, dims: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        given = list(dims) if isinstance(dims, Sequence) and not isinstance(dims, str) else []
        if not given or sorted(given) != list(range(1, len(given) + 1)):
            raise ArgumentError(
                f"dims must have each of the numbers 1, 2, ... once, like (3, 1, 2); got "
                f"{quoted(dims)}"
            )
        self.dims = tuple(int(n) for n in given)

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input with another number of axes."""
        (shape,) = input_shapes
        if len(shape) != len(self.dims) + 1:
            raise ShapeError(
                f"dims={self.dims} is for inputs with {len(self.dims) + 1} axes, the batch "
                f"included; got shape {shape_text(shape)}"
            )

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x with its axes in the order of `dims`."""
        return apply(TRANSPOSE, inputs[0], axes=(0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Moving):
    """Repeats each sample, a vector, n times.

    (N, features) -> (N, n, features).

    >>> RepeatVector(2)(np.array([[1, 2]], np.float32)).tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: int, **options: Any) -> None:
        super().__init__(**options)
        self.n = check_int(n, "n")

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input that is not a batch of vectors."""
        check_axes(input_shapes[0], "x", ("N", "features"))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x, n times: an image of one pixel that is made larger."""
        x = inputs[0]
        pixel = apply(RESHAPE, x, shape=(1, 1, x.shape[1]))
        column = apply(UPSAMPLE2D, pixel, size=(self.n, 1))
        return apply(RESHAPE, column, shape=(self.n, x.shape[1]))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "n": self.n}
