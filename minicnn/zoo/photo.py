"""A network that classifies photographs by their subject."""

from __future__ import annotations

from minicnn.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import classification_head


def photo(
    image_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 6,
    *,
    rescale: float | None = None,
) -> Sequential:
    """Three pairs of convolutions and two dense layers; 15,892,806 parameters for six classes.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images; each pair halves it, so that H and W must be at least 36.
    classes : int
        Number of classes; the paper has animals, architecture, car, food, nature, people.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; the paper trained it with `adam` and `categorical_crossentropy`.

    Notes
    -----
    Two 3 x 3 convolutions read as large a window as one of 5 x 5, with fewer weights and a ReLU
    between them. The dropout rates were not published; 0.2 is that of the other networks of the
    same authors.

    Examples
    --------
    >>> photo((64, 64, 3)).count_params()
    2195782
    """
    model = Sequential([Input(image_shape, rescale=rescale)])  # (N, 150, 150, 3)
    for filters in (64, 128, 256):  # 73, 34, 15 pixels a side
        model.add(Conv2D(filters, 3, activation="relu"))
        model.add(Conv2D(filters, 3, activation="relu"))
        model.add(MaxPooling2D(2))
        model.add(Dropout(0.2))
    model.add(Flatten())  # (N, 57600)
    model.add(Dense(256, activation="relu"))
    model.add(Dropout(0.2))
    model.add(classification_head(classes))
    return model
