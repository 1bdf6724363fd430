"""A network that tells six kinds of natural scenes apart."""

from __future__ import annotations

from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minicnn.layers.base import Layer
from minicnn.models import Sequential
from minicnn.zoo.classification_head import answer


def scene(
    image_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 6,
    *,
    rescale: float | None = None,
) -> Sequential:
    """Four convolutional blocks and four dense ones; 2,046,406 parameters for six classes.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images; each block halves it, so that H and W must be at least 46.
    classes : int
        Kinds of scenes: buildings, forest, glacier, mountain, sea, street.
    rescale : float
        1/255 for images of 0...255, uint8 or float32; default: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; it was trained with `adam` and `categorical_crossentropy`.

    Examples
    --------
    >>> scene().count_params()
    2046406
    """
    model = Sequential([Input(image_shape, rescale=rescale)])
    for filters in (32, 64, 128, 256):
        _add(model, _convolutional(filters))
    model.add(Flatten())
    for _ in range(4):
        _add(model, [Dense(128, activation="relu"), Dropout(0.2)])
    model.add(answer(classes))
    return model


def _convolutional(filters: int) -> list[Layer]:
    """Find patterns, keep the best of each 2 x 2 field, even out their sizes, forget a fifth."""
    return [
        Conv2D(filters, 3, activation="relu"),
        MaxPooling2D(2),
        BatchNormalization(),
        Dropout(0.2),
    ]


def _add(model: Sequential, layers: list[Layer]) -> None:
    for layer in layers:
        model.add(layer)
