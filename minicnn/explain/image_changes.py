"""Changes of images that a classifier should bear, each from weak to strong.

A change has a random part, such as the direction of a shift. It is drawn once per image, so that
all strengths shift an image in the same direction, and depends on the seed, the change and the
image's number alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from minicnn import random
from minicnn.checks import check_choice, check_number, shape_text
from minicnn.data.affine import IDENTITY, affine_images
from minicnn.data.perspective import CORNERS
from minicnn.data.transform import matrix_of
from minicnn.errors import DTypeError, ShapeError

DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])  # down, up, right, left
# The corners, upper left to lower right, that are farther away (-1) and nearer (1) where the upper,
# lower, left or right edge of an image leans back.
LEANING = np.array([(-1, -1, 1, 1), (1, 1, -1, -1), (-1, 1, -1, 1), (1, -1, 1, -1)])
MAX_CHANNELS = 4  # gray, gray and alpha, RGB, RGBA


class ImageChange(NamedTuple):
    """One kind of change, and the strengths that a test of robustness tries."""

    name: str
    unit: str
    strengths: tuple[float, ...]  # from weak to strong
    unchanged: float  # the strength that changes nothing
    apply: Callable[[np.ndarray, float, np.ndarray], np.ndarray]
    side_digits: int | None = None  # if strengths are shares of the side: decimals of the pixels
    is_factor: bool = False  # half of the images are multiplied by the strength, half divided

    def strengths_of(self, image_shape: tuple[int, ...]) -> list[float]:
        """Return the strengths for images (H, W, C) in the change's unit.

        Shares of the shorter side become pixels; those that are equal after rounding are one.

        >>> BY_NAME["shift"].strengths_of((28, 28, 1)), BY_NAME["shift"].strengths_of((9, 9, 1))
        ([1.0, 2.0, 3.0, 4.0, 6.0, 8.0], [1.0, 2.0, 3.0])
        """
        if self.side_digits is None:
            return [float(strength) for strength in self.strengths]
        side = min(image_shape[:2])
        pixels = (round(float(share * side), self.side_digits) for share in self.strengths)
        return list(dict.fromkeys(one for one in pixels if one))


def changed_images(images: np.ndarray, name: str, strength: float) -> np.ndarray:
    """Return images (N, H, W, C), uint8, after a change of this strength.

    Parameters
    ----------
    images : uint8 (N, H, W, C) with up to four channels, 0 black and 255 white
    name : of one of `IMAGE_CHANGES`: "shift", "rotation", "scale", "perspective", "blur", "noise",
        "brightness", "contrast" or "JPEG"
    strength : in the unit of the change: pixels, degrees, a factor, % of the side, the standard
        deviation of the blur in pixels or of the noise in gray levels, JPEG's quality

    Returns
    -------
    uint8 (N, H, W, C). Pixels from beyond the image are those of its edge.

    Raises
    ------
    ArgumentError : the change is unknown, or the strength is below 0
    DTypeError, ShapeError : `images` are not as described

    Examples
    --------
    >>> images = np.full((9, 2, 2, 1), 100, np.uint8)
    >>> all(level in (50, 200) for level in changed_images(images, "brightness", 2).flat)
    True
    """
    images = check_images(images)
    change = find_change(name)
    return change.apply(images, check_number(strength, "strength", 0.0), draw(name, len(images)))


def find_change(name: str) -> ImageChange:
    """Return the change of that name; raise ArgumentError if there is none."""
    return BY_NAME[check_choice(name, "name of a change", tuple(BY_NAME))]


def draw(name: str, count: int) -> np.ndarray:
    """Return the random part of a change for each of `count` images, (count,) in [0, 1)."""
    return random.generator(f"robustness to {name}").random(count)


def check_images(images: Any) -> np.ndarray:
    """Return the array of images after a check of its dtype and shape."""
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise DTypeError(f"images must be uint8, 0...255; got {images.dtype}")
    if images.ndim != 4 or not 1 <= images.shape[3] <= MAX_CHANNELS or 0 in images.shape[1:]:
        raise ShapeError(
            f"images must be (N, H, W, C) with 1 to {MAX_CHANNELS} channels; got "
            f"{shape_text(images.shape)}"
        )
    return images


def _signs(drawn: np.ndarray) -> np.ndarray:
    return np.where(drawn < 0.5, -1, 1)


def _one_of_four(drawn: np.ndarray) -> np.ndarray:
    return (4 * drawn).astype(int)


def _to_uint8(x: np.ndarray) -> np.ndarray:
    return np.rint(x).clip(0, 255).astype(np.uint8)


def _moved(images: np.ndarray, changes: Iterable[Mapping[str, Any]]) -> np.ndarray:
    """Apply a geometric change, in the words of `transform.UNCHANGED`, to each image."""
    height, width = images.shape[1:3]
    matrices = (matrix_of(change, height, width) for change in changes)
    stacked = np.array([IDENTITY if matrix is None else matrix for matrix in matrices])
    return _to_uint8(affine_images(images, stacked.reshape(-1, 3, 3)))


def _shifted(images: np.ndarray, pixels: float, drawn: np.ndarray) -> np.ndarray:
    moves = pixels * DIRECTIONS[_one_of_four(drawn)]
    return _moved(images, ({"tx": down, "ty": right} for down, right in moves))


def _rotated(images: np.ndarray, degrees: float, drawn: np.ndarray) -> np.ndarray:
    return _moved(images, ({"theta": angle} for angle in degrees * _signs(drawn)))


def _scaled(images: np.ndarray, factor: float, drawn: np.ndarray) -> np.ndarray:
    return _moved(images, ({"zx": seen, "zy": seen} for seen in factor ** -_signs(drawn)))


def _seen_aslant(images: np.ndarray, percent: float, drawn: np.ndarray) -> np.ndarray:
    """Let one edge lean back, around the center: the source of (i, j) is (i, j) / w.

    w is 1 in the center, 1 - t along that edge and 1 + t along the opposite one. Corners are half a
    side from the center, so with s = t / (1 - t) / 2 the sources of the far ones move by s sides.
    """
    s = percent / 100
    w = 1 + 2 * s / (1 + 2 * s) * LEANING[_one_of_four(drawn)]  # (N, 4)
    moves = CORNERS * (1 / w - 1)[:, :, None] * images.shape[1:3]
    return _moved(images, ({"perspective": one} for one in moves))


def _blurred(images: np.ndarray, sigma: float, drawn: np.ndarray) -> np.ndarray:
    blur = ImageFilter.GaussianBlur(sigma)
    return _through_pillow(images, lambda image: image.filter(blur))


def _noisy(images: np.ndarray, levels: float, drawn: np.ndarray) -> np.ndarray:
    seeds = (drawn * 2**32).astype(np.int64)
    noise = [np.random.default_rng(seed).standard_normal(images.shape[1:]) for seed in seeds]
    return _to_uint8(images + levels * np.array(noise).reshape(images.shape))


def _brighter(images: np.ndarray, factor: float, drawn: np.ndarray) -> np.ndarray:
    return _to_uint8(images * _per_image(factor ** _signs(drawn)))


def _with_contrast(images: np.ndarray, factor: float, drawn: np.ndarray) -> np.ndarray:
    mean = images.mean((1, 2, 3), keepdims=True)
    return _to_uint8(mean + _per_image(factor ** _signs(drawn)) * (images - mean))


def _per_image(values: np.ndarray) -> np.ndarray:
    return values[:, None, None, None]


def _compressed(images: np.ndarray, quality: float, drawn: np.ndarray) -> np.ndarray:
    def compressed(image: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=round(quality))
        return Image.open(stream)

    colors = images.shape[3] - (images.shape[3] % 2 == 0)  # JPEG has no alpha channel
    return np.concatenate(
        [_through_pillow(images[..., :colors], compressed), images[..., colors:]], axis=3
    )


def _through_pillow(
    images: np.ndarray, function: Callable[[Image.Image], Image.Image]
) -> np.ndarray:
    """Apply a function of Pillow to each image."""
    pixels = images[..., 0] if images.shape[3] == 1 else images
    new = [np.asarray(function(Image.fromarray(one))) for one in pixels]
    return np.array(new, np.uint8).reshape(images.shape)


IMAGE_CHANGES = (
    ImageChange(
        "shift", "pixels", (0.04, 0.07, 0.11, 0.14, 0.21, 0.29), 0, _shifted, side_digits=0
    ),
    ImageChange("rotation", "degrees", (5, 10, 15, 20, 30, 45), 0, _rotated),
    ImageChange("scale", "factor", (1.1, 1.2, 1.3, 1.5, 1.75, 2), 1, _scaled, is_factor=True),
    ImageChange("perspective", "% of the side", (4, 8, 12, 20, 30, 50), 0, _seen_aslant),
    ImageChange(
        "blur", "sigma in pixels", (0.0025, 0.005, 0.01, 0.02, 0.04, 0.06), 0, _blurred,
        side_digits=2,
    ),
    ImageChange("noise", "gray levels", (5, 10, 20, 30, 50, 80), 0, _noisy),
    ImageChange("brightness", "factor", (1.1, 1.25, 1.5, 2, 3, 4), 1, _brighter, is_factor=True),
    ImageChange("contrast", "factor", (1.1, 1.25, 1.5, 2, 3, 4), 1, _with_contrast, is_factor=True),
    ImageChange("JPEG", "quality", (80, 50, 30, 20, 10, 5), 100, _compressed),
)  # fmt: skip
BY_NAME = {change.name: change for change in IMAGE_CHANGES}
