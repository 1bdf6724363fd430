"""State dicts: the tensors of a network by their names, from files of PyTorch and safetensors."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from minicnn.errors import FormatError
from minicnn.interop.first_bytes import is_safetensors
from minicnn.interop.torch.files import with_arrays
from minicnn.interop.torch.tensors import Tensor
from minicnn.models.saving.archive.tensors import load_tensors
from minicnn.support.files import Path, open_regular, read_whole

MAX_BYTES = 1 << 34
# Where checkpoints keep the state dict of the network beside other things.
PLACES = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "params",
          "weights")  # fmt: skip
PARALLEL = "module."  # before all names, if the network was trained on several devices


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a `.pth`, `.pt` or `.safetensors` file by PyTorch's names.

    Of a checkpoint with more in it, the network's state dict is taken. No code of the file is run:
    anything but tensors and containers is refused by its name.

    Parameters
    ----------
    path : a file of `torch.save`, of any version since 0.4, or of safetensors

    Returns
    -------
    dict : in the order of the file, which is that of the network's layers; of safetensors, which
        keep no order, in the order of the names with their numbers. bfloat16 becomes float32

    Raises
    ------
    UnsafeFileError : the file asks for something else than tensors and containers
    FormatError : it has no state dict, or it is damaged
    """
    with open_regular(path) as file:
        plain = is_safetensors(file)
    if plain:
        content = memoryview(read_whole(path, MAX_BYTES))
        found = load_tensors(content, path, os.path.basename(os.fspath(path)))
        return {name: found[name] for name in sorted(found, key=_with_numbers)}
    return with_arrays(path, lambda content: state_dict(content, path))


def state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the named tensors in what a file holds: itself, or one of its parts."""
    found = _tensors(content)
    if not found and isinstance(content, dict):
        parts = {name: part for name, part in content.items() if _tensors(part)}
        places = [name for name in PLACES if name in parts] or list(parts)
        if places[1:] and places[0] not in PLACES:
            names = ", ".join(map(repr, places[:5]))
            raise FormatError(path, f"has several parts with tensors, {names}; which is unclear")
        found = _tensors(parts[places[0]]) if places else {}
    if not found:
        raise FormatError(path, f"has no state dict; it holds {_described(content)}")
    if all(name.startswith(PARALLEL) for name in found):
        found = {name.removeprefix(PARALLEL): one for name, one in found.items()}
    return found


def _with_numbers(name: str) -> list[tuple[int, str]]:
    """Return a key by which names are sorted so that "features.10" comes after "features.9"."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(int(one), "") if one.isdigit() and len(one) < 20 else (-1, one) for one in parts]


def _tensors(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, dict):
        return {}
    return {name: one for name, one in content.items()
            if isinstance(name, str) and isinstance(one, Tensor)}  # fmt: skip


def _described(content: Any) -> str:
    if isinstance(content, dict):
        return f"a dictionary of {', '.join(map(repr, list(content)[:5])) or 'nothing'}"
    return "one tensor" if isinstance(content, Tensor) else f"a {type(content).__name__}"
