"""A network that distinguishes diseased and healthy lungs in large X-ray images."""

from __future__ import annotations

from minicnn.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import classification_head


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
        2 for the probabilities that the disease is absent and present; 1 for one sigmoid, the
        probability that it is present.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; the paper trained it with `categorical_crossentropy`.

    Notes
    -----
    All but 65,570 of the parameters belong to the first dense layer, which reads all 60 x 60 x 64
    features. The paper gives the rate of the first two dropouts only; the others have the same.

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
    model.add(classification_head(classes))
    return model
