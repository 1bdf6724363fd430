"""Warnings before a training that would run but probably not learn what is meant."""

from __future__ import annotations

import numpy as np

from minicnn import layers
from minicnn.checks import warn_caller
from minicnn.layers.activation import serialize
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.losses import Crossentropy, Loss
from minicnn.models.batches import ArrayBatches, Batches
from minicnn.models.compiled_network import CompiledNetwork

# Layers after which probabilities still are probabilities, and layers with unbounded outputs.
PASSING = (layers.Flatten, layers.Reshape, layers.Dropout, layers.GlobalAveragePooling2D)
UNBOUNDED = (layers.ReLU, layers.LeakyReLU, layers.ELU, layers.BatchNormalization)
PROBABILITIES = ("softmax", "sigmoid")


def warn_before_training(model: CompiledNetwork, data: Batches) -> None:
    """Warn of what is probably a mistake."""
    for text in [*_frozen(model), *loss_mismatch(model), *_large_pixels(model, data)]:
        warn_caller(text)


def _frozen(model: CompiledNetwork) -> list[str]:
    if not model.parameters:
        return [f"{model.name} has no weights, so there is nothing to train"]
    if any(layer.trainable and layer.parameters for layer in model.layers):
        return []
    return [
        f"every layer of {model.name} with weights is frozen (trainable = False), so no weight "
        "will change; set trainable = True on the layers that should learn"
    ]


def loss_mismatch(model: CompiledNetwork) -> list[str]:
    """Return a warning for each output whose last activation and loss do not fit each other."""
    outputs = model.graph.outputs
    found = [_mismatch(target.loss, outputs[target.output]) for target in model.targets]
    return [text for text in found if text is not None]


def _mismatch(loss: Loss, output: SymbolicTensor) -> str | None:
    last = last_activation(output)
    if last == "softmax" and output.shape[-1] == 1:
        return (
            "softmax of one unit is always 1, so nothing is learned; for yes or no end with "
            "Dense(1, activation='sigmoid'), for classes with one unit per class"
        )
    if last is None or not isinstance(loss, Crossentropy):
        return None
    if loss.from_logits and last in PROBABILITIES:
        return (
            f"the network ends in {last}, and from_logits=True makes the loss apply "
            f"{loss.activation} again; set from_logits=False, or leave out the activation"
        )
    if not loss.from_logits and last not in PROBABILITIES:
        return (
            f"loss {loss.name!r} needs probabilities, but the network ends in {last}: give its "
            f"last layer activation={loss.activation!r}, or the loss from_logits=True"
        )
    return None


def last_activation(tensor: SymbolicTensor) -> str | None:
    """Return the name of the activation that made an output, None if it is not known."""
    while isinstance(tensor.layer, PASSING):
        tensor = tensor.inputs[0]
    layer = tensor.layer
    if isinstance(layer, layers.Softmax):
        return "softmax"
    if isinstance(layer, UNBOUNDED):
        return type(layer).__name__
    activation = getattr(layer, "activation", None)
    name = None if activation is None else serialize(activation)
    return name if isinstance(name, str) else None


def _large_pixels(model: CompiledNetwork, data: Batches) -> list[str]:
    """Return a warning per input with pixels 0...255 that no layer rescales.

    What a class with a `call` does with its inputs, or a function of `minicnn.ops`, is not known.
    """
    inputs = data.inputs if isinstance(data, ArrayBatches) else ()
    return [
        f"pixels are in {x[:100].min()}...{x[:100].max()} (uint8), but networks learn better from "
        "0...1. Add rescale: mc.Input(shape, rescale=1/255)"
        for i, x in enumerate(inputs)
        if x.dtype == np.uint8 and x.ndim == 4 and not (model.rescales(i) or _is_computed(model, i))
    ]


def _is_computed(model: CompiledNetwork, i: int) -> bool:
    """Return whether a function, or a class with a `call`, reads input i."""
    graph = model.graph
    readers = [t.layer for t in graph.tensors if any(u is graph.inputs[i] for u in t.inputs)]
    return any(layer.has_call for layer in readers)
