"""Networks: their graphs, programs, training and files."""

from minicnn.models.cloning import clone_model, model_from_json
from minicnn.models.labels import decode_predictions
from minicnn.models.loading import load_model, save_model
from minicnn.models.model import Model
from minicnn.models.sequential import Sequential

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "decode_predictions",
    "load_model",
    "model_from_json",
    "save_model",
]
