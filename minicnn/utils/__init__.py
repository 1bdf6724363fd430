"""Helpers for scripts, under the names of `keras.utils`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.data.directory_dataset import image_dataset_from_directory
from minicnn.data.image_writing import array_to_img, img_to_array, save_img
from minicnn.data.images import load_img
from minicnn.data.py_dataset import PyDataset
from minicnn.dlpack import to_device
from minicnn.layers.base import SymbolicTensor
from minicnn.random import set_random_seed
from minicnn.support.auto_names import clear_session as _clear_names
from minicnn.support.progress import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from minicnn.support.registry import get_custom_objects, register_serializable
from minicnn.utils.architecture.drawing import draw_architecture
from minicnn.utils.data_sets import (
    pack_x_y_sample_weight,
    split_dataset,
    unpack_x_y_sample_weight,
)
from minicnn.utils.labels import balanced_class_weight, normalize, to_categorical
from minicnn.utils.local_files import get_file
from minicnn.utils.model_pictures import model_to_dot, plot_model
from minicnn.utils.progbar import Progbar
from minicnn.utils.serialization import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from minicnn.utils.settings import Config

__all__ = [
    "Config",
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "balanced_class_weight",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "draw_architecture",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "plot_model",
    "register_keras_serializable",
    "register_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "to_categorical",
    "to_device",
    "unpack_x_y_sample_weight",
]

Sequence = PyDataset


def clear_session(free_memory: bool = True) -> None:
    """Forget all automatic names: the next Conv2D is called `conv2d` again.

    Memory is freed with the objects that own it, so `free_memory` changes nothing.
    """
    _clear_names()


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is what `Input(...)` and layers return while a network is described."""
    return isinstance(x, SymbolicTensor)


def get_source_inputs(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """Return the inputs of the network that a symbolic tensor depends on, in order."""
    found: dict[int, SymbolicTensor] = {}
    done, stack = set(), [tensor]
    while stack:
        one = stack.pop()
        if id(one) in done:
            continue
        done.add(id(one))
        if not one.inputs:
            found.setdefault(id(one), one)
        stack += reversed(one.inputs)
    return list(found.values())


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype; float32 for None.

    >>> standardize_dtype(np.float32), standardize_dtype(int)
    ('float32', 'int64')
    """
    if dtype is None:
        return "float32"
    return "int64" if dtype is int else np.dtype(getattr(dtype, "name", dtype)).name
