"""Random flips, shifts, zooms and shears of images, for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_axes, check_choice, check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.image_layer import RandomImageLayer, check_bounds, given
from minicnn.operations.augment import AUGMENT, FILL_MODES, INTERPOLATIONS
from minicnn.operations.random_images import RANDOM_MATRIX

Factor = float | Sequence[float]
FLIPS = {
    "horizontal": (False, True),
    "vertical": (True, False),
    "horizontal_and_vertical": (True, True),
}


class RandomGeometry(RandomImageLayer):
    """A layer that looks up each pixel of the new image at a random place of the old one.

    Parameters
    ----------
    fill_mode : what lies beside an image a b c d: "reflect" dcba|abcd|dcba, "nearest"
        aaaa|abcd|dddd, "wrap" abcd|abcd|abcd, or "constant"; default "reflect"
    interpolation : "bilinear", the weighted mean of four pixels, or "nearest"; default "bilinear"
    fill_value : the value beside the image with "constant"; default 0
    options : seed, data_format, and those of `Layer`

    Raises
    ------
    ArgumentError : an argument is not as described
    ShapeError : the input is not a batch of images

    Notes
    -----
    In training uint8 images become float32; values keep their range. With "reflect" and "nearest"
    all pixels are those of Keras on TensorFlow; with "wrap" and "constant" those beside the image,
    and less than a pixel away from its edge, may differ.
    """

    kind = ""  # of RANDOM_MATRIX

    def __init__(
        self,
        *,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.fill_mode = check_choice(fill_mode, "fill_mode", FILL_MODES)
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)
        self.fill_value = check_number(fill_value, "fill_value")

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the random numbers, as RANDOM_MATRIX needs them."""
        raise NotImplementedError

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the new images in training, the images as they are otherwise."""
        (x,) = inputs
        if not training:
            return x
        check_axes(x.shape, "x", "NHWC")
        return self.moved(apply, x, self.bounds())

    def moved(self, apply: Apply, x: Any, bounds: tuple[Any, ...]) -> Any:
        """Return the images, each moved by a random matrix of its own."""
        key, purpose = self.random_key(apply)
        count, height, width, _ = x.shape
        size = (height, width)
        matrix = apply(
            RANDOM_MATRIX, key, count=count, kind=self.kind, size=size, bounds=bounds, **purpose
        )
        fill = {"fill_mode": self.fill_mode, "cval": self.fill_value}
        return apply(AUGMENT, x, matrix, interpolation=self.interpolation, **fill)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


class RandomFlip(RandomGeometry):
    """Mirrors half of the images in training, and does nothing at inference.

    (N, H, W, C) -> (N, H, W, C). In training uint8 images become float32; values keep their range.

    Parameters
    ----------
    mode : "horizontal" swaps left and right, "vertical" top and bottom, and
        "horizontal_and_vertical", the default, does each of the two for half of the images
    seed, data_format, options : those of `RandomLayer` and `ImageLayer`

    Raises
    ------
    ArgumentError : an argument is not as described
    ShapeError : the input is not a batch of images

    Examples
    --------
    >>> x = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    >>> flip = RandomFlip("horizontal", seed=1)
    >>> [flip(x).ravel().tolist() for _ in range(2)]
    [[2.0, 1.0, 4.0, 3.0], [1.0, 2.0, 3.0, 4.0]]
    """

    kind = "flip"

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **options)
        self.mode = check_choice(mode, "mode", tuple(FLIPS))

    def bounds(self) -> tuple[Any, ...]:
        """Return whether rows and columns may be mirrored."""
        return FLIPS[self.mode]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        for name in ("fill_mode", "interpolation", "fill_value"):
            del config[name]
        return {**config, "mode": self.mode}


class RandomTranslation(RandomGeometry):
    """Shifts each image by random fractions of its sides in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. See `RandomGeometry` for what is beside the
    image.

    Parameters
    ----------
    height_factor, width_factor : bounds of the shift down and to the right, as fractions of the
        height and the width within -1 and 1. One number a means (-a, a)
    fill_mode, interpolation, fill_value : those of `RandomGeometry`
    seed, data_format, options : those of `RandomLayer` and `ImageLayer`

    >>> x = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    >>> RandomTranslation((0.5, 0.5), 0.0, fill_mode="nearest")(x).ravel().tolist()
    [1.0, 2.0, 1.0, 2.0]
    """

    kind = "translation"

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **options,
        )  # fmt: skip
        self.height_factor, self.width_factor = given(height_factor), given(width_factor)
        self._bounds = (
            check_bounds(height_factor, "height_factor", -1, 1),
            check_bounds(width_factor, "width_factor", -1, 1),
        )

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the shifts, in heights and widths."""
        return self._bounds

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        factors = {"height_factor": self.height_factor, "width_factor": self.width_factor}
        return {**super().get_config(), **factors}


class RandomZoom(RandomGeometry):
    """Enlarges or shrinks each image around its middle in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. See `RandomGeometry` for what is beside the
    image.

    Parameters
    ----------
    height_factor : bounds of the change of the height that is seen, above -1 and up to 1: -0.2
        shows 80 % of the rows, which enlarges them, and 0.2 shows 120 %. One number a means (-a, a)
    width_factor : the same for columns; default None: that of the rows, which keeps proportions
    fill_mode, interpolation, fill_value : those of `RandomGeometry`
    seed, data_format, options : those of `RandomLayer` and `ImageLayer`

    >>> x = np.array([0, 1, 2], np.float32).reshape(1, 1, 3, 1)
    >>> RandomZoom(0.0, (-0.5, -0.5))(x).ravel().tolist()
    [0.5, 1.0, 1.5]
    """

    kind = "zoom"

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **options,
        )  # fmt: skip
        self.height_factor, self.width_factor = given(height_factor), given(width_factor)
        width = None if width_factor is None else _zoom_bounds(width_factor, "width_factor")
        self._bounds = _zoom_bounds(height_factor, "height_factor"), width

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the changes of height and width."""
        return self._bounds

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        factors = {"height_factor": self.height_factor, "width_factor": self.width_factor}
        return {**super().get_config(), **factors}


def _zoom_bounds(factor: Factor, name: str) -> tuple[float, float]:
    bounds = check_bounds(factor, name, -1, 1)
    if bounds[0] == -1:
        raise ArgumentError(f"{name} must be above -1, where nothing is seen; got {quoted(factor)}")
    return bounds


class RandomShear(RandomGeometry):
    """Slants each image to the left or to the right, or up or down, in training.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. See `RandomGeometry` for what is beside the
    image.

    Parameters
    ----------
    x_factor : bounds of the columns by which a row is shifted against the one above, within 0 and
        1; one number a means (-a, a); default 0
    y_factor : the same for columns that are shifted by rows
    interpolation, fill_mode, fill_value : those of `RandomGeometry`
    data_format, seed, options : those of `ImageLayer` and `RandomLayer`

    Notes
    -----
    For half of the images, both factors are taken negative.

    >>> RandomShear(x_factor=0.3)(np.zeros((4, 4, 1), np.float32)).shape
    (4, 4, 1)
    """

    kind = "shear"

    def __init__(
        self,
        x_factor: Factor = 0.0,
        y_factor: Factor = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, seed=seed, fill_value=fill_value,
            data_format=data_format, **options,
        )  # fmt: skip
        self.x_factor, self.y_factor = given(x_factor), given(y_factor)
        self._bounds = _shear_bounds(x_factor, "x_factor"), _shear_bounds(y_factor, "y_factor")

    def bounds(self) -> tuple[Any, ...]:
        """Return the bounds of the two factors."""
        return self._bounds

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}


def _shear_bounds(factor: Factor, name: str) -> tuple[float, float]:
    low, high = check_bounds(factor, name, 0, 1)
    return (low, high) if isinstance(factor, (list, tuple)) else (-high, high)
