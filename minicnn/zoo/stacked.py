"""The network whose size was searched for: convolutions one after the other, then one dense layer.

`minicnn.tune.photo_space` says what was searched; the best one found for photographs had three
convolutions and 320 units.
"""

from __future__ import annotations

from collections.abc import Sequence

from minicnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import answer

# A map is halved while it has so many pixels along its shorter side: nine layers fit.
MIN_HALVED = 4


def stacked(
    image_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 6,
    *,
    filters: Sequence[int] = (96, 96, 224),
    units: int = 320,
    rescale: float | None = None,
) -> Sequential:
    """As many 3 x 3 convolutions as there are `filters`, each followed by a 2 x 2 max-pooling.

    Parameters
    ----------
    image_shape : (H, W, C)
    classes : int
        1: one sigmoid, the probability of the second of two classes.
    filters : of each convolution; the defaults are the best trial that the paper reports
    units : of the dense layer
    rescale : float
        1/255 for images of 0...255, uint8 or float32; default: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; it was trained with `adam` and `categorical_crossentropy`.

    Notes
    -----
    The paper gives the numbers and not the network around them. Here the first convolution has no
    padding and the others keep the size; there is no more pooling once a map is smaller than 4.

    Examples
    --------
    >>> stacked((64, 64, 3), filters=(96, 96, 224), units=320).count_params()
    3794054
    """
    model = Sequential([Input(image_shape, rescale=rescale)])
    for i, count in enumerate(filters):
        model.add(Conv2D(count, 3, padding="same" if i else "valid", activation="relu"))
        if min(model.output_shape[1:3]) >= MIN_HALVED:
            model.add(MaxPooling2D(2))
    model.add(Flatten())
    model.add(Dense(units, activation="relu"))
    model.add(answer(classes))
    return model
