"""Layers that change the size of images: Resizing, CenterCrop and RandomCrop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicnn.checks import check_axes, check_choice, check_flag, check_int, check_number
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.image_layer import ImageLayer, RandomImageLayer
from minicnn.layers.sampling import INTERPOLATIONS, Span, Taps, taps_of
from minicnn.operations.augment import AUGMENT
from minicnn.operations.random_images import RANDOM_MATRIX
from minicnn.operations.resample import RESAMPLE
from minicnn.shapes import Pair

MANY_SIZES = 64  # whose tables a layer keeps


class SizedLayer(ImageLayer):
    """A layer whose images have a fixed size: height rows and width columns.

    Parameters
    ----------
    height, width : of the result, in pixels
    options : data_format, and those of `Layer`
    """

    def __init__(self, height: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.height, self.width = check_int(height, "height"), check_int(width, "width")
        # By the size of the images. The same arrays again: a program knows constants by identity.
        self._taps: dict[Pair, tuple[Taps, Taps]] = {}

    def spans(self, size: Pair) -> tuple[Span, Span]:
        """Return which rows and columns of images of that size are used."""
        raise NotImplementedError

    def resampled(self, apply: Apply, x: Any, make: Callable[[Pair], Any], **fill: float) -> Any:
        """Return the images with the rows and columns of the tables that make(size) returns."""
        size = tuple(x.shape[1:3])
        if size not in self._taps:
            if len(self._taps) >= MANY_SIZES:
                self._taps.clear()
            self._taps[size] = make(size)
        rows, columns = self._taps[size]
        return apply(RESAMPLE, x, *rows, *columns, **fill)

    def resized(self, size: Pair, interpolation: str = "bilinear", antialias: bool = False) -> Any:
        """Return the tables that make the result of the rows and columns that are used."""
        return tuple(
            taps_of(span, outputs, interpolation, antialias=antialias)
            for span, outputs in zip(self.spans(size), (self.height, self.width), strict=True)
        )

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 0: values are copied."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "height": self.height, "width": self.width}


class Resizing(SizedLayer):
    """Brings images to a fixed size.

    (N, H, W, C) -> (N, height, width, C), in training and at inference.

    Parameters
    ----------
    height, width : of the result, in pixels
    interpolation : "bilinear", "nearest", "bicubic", "area", "lanczos3" or "lanczos5"; default
        "bilinear"
    crop_to_aspect_ratio : whether images of other proportions are cropped in the middle, not
        stretched; default False
    pad_to_aspect_ratio : whether they get borders; default False
    fill_mode : of the borders, "constant", as in Keras
    fill_value : value of the borders; default 0
    antialias : whether a smaller image is smoothed, so that no detail of the old one turns into a
        pattern; for all but "nearest" and "area"; default False
    data_format, options : those of `ImageLayer`

    Raises
    ------
    ArgumentError : an argument is not as described, or both proportions are asked for
    ShapeError : the input is not a batch of images

    Notes
    -----
    On arrays, the result of integers is rounded to integers of the same type. In a network it is
    float32, not rounded. Gradients go back through the layer.

    Examples
    --------
    >>> x = np.arange(8, dtype=np.uint8).reshape(1, 2, 4, 1)
    >>> Resizing(1, 2)(x).ravel().tolist(), Resizing(1, 2)(x.astype(np.float32)).ravel().tolist()
    ([2, 4], [2.5, 4.5])
    """

    keeps_integers = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(height, width, data_format=data_format, **options)
        if isinstance(interpolation, str):
            interpolation = interpolation.lower()
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        self.crop_to_aspect_ratio = check_flag(crop_to_aspect_ratio, "crop_to_aspect_ratio")
        self.pad_to_aspect_ratio = check_flag(pad_to_aspect_ratio, "pad_to_aspect_ratio")
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError("images are either cropped or padded to an aspect ratio, not both")
        self.fill_mode = check_choice(fill_mode, "fill_mode", ("constant",))
        self.fill_value = check_number(fill_value, "fill_value")
        self.antialias = check_flag(antialias, "antialias")

    def spans(self, size: Pair) -> tuple[Span, Span]:
        """Return the rows and columns that are used: all, fewer or more."""
        if self.crop_to_aspect_ratio:
            return cropped_to_ratio(size, (self.height, self.width))
        if self.pad_to_aspect_ratio:
            return padded_to_ratio(size, (self.height, self.width))
        return Span(size[0], 0, size[0]), Span(size[1], 0, size[1])

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the images in the new size."""
        (x,) = inputs
        check_axes(x.shape, "x", "NHWC")
        fill = self.fill_value if self.pad_to_aspect_ratio else 0.0
        return self.resampled(
            apply, x, lambda size: self.resized(size, self.interpolation, self.antialias), fill=fill
        )

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 8, those of "bilinear": sums of two products, of rows and then of columns."""
        return 8

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = (
            "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode",
            "fill_value", "antialias",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class CenterCrop(SizedLayer):
    """Cuts the middle out of images.

    (N, H, W, C) -> (N, height, width, C), in training and at inference. Of images that are smaller
    in one direction, the largest part with the proportions of the result is brought to its size.

    Parameters
    ----------
    height, width : of the result, in pixels
    data_format, options : those of `ImageLayer`

    >>> CenterCrop(1, 2)(np.arange(8).reshape(1, 2, 4, 1)).ravel().tolist()
    [1.0, 2.0]
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(height, width, data_format=data_format, **options)

    def spans(self, size: Pair) -> tuple[Span, Span]:
        """Return the rows and columns in the middle."""
        return middle(size, (self.height, self.width))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the middle of the images."""
        check_axes(inputs[0].shape, "x", "NHWC")
        return self.resampled(apply, inputs[0], self.resized)


class RandomCrop(SizedLayer, RandomImageLayer):
    """Cuts a part out of each image: in training at a random place, at inference in the middle.

    (N, H, W, C) -> (N, height, width, C). Images that are not larger than the part in both
    directions are cropped as by `CenterCrop`.

    Parameters
    ----------
    height, width : of the part, in pixels
    seed, data_format, options : those of `RandomLayer` and `ImageLayer`

    Notes
    -----
    Each image has a place of its own. Keras 3 cuts a whole batch at the same one, and does not
    crop at inference.

    >>> x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    >>> RandomCrop(1, 1)(x, training=False).item()
    4.0
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(height, width, seed=seed, data_format=data_format, name=name, **options)

    def spans(self, size: Pair) -> tuple[Span, Span]:
        """Return the rows and columns in the middle."""
        return middle(size, (self.height, self.width))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return a random part of each image in training, the middle otherwise."""
        (x,) = inputs
        check_axes(x.shape, "x", "NHWC")
        count, height, width, _ = x.shape
        if not training or height <= self.height or width <= self.width:
            return self.resampled(apply, x, self.resized)
        key, purpose = self.random_key(apply)
        matrix = apply(
            RANDOM_MATRIX, key, count=count, kind="crop", size=(height, width),
            bounds=(self.height, self.width), **purpose,
        )  # fmt: skip
        # The part begins at the first pixel of the shifted image.
        moved = apply(AUGMENT, x, matrix)
        taps = (
            taps_of(Span(length, 0, outputs), outputs, "nearest")
            for length, outputs in zip(x.shape[1:3], (self.height, self.width), strict=True)
        )
        return apply(RESAMPLE, moved, *(array for one in taps for array in one))


def middle(size: Pair, target: Pair) -> tuple[Span, Span]:
    """Return the `target` rows and columns in the middle of an image, or what CenterCrop takes."""
    if any(n < m for n, m in zip(size, target, strict=True)):
        return cropped_to_ratio(size, target)
    rows, columns = (Span(n, (n - m) // 2, m) for n, m in zip(size, target, strict=True))
    return rows, columns


def cropped_to_ratio(size: Pair, target: Pair) -> tuple[Span, Span]:
    """Return the rows and columns of the largest part in the middle with the target's ratio."""
    rows, columns = (
        Span(n, (n - part) // 2, part)
        for n, part in zip(size, (max(min(n, m), 1) for n, m in _ratios(size, target)), strict=True)
    )
    return rows, columns


def padded_to_ratio(size: Pair, target: Pair) -> tuple[Span, Span]:
    """Return the rows and columns of the smallest image with the target's ratio around this one."""
    rows, columns = (
        Span(n, -border, n + 2 * border)
        for n, border in ((n, max(m - n, 0) // 2) for n, m in _ratios(size, target))
    )
    return rows, columns


def _ratios(size: Pair, target: Pair) -> tuple[Pair, Pair]:
    """Return (height, height that fits the width), (width, width that fits the height)."""
    (height, width), (rows, columns) = size, target
    return (height, int(width * rows / columns)), (width, int(height * columns / rows))
