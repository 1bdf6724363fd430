"""Weights of files in the networks of the zoo."""

from __future__ import annotations

import os
from collections.abc import Callable

from minicnn import interop
from minicnn.models import Model
from minicnn.models.saving import formats


def with_weights(
    model: Model, path: str | os.PathLike[str] | None, module_of: Callable[[str], str]
) -> Model:
    """Return the network with the weights of a file, if one is given.

    A state dict of PyTorch goes through a table of names: `module_of` gives the name of the module
    that a layer is. Any other file is read by `model.load_weights`.

    Raises
    ------
    CheckpointError, ArgumentError : the weights are of another network
    """
    if path is None:
        return model
    found = formats.recognized(path)
    if found is None or found.module != "minicnn.interop.torch":
        model.load_weights(path)
    else:
        interop.torch.load_weights(model, path, names=modules_of(model, module_of))
    return model


def modules_of(model: Model, module_of: Callable[[str], str]) -> dict[str, str]:
    """Return {layer: module of PyTorch} for all layers that have weights."""
    return {layer.name: module_of(layer.name) for layer in model.layers if layer.parameters}
