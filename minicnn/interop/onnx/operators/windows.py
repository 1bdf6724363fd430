"""The windows of convolutions and poolings: sizes, steps, padding, as ONNX gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn.interop.onnx.nodes import Node


class Window(NamedTuple):
    """A window over the spatial axes, one number or pair for each."""

    size: list[int]
    strides: list[int]
    dilations: list[int]
    pads: Any  # [(before, after), ...], or "same": as Keras pads, if the image's size is unknown

    @property
    def extent(self) -> list[int]:
        """The lengths that the window spans, gaps between its cells included."""
        return [(k - 1) * d + 1 for k, d in zip(self.size, self.dilations, strict=True)]


def window_of(node: Node, size: Sequence[int], image: Sequence[int | None]) -> Window:
    """Return the window of a node over an image of these lengths."""
    rank = len(size)
    strides = _lengths(node, "strides", rank)
    dilations = _lengths(node, "dilations", rank)
    found = Window(list(size), strides, dilations, "same")
    if len(image) != rank:
        raise node.refused(f"a window of {rank} axes for a tensor with {len(image)} spatial axes")
    return found._replace(pads=_pads(node, found, image))


def kernel_shape(node: Node, rank: int) -> list[int]:
    """Return the size of the window of a pooling."""
    size = node.integers("kernel_shape")
    if len(size) != rank or min(size, default=1) < 1:
        raise node.refused(f"kernel_shape {size} for {rank} spatial axes")
    return size


def _lengths(node: Node, name: str, rank: int) -> list[int]:
    found = node.integers(name, [1] * rank)
    if len(found) != rank or min(found, default=1) < 1:
        raise node.refused(f"{name} must be {rank} integers from 1; got {found}")
    return found


def _pads(node: Node, window: Window, image: Sequence[int | None]) -> Any:
    """Return (before, after) for each axis, by `pads` or by `auto_pad`."""
    rank, mode = len(window.size), node.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return [(0, 0)] * rank
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        return _same_pads(node, window, image, lower=mode == "SAME_LOWER")
    given = node.integers("pads", [0] * 2 * rank)
    if mode != "NOTSET" or len(given) != 2 * rank or min(given, default=0) < 0:
        raise node.refused(f"auto_pad {mode} with pads {given} for {rank} axes")
    return list(zip(given[:rank], given[rank:], strict=True))


def _same_pads(node: Node, window: Window, image: Sequence[int | None], *, lower: bool) -> Any:
    """Return the padding with which there are ceil(n / stride) results."""
    pads = []
    for n, extent, stride in zip(image, window.extent, window.strides, strict=True):
        if n is None:
            if lower:
                raise node.refused("auto_pad SAME_LOWER needs images of a known size")
            return "same"
        total = max((-(-n // stride) - 1) * stride + extent - n, 0)
        small, large = total // 2, total - total // 2
        pads.append((large, small) if lower else (small, large))
    return pads


def is_same(window: Window, image: Sequence[int | None]) -> bool:
    """Return whether Keras's padding "same" is this one, for images of any size if possible."""
    if window.pads == "same":
        return True
    for n, extent, stride, pads in zip(
        image, window.extent, window.strides, window.pads, strict=True
    ):
        if n is None and stride > 1:
            return False
        total = extent - 1 if n is None else max((-(-n // stride) - 1) * stride + extent - n, 0)
        if pads != (total // 2, total - total // 2):
            return False
    return True


def padding_of(window: Window, image: Sequence[int | None]) -> Any:
    """Return the argument `padding` of a layer: "valid", "same", or the numbers of zeros."""
    if is_same(window, image):
        return "valid" if window.pads != "same" and not any(map(any, window.pads)) else "same"
    return tuple(window.pads)


def results(window: Window, image: Sequence[int], *, ceil: bool) -> list[int]:
    """Return the number of windows along each axis; none begins behind the image."""
    counts = []
    for n, (before, after), extent, stride in zip(
        image, window.pads, window.extent, window.strides, strict=True
    ):
        room = n + before + after - extent
        count = (-(-room // stride) if ceil else room // stride) + 1
        if ceil and (count - 1) * stride >= n + before:
            count -= 1
        counts.append(count)
    return counts
