"""Fitting the last layer of a classifier to features, which takes a fraction of a second."""

from __future__ import annotations

import math

import numpy as np

from minicnn import optimizers
from minicnn.apps.runs.classifier_parts import head_network
from minicnn.apps.runs.widening import widened
from minicnn.models import Model
from minicnn.utils import balanced_class_weight

# Tuned on photographs without food, to which 20 of food were added: rates of 0.003 to 0.01, 500 to
# 1500 steps, other optimizers and a pull to the old weights were within two points of each other.
RATE = 0.01
STEPS = 500
LEAST_EPOCHS = 5
BATCH = 32


def refitted(
    model: Model, class_names: list[str], features: np.ndarray, labels: np.ndarray
) -> Model:
    """Return a copy of a classifier whose last layer has learned these images, and their classes.

    It begins with the weights that it has; those of new classes are drawn. No other layer changes.
    All classes count equally, however many images they have.

    Parameters
    ----------
    model : a classifier that ends in a Dense layer
    class_names : all classes, among them those of the model
    features : what the last layer reads of each image, float32 (N, F)
    labels : indices into `class_names`, (N,)

    Raises
    ------
    ArgumentError : the model does not end in a Dense layer
    """
    copy = widened(model, class_names)
    head = head_network(copy)
    one_sigmoid = head.output_shape[-1] == 1
    loss = "binary_crossentropy" if one_sigmoid else "sparse_categorical_crossentropy"
    head.compile(optimizers.Adam(RATE), loss)
    weights = balanced_class_weight(labels)
    epochs = max(LEAST_EPOCHS, math.ceil(STEPS / math.ceil(len(labels) / BATCH)))
    head.fit(features, labels, BATCH, epochs, verbose=0, class_weight=weights)
    return copy


def answers(model: Model, features: np.ndarray) -> np.ndarray:
    """Return the probabilities of the classes, (N, C), also of a network with one sigmoid."""
    p = np.asarray(head_network(model).predict(features, verbose=0))
    return np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
