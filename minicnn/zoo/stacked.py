"""A network whose size was found by a search: a stack of convolutions, then one dense layer.

`minicnn.tune.photo_space` is the space that was searched. The best network for photographs had
three convolutions and 320 units.
"""

from __future__ import annotations

from collections.abc import Sequence

from minicnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.zoo.classification_head import classification_head

# A convolution is pooled if its output is at least this high and wide; so nine layers fit.
MIN_HALVED = 4


def stacked(
    image_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 6,
    *,
    filters: Sequence[int] = (96, 96, 224),
    units: int = 320,
    rescale: float | None = None,
) -> Sequential:
    """3 x 3 convolutions, each followed by 2 x 2 max pooling, and a hidden dense layer.

    Parameters
    ----------
    image_shape : (H, W, C)
        Size of the images.
    classes : int
        Number of classes; 1 for one sigmoid, the probability of the second of two classes.
    filters : sequence of int
        Filters of each convolution; the default is the best trial in the paper.
    units : int
        Units of the hidden dense layer.
    rescale : float
        Factor of the pixels, 1/255 for images of 0...255; default None: they are in 0...1 already.

    Returns
    -------
    Sequential
        (N, H, W, C) -> (N, classes) float32, the probability of each class.
        Not compiled yet; the paper trained it with `adam` and `categorical_crossentropy`.

    Notes
    -----
    The paper gives these sizes, but not the rest of the network. Here the first convolution has no
    padding, and the others have "same" padding; outputs smaller than 4 x 4 are not pooled.

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
    model.add(classification_head(classes))
    return model
