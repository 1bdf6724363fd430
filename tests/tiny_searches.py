"""Searches over tiny networks for images of three classes."""

import numpy as np
import pytest

import minicnn as mc
from minicnn import tune
from minicnn.layers import Conv2D, Dense, Flatten, Input

pytest.importorskip("optuna")


def images(count=120):
    """Images of three classes, which differ in the brightness of their diagonal."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, count)
    x = rng.normal(size=(count, 8, 8, 1)) + y[:, None, None, None] * np.eye(8)[..., None]
    return x.astype(np.float32), y


X, Y = images()
DATA = {"epochs": 2, "validation_data": (X[80:], Y[80:])}


def build(hp):
    model = mc.Sequential([Input((8, 8, 1))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(Conv2D(hp.Int(f"filters_{i}", 4, 12, step=4), 3, activation="relu"))
    model.add(Flatten())
    model.add(Dense(3, activation="softmax"))
    model.compile(mc.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def with_rate(hp):
    """A network of one dense layer, whose score depends on the learning rate."""
    model = mc.Sequential([Input((8, 8, 1)), Flatten(), Dense(3, activation="softmax")])
    rate = hp.Choice("rate", [0.01, 0.0, 1e38])
    model.compile(mc.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def search(tmp_path, kind=tune.RandomSearch, make=build, data=DATA, **options):
    options = {"directory": tmp_path, "project_name": "s", "verbose": 0, **options}
    tuner = kind(make, **options)
    tuner.search(X[:80], Y[:80], **data)
    return tuner


def tried(tuner):
    """Return the values and the score of each trial by its number."""
    return {one.number: (one.values, one.score) for one in tuner.results()}
