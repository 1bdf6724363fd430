"""What the networks have in common: their input, their end, and where weights come from."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from minicnn.checks import check_choice, check_int
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from minicnn.models import Model


class Options(NamedTuple):
    """The arguments that all networks of `minicnn.applications` share; see `VGG16`."""

    include_top: bool
    weights: str | os.PathLike[str] | None
    input_tensor: Any
    input_shape: Shape | None
    pooling: str | None
    classes: int
    classifier_activation: Any
    name: str


def input_of(options: Options, size: int) -> Any:
    """Return the input of a network for which there are no weights of ImageNet."""
    if options.weights == "imagenet":
        raise ArgumentError(
            "the weights of ImageNet are not part of minicnn; give weights=None for new ones, or "
            "the path of a file that model.save_weights wrote. mc.zoo.efficientnet_lite0 has them"
        )
    return new_input(options, size)


def new_input(options: Options, size: int) -> Any:
    """Return the input: the given tensor, or a new one of the given or the usual shape."""
    check_int(options.classes, "classes")
    if options.input_tensor is not None:
        return options.input_tensor
    usual = (size, size, 3) if options.include_top else (None, None, 3)
    return Input(options.input_shape or usual)  # type: ignore[arg-type]


def pooled(x: Any, options: Options) -> Any:
    """Return the features after the pooling of a network without its top."""
    if options.pooling is None:
        return x
    check_choice(options.pooling, "pooling", ("avg", "max"))
    layer = GlobalAveragePooling2D if options.pooling == "avg" else GlobalMaxPooling2D
    return layer(name=f"{options.pooling}_pool")(x)


def classified(x: Any, options: Options) -> Any:
    """Return the classes' probabilities."""
    activation = options.classifier_activation
    return Dense(options.classes, activation=activation, name="predictions")(x)


def finished(inputs: Any, outputs: Any, options: Options) -> Model:
    """Return the network, with the weights of a file if one was given."""
    model = Model(inputs, outputs, name=options.name)
    if options.weights is not None:
        model.load_weights(options.weights)
    return model
