"""Occlusion: cover a part of the image, see what the network then says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicnn.checks import check_int
from minicnn.errors import ArgumentError, ShapeError
from minicnn.explain.gradcam import chosen
from minicnn.explain.tiles import empty_figure, show_image, show_over
from minicnn.models import Model
from minicnn.support.plots import caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH_SIZE = 32


def occlusion_map(
    model: Model,
    image: np.ndarray,
    class_index: int | None = None,
    patch: int | None = None,
    stride: int | None = None,
    fill: float | None = None,
) -> np.ndarray:
    """How much of a class's probability is lost when a place is covered.

        map[y, x] = p(image) - mean of p(covered) over the patches that cover (y, x)

    Parameters
    ----------
    model : ends in probabilities
    image : (H, W, C), what the network is fed
    class_index : default: what the network says
    patch : side of the square that covers, in pixels; default: a sixth of the image's shorter side
    stride : how far it moves each time; default: half of it
    fill : what covers; default: each channel's mean over the image

    Returns
    -------
    float32 (H, W): positive where the image speaks for the class, negative where against it

    References
    ----------
    Zeiler, Fergus: Visualizing and understanding convolutional networks, ECCV 2014.

    Examples
    --------
    >>> from minicnn.zoo import lenet
    >>> occlusion_map(lenet(), np.zeros((28, 28, 1), np.float32), patch=14).shape
    (28, 28)
    """
    image = np.asarray(image, np.float32)
    if image.ndim != 3:
        raise ShapeError(f"image must be one image (H, W, C); got {image.shape}")
    height, width = image.shape[:2]
    patch = check_int(max(min(height, width) // 6, 1) if patch is None else patch, "patch")
    stride = check_int(max(patch // 2, 1) if stride is None else stride, "stride")
    if patch > min(height, width) or stride > patch:
        raise ArgumentError(
            f"patch={patch} must fit into the image, {height}x{width}, and stride={stride} must "
            "not be larger than it"
        )
    whole = model.predict_on_batch(image[None])
    number = int(chosen(whole - 0.5 if whole.shape[1] == 1 else whole, class_index)[0])
    places = [(y, x) for y in _starts(height, patch, stride) for x in _starts(width, patch, stride)]
    covered = _probabilities(model, image, places, patch, fill, number)
    loss, times = np.zeros((height, width)), np.zeros((height, width))
    for (y, x), p in zip(places, covered, strict=True):
        loss[y : y + patch, x : x + patch] += _of_class(whole, number)[0] - p
        times[y : y + patch, x : x + patch] += 1
    return (loss / times).astype(np.float32)


def occlusion_figure(image: np.ndarray, loss: np.ndarray, title: str = "") -> Figure:
    """The image, and the image with what speaks for the class in red, against it in blue.

    Parameters
    ----------
    image : uint8 (H, W, C)
    loss : (H, W), as `occlusion_map` gives it
    title : what the network says
    """
    figure = empty_figure(8.6, 4.2)
    figure.suptitle(caption(title), fontsize=14)
    left, right = figure.subplots(1, 2)
    show_image(left, image)
    most = float(np.abs(loss).max()) or 1.0
    shown = show_over(right, image, loss, cmap="RdBu_r", vmin=-most, vmax=most)
    figure.colorbar(shown, ax=[left, right]).set_label("probability lost when covered", fontsize=11)
    return figure


def _starts(length: int, patch: int, stride: int) -> list[int]:
    """First pixels of the patches along one axis; the last one ends with the image."""
    return sorted({*range(0, length - patch, stride), length - patch})


def _probabilities(
    model: Model,
    image: np.ndarray,
    places: list[tuple[int, int]],
    patch: int,
    fill: float | None,
    number: int,
) -> np.ndarray:
    """The class's probability for the image with each of the places covered."""
    cover = image.mean((0, 1)) if fill is None else np.float32(fill)
    parts = []
    for start in range(0, len(places), BATCH_SIZE):
        some = places[start : start + BATCH_SIZE]
        images = np.repeat(image[None], len(some), axis=0)
        for one, (y, x) in zip(images, some, strict=True):
            one[y : y + patch, x : x + patch] = cover
        parts.append(_of_class(model.predict_on_batch(images), number))
    return np.concatenate(parts)


def _of_class(predictions: np.ndarray, number: int) -> np.ndarray:
    """(N,): the class's probability, also where one sigmoid stands for two classes."""
    if predictions.shape[1] == 1:
        return predictions[:, 0] if number == 1 else 1 - predictions[:, 0]
    return predictions[:, number]
