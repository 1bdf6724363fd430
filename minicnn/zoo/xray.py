"""A network that tells sick lungs from healthy ones on large X-ray images."""

from __future__ import annotations

from minicnn.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import answer


def xray(
    image_shape: tuple[int, int, int] = (512, 512, 3),
    classes: int = 2,
    *,
    rescale: float | None = None,
) -> Sequential:
    """Three convolutional blocks and two dense layers; 29,556,898 parameters for two classes.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images; each block halves it, so that H and W must be at least 36.
    classes : int
        2: the probabilities that the disease is absent and present; 1: one sigmoid, that it is
        present.
    rescale : float
        1/255 for images of 0...255, uint8 or float32; default: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; it was trained with `categorical_crossentropy`.

    Notes
    -----
    All but 65,570 of the parameters belong to the first dense layer, which looks at all
    60 x 60 x 64 numbers at once. The paper gives the rate of the first two dropouts only; the
    others have the same.

    Examples
    --------
    >>> xray((128, 128, 3)).count_params()
    1245346
    """
    model = Sequential([Input(image_shape, rescale=rescale)])  # (N, 512, 512, 3)
    for filters in (16, 32, 64):  # 254, 125, 60 pixels a side
        model.add(Conv2D(filters, 5, activation="relu"))
        model.add(MaxPooling2D(2))
        model.add(Dropout(0.2))
    model.add(Flatten())  # (N, 230400)
    model.add(Dense(128, activation="relu"))
    model.add(Dropout(0.2))
    model.add(answer(classes))
    return model
