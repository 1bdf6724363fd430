"""Models and objects on disk, under the names of `keras.saving`."""

from minicnn.models import load_model, save_model
from minicnn.support.registry import custom_objects as custom_object_scope
from minicnn.support.registry import register_serializable

__all__ = ["custom_object_scope", "load_model", "register_serializable", "save_model"]
