"""A small network for the ten classes of CIFAR-10."""

from __future__ import annotations

from minicnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import classification_head


def cifar(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    *,
    rescale: float | None = None,
) -> Sequential:
    """Three convolutions and four dense layers; 169,578 parameters for ten classes.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images; each convolution halves it, so that H and W must be at least 22. The
        paper printed (28, 28, 3), which gives 120,426 parameters; CIFAR-10 has 32 x 32.
    classes : int
        Number of classes; CIFAR-10 has airplane, automobile, bird, cat, deer, dog, frog, horse,
        ship and truck.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; the paper trained it with `adam` and `sparse_categorical_crossentropy`.

    Examples
    --------
    >>> cifar().count_params()
    169578
    """
    return Sequential(
        [
            Input(image_shape, rescale=rescale),  # (N, 32, 32, 3)
            Conv2D(32, 3, activation="relu"),
            MaxPooling2D(2),  # (N, 15, 15, 32)
            Conv2D(64, 3, activation="relu"),
            MaxPooling2D(2),  # (N, 6, 6, 64)
            Conv2D(128, 3, activation="relu"),
            MaxPooling2D(2),  # (N, 2, 2, 128)
            Flatten(),  # (N, 512)
            Dense(128, activation="relu"),
            Dense(64, activation="relu"),
            Dense(32, activation="relu"),
            classification_head(classes),
        ]
    )
