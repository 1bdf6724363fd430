"""Where the old words are accepted: the classes, methods and functions that had them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minicnn import backend, callbacks, layers, models, optimizers, preprocessing, utils
from minicnn.compat import keras2_words as words
from minicnn.compat.keras2 import (
    accept,
    convolution2d,
    image_dim_ordering,
    set_image_dim_ordering,
    with_old_logs,
)
from minicnn.compat.keras2_methods import OldMethods
from minicnn.compat.keras2_modules import make_modules

METHODS = ("fit_generator", "evaluate_generator", "predict_generator", "predict_classes",
           "predict_proba")  # fmt: skip


def install() -> None:
    """Make Keras 2's spellings work; `import minicnn` calls it once."""
    for module, table in ((layers, words.LAYERS), (optimizers, words.OPTIMIZERS)):
        for kind in _classes(module):
            accept(kind, "__init__", table)
    for name, rows in words.CALLBACKS.items():
        accept(getattr(callbacks, name), "__init__", rows)
    accept(preprocessing.image.ImageDataGenerator, "__init__", words.LAYERS)
    accept(models.Model, "__init__", words.MODELS)
    accept(models.Model, "compile", words.COMPILE)
    for name in ("fit", "evaluate", "predict"):
        accept(models.Model, name, words.TRAINING)
    checkpoint = vars(callbacks.ModelCheckpoint)
    setattr(callbacks.ModelCheckpoint, "path_for", with_old_logs(checkpoint["path_for"]))  # noqa: B010
    vars(backend).update(
        image_dim_ordering=image_dim_ordering, set_image_dim_ordering=set_image_dim_ordering
    )
    accept(utils, "to_categorical", words.CATEGORIES)
    for name in METHODS:
        setattr(models.Model, name, vars(OldMethods)[name])
    vars(layers)["Convolution2D"] = convolution2d
    make_modules()


def _classes(module: ModuleType) -> list[Any]:
    """Return the public classes of a module, and their bases, with constructors of their own."""
    public = [value for value in vars(module).values() if isinstance(value, type)]
    bases = {base for kind in public for base in kind.__mro__}
    return [kind for kind in bases if "__init__" in vars(kind) and _is_ours(kind)]


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("minicnn.")
