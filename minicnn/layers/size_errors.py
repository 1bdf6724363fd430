"""Why an image became too small: the sizes on its way, and the size that would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minicnn.contracts import Spec
from minicnn.errors import ShapeError

if TYPE_CHECKING:
    from minicnn.layers.base import Layer, SymbolicTensor

# Larger images than this are not suggested.
MAX_SIZE = 4096


def explain_shrinking(inputs: tuple[SymbolicTensor, ...], layer: Layer) -> str:
    """A clause for the error of `layer`, which refused `inputs`; "" if size was not the reason.

    Only for a layer on images, at the end of one line of layers from the model's input on.
    """
    if len(inputs) > 1 or len(inputs[0].shape) != 4:
        return ""
    line = _line_to(inputs[0])
    smallest = _smallest_size(line, layer)
    sizes = [t.shape[1:3] for t in line if len(t.shape) == 4]
    steps = [size for i, size in enumerate(sizes) if i == 0 or size != sizes[i - 1]]
    if smallest is None or len(steps) < 2:
        return ""
    square = all(h == w for h, w in steps)
    way = "→".join(f"{h}" if square else f"{h}x{w}" for h, w in steps)
    return (
        f". Input {steps[0][0]}x{steps[0][1]} shrank {way} over the layers before; images of at "
        f"least {smallest}x{smallest} would do"
    )


def _line_to(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """The tensors from the input to this one; empty if a layer between has several inputs."""
    line = [tensor]
    while line[0].inputs:
        if len(line[0].inputs) > 1:
            return []
        line.insert(0, line[0].inputs[0])
    return line


def _smallest_size(line: list[SymbolicTensor], layer: Layer) -> int | None:
    """The smallest square image that comes through, found by halving: larger ones do, too."""
    if not line or len(line[0].shape) != 4:
        return None
    layers = [t.layer for t in line[1:]] + [layer]
    too_small, large = 0, 1
    while not _comes_through(large, line[0].spec, layers):
        too_small, large = large, 2 * large
        if large > MAX_SIZE:
            return None
    while large - too_small > 1:
        middle = (too_small + large) // 2
        if _comes_through(middle, line[0].spec, layers):
            large = middle
        else:
            too_small = middle
    return large


def _comes_through(size: int, spec: Spec, layers: list[Layer]) -> bool:
    spec = spec._replace(shape=(spec.shape[0], size, size, spec.shape[3]))
    try:
        for layer in layers:
            spec = layer.output_spec(spec)
    except ShapeError:
        return False
    return True
