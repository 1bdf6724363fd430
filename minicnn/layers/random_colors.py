"""Random contrast, brightness and colors of images, for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_axes, check_number, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.image_layer import (
    RandomImageLayer,
    check_bounds,
    check_colors,
    check_value_range,
    given,
)
from minicnn.operations.adjust_colors import ADJUST_COLORS
from minicnn.operations.random_images import RANDOM_LEVELS

Factor = float | Sequence[float]


class RandomColors(RandomImageLayer):
    """A layer that changes the values of each image's pixels by a random rule of its own."""

    kind = ""  # of RANDOM_LEVELS

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the random numbers, as RANDOM_LEVELS needs them."""
        raise NotImplementedError

    def rule(self) -> dict[str, Any]:
        """Return the arguments of ADJUST_COLORS."""
        return {}

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the new images in training, the images as they are otherwise."""
        (x,) = inputs
        if not training:
            return x
        check_axes(x.shape, "x", "NHWC")
        key, purpose = self.random_key(apply)
        levels = apply(
            RANDOM_LEVELS, key, count=x.shape[0], kind=self.kind, bounds=self.bounds(), **purpose
        )
        return apply(ADJUST_COLORS, x, levels, **self.rule())


class RandomContrast(RandomColors):
    """Multiplies the distance of each pixel from its channel's mean by a random factor in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. In training uint8 images become float32.

    y = (x - mean) * factor + mean, limited to value_range, with the image's own mean of the channel

    Parameters
    ----------
    factor : two numbers (a, b), at most 1 and at least 0: the random factor is between 1 - a and
        1 + b; one number a means (a, a)
    value_range : smallest and largest value of a pixel; default (0, 255)
    seed, options : those of `RandomLayer` and `ImageLayer`

    >>> RandomContrast((-0.5, 0.5))(np.array([100, 120], np.uint8).reshape(1, 1, 2, 1)).ravel()
    Array([ 95., 125.], dtype=float32)
    """

    kind = "contrast"

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, **options)
        self.factor = given(factor)
        if isinstance(factor, (list, tuple)):
            self._bounds = check_bounds(factor, "factor", -1, 1)
        else:
            both = check_bounds(factor, "factor", 0, 1)[1]
            self._bounds = both, both
        self.value_range = check_value_range(value_range)

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the factor."""
        return ((1 - self._bounds[0], 1 + self._bounds[1]),)

    def rule(self) -> dict[str, Any]:
        """Return the arguments of ADJUST_COLORS."""
        low, high = self.value_range
        return {"about_mean": True, "low": low, "high": high}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomBrightness(RandomColors):
    """Adds a random number to all values of each image in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. In training uint8 images become float32. The
    result is limited to value_range.

    Parameters
    ----------
    factor : bounds of the number, within -1 and 1, as a fraction of the length of value_range; one
        number a means (-a, a)
    value_range : smallest and largest value of a pixel; default (0, 255)
    seed, options : those of `RandomLayer` and `ImageLayer`

    >>> RandomBrightness((0.1, 0.1), (0, 1))(np.full((1, 1, 1), 0.5, np.float32)).round(3).item()
    0.6000000238418579
    """

    kind = "brightness"

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, **options)
        self.factor = check_bounds(factor, "factor", -1, 1)
        self.value_range = check_value_range(value_range)

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the number that is added."""
        low, high = self.value_range
        return ((self.factor[0] * (high - low), self.factor[1] * (high - low)),)

    def rule(self) -> dict[str, Any]:
        """Return the arguments of ADJUST_COLORS."""
        low, high = self.value_range
        return {"low": low, "high": high}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomInvert(RandomColors):
    """Subtracts all values of some of the images from the largest one in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. In training uint8 images become float32.

    Parameters
    ----------
    factor : bounds of the probability, within 0 and 1, which is drawn for each image; one number a
        means (0, a); default 1
    value_range : smallest and largest value of a pixel; default (0, 255)
    seed, data_format, options : those of `RandomLayer` and `ImageLayer`

    >>> RandomInvert((1, 1))(np.array([[[0, 55, 255]]], np.uint8)).ravel().tolist()
    [255.0, 200.0, 0.0]
    """

    kind = "invert"

    def __init__(
        self,
        factor: Factor = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **options)
        self.factor = check_bounds(factor, "factor", 0, 1)
        self.value_range = check_value_range(value_range)

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the probability, and the largest value."""
        return self.factor, self.value_range[1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomGrayscale(RandomColors):
    """Replaces all colors of some of the images by the brightness of the pixel in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference, or with one channel. In training uint8
    images become float32.

    Parameters
    ----------
    factor : the probability; default 0.5
    data_format, seed, options : those of `ImageLayer` and `RandomLayer`

    >>> RandomGrayscale(1.0)(np.array([[[10, 20, 30]]], np.uint8)).round(2).ravel().tolist()
    [18.149999618530273, 18.149999618530273, 18.149999618530273]
    """

    kind = "grayscale"

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **options)
        self.factor = check_number(factor, "factor", 0)
        if self.factor > 1:
            raise ArgumentError(f"factor must be a probability, at most 1; got {quoted(factor)}")

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse what are no images in color or gray."""
        super().build(*input_shapes)
        check_colors(input_shapes[0], self.name)

    def bounds(self) -> tuple[Any, ...]:
        """Return the probability."""
        return (self.factor,)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "factor": self.factor}
