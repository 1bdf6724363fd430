"""Images whose values fill the whole range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.layers.base import Layer
from minicnn.layers.image_layer import check_value_range
from minicnn.layers.operators import FUNCTIONS


class AutoContrast(Layer):
    """Stretches the values of each channel of each image to the whole range.

    (N, H, W, C) or (H, W, C) -> the same shape, in training and at inference.

    y = (x - min) / (max - min) * (high - low) + low, with the channel's own min and max; a channel
    of one value stays as it is

    Parameters
    ----------
    value_range : (low, high) of the images; default (0, 255)
    options : those of `Layer`

    Examples
    --------
    >>> AutoContrast((0, 1))(np.array([[[[0.25], [0.75]]]], np.float32)).ravel().tolist()
    [0.0, 1.0]
    """

    def __init__(self, value_range: Sequence[float] = (0, 255), **options: Any) -> None:
        super().__init__(**options)
        self.value_range = check_value_range(value_range)

    def call(self, x: Any) -> Any:
        """Return the stretched images."""
        low, high = self.value_range
        x = FUNCTIONS["cast"](x, "float32")
        least, most = (FUNCTIONS[name](x, axis=(-3, -2), keepdims=True) for name in ("min", "max"))
        several = FUNCTIONS["cast"](most > least, "float32")  # values; 0 if there is only one
        divisor = (most - least) * several + (1.0 - several)
        stretched = (x - least) / divisor * (high - low) + low
        return stretched * several + x * (1.0 - several)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "value_range": self.value_range}
