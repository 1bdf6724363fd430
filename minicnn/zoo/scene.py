"""A network that classifies natural scenes."""

from __future__ import annotations

from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minicnn.layers.base import Layer
from minicnn.models import Sequential
from minicnn.zoo.classification_head import classification_head


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
        Number of classes; the paper has buildings, forest, glacier, mountain, sea, street.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; the paper trained it with `adam` and `categorical_crossentropy`.

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
    model.add(classification_head(classes))
    return model


def _convolutional(filters: int) -> list[Layer]:
    """Return Conv2D + ReLU, 2 x 2 max pooling, batch normalization, dropout of 0.2."""
    return [
        Conv2D(filters, 3, activation="relu"),
        MaxPooling2D(2),
        BatchNormalization(),
        Dropout(0.2),
    ]


def _add(model: Sequential, layers: list[Layer]) -> None:
    for layer in layers:
        model.add(layer)
