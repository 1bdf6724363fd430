"""Changes by hand: of one weight, or of one pixel of what the network is fed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.places import place_of
from minicnn.apps.explorer.problems import UNKNOWN, Problem
from minicnn.contracts import Shape
from minicnn.support.text import quoted

MOST = 80  # edits of one pass; an address may have 100 words
LARGEST = 1e30  # of a value: float32 ends at 3e38, and values are multiplied
FORM = "parameter:conv1/kernel:0,0,0,3=0.5 or pixel:10,8,0=255"


class Edit(NamedTuple):
    """A value that was changed by hand: of a parameter, or of the input if `parameter` is ""."""

    parameter: str
    place: Shape
    value: float


def edit_of(text: str, network: OpenNetwork) -> Edit:
    """Return the edit that a text such as "pixel:10,8,0=255" describes.

    Raises
    ------
    Problem : it is no such text, there is no such parameter or place, or the value is not finite
    """
    target, equals, value = text.rpartition("=")
    kind, _, rest = target.partition(":")
    if not equals or kind not in ("parameter", "pixel"):
        raise Problem(f"an edit is written as {FORM}; got {quoted(text)}")
    if kind == "pixel":
        return Edit("", place_of(rest, network.input_shape, "the input"), _number(value))
    name, _, place = rest.rpartition(":")
    if name not in network.parameters:
        raise Problem(f"{network.name} has no parameter {quoted(name)}", UNKNOWN)
    shape = network.parameters[name].shape
    return Edit(name, place_of(place, shape, name), _number(value))


def edits_of(texts: Sequence[str], network: OpenNetwork) -> list[Edit]:
    """Return the edits that the texts describe; raises as `edit_of` does."""
    if len(texts) > MOST:
        raise Problem(f"at most {MOST} values can be changed at once; got {len(texts)}")
    return [edit_of(text, network) for text in texts]


def edited(x: np.ndarray, edits: Sequence[Edit]) -> np.ndarray:
    """Return a copy of the input (1, H, W, C) with the pixels that were changed."""
    x = x.copy()
    for edit in edits:
        if not edit.parameter:
            x[(0, *edit.place)] = edit.value
    return x


def edited_parameters(network: OpenNetwork, edits: Sequence[Edit]) -> dict[str, np.ndarray]:
    """Return copies of the parameters that were changed, with the changes."""
    changed: dict[str, np.ndarray] = {}
    for name, place, value in edits:
        if name:
            changed.setdefault(name, network.parameters[name].copy())[place] = value
    return changed


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise Problem(f"a new value is a number, at most {LARGEST:g} in size; got {quoted(text)}")
    return value
