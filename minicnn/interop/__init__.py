"""Other people's files: Keras, ONNX, Caffe and PyTorch.

Each format has a module of its own, which is imported when a file of that format is read or
written. `minicnn.models.saving.formats` says what such a module defines.
"""

from importlib import import_module
from typing import Any

from minicnn.interop.formats import ALL
from minicnn.models.saving.formats import FORMATS

FORMATS.extend(ALL)

PACKAGES = ("caffe", "keras", "onnx", "torch")


def __getattr__(name: str) -> Any:
    """Import the package of a format when it is first used: `mc.interop.caffe`."""
    if name in PACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
