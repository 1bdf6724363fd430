"""Feature maps: what each layer makes of an image."""

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
    """The maps (N, h, w, K) of each layer, in the network's order, by the layer's name.

    Parameters
    ----------
    model : any with convolutions
    x : (N, H, W, C), what the network is fed
    layers : names; default: all that have maps, but those that in use pass on what they get

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
    # The same layers, with other outputs: one pass gives them all.
    inside = Model(model.graph.inputs, tensors)
    outputs = inside.predict_on_batch(x)
    outputs = [outputs] if len(tensors) == 1 else outputs
    return {t.layer.name: y for t, y in zip(tensors, outputs, strict=True)}


def maps_figure(maps: Mapping[str, np.ndarray], image: np.ndarray, most: int = COLUMNS) -> Figure:
    """A row a layer: of one image's maps those that vary most, red above 0 and blue below.

    Parameters
    ----------
    maps : {layer: (h, w, K)}
    image : uint8 (H, W, C)
    most : maps of a layer; default: one line of them
    """
    if not maps:
        raise ArgumentError("maps must have at least one layer")
    lines = [-(-min(most, m.shape[2]) // COLUMNS) for m in maps.values()]
    figure: Any = empty_figure(3.6 + COLUMNS, 1.5 * sum(lines) + 0.35 * len(lines))
    left, right = figure.subfigures(1, 2, width_ratios=(3.2, COLUMNS))
    left.suptitle("the image", fontsize=14)
    show_image(left.subplots(), image)
    rows = right.subfigures(len(lines), 1, height_ratios=[n + 0.25 for n in lines], squeeze=False)
    for row, (name, found) in zip(rows[:, 0], maps.items(), strict=True):
        picked = strongest(found, most)
        height, width, count = found.shape
        row.suptitle(
            f"{caption(name)}: {len(picked)} of {count} maps, {height} x {width}", fontsize=12
        )
        show_channels(row.subplots(), found[:, :, picked], COLUMNS, picked + 1, "value")
    return figure


def strongest(maps: np.ndarray, most: int) -> np.ndarray:
    """Numbers of the `most` channels of (h, w, K) that vary most, in the channels' order.

    >>> strongest(np.array([[[0, 5, 1]], [[0, 0, 3]]], np.float32), 2).tolist()
    [1, 2]
    """
    spread = maps.reshape(-1, maps.shape[2]).std(0)
    return np.sort(np.argsort(-spread, kind="stable")[:most])


def _has_maps(layer: object, shape: Sequence[int | None]) -> bool:
    return len(shape) == 4 and not isinstance(layer, (InputLayer, Rescaling, Dropout))
