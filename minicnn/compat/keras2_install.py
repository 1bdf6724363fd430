"""Where the old words are accepted: the classes, methods and functions that had them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minicnn import callbacks, layers, models, optimizers, preprocessing, utils
from minicnn.compat import keras2_words as words
from minicnn.compat.keras2 import OldMethods, accept, convolution2d
from minicnn.compat.keras2_modules import make_modules

METHODS = ("fit_generator", "evaluate_generator", "predict_generator", "predict_classes",
           "predict_proba")  # fmt: skip


def install() -> None:
    """Make Keras 2's spellings work; `import minicnn` calls it once."""
    for module, table in (
        (layers, words.LAYERS),
        (optimizers, words.OPTIMIZERS),
        (callbacks, words.CALLBACKS),
    ):
        for kind in _classes(module):
            accept(kind, "__init__", table)
    accept(preprocessing.image.ImageDataGenerator, "__init__", words.LAYERS)
    accept(models.Model, "__init__", words.MODELS)
    accept(models.Model, "compile", words.COMPILE)
    for name in ("fit", "evaluate", "predict"):
        accept(models.Model, name, words.TRAINING)
    accept(utils, "to_categorical", words.CATEGORIES)
    for name in METHODS:
        setattr(models.Model, name, vars(OldMethods)[name])
    vars(layers)["Convolution2D"] = convolution2d
    make_modules()


def _classes(module: ModuleType) -> list[Any]:
    """Return the public classes of a module that have constructors of their own."""
    found = {value for value in vars(module).values() if isinstance(value, type)}
    return [
        kind
        for kind in found
        if "__init__" in vars(kind) and kind.__module__.startswith("minicnn.")
    ]
