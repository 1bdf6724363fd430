"""Reading image files as PIL images and as arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from minicnn.checks import check_choice, check_int
from minicnn.data.image_files import PathLike, reason_of, with_opened_image
from minicnn.data.image_modes import (
    CHANNELS,
    MAX_16_BITS,
    MODES,
    SIXTEEN_BITS,
    TWELVE_BITS,
    as_mode,
    eight_bits,
    is_dark,
    made_upright,
)
from minicnn.data.parallel import map_in_threads
from minicnn.errors import ArgumentError
from minicnn.support.memory_limits import check_images
from minicnn.support.text import quoted

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}

Size = tuple[int, int]


def load_img(
    path: PathLike | bytes,
    color_mode: str = "rgb",
    target_size: Size | int | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
    *,
    pad_to_aspect_ratio: bool = False,
    upright: bool = True,
) -> Image.Image:
    """Read an image file as a PIL image; name and arguments are those of Keras's function.

    Parameters
    ----------
    path : str or path, or the content of a file as bytes
    color_mode : "rgb", "grayscale" or "rgba"
    target_size : (height, width), or one integer for both; default: the image's own size
    interpolation : "nearest" (Keras's default), "bilinear", "bicubic", "lanczos", "box", "hamming"
    keep_aspect_ratio : crop the image to the aspect ratio of `target_size`, around its center,
        before it is resized; if False, it is stretched
    pad_to_aspect_ratio : surround the image by black to that aspect ratio instead
    upright : rotate the image as its EXIF orientation says, as everywhere in minicnn; Keras does
        not

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    ImageReadError : the file is not an image, is damaged or has too many pixels
    FileNotFoundError : there is no such file

    Notes
    -----
    A JPEG much larger than `target_size` is decoded at 1/2, 1/4 or 1/8 of its size, but never below
    `target_size` (never below twice that, unless the interpolation is "nearest"). That is several
    times faster, and each decoded pixel is a mean. 16-bit grays, 0...65535, are scaled to 0...255.
    """
    size = None if target_size is None else check_size(target_size, "target_size")
    conversion = _Conversion(
        mode=MODES[check_choice(color_mode, "color_mode", list(MODES))],
        size=size,
        interpolation=check_choice(interpolation, "interpolation", list(INTERPOLATIONS)),
        keep_aspect_ratio=keep_aspect_ratio,
        pad_to_aspect_ratio=pad_to_aspect_ratio,
        upright=upright,
    )
    image: Image.Image
    image, largest = with_opened_image(path, conversion.apply)
    if is_dark(largest):
        _warn_of_dark()
    return image


def decode(
    path: PathLike | bytes,
    size: Size | int | None = None,
    color_mode: str = "rgb",
    interpolation: str = "bilinear",
    *,
    upright: bool = True,
    keep_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
) -> np.ndarray:
    """Read an image file as an array, with the pixels that `load_img` gives.

    Parameters
    ----------
    path : str or path, or the content of a file as bytes
    size : (H, W), or one integer for both; default: the image's own size
    color_mode : "rgb" (C = 3), "grayscale" (C = 1) or "rgba" (C = 4)
    interpolation, upright, keep_aspect_ratio, pad_to_aspect_ratio : as in `load_img`

    Returns
    -------
    uint8 array (H, W, C)

    Raises
    ------
    ImageReadError : the file is not an image, is damaged or has too many pixels
    FileNotFoundError : there is no such file
    """
    size = None if size is None else check_size(size)
    image = load_img(
        path,
        color_mode,
        size,
        interpolation,
        keep_aspect_ratio,
        pad_to_aspect_ratio=pad_to_aspect_ratio,
        upright=upright,
    )
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def read_images(
    paths: Sequence[PathLike],
    size: Size | int,
    color_mode: str = "rgb",
    interpolation: str = "bilinear",
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    upright: bool = True,
) -> tuple[np.ndarray, np.ndarray, list[tuple[Path, str]]]:
    """Read many image files into one array, in threads; unreadable files are left out.

    Parameters
    ----------
    paths : files
    size : (H, W) of every image, or one integer for both
    color_mode, interpolation, upright : as in `decode`
    threads : default: one per processor
    progress : called with (images done, number of images) after each

    Returns
    -------
    images : uint8 (n, H, W, C), those that could be read, in the order of `paths`
    kept : int64 (n,), the position of each in `paths`
    failures : (path, reason) of the others

    Raises
    ------
    SizeLimitError : the array would not fit into the machine's memory

    Examples
    --------
    >>> images, kept, failures = read_images(["no such file.jpg"], (150, 150))
    >>> images.shape, [(path.name, reason) for path, reason in failures]
    ((0, 150, 150, 3), [('no such file.jpg', 'No such file or directory')])
    """
    height, width = check_size(size)
    channels = CHANNELS[check_choice(color_mode, "color_mode", list(CHANNELS))]
    check_choice(interpolation, "interpolation", list(INTERPOLATIONS))
    check_images(len(paths), (height, width, channels))
    images = np.empty((len(paths), height, width, channels), np.uint8)

    def read(i: int) -> str | None:
        try:
            size = (height, width)
            images[i] = decode(paths[i], size, color_mode, interpolation, upright=upright)
        except OSError as error:
            return reason_of(error)
        return None

    reasons = map_in_threads(read, range(len(paths)), threads, progress)
    kept = np.array([i for i, reason in enumerate(reasons) if reason is None], np.int64)
    failures = [(Path(p), r) for p, r in zip(paths, reasons, strict=True) if r is not None]
    return images[kept] if failures else images, kept, failures


def check_size(size: Any, name: str = "size") -> Size:
    """Return (H, W) in pixels, from a pair or from one integer for both."""
    pair = (size, size) if isinstance(size, (int, np.integer)) else size
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise ArgumentError(f"{name} must be (height, width) or one integer; got {quoted(size)}")
    return check_int(pair[0], f"the height in {name}"), check_int(pair[1], f"the width in {name}")


class _Conversion(NamedTuple):
    """What `load_img` does to an opened image: the checked arguments and their application."""

    mode: str  # Pillow's name
    size: Size | None
    interpolation: str
    keep_aspect_ratio: bool
    pad_to_aspect_ratio: bool
    upright: bool

    def apply(self, image: Image.Image) -> tuple[Image.Image, int]:
        """Return the converted image, and the largest gray level if it had 16 bits."""
        largest = MAX_16_BITS
        if self.size is not None:
            # The larger side counts for both, as the image may still be rotated or cropped.
            side = max(self.size) * (1 if self.interpolation == "nearest" else 2)
            image.draft(self.mode, (side, side))
        if self.upright:
            image = made_upright(image)
        if image.mode in SIXTEEN_BITS:
            image, largest = eight_bits(image)
        return self._resize(as_mode(image, self.mode)), largest

    def _resize(self, image: Image.Image) -> Image.Image:
        if self.size is None or image.size == self.size[::-1]:
            image.load()
            return image
        method = INTERPOLATIONS[self.interpolation]
        if self.pad_to_aspect_ratio:
            return _padded(image, self.size, method)
        box = _center_crop(image.size, self.size) if self.keep_aspect_ratio else None
        return image.resize(self.size[::-1], method, box)


def _warn_of_dark() -> None:
    """Warn that 16-bit grays are dark; the text names no file, so Python shows it only once."""
    warnings.warn(
        f"the gray levels of a 16-bit image are all below {TWELVE_BITS:,}, as those of a 12-bit "
        f"detector are, so it is nearly black: white is {MAX_16_BITS:,}. Multiply the levels of "
        "such images by 16 before you save them; minicnn data check names the files",
        stacklevel=3,
    )


def _padded(image: Image.Image, target: Size, method: Image.Resampling) -> Image.Image:
    """Return the image as large as it fits into `target`, (height, width), centered on black."""
    width, height = image.size
    ratio = max(width / target[1], height / target[0])
    size = max(1, int(width / ratio)), max(1, int(height / ratio))
    padded = Image.new(image.mode, target[::-1])
    left, top = int((target[1] - width / ratio) / 2), int((target[0] - height / ratio) / 2)
    padded.paste(image.resize(size, method), (left, top))
    return padded


def _center_crop(size: tuple[int, int], target: Size) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of the largest centered box with the target's aspect ratio.

    `size` is (width, height) of the image, `target` is (height, width).
    """
    width, height = size
    crop_w = min(width, max(1, height * target[1] // target[0]))
    crop_h = min(height, max(1, width * target[0] // target[1]))
    left, top = (width - crop_w) // 2, (height - crop_h) // 2
    return left, top, left + crop_w, top + crop_h
