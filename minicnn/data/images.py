"""Pictures in files, PIL images and arrays: reading, writing, and many at once."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageOps

from minicnn.checks import check_choice, check_int
from minicnn.errors import ArgumentError, ImageReadError, ShapeError
from minicnn.limits import check_images
from minicnn.threads import Threads

# What a file really is, its bytes say: Pillow's name of it, and the endings, in lower case, that go
# with it. Pillow would also start other programs (Ghostscript) and read what no camera writes.
ENDINGS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm"),
}
FORMATS = tuple(ENDINGS)
IMAGE_EXTENSIONS = tuple(ending for endings in ENDINGS.values() for ending in endings)
# A JPEG with a second picture behind it, as some cameras write: found among the JPEGs.
ENDINGS["MPO"] = ENDINGS["JPEG"]
MOST_PIXELS = 89_000_000  # a few bytes can declare a picture that fills the memory

MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}
CHANNELS = {"rgb": 3, "grayscale": 1, "rgba": 4}
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
LARGEST_16_BITS = 65535

PathLike = str | os.PathLike[str]
Size = tuple[int, int]
T = TypeVar("T")
R = TypeVar("R")


def load_img(
    path: PathLike,
    color_mode: str = "rgb",
    target_size: Size | int | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """The picture in a file, as Keras's function of that name gives it.

    Parameters
    ----------
    path : str or path
    color_mode : "rgb", "grayscale" or "rgba"
    target_size : (height, width) or one number for both; default: the picture's own
    interpolation : "nearest" (Keras's default), "bilinear", "bicubic", "lanczos", "box", "hamming"
    keep_aspect_ratio : cut the largest centred part of the wanted proportions first; else the
        picture is stretched

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    ImageReadError : the file is no picture, is damaged or too large
    FileNotFoundError : there is no such file

    Notes
    -----
    A camera's note on how it was held (EXIF) is not obeyed, as in Keras; `decode` does.
    """
    mode = MODES[check_choice(color_mode, "color_mode", list(MODES))]
    check_choice(interpolation, "interpolation", list(INTERPOLATIONS))
    size = None if target_size is None else check_size(target_size, "target_size")
    return with_picture(
        path, lambda image: _fitted(image, mode, size, interpolation, keep_aspect_ratio)
    )


def decode(
    path: PathLike | bytes,
    size: Size | int | None = None,
    color_mode: str = "rgb",
    interpolation: str = "bilinear",
    *,
    upright: bool = True,
    keep_aspect_ratio: bool = False,
) -> np.ndarray:
    """The pixels of a picture in a file, uint8 (H, W, C), stretched to `size`.

    Parameters
    ----------
    path : str or path, or the file's bytes themselves
    size : (H, W) or one number for both; default: the picture's own
    color_mode : "rgb" (C = 3), "grayscale" (1) or "rgba" (4)
    interpolation : "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming"
    upright : turn the picture as the camera noted (EXIF)
    keep_aspect_ratio : as in `load_img`

    Returns
    -------
    uint8 (H, W, C); 16-bit greys 0...65535 become 0...255

    Raises
    ------
    ImageReadError : the file is no picture, is damaged or too large
    FileNotFoundError : there is no such file

    Notes
    -----
    A JPEG much larger than `size` is decoded at 1/2, 1/4 or 1/8 of its size, never below `size`
    (for a smoothing interpolation, never below twice that): several times faster, and the pixels
    it leaves are means.
    """
    mode = MODES[check_choice(color_mode, "color_mode", list(MODES))]
    check_choice(interpolation, "interpolation", list(INTERPOLATIONS))
    size = None if size is None else check_size(size)
    margin = 1 if interpolation == "nearest" else 2

    def pixels(image: Image.Image) -> np.ndarray:
        if size is not None and not keep_aspect_ratio:
            # Also of the larger side, as the picture may still be turned.
            image.draft(mode, (margin * max(size), margin * max(size)))
        if upright:
            image = ImageOps.exif_transpose(image)
        return _pixels(_fitted(image, mode, size, interpolation, keep_aspect_ratio))

    return with_picture(path, pixels)


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
    """The pixels of many pictures, read side by side; one that cannot be read is left out.

    Parameters
    ----------
    paths : files
    size : (H, W) of all, or one number for both
    color_mode, interpolation, upright : as in `decode`
    threads : that read; default: one for each processor
    progress : called with (pictures done, pictures in all) after each

    Returns
    -------
    images : uint8 (n, H, W, C), those that could be read, in the order of `paths`
    kept : int64 (n,), the position of each in `paths`
    failures : (path, reason) of the others

    Raises
    ------
    SizeLimitError : together they are more than the machine's memory

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

    reasons = of_each(range(len(paths)), read, threads, progress)
    kept = np.array([i for i, reason in enumerate(reasons) if reason is None], np.int64)
    failures = [(Path(p), r) for p, r in zip(paths, reasons, strict=True) if r is not None]
    return images[kept] if failures else images, kept, failures


def img_to_array(img: Any, dtype: str = "float32") -> np.ndarray:
    """A PIL image, or an array (H, W) or (H, W, C), as an array (H, W, C).

    >>> img_to_array(Image.new("L", (4, 3))).shape
    (3, 4, 1)
    """
    pixels = np.asarray(img)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise ShapeError(f"img must be (H, W) or (H, W, C); got shape {pixels.shape}")
    return np.array(pixels if pixels.ndim == 3 else pixels[..., None], dtype)


def array_to_img(x: Any, scale: bool = True) -> Image.Image:
    """An array (H, W, C) with C = 1, 3 or 4 as a PIL image.

    Parameters
    ----------
    x : array (H, W, C) or (H, W)
    scale : map its smallest number to 0 and its largest to 255; else numbers are 0...255 already
        and what is outside is cut

    Examples
    --------
    >>> array_to_img(np.array([[0.0, 0.5], [0.75, 1.0]])).getpixel((1, 0))
    127
    """
    x = img_to_array(x)
    if x.shape[2] not in (1, 3, 4):
        raise ShapeError(f"an image has 1, 3 or 4 channels; got shape {x.shape}")
    if scale:
        x = x - x.min()
        x *= 255 / (x.max() or 1)
    pixels = x.clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if x.shape[2] == 1 else pixels)


def save_img(
    path: PathLike, x: Any, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as a picture; `file_format` is the path's ending unless given."""
    image = array_to_img(x, scale)
    jpeg = (file_format or Path(path).suffix).lower().strip(".") in ("jpg", "jpeg")
    if jpeg and image.mode == "RGBA":
        image = image.convert("RGB")  # a JPEG cannot be transparent
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)


def check_size(size: Any, name: str = "size") -> Size:
    """(H, W) in pixels from a pair, or from one number for both."""
    pair = (size, size) if isinstance(size, (int, np.integer)) else size
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise ArgumentError(f"{name} must be (height, width) or one number; got {size!r}")
    return check_int(pair[0], f"the height in {name}"), check_int(pair[1], f"the width in {name}")


def default_threads(threads: int | None) -> int:
    """As many as were asked for, else one for each processor that this process may use."""
    if threads is not None:
        return check_int(threads, "threads")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def of_each(
    items: Sequence[T],
    function: Callable[[T], R],
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[R]:
    """What `function` says of each, in their order; asked side by side in threads.

    `progress` is called with (done, in all) after each.
    """
    results = []
    with Threads(min(default_threads(threads), len(items))) as pool:
        for result in pool.map(function, items):
            results.append(result)
            if progress is not None:
                progress(len(results), len(items))
    return results


def reason_of(error: OSError) -> str:
    """Why a file could not be read, in a few words."""
    if isinstance(error, ImageReadError):
        return error.reason
    return error.strerror or type(error).__name__


def with_picture(path: PathLike | bytes, then: Callable[[Image.Image], Any]) -> Any:
    """`then` of the opened picture; whatever a decoder says of a bad file is an ImageReadError."""
    # No such file, no permission: errors that say so themselves.
    with io.BytesIO(path) if isinstance(path, bytes) else open(path, "rb") as file:
        try:
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                return then(image)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise OSError, SyntaxError, struct.error and others
            name = "<bytes>" if isinstance(path, bytes) else path
            raise ImageReadError(name, _reason(error, file.seek(0, os.SEEK_END))) from error


def look_at(path: PathLike) -> str | None:
    """Why a file is no picture, from its first bytes alone; None if they look well."""
    try:
        with_picture(path, lambda image: None)
    except OSError as error:
        return reason_of(error)
    return None


def _reason(error: Exception, size: int) -> str:
    if size == 0:
        return "the file is empty"
    if isinstance(error, Image.UnidentifiedImageError):
        return "its bytes are no picture of a known kind"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"it declares more than {MOST_PIXELS:,} pixels"
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return f"the picture is cut off: the file ends after {size:,} bytes"
    return f"it is damaged: {error}" if str(error) else f"it is damaged: {type(error).__name__}"


def _fitted(
    image: Image.Image, mode: str, size: Size | None, interpolation: str, keep_aspect: bool
) -> Image.Image:
    """In the wanted mode and size."""
    image = _as_mode(image, mode)
    if size is None or image.size == size[::-1]:
        image.load()
        return image
    box = _centred(image.size, size) if keep_aspect else None
    return image.resize(size[::-1], INTERPOLATIONS[interpolation], box)


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        greys = np.asarray(image).astype(np.int64)
        if greys.max(initial=0) > LARGEST_16_BITS or greys.min(initial=0) < 0:
            raise ValueError("its greys are not in 0...65535")
        image = Image.fromarray((greys * 255 // LARGEST_16_BITS).astype(np.uint8))
    if image.mode.startswith("F"):
        raise ValueError("its pixels are real numbers, of which nobody knows the white")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # straight to RGB, Pillow would warn
    return image if image.mode == mode else image.convert(mode)


def _centred(have: tuple[int, int], want: Size) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest centred part with the proportions of `want`."""
    width, height = have
    cut_w = min(width, max(1, height * want[1] // want[0]))
    cut_h = min(height, max(1, width * want[0] // want[1]))
    left, top = (width - cut_w) // 2, (height - cut_h) // 2
    return left, top, left + cut_w, top + cut_h


def _pixels(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]
