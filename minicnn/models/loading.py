"""load_model: it stands above the classes that it returns; what it calls, in `saving`, below."""

from __future__ import annotations

from minicnn.layers.registry import registry as layer_registry
from minicnn.models.model import Model
from minicnn.models.saving import formats
from minicnn.models.saving.model_files import read_model
from minicnn.models.saving.network_document import MODELS
from minicnn.models.sequential import Sequential
from minicnn.support.files import Path
from minicnn.support.registry import Classes

MODELS.add(Model, Sequential)
layer_registry.add(Model, Sequential)  # as they may be layers of another network


def load_model(
    filepath: Path,
    custom_objects: Classes | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Model:
    """Return the model of a file: the same layers, weights, class names and optimizer.

    The file may be a `.mcnn` file, or one of another program that `minicnn.interop` reads: which
    it is, its content says, not its name.

    Nothing in the file is ever run or imported: layers are built from minicnn's own table, from
    classes that `mc.utils.register_serializable` was given, and from `custom_objects`.

    Parameters
    ----------
    filepath : the file
    custom_objects : classes of yours that the file names, {"Scale": Scale}
    compile : whether to load the optimizer, the loss and the metrics too
    safe_mode : without effect, as no code of a file is ever run

    Raises
    ------
    FormatError : the file is cut, damaged, hostile, or made by a newer minicnn; it says which
    FileNotFoundError, IsADirectoryError, PermissionError : as from `open`
    """
    read = formats.reader("read_model", filepath, read_model)
    model: Model = read(filepath, compile, custom_objects)
    return model


def save_model(
    model: Model,
    filepath: Path,
    overwrite: bool = True,
    *,
    include_optimizer: bool = True,
) -> None:
    """Write a model to a file; see `Model.save`."""
    model.save(filepath, overwrite, include_optimizer=include_optimizer)
