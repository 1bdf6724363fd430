"""Networks: their graph, their program, their training, their files."""

from minicnn.models import saving
from minicnn.models.labels import decode_predictions
from minicnn.models.model import Model
from minicnn.models.saving import load_model
from minicnn.models.sequential import Sequential

saving.know_models(Model, Sequential)

__all__ = ["Model", "Sequential", "decode_predictions", "load_model"]
