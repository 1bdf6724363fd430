"""Networks: their graph, their program, their training, their files."""

from minicnn.models.labels import decode_predictions
from minicnn.models.model import Model
from minicnn.models.saving.graph_config import MODELS
from minicnn.models.saving.model_files import load_model
from minicnn.models.sequential import Sequential

MODELS.add(Model, Sequential)  # what a file may name; their table is below them

__all__ = ["Model", "Sequential", "decode_predictions", "load_model"]
