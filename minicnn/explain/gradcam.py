"""Grad-CAM: the regions of an image that are evidence for a class.

The maps of the last convolution still have positions. Each map is weighted by the mean gradient of
the class's score by it; where the weighted sum of the maps is positive, the image is evidence for
the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.checks import check_int
from minicnn.errors import ArgumentError
from minicnn.explain.tape import Tape
from minicnn.explain.tiles import empty_figure, show_image, show_over
from minicnn.layers import Conv2D, DepthwiseConv2D, InputLayer, Rescaling
from minicnn.models import Model
from minicnn.support.plots import WRONG, caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gradcam(
    model: Model, x: np.ndarray, classes: Any = None, layer: str | None = None
) -> np.ndarray:
    """Compute where each image is evidence for a class, 0...1.

        a[k] = mean over y, x of d score / d maps[y, x, k]
        cam[y, x] = max(0, sum over k of a[k] * maps[y, x, k]), divided by its maximum

    Parameters
    ----------
    model : Model
        A model with one score per class. The gradient is that of the score before a last softmax
        or sigmoid.
    x : (N, H, W, C) array, or a list of arrays for a model with several inputs
        What the network is fed.
    classes : int or sequence of N ints, optional
        Class indices; default: the predicted classes. A single sigmoid has the classes 0 and 1.
    layer : str, optional
        The layer whose maps are used; default: the last convolution.

    Returns
    -------
    (N, H, W) float32 array
        As large as the images from which the layer's maps are computed (the first ones, if several
        inputs are images). All 0 where no region is evidence for the class.

    Raises
    ------
    ArgumentError : there is no such layer or class, or the layer has no maps

    References
    ----------
    Selvaraju et al.: Grad-CAM: Visual explanations from deep networks via gradient-based
    localization, ICCV 2017.

    Examples
    --------
    >>> from minicnn.zoo import lenet
    >>> gradcam(lenet(), np.zeros((2, 28, 28, 1), np.float32)).shape
    (2, 28, 28)
    """
    tape = Tape(model, x)
    layer = layer_with_maps(model, layer)
    maps = tape[layer]
    d_maps = tape.gradient(tape.scores, _score_gradient(tape.scores, classes)).of(maps)
    if d_maps is None:
        raise ArgumentError(f"the scores do not depend on {layer!r}; name another layer")
    weights = d_maps.mean((1, 2), keepdims=True)  # (N, 1, 1, K)
    cams = np.maximum((weights * maps).sum(3), 0)
    maxima = cams.max((1, 2), keepdims=True)
    cams = np.divide(cams, maxima, out=np.zeros_like(cams), where=maxima > 0)
    return enlarged(cams, _image_size(model, layer, tape) or maps.shape[1:3])


def gradcam_figure(image: np.ndarray, cam: np.ndarray, title: str = "") -> Figure:
    """Draw an image, and beside it the evidence for the class in warm colors.

    Parameters
    ----------
    image : (H, W, C) uint8 array
    cam : (H, W) array of 0...1
        What `gradcam` returned for this image. If it is all 0, a line says so.
    title : str
        For example the predicted class and its probability.

    Returns
    -------
    matplotlib Figure
    """
    figure = empty_figure(8.4, 4.2)
    figure.suptitle(caption(title), fontsize=14)
    left, right = figure.subplots(1, 2)
    show_image(left, image)
    bar = figure.colorbar(show_over(right, image, cam, cmap="jet", vmin=0, vmax=1), ax=right)
    bar.set_label("evidence for the class", fontsize=11)
    if not cam.any():
        right.set_title("no region is evidence for the class", fontsize=11, color=WRONG)
    return figure


def enlarged(maps: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Resize maps (N, h, w) to (N, H, W) by bilinear interpolation between pixel centers.

    >>> enlarged(np.array([[[0.0, 1.0]]], np.float32), (1, 4)).tolist()
    [[[0.0, 0.25, 0.75, 1.0]]]
    """
    rows, columns = (_weights(old, new) for old, new in zip(maps.shape[1:], size, strict=True))
    return (rows @ maps @ columns.T).astype(np.float32)


def _weights(old: int, new: int) -> np.ndarray:
    """The weight of each old pixel in each new pixel, (new, old)."""
    centers = ((np.arange(new) + 0.5) * old / new - 0.5).clip(0, old - 1)  # in old pixels
    return np.maximum(0, 1 - np.abs(centers[:, None] - np.arange(old))).astype(np.float32)


def layer_with_maps(model: Model, name: str | None) -> str:
    """The given layer's name, if that layer has maps; by default the last convolution's."""
    tensors = [t for t in model.graph.tensors if len(t.shape) == 4]
    with_maps = [t.layer for t in tensors if not isinstance(t.layer, (InputLayer, Rescaling))]
    if name is None:
        convolutions = [la.name for la in with_maps if isinstance(la, (Conv2D, DepthwiseConv2D))]
        if not convolutions:
            raise ArgumentError(f"{model.name} has no convolution, so its images have no maps")
        return convolutions[-1]
    if model.get_layer(name) not in with_maps:
        names = ", ".join(layer.name for layer in with_maps)
        raise ArgumentError(f"{name!r} has no maps (N, H, W, C); these have: {names}")
    return name


def _image_size(model: Model, layer: str, tape: Tape) -> tuple[int, ...] | None:
    """The size (H, W) of the first image input from which the layer's maps are computed, if any."""
    graph = model.graph
    # The layer's last call, whose output the tape has, and all that this output depends on.
    ancestors = {[id(t) for t in graph.tensors if t.layer.name == layer][-1]}
    for tensor in reversed(graph.tensors):
        if id(tensor) in ancestors:
            ancestors |= {id(t) for t in tensor.inputs}
    inputs = zip(graph.inputs, tape.inputs, strict=True)
    return next((x.shape[1:3] for t, x in inputs if id(t) in ancestors and x.ndim == 4), None)


def chosen(scores: np.ndarray, classes: Any) -> np.ndarray:
    """The class indices (N,), checked; default: the largest score or the sign of a single one."""
    n, count = scores.shape
    if classes is None:
        return scores.argmax(1) if count > 1 else (scores[:, 0] > 0).astype(np.int64)
    count = max(count, 2)
    indices = np.broadcast_to(np.asarray(classes), (n,))
    for index in indices.tolist():
        if check_int(index, "each class", 0) >= count:
            raise ArgumentError(
                f"class {index} is not among the model's {count} classes, 0...{count - 1}"
            )
    return indices


def _score_gradient(scores: np.ndarray, classes: Any) -> np.ndarray:
    """The gradient by the scores: 1 at each image's class; -1 for class 0 of a single score."""
    indices, gradient = chosen(scores, classes), np.zeros_like(scores)
    if scores.shape[1] == 1:
        gradient[:, 0] = np.where(indices == 1, 1, -1)
    else:
        gradient[np.arange(len(indices)), indices] = 1
    return gradient
