"""What an ONNX file says about a network besides its graph: its layers, its classes, its axes.

Layers, class names and preprocessing are JSON texts in `metadata_props`. Which axis of an input or
output has the channels, the axes' denotations say, for which ONNX has words of its own.
"""

from __future__ import annotations

import json
from typing import Any

from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, FormatError, MiniCNNError
from minicnn.models.network import Network
from minicnn.models.saving.network_document import network_to_document
from minicnn.support.registry import WRONG_CONFIG, as_json

CLASS_NAMES, PREPROCESS = "minicnn.class_names", "minicnn.preprocess"
NETWORK = "minicnn.network"
CHANNELS = "DATA_CHANNEL"
DENOTATIONS = {
    2: ("DATA_BATCH", CHANNELS),
    3: ("DATA_BATCH", "DATA_TIME", CHANNELS),
    4: ("DATA_BATCH", "DATA_FEATURE", "DATA_FEATURE", CHANNELS),
}  # by the number of axes


def metadata_of(model: Network) -> dict[str, str]:
    """Return what `metadata_props` holds of a network."""
    found: dict[str, Any] = {}
    if model.class_names:
        found[CLASS_NAMES] = list(model.class_names)
    if model.preprocess is not None:
        found[PREPROCESS] = model.preprocess.as_config()
    network = _layers(model)
    if network is not None:
        found[NETWORK] = network
    return {name: json.dumps(value, sort_keys=True) for name, value in found.items()}


def _layers(model: Any) -> Any:
    """Return the list of the layers; None if a class of the user's cannot say how it was made."""
    try:
        document = as_json(network_to_document(model))
        json.dumps(document, allow_nan=False)
    except (MiniCNNError, NotImplementedError, *WRONG_CONFIG):
        return None
    return {name: value for name, value in document.items() if name != "parameters"}


def take_metadata(model: Network, document: Any, path: str) -> None:
    """Give a network the class names and the preprocessing of a parsed ModelProto.

    Raises
    ------
    FormatError : they are damaged, or do not fit the network
    """
    texts = {one.key: one.value for one in document.metadata_props}
    try:
        if CLASS_NAMES in texts:
            model.class_names = json.loads(texts[CLASS_NAMES])
        if PREPROCESS in texts:
            model.preprocess = Preprocess.from_config(json.loads(texts[PREPROCESS]))
    except (ArgumentError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(path, f"its metadata cannot be read: {error}") from error


def denote(info: Any) -> None:
    """Say in the description of an input or output that its channels are last."""
    axes = info.type.tensor_type.shape.dim
    for axis, denotation in zip(axes, DENOTATIONS.get(len(axes), ()), strict=False):
        axis.denotation = denotation


def channel_axis(info: Any) -> int | None:
    """Return which axis has the channels, if the description of an input or output says so."""
    axes = info.type.tensor_type.shape.dim
    return next((i for i, axis in enumerate(axes) if axis.denotation == CHANNELS), None)
