"""Grad-CAM: the places of an image that speak for a class.

The last convolution still knows where something is. How much the class's score grows with each of
its maps, on average over the places, weighs the maps; where their weighted sum is positive, the
image speaks for the class.
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
    """Where each image speaks for a class, 0...1.

        a[k] = mean over y, x of d score / d maps[y, x, k]
        cam[y, x] = max(0, sum over k of a[k] * maps[y, x, k]), divided by its largest

    Parameters
    ----------
    model : ends in one score a class; a last softmax or sigmoid is left out of the gradient
    x : (N, H, W, C), what the network is fed; of a network with several inputs a list of arrays
    classes : a class number, or one for each image; default: what the network says. Of one
        sigmoid, 0 and 1
    layer : whose maps; default: the last convolution

    Returns
    -------
    float32 (N, H, W), the size of the images that the layer sees, if several inputs are images of
    the first of them; all 0 where no place speaks for the class

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
    d_maps = tape.gradient(tape.scores, _one_of(tape.scores, classes)).of(maps)
    if d_maps is None:
        raise ArgumentError(f"the scores do not depend on {layer!r}; name another layer")
    weights = d_maps.mean((1, 2), keepdims=True)  # (N, 1, 1, K)
    cams = np.maximum((weights * maps).sum(3), 0)
    largest = cams.max((1, 2), keepdims=True)
    cams = np.divide(cams, largest, out=np.zeros_like(cams), where=largest > 0)
    return enlarged(cams, _image_size(model, layer, tape) or maps.shape[1:3])


def gradcam_figure(image: np.ndarray, cam: np.ndarray, title: str = "") -> Figure:
    """The image, and the image with what speaks for the class in warm colors.

    Parameters
    ----------
    image : uint8 (H, W, C)
    cam : (H, W), 0...1, as `gradcam` gives it
    title : what the network says

    Notes
    -----
    A `cam` that is all 0 is drawn with a line that says so.
    """
    figure = empty_figure(8.4, 4.2)
    figure.suptitle(caption(title), fontsize=14)
    left, right = figure.subplots(1, 2)
    show_image(left, image)
    bar = figure.colorbar(show_over(right, image, cam, cmap="jet", vmin=0, vmax=1), ax=right)
    bar.set_label("speaks for it", fontsize=11)
    if not cam.any():
        right.set_title("no place of these maps speaks for it", fontsize=11, color=WRONG)
    return figure


def enlarged(maps: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """(N, h, w) maps as (N, H, W), straight lines between the old pixels' centers.

    >>> enlarged(np.array([[[0.0, 1.0]]], np.float32), (1, 4)).tolist()
    [[[0.0, 0.25, 0.75, 1.0]]]
    """
    rows, columns = (_weights(n, new) for n, new in zip(maps.shape[1:], size, strict=True))
    return (rows @ maps @ columns.T).astype(np.float32)


def _weights(old: int, new: int) -> np.ndarray:
    """(new, old): how much each old pixel counts in each new one."""
    places = ((np.arange(new) + 0.5) * old / new - 0.5).clip(0, old - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(old))).astype(np.float32)


def layer_with_maps(model: Model, name: str | None) -> str:
    """The layer of that name, if it has maps; by default the last convolution."""
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
    """(H, W) of the first input with images that the layer's maps are made of, if there is one."""
    graph = model.graph
    seen = {[id(t) for t in graph.tensors if t.layer.name == layer][-1]}  # its last use, as on tape
    for tensor in reversed(graph.tensors):
        if id(tensor) in seen:
            seen |= {id(t) for t in tensor.inputs}
    images = zip(graph.inputs, tape.inputs, strict=True)
    return next((x.shape[1:3] for t, x in images if id(t) in seen and x.ndim == 4), None)


def chosen(scores: np.ndarray, classes: Any) -> np.ndarray:
    """(N,): the classes asked for, checked; default is the largest score, of one score its sign."""
    n, count = scores.shape
    if classes is None:
        return scores.argmax(1) if count > 1 else (scores[:, 0] > 0).astype(np.int64)
    count = max(count, 2)
    numbers = np.broadcast_to(np.asarray(classes), (n,))
    for number in numbers.tolist():
        if check_int(number, "each class", 0) >= count:
            raise ArgumentError(f"class {number} is not among the model's {count}, 0...{count - 1}")
    return numbers


def _one_of(scores: np.ndarray, classes: Any) -> np.ndarray:
    """The gradient by the scores: 1 at each image's class; -1 at one score for class 0."""
    numbers, gradient = chosen(scores, classes), np.zeros_like(scores)
    if scores.shape[1] == 1:
        gradient[:, 0] = np.where(numbers == 1, 1, -1)
    else:
        gradient[np.arange(len(numbers)), numbers] = 1
    return gradient
