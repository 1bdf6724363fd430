"""A classifier for more classes: the old outputs keep their weights, the new ones get new ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicnn.apps.runs.classifier_parts import need_classifier
from minicnn.layers.base import Layer
from minicnn.models import Model, clone_model


def widened(model: Model, class_names: Sequence[str]) -> Model:
    """Return a copy of a classifier for these classes, in this order.

    An output of a class that the model knows has the weights that it had, so that before any
    training the probabilities of two known classes have the same ratio as before. The weights of a
    new output are drawn as those of a new layer. One sigmoid becomes two outputs with softmax,
    which compute the same.

    Parameters
    ----------
    model : the classifier, with `class_names`
    class_names : the names of all classes, among them those that the model knows

    Raises
    ------
    ArgumentError : the classes are others, and the network does not end in a Dense layer

    Examples
    --------
    >>> from minicnn.layers import Dense, Input
    >>> model = Model(x := Input((2,)), Dense(2, activation="softmax")(x))
    >>> model.class_names = ["forest", "street"]
    >>> wide = widened(model, ["forest", "sea", "street"])
    >>> before, after = model.layers[-1].kernel.value, wide.layers[-1].kernel.value
    >>> after.shape, bool((after[:, [0, 2]] == before).all())
    ((2, 3), True)
    """
    known = list(model.class_names or ())
    classifier = None if known == list(class_names) else need_classifier(model)

    def copy(layer: Layer) -> Layer:
        config = layer.get_config()
        if layer is classifier:
            config["units"] = len(class_names)
            config["activation"] = _for_several(config["activation"])
        new: Layer = type(layer).from_config(config)
        return new

    wide = clone_model(model, clone_function=copy)
    own = {id(p) for p in classifier.parameters} if classifier is not None else set()
    places = [list(class_names).index(name) for name in known]
    for before, after in zip(model.parameters, wide.parameters, strict=True):
        value = before.value
        after.assign(_placed(value, after.value, places) if id(before) in own else value)
    wide.class_names, wide.preprocess = list(class_names), model.preprocess
    return wide


def _for_several(activation: object) -> object:
    return "softmax" if activation == "sigmoid" else activation


def _placed(before: np.ndarray, after: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Return `after` with the outputs of `before`, along the last axis, at these places."""
    if before.shape[-1] == 1 and len(places) == 2:  # sigmoid(z) is the second of softmax(0, z)
        before = np.concatenate([np.zeros_like(before), before], axis=-1)
    value = after.copy()
    value[..., list(places)] = before
    return value
