"""The hint of an error about too small images: how they shrank, and which size would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minicnn.contracts import Spec
from minicnn.errors import ShapeError

MAX_SIZE = 4096  # larger images are not suggested

SpecFunction = Callable[[Spec], Spec]  # a layer's output_spec


def explain_shrinking(path: Sequence[Spec], layers: Sequence[SpecFunction]) -> str:
    """Return a clause for the error of a layer that refused its input; "" if size was not why.

    Parameters
    ----------
    path : Specs from the model's input to the refused tensor, one after each layer; empty if
        they are not one line of layers
    layers : the functions between these Specs, and that of the layer that refused the last one
    """
    if not path or len(path[0].shape) != 4 or len(path[-1].shape) != 4:
        return ""
    smallest = _smallest_size(path[0], layers)
    sizes = [spec.shape[1:3] for spec in path if len(spec.shape) == 4]
    steps = [size for i, size in enumerate(sizes) if i == 0 or size != sizes[i - 1]]
    if smallest is None or len(steps) < 2:
        return ""
    square = all(h == w for h, w in steps)
    arrows = "→".join(f"{h}" if square else f"{h}x{w}" for h, w in steps)
    return (
        f". Input {steps[0][0]}x{steps[0][1]} shrank {arrows} over the layers before; use images "
        f"of at least {smallest}x{smallest}"
    )


def _smallest_size(spec: Spec, layers: Sequence[SpecFunction]) -> int | None:
    """Return the side of the smallest square image that all layers take, found by bisection.

    A larger image than one that fits also fits.
    """
    too_small, large = 0, 1
    while not _fits(large, spec, layers):
        too_small, large = large, 2 * large
        if large > MAX_SIZE:
            return None
    while large - too_small > 1:
        middle = (too_small + large) // 2
        if _fits(middle, spec, layers):
            large = middle
        else:
            too_small = middle
    return large


def _fits(size: int, spec: Spec, layers: Sequence[SpecFunction]) -> bool:
    """Return whether all layers take square images of this size."""
    spec = spec._replace(shape=(spec.shape[0], size, size, spec.shape[3]))
    try:
        for output_spec in layers:
            spec = output_spec(spec)
    except ShapeError:
        return False
    return True
