"""Where each layer stands in its network: what its first weights and masks are drawn for.

Two networks that are built alike with one seed start alike, whatever was built before them; two
layers of one network never do.
"""

from __future__ import annotations

import zlib
from collections import Counter
from itertools import count
from typing import Any

from minicnn.layers.base import RNG_KEY, Apply, Layer
from minicnn.support.auto_names import numbered, snake


def give_rng_names(layers: list[Layer]) -> None:
    """Tell each layer its place, which no other layer of the network has.

    A layer that was given a name stands there. The others are counted by their class: conv2d,
    conv2d_1, dense. Who has a place from an earlier network keeps it if it can; if two have the
    same, the one whose first weights nobody has seen takes another.
    """
    taken = {layer.rng_name or layer.name for layer in layers if layer.is_drawn}
    numbers: Counter[str] = Counter()
    for layer in layers:
        if not layer.is_drawn:
            if layer.rng_name is None or layer.rng_name in taken:
                layer.set_rng_name(_free(snake(type(layer).__name__), taken, numbers))
            taken.add(layer.rng_name or layer.name)


def _free(stem: str, taken: set[str], numbers: Counter[str]) -> str:
    while (place := numbered(stem, numbers[stem])) in taken:
        numbers[stem] += 1
    return place


def with_own_masks(apply: Apply) -> Apply:
    """An `apply` that gives each random operation of a pass a mask of its own.

    Masks are counted in the order of the pass, so a layer that is used twice has two.
    """
    numbers = count()

    def masked(operation: Any, *inputs: Any, **arguments: Any) -> Any:
        if any(x is RNG_KEY for x in inputs):
            arguments["purpose"] = mask_purpose(numbered("dropout", next(numbers)))
        return apply(operation, *inputs, **arguments)

    return masked


def mask_purpose(place: str) -> int:
    """The number that stands for a place where the random numbers of a mask are made."""
    return zlib.crc32(place.encode()) & 0x7FFFFFFF
