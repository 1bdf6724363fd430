"""The networks that `--base` can name: trained ones, whose features a new classifier reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minicnn import zoo
from minicnn.apps.runs.settings import Settings
from minicnn.checks import nearest
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.layers import BatchNormalization, Dropout, Input
from minicnn.layers.base import Layer
from minicnn.models import Model, Sequential
from minicnn.zoo.classification_head import classification_head
from minicnn.zoo.pretrained import imagenet

DROPOUT = 0.2  # of the features, in training
FIRST_OF_HEAD = "head_dropout"  # the layer that reads the features


class Base(NamedTuple):
    """A trained network without its classifier, and where fine-tuning begins."""

    build: Callable[..., Model]  # (input_shape=...) -> a model from images to features (N, C)
    preprocess: Preprocess
    fine_tuned_from: str  # the first layer that fine-tuning changes


def _efficientnet_lite0(input_shape: Any) -> Model:
    return zoo.efficientnet_lite0(include_top=False, pooling="avg", input_shape=input_shape)


BASES = {
    "efficientnet-lite0": Base(
        _efficientnet_lite0,
        imagenet.preprocess((224, 224)),
        "block6a_expand_conv",
    ),
}


def find(name: str) -> Base:
    """Return the base of that name; the error for an unknown one suggests the nearest."""
    if name not in BASES:
        raise ArgumentError(f"no base {name!r}{nearest(name, BASES)}; there are {', '.join(BASES)}")
    return BASES[name]


def check(settings: Settings) -> None:
    """Raise ArgumentError if a setting does not suit a training on a base."""
    if settings.base:
        find(settings.base)
        for name in ("normalize", "shift"):
            if getattr(settings, name):
                raise ArgumentError(
                    f"{name} cannot be set with a base: {settings.base} takes pixels as it was "
                    "trained with them"
                )
    elif settings.fine_tune:
        raise ArgumentError('fine_tune needs a base, such as base = "efficientnet-lite0"')


class Networks(NamedTuple):
    """A base, a head that classifies its features, and both as one network of the same layers."""

    base: Model
    head: Sequential
    whole: Model


def networks(base: Model, classes: int) -> Networks:
    """Return the networks; what one of them learns, the other has, too.

    The base's layers are frozen, its batch normalization included: also in training it uses the
    averages of the images that the base was trained with.
    """
    base.trainable = False
    layers = [Dropout(DROPOUT, name=FIRST_OF_HEAD), classification_head(classes, name="head")]
    x = base.outputs[0]
    for layer in layers:
        x = layer(x)
    return Networks(base, _head(base, layers), Model(base.inputs, x, name=base.name))


def parts(whole: Model) -> Networks:
    """Return a network that `networks` has made, such as one from a file, with its parts."""
    names = [layer.name for layer in whole.layers]
    if FIRST_OF_HEAD not in names:
        raise ArgumentError(f"{whole.name} is no base with a head: it has no {FIRST_OF_HEAD}")
    first = whole.get_layer(FIRST_OF_HEAD)
    features = next(t for t in whole.graph.tensors if t.layer is first).inputs[0]
    base = Model(whole.inputs, features, name=whole.name)
    base.trainable = False
    return Networks(base, _head(base, whole.layers[names.index(FIRST_OF_HEAD) :]), whole)


def _head(base: Model, layers: Sequence[Layer]) -> Sequential:
    """Return the last layers of a network as a classifier of the base's features."""
    return Sequential([Input(base.output_shape[1:]), *layers], name="head_of_features")


def thaw(whole: Model, first: str) -> None:
    """Let the layers from the one called `first` on learn, except batch normalization."""
    names = [layer.name for layer in whole.layers]
    if first not in names:
        raise ArgumentError(f"{whole.name} has no layer {first!r}{nearest(first, names)}")
    for layer in whole.layers[names.index(first) :]:
        layer.trainable = not isinstance(layer, BatchNormalization)
