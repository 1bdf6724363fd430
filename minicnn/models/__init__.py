"""Networks: their graphs, programs, training and files."""

from minicnn.models.labels import decode_predictions
from minicnn.models.loading import load_model
from minicnn.models.model import Model
from minicnn.models.sequential import Sequential

__all__ = ["Model", "Sequential", "decode_predictions", "load_model"]
