"""Occlusion: cover each region of an image in turn and measure how the probability changes."""

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
    """How much a class's probability drops when a region of the image is covered.

        map[y, x] = p(image) - mean of p(covered image) over the patches that cover (y, x)

    Parameters
    ----------
    model : Model
        A model whose outputs are probabilities.
    image : (H, W, C) array
        One image, as the network is fed it.
    class_index : int, optional
        Default: the predicted class. A model with one sigmoid has the classes 0 and 1.
    patch : int, optional
        Side of the covering square in pixels; default: a sixth of the image's shorter side.
    stride : int, optional
        Distance between two positions of the square; default: half of `patch`.
    fill : float, optional
        Value of the covered pixels; default: each channel's mean over the image.

    Returns
    -------
    (H, W) float32 array
        Positive where the image is evidence for the class, negative where it is evidence against.

    Raises
    ------
    ArgumentError, ShapeError : the patch does not fit into the image, or `image` is a batch

    Notes
    -----
    This takes one prediction per position of the square: about 121 with the defaults.

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
            "not be larger than the patch"
        )
    uncovered = model.predict_on_batch(image[None])
    scores = uncovered - 0.5 if uncovered.shape[1] == 1 else uncovered  # a sigmoid's sign decides
    index = int(chosen(scores, class_index)[0])
    rows, columns = _starts(height, patch, stride), _starts(width, patch, stride)
    corners = [(y, x) for y in rows for x in columns]
    covered = _probabilities(model, image, corners, patch, fill, index)
    drop, count = np.zeros((height, width)), np.zeros((height, width))
    for (y, x), p in zip(corners, covered, strict=True):
        drop[y : y + patch, x : x + patch] += _of_class(uncovered, index)[0] - p
        count[y : y + patch, x : x + patch] += 1
    return (drop / count).astype(np.float32)


def occlusion_figure(image: np.ndarray, drop: np.ndarray, title: str = "") -> Figure:
    """Draw an image, and beside it an occlusion map: red is evidence for the class, blue against.

    Parameters
    ----------
    image : (H, W, C) uint8 array
    drop : (H, W) array
        What `occlusion_map` returned.
    title : str
        For example the predicted class and its probability.

    Returns
    -------
    matplotlib Figure
    """
    figure = empty_figure(8.6, 4.2)
    figure.suptitle(caption(title), fontsize=14)
    left, right = figure.subplots(1, 2)
    show_image(left, image)
    limit = float(np.abs(drop).max()) or 1.0
    shown = show_over(right, image, drop, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=[left, right]).set_label("probability lost when covered", fontsize=11)
    return figure


def _starts(length: int, patch: int, stride: int) -> list[int]:
    """First pixels of the patches along one axis; the last patch ends at the image's edge."""
    return sorted({*range(0, length - patch, stride), length - patch})


def _probabilities(
    model: Model,
    image: np.ndarray,
    corners: list[tuple[int, int]],
    patch: int,
    fill: float | None,
    index: int,
) -> np.ndarray:
    """The class's probability with the patch at each of the corners (y, x)."""
    cover = image.mean((0, 1)) if fill is None else np.float32(fill)
    probabilities = []
    for start in range(0, len(corners), BATCH_SIZE):
        batch = corners[start : start + BATCH_SIZE]
        images = np.repeat(image[None], len(batch), axis=0)
        for covered, (y, x) in zip(images, batch, strict=True):
            covered[y : y + patch, x : x + patch] = cover
        probabilities.append(_of_class(model.predict_on_batch(images), index))
    return np.concatenate(probabilities)


def _of_class(predictions: np.ndarray, index: int) -> np.ndarray:
    """The class's probabilities (N,); a single sigmoid is the probability of class 1."""
    if predictions.shape[1] == 1:
        return predictions[:, 0] if index == 1 else 1 - predictions[:, 0]
    return predictions[:, index]
