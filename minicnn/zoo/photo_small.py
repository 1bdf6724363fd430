"""A small, fast network for photographs, which comes with minicnn trained on six kinds of them."""

from __future__ import annotations

import os
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    ReLU,
)
from minicnn.models import Model
from minicnn.zoo.classification_head import classification_head
from minicnn.zoo.pretrained import photos

SHAPE, CLASSES = (112, 112, 3), 6
STEM = 32  # filters of the first convolution
FILTERS = (64, 96, 160)  # of the three stages, which read maps of 28, 14 and 7 pixels a side
MOMENTUM = 0.9  # of the averages of batch normalization: an epoch of few images has few steps
DROPOUT = 0.2


def photo_small(
    image_shape: tuple[int, int, int] = SHAPE,
    classes: int = CLASSES,
    *,
    rescale: float | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> Model:
    """Eight convolutions with batch normalization, no large dense layer; 843,942 parameters.

    A convolution with stride 2, then three stages, each with a pooling, a convolution, and, in the
    last two, a residual block of two convolutions. The mean of each map is a feature.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images, at least 16 x 16.
    classes : int
        Number of classes.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.
    weights : "photos", path or None
        "photos": trained by `minicnn reproduce photo-small` on photographs of animals,
        architecture, cars, food, nature and people; the file is part of minicnn. Or a file's; or
        new ones.

    Returns
    -------
    Model
        (N, H, W, C) -> (N, classes) float32, the probability of each class. Not compiled. With
        weights="photos" it has its class names, preprocessing and calibration.

    Raises
    ------
    ArgumentError : weights="photos" are wanted with another shape, other classes or `rescale`

    References
    ----------
    He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016.

    Examples
    --------
    >>> photo_small().count_params()
    843942
    """
    if weights == "photos":
        if (image_shape, classes, rescale) != (SHAPE, CLASSES, None):
            raise ArgumentError(
                f"weights='photos' are for images of {SHAPE} and {CLASSES} classes, without "
                "rescale; for other classes: minicnn sort learn, or minicnn train --model "
                "photo-small"
            )
        return photos.load()
    x = inputs = Input(image_shape, rescale=rescale)
    x = _convolved(x, STEM, "stem", strides=2)
    for number, filters in enumerate(FILTERS, 1):
        x = MaxPooling2D(2, name=f"pool{number}")(x)
        x = _convolved(x, filters, f"stage{number}")
        if number > 1:
            x = _residual(x, filters, f"block{number}")
    x = GlobalAveragePooling2D(name="features")(x)
    x = classification_head(classes, name="classes")(Dropout(DROPOUT, name="dropout")(x))
    model = Model(inputs, x, name="photo_small")
    if weights is not None:
        model.load_weights(weights)
    return model


def _convolved(x: Any, filters: int, name: str, *, strides: int = 1, relu: bool = True) -> Any:
    """Return 3 x 3 convolution, batch normalization and ReLU."""
    x = Conv2D(
        filters, 3, strides=strides, padding="same", use_bias=False,
        kernel_initializer="he_normal", name=f"{name}_conv",
    )(x)  # fmt: skip
    x = BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return ReLU(name=f"{name}_relu")(x) if relu else x


def _residual(x: Any, filters: int, name: str) -> Any:
    """Return the maps plus what two convolutions make of them."""
    y = _convolved(x, filters, f"{name}a")
    y = _convolved(y, filters, f"{name}b", relu=False)
    return ReLU(name=f"{name}_relu")(Add(name=f"{name}_add")([x, y]))
