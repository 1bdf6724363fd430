"""Weights of PyTorch into a network: in the order of the file, or by a table of names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, CheckpointError
from minicnn.interop.torch.layouts import Part, Place, places
from minicnn.interop.torch.state_dicts import read
from minicnn.support.files import Path

Arrays = Mapping[str, np.ndarray]
COUNTER = "num_batches_tracked"  # of batch normalization; nothing depends on it at inference


def load_weights(model: Any, path: Path, names: Mapping[str, str] | None = None) -> None:
    """Give a network the weights of a `.pth`, `.pt` or `.safetensors` file of PyTorch.

    Kernels are turned from (O, I, H, W), and a dense layer that reads a flattened image gets its
    rows in our order of pixels.

    Parameters
    ----------
    model : a built network of the same layers
    path : see `read`
    names : PyTorch's name of each layer, {"conv1": "features.0"}, or of single weights,
        {"conv1/kernel": "features.0.weight"}; layers that it does not have keep their weights, and
        what else the file has is not read. Default None: by the names if the layers have the same
        in the file; else each layer, in the order in which the network computes them, gets the
        next tensors of the file that fit it

    Raises
    ------
    CheckpointError : a layer gets no weights, or the file has more; the message says which
    ArgumentError : a name in the table does not exist
    UnsafeFileError, FormatError : as `read`
    """
    arrays = read(path)
    try:
        layers = places(model)
    except ValueError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error
    if names is None:
        found = _without_table(layers, arrays, path)
    else:
        found = _by_name(layers, arrays, names)
    for part, name in found:
        if arrays[name].shape != part.shape:
            raise CheckpointError(
                f"{os.fspath(path)}: {name} is {arrays[name].shape}, and {part.parameter.name} "
                f"needs {part.shape}"
            )
    for part, name in found:
        part.parameter.assign(part.to_ours(arrays[name]).astype(np.float32))


def _groups(arrays: Arrays) -> dict[str, dict[str, str]]:
    """Return {layer's name: {weight's name: whole name}}, in the order of the file."""
    groups: dict[str, dict[str, str]] = {}
    for name in arrays:
        stem, _, last = name.rpartition(".")
        if last != COUNTER:
            groups.setdefault(stem, {})[last] = name
    return groups


def _without_table(layers: list[Place], arrays: Arrays, path: Path) -> list[tuple[Part, str]]:
    """Return each weight with its tensor: by the layers' names if the file has the same names.

    Otherwise each layer gets the first unused tensors that fit it.
    """
    groups = _groups(arrays)
    table = {place.path: place.path.replace("/", ".") for place in layers}
    if sorted(table.values()) != sorted(groups):
        return _in_order(layers, groups, arrays, path)
    for place in layers:
        if not {part.name for part in place.parts} <= set(groups[table[place.path]]):
            raise CheckpointError(_unfitting(place, groups, arrays, path))
    return _by_name(layers, arrays, table)


def _in_order(
    layers: list[Place], groups: dict[str, dict[str, str]], arrays: Arrays, path: Path
) -> list[tuple[Part, str]]:
    """Return each weight with its tensor: each layer takes the first of the groups that fit it."""
    found: list[tuple[Part, str]] = []
    order = {stem: number for number, stem in enumerate(groups)}
    taken: list[int] = []
    for place in layers:
        wanted = {part.name: part.shape for part in place.parts}
        fitting = (stem for stem, names in groups.items() if _fits(names, wanted, arrays))
        stem = next(fitting, None)
        if stem is None:
            raise CheckpointError(_unfitting(place, groups, arrays, path))
        names = groups.pop(stem)
        found += [(part, names[part.name]) for part in place.parts]
        taken.append(order[stem])
    _check_all_taken(groups, len(layers), arrays, path)
    if taken != sorted(taken):
        warnings.warn(
            f"{os.fspath(path)}: the order of its layers is another than the network's; each layer "
            "got the first weights of its shapes. names={'layer': 'name there'} says it for sure",
            stacklevel=5,
        )
    return found


def _check_all_taken(groups: dict[str, Any], layers: int, arrays: Arrays, path: Path) -> None:
    left = _names_in(groups)
    if left:
        raise CheckpointError(
            f"{os.fspath(path)}: {len(left)} tensors fit no layer of {layers}: "
            f"{_listed(left, arrays)}. To leave them out, say which go where: "
            "mc.interop.torch.load_weights(model, path, names={'layer': 'name there'})"
        )


def _fits(names: Mapping[str, str], wanted: Mapping[str, Any], arrays: Arrays) -> bool:
    return {last: arrays[name].shape for last, name in names.items()} == dict(wanted)


def _unfitting(place: Place, groups: Mapping[str, Any], arrays: Arrays, path: Path) -> str:
    needed = ", ".join(f"{part.name} {part.shape}" for part in place.parts)
    return (
        f"{os.fspath(path)} has no weights for the layer {place.path!r}, which needs {needed}; "
        f"left are {_listed(_names_in(groups), arrays)}"
    )


def _names_in(groups: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [name for names in groups.values() for name in names.values()]


def _listed(names: list[str], arrays: Arrays) -> str:
    shown = ", ".join(f"{name} {arrays[name].shape}" for name in names[:3])
    return (shown or "none") + (", ..." if len(names) > 3 else "")


def _by_name(
    layers: list[Place], arrays: Arrays, names: Mapping[str, str]
) -> list[tuple[Part, str]]:
    """Return each weight that the table names with its tensor."""
    parts = {}
    for place in layers:
        for part in place.parts:
            last = part.parameter.name.rpartition("/")[2]
            parts[f"{place.path}/{last}"] = part
    found = []
    whole = {place.path: place for place in layers}
    for ours, theirs in names.items():
        if ours in parts:
            found.append((parts[ours], theirs))
        elif ours in whole:
            found += [(part, f"{theirs}.{part.name}") for part in whole[ours].parts]
        else:
            known = ", ".join([*whole][:5])
            raise ArgumentError(
                f"names has {ours!r}, which is no layer or weight of the network ({known}, ...)"
            )
    for part, name in found:
        if name not in arrays:
            near = _listed(list(arrays), arrays)
            raise ArgumentError(
                f"names asks for {name!r} for {part.parameter.name}; the file has {near}"
            )
    return found
