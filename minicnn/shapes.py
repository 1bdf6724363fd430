"""Windows over images: the only module that computes padding and output sizes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Literal, NamedTuple

from minicnn.errors import ArgumentError, ShapeError
from minicnn.support.text import quoted

Pair = tuple[int, int]
Padding = Literal["valid", "same"] | int | Sequence[int] | Sequence[Pair]
MAX_INT32 = 2**31 - 1


class Window2D(NamedTuple):
    """A sliding window over the H and W axes, with all defaults resolved."""

    size: Pair
    stride: Pair
    dilation: Pair
    pad_h: Pair  # (before, after), in rows
    pad_w: Pair  # (before, after), in columns

    @property
    def extent(self) -> Pair:
        """Return the rows and columns that the window spans, gaps between its cells included."""
        return span(self.size[0], self.dilation[0]), span(self.size[1], self.dilation[1])

    def out_hw(self, image: Pair) -> Pair:
        """Return the output's (OH, OW) for an image of (H, W)."""
        (h, w), (eh, ew) = image, self.extent
        return (
            (h + sum(self.pad_h) - eh) // self.stride[0] + 1,
            (w + sum(self.pad_w) - ew) // self.stride[1] + 1,
        )


def conv_window(
    size: int | Pair,
    strides: int | Pair,
    padding: Padding,
    dilation: int | Pair,
    image: Pair,
) -> Window2D:
    """Return the window of a convolution from a user's arguments; `image` is the input's (H, W)."""
    size = as_pair(size, "kernel_size")
    stride = as_pair(strides, "strides")
    dilation = as_pair(dilation, "dilation_rate")
    pads = _resolve_padding(padding, size, stride, dilation, image)
    return _checked(Window2D(size, stride, dilation, *pads), image, "kernel")


def pool_window(
    size: int | Pair,
    strides: int | Pair | None,
    padding: Padding,
    image: Pair,
    *,
    ceil_mode: bool = False,
) -> Window2D:
    """Return the window of a pooling from a user's arguments.

    `ceil_mode` adds a last, incomplete window and the padding that it needs after the image, unless
    it would contain padding only.
    """
    size = as_pair(size, "pool_size")
    stride = size if strides is None else as_pair(strides, "strides")
    pads = _resolve_padding(padding, size, stride, (1, 1), image)
    for pad, k in zip(pads, size, strict=True):
        if max(pad) >= k:
            raise ArgumentError(
                "padding must be smaller than the window, so that no window contains only padding; "
                f"got padding {pad} with pool_size {k}"
            )
    if ceil_mode:
        axes = zip(image, size, stride, pads, strict=True)
        pad_h, pad_w = (_ceil_pad(n, k, s, pad) for n, k, s, pad in axes)
        pads = pad_h, pad_w
    return _checked(Window2D(size, stride, (1, 1), *pads), image, "pooling window")


def span(k: int, dilation: int) -> int:
    """Return the length that k cells with this dilation span."""
    return (k - 1) * dilation + 1


def as_pair(value: int | Pair, name: str, least: int = 1) -> Pair:
    """Return two integers of at least `least`; `3` means `(3, 3)`."""
    values = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(values) != 2 or not all(is_int(v) and least <= v <= MAX_INT32 for v in values):
        raise ArgumentError(
            f"{name} must be an integer >= {least} or a pair of them; got {quoted(value)}"
        )
    return int(values[0]), int(values[1])


def is_int(value: object) -> bool:
    """Return whether `value` is an integer of Python or NumPy; booleans are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def as_padding(value: object) -> Literal["valid", "same"] | tuple[Pair, Pair]:
    """Return a padding as "valid", "same" or ((top, bottom), (left, right))."""
    if isinstance(value, str):
        if value.lower() in ("valid", "same"):
            return value.lower()  # type: ignore[return-value]
        raise ArgumentError(f'padding must be "valid", "same" or integers; got {quoted(value)}')
    if is_int(value):
        value = (value, value)
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ArgumentError(
            "padding must be an integer, (rows, columns) or ((top, bottom), (left, right)); "
            f"got {quoted(value)}"
        )
    return as_pair(value[0], "padding", 0), as_pair(value[1], "padding", 0)


def as_window_padding(value: object) -> Literal["valid", "same"] | tuple[Pair, Pair]:
    """Return the padding of a layer with windows; no row and no column of zeros is "valid"."""
    padding = as_padding(value)
    return "valid" if padding == ((0, 0), (0, 0)) else padding


def _resolve_padding(
    padding: Padding, size: Pair, stride: Pair, dilation: Pair, image: Pair
) -> tuple[Pair, Pair]:
    """Return ((top, bottom), (left, right)) for this window and image."""
    pads = as_padding(padding)
    if pads == "valid":
        return (0, 0), (0, 0)
    if pads == "same":
        axes = zip(image, size, dilation, stride, strict=True)
        pad_h, pad_w = (_same_pad(n, span(k, d), s) for n, k, d, s in axes)
        return pad_h, pad_w
    return pads


def _same_pad(n: int, extent: int, s: int) -> Pair:
    """Return the padding for ceil(n / s) outputs; an odd cell is after, as in TensorFlow."""
    total = max((-(-n // s) - 1) * s + extent - n, 0)
    return total // 2, total - total // 2


def _ceil_pad(n: int, k: int, s: int, pad: Pair) -> Pair:
    """Return `pad`, enlarged after the image as a last, incomplete window needs it."""
    before, after = pad
    windows = -(-(n + before + after - k) // s) + 1
    if (windows - 1) * s >= n + before:
        windows -= 1
    return before, max(after, (windows - 1) * s + k - n - before)


def _checked(window: Window2D, image: Pair, what: str) -> Window2D:
    if min(image) < 1:
        raise ShapeError(f"the image is {image[0]}x{image[1]}; only the batch may be empty")
    out = window.out_hw(image)
    if min(out) < 1:
        (eh, ew), (h, w) = window.extent, image
        raise ShapeError(
            f"the {eh}x{ew} {what} does not fit a {h}x{w} image padded by rows {window.pad_h} and "
            f"columns {window.pad_w}; use padding='same', a smaller window or a larger image"
        )
    return window
