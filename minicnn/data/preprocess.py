"""Preprocess: how an image file becomes the input of a network. It is saved with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.checks import check_choice, check_flag, check_number, quoted, shape_text
from minicnn.data.image_modes import CHANNELS
from minicnn.data.images import INTERPOLATIONS
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.shapes import Pair, as_pair

BACKGROUNDS = ("", "dark", "light")
LATER = ("background", "upright")  # fields that older model files do not have
MIDDLE_GRAY = 127.5


class Preprocess(NamedTuple):
    """Reads images at `size` and normalizes them by `scale`, `mean` and `std`.

        x[n, h, w, c] = (scale * image[n, h, w, c] - mean[c]) / std[c]

    The one that was used for training is saved with the model (`model.preprocess`), so that
    predictions preprocess images as the training did.

    Parameters
    ----------
    size : (H, W) to which files are resized
    color_mode : "rgb", "grayscale" or "rgba"
    interpolation : how they are resized: "bilinear", "nearest", "bicubic", "box", "hamming" or
        "lanczos"
    scale : factor of the pixel values 0...255; 1 if the model has a Rescaling layer of its own
    mean, std : one value per channel, of the images after `scale`; `fitted` computes them.
        Default: no mean is subtracted, no standard deviation divides
    background : "dark" if the training images are light on dark, as MNIST's digits are: an image
        with a light edge is inverted, 255 - image. "light" is the reverse; "" inverts nothing
    upright : rotate images as their EXIF orientation says, as everywhere in minicnn; Keras does not

    Examples
    --------
    >>> preprocess = Preprocess((2, 2), mean=(0.5, 0.5, 0.5))
    >>> x = preprocess(np.full((1, 2, 2, 3), 255, np.uint8))
    >>> x.dtype.name, x[0, 0, 0].tolist()
    ('float32', [0.5, 0.5, 0.5])
    """

    size: Pair
    color_mode: str = "rgb"
    interpolation: str = "bilinear"
    scale: float = 1 / 255
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    background: str = ""
    upright: bool = True

    @property
    def reading(self) -> dict[str, Any]:
        """The fields that are arguments of `decode` and `read_images`."""
        names = ("size", "color_mode", "interpolation", "upright")
        return {name: getattr(self, name) for name in names}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (H, W, C) of one image, which is that of the network's input."""
        return (*self.size, CHANNELS[self.color_mode])

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Normalize images (N, H, W, C) with values 0...255; return float32 of the same shape."""
        images = np.asarray(images)
        _check_images(images, CHANNELS[self.color_mode])
        x = self._on_background(images).astype(np.float32) * np.float32(self.scale)
        if self.mean:
            x -= np.asarray(self.mean, np.float32)
        if self.std:
            x /= np.asarray(self.std, np.float32)
        return x

    def fitted(self, images: np.ndarray) -> Preprocess:
        """Return a copy with the mean and standard deviation of these images, uint8 (N, H, W, C).

        Applied to them, it gives a mean of 0 and a standard deviation of 1 in every channel. A
        constant channel is not divided.

        >>> images = np.array([0, 100], np.uint8).reshape(2, 1, 1, 1)
        >>> Preprocess((1, 1), "grayscale", scale=1.0).fitted(images)[4:6]
        ((50.0,), (50.0,))
        """
        _check_images(images, CHANNELS[self.color_mode])
        if images.dtype != np.uint8:
            raise DTypeError(f"images must be uint8, 0...255, for fitted(); got {images.dtype}")
        if len(images) == 0:
            raise ArgumentError("fitted() needs at least one image; got 0")
        images = self._on_background(images)
        moments = [_moments(images[..., c]) for c in range(images.shape[3])]
        return self._replace(
            mean=tuple(self.scale * mean for mean, _ in moments),
            std=tuple(abs(self.scale) * std or 1.0 for _, std in moments),
        )

    def _on_background(self, images: np.ndarray) -> np.ndarray:
        """Invert the images whose background is not the one that is wanted."""
        if not self.background:
            return images
        negative = edge_is_light(images) != (self.background == "light")
        if not negative.any():
            return images
        images = images.copy()
        images[negative] = 255 - images[negative]
        return images

    def checked(self) -> Preprocess:
        """Return a copy with the type and range of every field checked, and tuples for lists."""
        color_mode = check_choice(self.color_mode, "color_mode", tuple(CHANNELS))
        mean = _per_channel(self.mean, "mean", CHANNELS[color_mode])
        std = _per_channel(self.std, "std", CHANNELS[color_mode])
        if any(value <= 0 for value in std):
            raise ArgumentError(f"std must be greater than 0 in every channel; got {std}")
        return Preprocess(
            as_pair(self.size, "size"),
            color_mode,
            check_choice(self.interpolation, "interpolation", tuple(INTERPOLATIONS)),
            check_number(self.scale, "scale"),
            mean,
            std,
            check_choice(self.background, "background", BACKGROUNDS),
            check_flag(self.upright, "upright"),
        )

    def as_config(self) -> dict[str, Any]:
        """Return the fields for JSON, without newer fields that have their default value."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self._asdict().items()
            if name not in LATER or value != self._field_defaults[name]
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocess:
        """Rebuild from what `as_config` returned; raise ArgumentError for anything else.

        >>> Preprocess.from_config(Preprocess((28, 28)).as_config()) == Preprocess((28, 28))
        True
        """
        if not isinstance(config, Mapping) or "size" not in config:
            raise ArgumentError(f"preprocess must be a dict with a size; got {quoted(config)}")
        unknown = sorted(set(config) - set(cls._fields))
        if unknown:
            raise ArgumentError(
                f"unknown field {quoted(unknown[0])} of preprocess; this version of minicnn has "
                f"{', '.join(cls._fields)}"
            )
        return cls(**config).checked()


def edge_is_light(images: np.ndarray) -> np.ndarray:
    """Return, as (N,) bool, whether the median along the edge of each image is above middle gray.

    >>> edge_is_light(np.array([[[[200.0]]], [[[20.0]]]])).tolist()
    [True, False]
    """
    if len(images) == 0:
        return np.zeros(0, bool)
    rows = images[:, [0, -1]].reshape(len(images), -1)
    columns = images[:, :, [0, -1]].reshape(len(images), -1)
    return np.asarray(np.median(np.concatenate([rows, columns], 1), axis=1) > MIDDLE_GRAY)


def _check_images(images: np.ndarray, channels: int) -> None:
    if images.ndim != 4 or images.shape[3] != channels:
        raise ShapeError(f"images must be (N, H, W, {channels}); got {shape_text(images.shape)}")
    if images.dtype.kind not in "uif":
        raise DTypeError(f"images must be integer or floating-point; got {images.dtype}")


def _per_channel(values: object, name: str, channels: int) -> tuple[float, ...]:
    if not isinstance(values, Sequence) or len(values) not in (0, channels):
        raise ArgumentError(
            f"{name} must be {channels} numbers, one per channel; got {quoted(values)}"
        )
    return tuple(check_number(value, f"each number of {name}") for value in values)


def _moments(channel: np.ndarray) -> tuple[float, float]:
    """Return the mean and standard deviation of uint8 values, computed from their histogram."""
    counts = sum(np.bincount(image.ravel(), minlength=256) for image in channel)
    shares, levels = counts / channel.size, np.arange(256)
    mean = float(shares @ levels)
    return mean, float(np.sqrt(shares @ (levels - mean) ** 2))
