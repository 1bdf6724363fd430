"""Conversion between arrays and PIL images, and writing image files."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from minicnn.checks import check_choice, shape_text
from minicnn.data.image_files import IMAGE_EXTENSIONS, PathLike
from minicnn.data.image_modes import CHANNELS
from minicnn.errors import ArgumentError, ShapeError
from minicnn.support.atomic_files import write_atomically
from minicnn.support.text import quoted

FORMATS = ("channels_last", "channels_first")


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """Convert a PIL image, or an array (H, W) or (H, W, C), to an array (H, W, C).

    `data_format` is "channels_last", the default, or "channels_first" for (C, H, W); `dtype` is
    float32 by default.

    >>> img_to_array(Image.new("L", (4, 3))).shape
    (3, 4, 1)
    """
    pixels = np.asarray(img)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise ShapeError(f"img must be (H, W) or (H, W, C); got shape {pixels.shape}")
    array = np.array(pixels if pixels.ndim == 3 else pixels[..., None], dtype or "float32")
    return np.moveaxis(array, -1, 0) if _channels_first(data_format) else array


def _channels_first(data_format: str | None) -> bool:
    return check_choice(data_format or FORMATS[0], "data_format", FORMATS) == FORMATS[1]


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None
) -> Image.Image:
    """Convert an array to a PIL image.

    Parameters
    ----------
    x : array (H, W) or (H, W, C), with C = 1, 3 or 4
    data_format : "channels_last", the default, or "channels_first" for (C, H, W)
    scale : map the smallest value to 0 and the largest to 255; if False, values are 0...255 already
        and are clipped to that range
    dtype : in which the scaling is computed, float32 by default

    Examples
    --------
    >>> array_to_img(np.array([[0.0, 0.5], [0.75, 1.0]])).getpixel((1, 0))
    127
    """
    first = _channels_first(data_format) and np.ndim(x) == 3
    x = img_to_array(np.moveaxis(np.asarray(x), 0, -1) if first else x, dtype=dtype)
    if x.shape[2] not in CHANNELS.values():
        raise ShapeError(f"x must have 1, 3 or 4 channels; got shape {x.shape}")
    if scale:
        x = x - x.min()
        x *= 255 / (x.max() or 1)
    pixels = x.clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if x.shape[2] == 1 else pixels)


def save_img(
    path: PathLike,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    Parameters
    ----------
    path : str or path; the file is replaced atomically
    x, data_format, scale : as in `array_to_img`
    file_format : "png", "jpg", ...; default: the extension of `path`
    kwargs : options of Pillow's `Image.save`, such as `quality`
    """
    write_image(array_to_img(x, data_format, scale), path, file_format, **kwargs)


def write_image(
    image: Image.Image, path: PathLike, file_format: str | None = None, **options: Any
) -> None:
    """Write a PIL image to a file, atomically; the parameters are those of `save_img`."""
    extension = (file_format or Path(path).suffix).lower().strip(".")
    kind = Image.registered_extensions().get(f".{extension}", extension.upper())
    if kind not in Image.SAVE:
        raise ArgumentError(
            f"the extension of {quoted(os.fspath(path))} must be that of an image format, such as "
            f".png or .jpg; got {quoted(extension)}"
        )
    if kind == "JPEG" and image.mode == "RGBA":
        image = image.convert("RGB")  # JPEG has no transparency
    content = io.BytesIO()
    image.save(content, kind, **options)
    write_atomically(path, [content.getbuffer()])


class ImageSaver:
    """Writes the images of batches into a folder, so that one can look at them.

    Parameters
    ----------
    folder : str or path; it is created if needed
    prefix : first part of every file name
    file_format : "png", "jpg", ...
    """

    def __init__(self, folder: PathLike, prefix: str, file_format: str) -> None:
        self.folder, self.prefix = Path(folder), prefix
        known = [extension[1:] for extension in IMAGE_EXTENSIONS]
        self.file_format = check_choice(file_format, "save_format", known)

    def make_folder(self, image_shape: tuple[int, int, int]) -> None:
        """Create the folder for images (H, W, C); raise ShapeError if no file can hold them."""
        if image_shape[2] not in CHANNELS.values():
            raise ShapeError(
                "save_to_dir writes images of 1, 3 or 4 channels; these are "
                f"{shape_text(image_shape)}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, x: np.ndarray, positions: np.ndarray, epoch: int) -> None:
        """Write one file per image, named `PREFIX_POSITION_EPOCH`."""
        for image, i in zip(x, positions, strict=True):
            save_img(self.folder / f"{self.prefix}_{i}_{epoch}.{self.file_format}", image)
