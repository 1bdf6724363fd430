"""Warnings before a training that would run, but hardly learn what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicnn import layers
from minicnn.checks import warn_caller
from minicnn.losses import Crossentropy
from minicnn.models.batches import ArrayBatches, Batches
from minicnn.models.graph import Graph

if TYPE_CHECKING:
    from minicnn.models.model import Model

# Layers that hand on numbers as they are, and those whose results may be any number.
PASSING = (layers.Flatten, layers.Dropout)
UNBOUNDED = (layers.ReLU, layers.LeakyReLU, layers.ELU, layers.BatchNormalization)
PROBABILITIES = ("softmax", "sigmoid")


def warn_before_training(model: Model, data: Batches) -> None:
    """Say what is likely to be a mistake."""
    for text in [*_frozen(model), *_wrong_end(model), *_large_pixels(model, data)]:
        warn_caller(text)


def _frozen(model: Model) -> list[str]:
    if not model.parameters:
        return [f"{model.name} has no weights, so there is nothing to train"]
    if any(layer.trainable and layer.parameters for layer in model.layers):
        return []
    return [
        f"every layer of {model.name} with weights is frozen (trainable = False), so they will "
        "stay as they are; set trainable = True where the network is to learn"
    ]


def _wrong_end(model: Model) -> list[str]:
    """What does not go together in the last activation and the loss."""
    loss, last = model.loss, last_activation(model.graph)
    units = model.graph.outputs[0].shape[-1]
    if last == "softmax" and units == 1:
        return [
            "softmax of one unit is always 1, so nothing is learned; for yes or no end with "
            "Dense(1, activation='sigmoid'), for classes with a unit for each"
        ]
    if last is None or not isinstance(loss, Crossentropy):
        return []
    if loss.from_logits and last in PROBABILITIES:
        return [
            f"the network ends in {last}, and from_logits=True lets the loss take "
            f"{loss.activation} again; leave one of them out"
        ]
    if not loss.from_logits and last not in PROBABILITIES:
        return [
            f"loss {loss.name!r} needs probabilities, and the network ends in {last}: give its "
            f"last layer activation={loss.activation!r}, or the loss from_logits=True"
        ]
    return []


def last_activation(graph: Graph) -> str | None:
    """The name of what made the outputs' numbers, or None where that is not known."""
    tensor = graph.outputs[0]
    while isinstance(tensor.layer, PASSING):
        tensor = tensor.inputs[0]
    layer = tensor.layer
    if isinstance(layer, layers.Softmax):
        return "softmax"
    if isinstance(layer, UNBOUNDED):
        return type(layer).__name__
    name = getattr(layer, "activation", None)
    return name if isinstance(name, str) else None


def _large_pixels(model: Model, data: Batches) -> list[str]:
    """Nets train badly on 0...255: a hint where nothing in the model rescales."""
    inputs = data.inputs if isinstance(data, ArrayBatches) else ()
    return [
        f"pixels run {x[:100].min()}...{x[:100].max()} (dtype is uint8); nets train better on "
        "0...1. Add rescale: mc.Input(shape, rescale=1/255)"
        for i, x in enumerate(inputs)
        if x.dtype == np.uint8 and x.ndim == 4 and not model.rescales(i)
    ]
