"""A small network that distinguishes cats and dogs."""

from __future__ import annotations

from minicnn.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import classification_head


def catdog(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    classes: int = 2,
    *,
    dropout: float = 0.0,
    rescale: float | None = None,
) -> Sequential:
    """Three convolutions and four dense layers; 693,602 parameters for two classes.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images; each convolution halves it, so that H and W must be at least 22.
    classes : int
        2 for the probabilities of cat and dog; 1 for one sigmoid, the probability of a dog.
    dropout : float
        Rate of the dropout before each hidden dense layer; default 0, as in the paper. With only
        two thousand photographs, about 0.3 keeps the network from overfitting.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32. Not compiled yet; the paper trained it with `adam` and
        `sparse_categorical_crossentropy`, or `binary_crossentropy` for one sigmoid.

    Notes
    -----
    The paper gives one network for its two tasks, see `cifar`, and does not state the image size.

    Examples
    --------
    >>> catdog().count_params(), catdog(classes=1).count_params()
    (693602, 693569)
    """
    model = Sequential([Input(image_shape, rescale=rescale)])  # (N, 64, 64, 3)
    for filters in (32, 64, 128):  # 31, 14, 6 pixels a side
        model.add(Conv2D(filters, 3, activation="relu"))
        model.add(MaxPooling2D(2))
    model.add(Flatten())  # (N, 4608)
    for units in (128, 64, 32):
        if dropout:
            model.add(Dropout(dropout))
        model.add(Dense(units, activation="relu"))
    model.add(classification_head(classes))
    return model
