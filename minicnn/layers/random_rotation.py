"""Rotation of images by random angles, for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn import random
from minicnn.checks import check_axes, check_choice, check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.apply import RNG_KEY, Apply
from minicnn.layers.image_layer import RandomImageLayer
from minicnn.operations.augment import AUGMENT, FILL_MODES, INTERPOLATIONS
from minicnn.operations.rotation_matrix import ROTATION_MATRIX


class RandomRotation(RandomImageLayer):
    """Rotates each image by an angle of its own in training, and does nothing at inference.

    (N, H, W, C) -> (N, H, W, C). In training uint8 images become float32; values keep their range.

    Parameters
    ----------
    factor : bounds of the angle as fractions of a full turn, within -1 and 1; positive angles are
        counter-clockwise. One number means (-factor, factor): 0.1 turns by up to 36 degrees
    fill_mode : what lies beside an image a b c d: "reflect" dcba|abcd|dcba, "nearest"
        aaaa|abcd|dddd, "wrap" abcd|abcd|abcd, or "constant"; default "reflect"
    interpolation : "bilinear", the weighted mean of four pixels, or "nearest"; default "bilinear"
    seed : layers with the same seed draw the same angles, whatever `set_random_seed` was given;
        default None: the angles depend on its seed, and differ from layer to layer
    fill_value : the value beside the image with "constant"; default 0
    data_format, options : those of `ImageLayer`

    Raises
    ------
    ArgumentError : an argument is not as described
    ShapeError : the input is not a batch of images

    Notes
    -----
    An angle is a function of the seed, the step and the image's position in its batch, the same
    on every engine; outside of a network, each call on arrays is a step of its own. No gradient
    goes back through the layer, so nothing before it can be trained.
    With "reflect" and "nearest" all pixels are those of Keras on TensorFlow; with "wrap" and
    "constant" those beside the image, and less than a pixel away from its edge, may differ.

    Examples
    --------
    >>> quarter = RandomRotation((0.25, 0.25))
    >>> x = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    >>> quarter(x, training=True).reshape(2, 2).round(3).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    >>> quarter(x, training=False) is x
    True
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **options)
        self.factor = _bounds(factor)
        self.fill_mode = check_choice(fill_mode, "fill_mode", FILL_MODES)
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        self.fill_value = check_number(fill_value, "fill_value")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the rotated images in training, the images as they are otherwise."""
        (x,) = inputs
        if not training:
            return x
        check_axes(x.shape, "x", "NHWC")
        count, height, width, _ = x.shape
        matrix = apply(
            ROTATION_MATRIX,
            RNG_KEY,
            count=count,
            size=(height, width),
            bounds=self.factor,
            purpose=random.purpose_number(self.name),
            seed=self.seed,
        )
        fill = {"fill_mode": self.fill_mode, "cval": self.fill_value}
        return apply(AUGMENT, x, matrix, interpolation=self.interpolation, **fill)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


def _bounds(factor: float | Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest angle, in full turns."""
    given = list(factor) if isinstance(factor, (list, tuple)) else [factor]
    bounds = sorted(check_number(bound, "factor") for bound in given)
    if len(bounds) not in (1, 2) or bounds[0] < -1 or bounds[-1] > 1:
        raise ArgumentError(
            f"factor must be one or two fractions of a turn, within -1...1; got {quoted(factor)}"
        )
    if len(bounds) == 1:
        return -abs(bounds[0]), abs(bounds[0])
    return bounds[0], bounds[1]
