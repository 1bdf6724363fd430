"""Models and objects on disk, under the names of `keras.saving`."""

from minicnn.models import load_model, save_model
from minicnn.support.registry import custom_objects as custom_object_scope
from minicnn.support.registry import get_custom_objects, register_serializable
from minicnn.utils import (
    deserialize_keras_object,
    register_keras_serializable,
    serialize_keras_object,
)

__all__ = [
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "load_model",
    "register_keras_serializable",
    "register_serializable",
    "save_model",
    "serialize_keras_object",
]
