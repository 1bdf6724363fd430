"""What all processes of a training must agree on, as short values that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn import random
from minicnn.backends import current_backend, instruction_set
from minicnn.backends.settings import conv_algorithm, precision
from minicnn.distributed.data_facts import data_digest
from minicnn.models.batches import Batches
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.saving.model_files import training_to_document
from minicnn.version import __version__

# Of the description of a training: what rank 0 gives to all, and what has names of parameters.
LEFT_OUT = ("optimizer_state", "parameters", "multipliers", "passes")
PLAIN = (str, int, float, type(None))


def training_facts(
    model: CompiledNetwork,
    data: Batches,
    validation: Batches | None,
    settings: Mapping[str, Any],
) -> dict[str, str]:
    """Return what `check_agreement` compares before `fit` begins, the causes first.

    Initial weights are not among them: all processes begin with those of rank 0.

    Parameters
    ----------
    model : compiled and built
    data, validation : the batches of the training and of its validation
    settings : other arguments by name, of which dicts and lists are compared value by value
    """
    training = training_to_document(model)
    facts = {
        "version of minicnn": __version__,
        "version of NumPy": np.__version__,
        "engine": current_backend(),
        "instruction set": instruction_set(),
        "precision": str(precision.get()),
        "algorithm of convolutions": str(conv_algorithm.get()),
        "seed": str(random.seed()),
        **_flat("network", _network(model)),
        **_flat("training", {k: v for k, v in training.items() if k not in LEFT_OUT}),
        **{k: v for name, value in settings.items() for k, v in _flat(name, value).items()},
        **_flat("batches", data.layout),
        "data": data_digest(data),
    }
    if validation is not None:
        facts["data of the validation"] = data_digest(validation)
    return facts


def _network(model: CompiledNetwork) -> dict[str, Any]:
    """Return the class and the arguments of each layer, and the shapes of all parameters.

    Names are left out: automatic ones depend on what else a process has made before.
    """
    known: dict[str, Any] = {"fuse": model.fuse}
    for number, layer in enumerate(model.graph.layers):
        config = _without_names(layer.get_config())
        known[f"layer {number}"] = {"class": type(layer).__name__, **config}
    for number, one in enumerate(model.named_parameters().values()):
        known[f"parameter {number}"] = {"shape": str(one.shape), "multiplier": one.multiplier}
    return known


def _without_names(config: Any) -> Any:
    """Return a layer's arguments without its name, and without those of the layers in it."""
    if isinstance(config, dict):
        return {key: _without_names(value) for key, value in config.items() if key != "name"}
    if isinstance(config, (list, tuple)):
        return [_without_names(value) for value in config]
    return config


def _flat(name: str, value: Any) -> dict[str, str]:
    """Return the values in dicts and lists under their names, so that a message can name one.

    >>> _flat("optimizer", {"config": {"rate": 0.1, "steps": [7]}})
    {'optimizer config rate': '0.1', 'optimizer config steps 0': '7'}
    """
    if isinstance(value, dict):
        return {k: v for key, one in value.items() for k, v in _flat(f"{name} {key}", one).items()}
    if isinstance(value, (list, tuple)):
        return _flat(name, dict(enumerate(value)))
    # What an object prints may contain its address, which differs.
    return {name: str(value) if isinstance(value, PLAIN) else type(value).__name__}
