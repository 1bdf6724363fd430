"""Layers that add, take away or repeat pixels at known places: padding, cropping, upsampling."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_choice, check_int, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.image_axes import ImageAxes, pair
from minicnn.layers.shape import Moving
from minicnn.layers.weight_arguments import check_data_format
from minicnn.operations.shape import ZERO_PAD2D
from minicnn.operations.upsample import CROP2D, INTERPOLATIONS, UPSAMPLE2D
from minicnn.shapes import Padding, Pair, as_padding, as_pair


class ZeroPadding2D(ImageAxes, Moving):
    """Adds rows and columns of zeros around each image.

    (N, H, W, C) -> (N, top + H + bottom, left + W + right, C). See `minicnn.operations.zero_pad2d`.

    >>> ZeroPadding2D(((1, 0), (2, 2)))(np.zeros((1, 4, 4, 3), np.float32)).shape
    (1, 5, 8, 3)
    """

    def __init__(
        self, padding: Padding = (1, 1), data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.padding = _border(padding, "padding")
        self.data_format = check_data_format(data_format)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return zero_pad2d(x, padding)."""
        y = apply(ZERO_PAD2D, self.to_image(apply, inputs[0]), padding=self.padding)
        return self.from_image(apply, y)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "padding": self.padding,
            "data_format": self.data_format,
        }


class ZeroPadding1D(ImageAxes, Moving):
    """Adds zeros before and after each sequence.

    (N, T, C) -> (N, before + T + after, C). `padding` is a number for both, or (before, after).

    >>> ZeroPadding1D((1, 2))(np.zeros((1, 4, 3), np.float32)).shape
    (1, 7, 3)
    """

    rank = 1

    def __init__(
        self, padding: int | Pair = 1, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.padding = as_pair(padding, "padding", 0)
        self.data_format = check_data_format(data_format)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the padded sequences."""
        x = self.to_image(apply, inputs[0])
        return self.from_image(apply, apply(ZERO_PAD2D, x, padding=((0, 0), self.padding)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "padding": self.padding,
            "data_format": self.data_format,
        }


class Cropping2D(ImageAxes, Moving):
    """Takes rows and columns away from the borders of each image.

    (N, H, W, C) -> (N, H - top - bottom, W - left - right, C). `cropping` is a number of pixels,
    (rows, columns) or ((top, bottom), (left, right)). See `minicnn.operations.crop2d`.

    >>> Cropping2D(((1, 0), (2, 2)))(np.zeros((1, 8, 8, 3), np.float32)).shape
    (1, 7, 4, 3)
    """

    def __init__(
        self,
        cropping: Padding = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.cropping = _border(cropping, "cropping")
        self.data_format = check_data_format(data_format)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return crop2d(x, cropping)."""
        y = apply(CROP2D, self.to_image(apply, inputs[0]), cropping=self.cropping)
        return self.from_image(apply, y)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "cropping": self.cropping,
            "data_format": self.data_format,
        }


class Cropping1D(ImageAxes, Moving):
    """Takes values away from the ends of each sequence.

    (N, T, C) -> (N, T - before - after, C). `cropping` is a number for both, or (before, after).

    >>> Cropping1D((1, 2))(np.zeros((1, 7, 3), np.float32)).shape
    (1, 4, 3)
    """

    rank = 1

    def __init__(self, cropping: int | Pair = (1, 1), **options: Any) -> None:
        super().__init__(**options)
        self.cropping = as_pair(cropping, "cropping", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the cropped sequences."""
        x = self.to_image(apply, inputs[0])
        return self.from_image(apply, apply(CROP2D, x, cropping=((0, 0), self.cropping)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "cropping": self.cropping}


class UpSampling2D(ImageAxes, Moving):
    """Makes images larger: every pixel becomes `size` rows and columns.

    (N, H, W, C) -> (N, H * SY, W * SX, C). See `minicnn.operations.upsample2d`.

    Parameters
    ----------
    size : (SY, SX), or one number for both; default 2
    data_format : "channels_last", the default, or "channels_first"
    interpolation : "nearest" repeats pixels, "bilinear" interpolates between the centers of
        pixels; default "nearest"
    options : those of `Layer`

    >>> UpSampling2D(2)(np.zeros((1, 7, 7, 5), np.float32)).shape
    (1, 14, 14, 5)
    """

    def __init__(
        self,
        size: int | Pair = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.size = as_pair(size, "size")
        self.data_format = check_data_format(data_format)
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return upsample2d(x, size, interpolation)."""
        x = self.to_image(apply, inputs[0])
        y = apply(UPSAMPLE2D, x, size=self.size, interpolation=self.interpolation)
        return self.from_image(apply, y)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


class UpSampling1D(ImageAxes, Moving):
    """Repeats each value of a sequence `size` times.

    (N, T, C) -> (N, T * size, C).

    >>> UpSampling1D(2)(np.array([[[1], [2]]], np.float32)).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1

    def __init__(self, size: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.size = check_int(size, "size")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the longer sequences."""
        x = self.to_image(apply, inputs[0])
        return self.from_image(apply, apply(UPSAMPLE2D, x, size=pair((self.size,))))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "size": self.size}


def _border(value: Any, name: str) -> tuple[Pair, Pair]:
    """Return ((top, bottom), (left, right))."""
    border = as_padding(value)
    if isinstance(border, str):
        raise ArgumentError(f"{name} must be numbers of rows and columns; got {quoted(value)}")
    return border
