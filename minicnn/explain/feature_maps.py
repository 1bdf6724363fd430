"""Feature maps: the output of each convolutional layer for an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.explain.gradcam import layer_with_maps
from minicnn.explain.tiles import empty_figure, show_channels, show_image
from minicnn.layers import Dropout, InputLayer, Rescaling
from minicnn.models import Model
from minicnn.support.plots import caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 12


def feature_maps(
    model: Model, x: np.ndarray, layers: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """The feature maps (N, h, w, K) of each layer, by layer name and in the network's order.

    Parameters
    ----------
    model : Model
        A model with convolutions.
    x : (N, H, W, C) array
        What the network is fed.
    layers : sequence of str, optional
        Layer names; default: all layers that have maps, except Rescaling and Dropout.

    Raises
    ------
    ArgumentError : there is no such layer, or it has no maps

    Examples
    --------
    >>> from minicnn.zoo import lenet
    >>> maps = feature_maps(lenet(), np.zeros((1, 28, 28, 1), np.float32))
    >>> {name: found.shape[1:] for name, found in maps.items()}
    {'conv1': (24, 24, 20), 'pool1': (12, 12, 20), 'conv2': (8, 8, 50), 'pool2': (4, 4, 50)}
    """
    names = None if layers is None else [layer_with_maps(model, name) for name in layers]
    tensors = [t for t in model.graph.tensors if _has_maps(t.layer, t.shape)]
    if names is not None:
        tensors = [t for t in model.graph.tensors if t.layer.name in names]
    # A model of the same layers whose outputs are the maps: one pass computes them all.
    outputs = Model(model.graph.inputs, tensors).predict_on_batch(x)
    return {t.layer.name: y for t, y in zip(tensors, outputs, strict=True)}


def maps_figure(maps: Mapping[str, np.ndarray], image: np.ndarray, most: int = COLUMNS) -> Figure:
    """Draw one row per layer with the maps that vary most, red above 0 and blue below.

    Parameters
    ----------
    maps : dict of str to (h, w, K) arrays
        The maps of one image by layer name.
    image : (H, W, C) uint8 array
    most : int, default 12
        Maps to draw per layer.

    Returns
    -------
    matplotlib Figure
    """
    if not maps:
        raise ArgumentError("maps must have at least one layer")
    lines = [-(-min(most, m.shape[2]) // COLUMNS) for m in maps.values()]
    figure: Any = empty_figure(3.6 + COLUMNS, 1.33 * sum(lines) + 0.4 * len(lines))
    left, right = figure.subfigures(1, 2, width_ratios=(3.2, COLUMNS))
    left.suptitle("the image", fontsize=14)
    show_image(left.subplots(), image)
    rows = right.subfigures(len(lines), 1, height_ratios=[n + 0.3 for n in lines], squeeze=False)
    for row, (name, found) in zip(rows[:, 0], maps.items(), strict=True):
        picked = strongest(found, most)
        height, width, count = found.shape
        row.suptitle(
            f"{caption(name)}: {len(picked)} of {count} maps, {height} x {width}", fontsize=12
        )
        show_channels(row.subplots(), found[:, :, picked], COLUMNS, picked + 1, label="value")
    return figure


def strongest(maps: np.ndarray, most: int) -> np.ndarray:
    """Indices of the `most` channels of (h, w, K) with the largest spread, in ascending order.

    >>> strongest(np.array([[[0, 5, 1]], [[0, 0, 3]]], np.float32), 2).tolist()
    [1, 2]
    """
    spread = maps.reshape(-1, maps.shape[2]).std(0)
    return np.sort(np.argsort(-spread, kind="stable")[:most])


def _has_maps(layer: object, shape: Sequence[int | None]) -> bool:
    return len(shape) == 4 and not isinstance(layer, (InputLayer, Rescaling, Dropout))
