"""The names for which random numbers are drawn: of each layer's initial weights, of each mask.

Two networks that are built alike with the same seed get the same initial weights, whatever was
built before them. Two layers of one network never do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Any

from minicnn.layers.apply import RNG_KEY, Apply
from minicnn.layers.base import Layer
from minicnn.random import purpose_number
from minicnn.support.auto_names import numbered, snake


def give_rng_names(layers: Iterable[Layer]) -> None:
    """Give each layer the name that its initial weights are drawn for, unique in the network.

    A layer that was named by the user has that name. The others are counted per class: conv2d,
    conv2d_1, dense. A layer from an earlier network keeps its name there. If two layers have the
    same, one whose initial weights are not drawn yet gets another.
    """
    layers = list(layers)
    taken = {layer.rng_name or layer.name for layer in layers if layer.is_drawn}
    numbers: Counter[str] = Counter()
    for layer in layers:
        if not layer.is_drawn:
            if layer.rng_name is None or layer.rng_name in taken:
                layer.set_rng_name(_free(snake(type(layer).__name__), taken, numbers))
            taken.add(layer.rng_name or layer.name)


def _free(stem: str, taken: set[str], numbers: Counter[str]) -> str:
    while (name := numbered(stem, numbers[stem])) in taken:
        numbers[stem] += 1
    return name


def with_own_masks(apply: Apply) -> Apply:
    """Return an `apply` that gives each random operation of a forward pass its own mask.

    Masks are counted in the order of the operations, so a layer that is used twice has two.
    """
    numbers = count()

    def masked(operation: Any, *inputs: Any, **arguments: Any) -> Any:
        if any(x is RNG_KEY for x in inputs):
            arguments["purpose"] = purpose_number(numbered("dropout", next(numbers)))
        return apply(operation, *inputs, **arguments)

    return masked
