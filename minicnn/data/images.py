"""Pictures in files, PIL images and arrays: reading, writing, and many at once."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import Image

from minicnn import random
from minicnn.checks import check_choice, check_int
from minicnn.errors import ArgumentError, FormatError, ImageReadError, ShapeError
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import open_regular
from minicnn.support.memory_limits import check_images, pixel_limit
from minicnn.support.text import quoted
from minicnn.support.threads import Threads

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
MAX_16_BITS = 65535
TWELVE_BITS = 4096  # so many grays have pictures of detectors, often in files of 16 bits
STRIP = 256  # rows that are changed to 8 bits at once
ORIENTATION = 0x0112  # of EXIF: how the camera was held; 1 is upright
# What makes a picture upright, by its orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

PathLike = str | os.PathLike[str]
Size = tuple[int, int]
T = TypeVar("T")
R = TypeVar("R")


def load_img(
    path: PathLike | bytes,
    color_mode: str = "rgb",
    target_size: Size | int | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
    *,
    upright: bool = True,
) -> Image.Image:
    """The picture in a file, under the name and with the arguments of Keras's function.

    Parameters
    ----------
    path : str or path, or the file's bytes themselves
    color_mode : "rgb", "grayscale" or "rgba"
    target_size : (height, width) or one number for both; default: the picture's own
    interpolation : "nearest" (Keras's default), "bilinear", "bicubic", "lanczos", "box", "hamming"
    keep_aspect_ratio : cut the largest centered part of the wanted proportions first; else the
        picture is stretched
    upright : turn the picture as the camera noted (EXIF), as everywhere in minicnn; Keras does not

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    ImageReadError : the file is no picture, is damaged or too large
    FileNotFoundError : there is no such file

    Notes
    -----
    A JPEG much larger than `target_size` is decoded at 1/2, 1/4 or 1/8 of its size, never below
    `target_size` (for a smoothing interpolation, never below twice that): several times faster, and
    the pixels it leaves are means. Grays of 16 bits, 0...65535, become 0...255.
    """
    mode = MODES[check_choice(color_mode, "color_mode", list(MODES))]
    check_choice(interpolation, "interpolation", list(INTERPOLATIONS))
    size = None if target_size is None else check_size(target_size, "target_size")

    def read(image: Image.Image) -> tuple[Image.Image, int]:
        greatest = MAX_16_BITS
        if size is not None:
            # Also of the larger side, as the picture may still be turned or cut.
            side = max(size) * (1 if interpolation == "nearest" else 2)
            image.draft(mode, (side, side))
        if upright:
            image = turned(image)
        if image.mode in SIXTEEN_BITS:
            image, greatest = eight_bits(image)
        return _fitted(image, mode, size, interpolation, keep_aspect_ratio), greatest

    picture: Image.Image
    picture, greatest = with_picture(path, read)
    if 0 < greatest < TWELVE_BITS:
        _warn_of_dark()
    return picture


def decode(
    path: PathLike | bytes,
    size: Size | int | None = None,
    color_mode: str = "rgb",
    interpolation: str = "bilinear",
    *,
    upright: bool = True,
    keep_aspect_ratio: bool = False,
) -> np.ndarray:
    """The pixels of a picture in a file, uint8 (H, W, C): those of `load_img`.

    Parameters
    ----------
    path : str or path, or the file's bytes themselves
    size : (H, W) or one number for both; default: the picture's own
    color_mode : "rgb" (C = 3), "grayscale" (1) or "rgba" (4)
    interpolation, upright, keep_aspect_ratio : as in `load_img`

    Raises
    ------
    ImageReadError : the file is no picture, is damaged or too large
    FileNotFoundError : there is no such file
    """
    size = None if size is None else check_size(size)
    picture = load_img(path, color_mode, size, interpolation, keep_aspect_ratio, upright=upright)
    pixels = np.asarray(picture)
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
    write_picture(array_to_img(x, scale), path, file_format, **kwargs)


def write_picture(
    image: Image.Image, path: PathLike, file_format: str | None = None, **options: Any
) -> None:
    """Write a picture, whole or not at all; `file_format` is the path's ending unless given."""
    ending = (file_format or Path(path).suffix).lower().strip(".")
    kind = Image.registered_extensions().get(f".{ending}", ending.upper())
    if kind not in Image.SAVE:
        raise ArgumentError(
            f"the ending of {quoted(os.fspath(path))} must be one of a picture, like .png or .jpg; "
            f"got {quoted(ending)}"
        )
    if kind == "JPEG" and image.mode == "RGBA":
        image = image.convert("RGB")  # a JPEG cannot be transparent
    content = io.BytesIO()
    image.save(content, kind, **options)
    write_atomically(path, [content.getbuffer()])


def check_size(size: Any, name: str = "size") -> Size:
    """(H, W) in pixels from a pair, or from one number for both."""
    pair = (size, size) if isinstance(size, (int, np.integer)) else size
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise ArgumentError(f"{name} must be (height, width) or one number; got {quoted(size)}")
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
        for result in pool.map(random.carried(function), items):
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
    with io.BytesIO(path) if isinstance(path, bytes) else _opened(path) as file:
        try:
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > pixel_limit():
                    raise Image.DecompressionBombError
                return then(image)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise OSError, SyntaxError, struct.error and others
            name = "<bytes>" if isinstance(path, bytes) else path
            raise ImageReadError(name, _reason(error, file.seek(0, os.SEEK_END))) from error


def _opened(path: PathLike) -> BinaryIO:
    """The file; without waiting, where the name belongs to a pipe.

    What the system says of it, as no such file and no permission, is passed on.
    """
    try:
        return open_regular(path)
    except FormatError as error:
        raise ImageReadError(path, error.reason) from error


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
        return f"it has more than {pixel_limit():,} pixels; mc.set_pixel_limit allows more"
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return f"the picture is cut off: the file ends after {size:,} bytes"
    return f"it is damaged: {error}" if str(error) else f"it is damaged: {type(error).__name__}"


def _fitted(
    image: Image.Image, mode: str, size: Size | None, interpolation: str, keep_aspect: bool
) -> Image.Image:
    """In the wanted mode and size."""
    image = as_mode(image, mode)
    if size is None or image.size == size[::-1]:
        image.load()
        return image
    box = _centered(image.size, size) if keep_aspect else None
    return image.resize(size[::-1], INTERPOLATIONS[interpolation], box)


def as_mode(image: Image.Image, mode: str) -> Image.Image:
    """In the wanted mode; grays of 16 bits and palettes become what they look like."""
    if image.mode in SIXTEEN_BITS:
        image, _ = eight_bits(image)
    if image.mode.startswith("F"):
        raise ValueError("its pixels are real numbers, of which nobody knows the white")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # straight to RGB, Pillow would warn
    return image if image.mode == mode else image.convert(mode)


def _warn_of_dark() -> None:
    """The same words for every file, so that a folder of them says it once."""
    warnings.warn(
        f"the grays of a 16-bit picture are all below {TWELVE_BITS:,}, as a 12-bit detector's are, "
        f"so it is nearly black: white is {MAX_16_BITS:,}. Save such pictures with grays 16 "
        "times as large; minicnn data check names them",
        stacklevel=3,
    )


def eight_bits(image: Image.Image, white: int = MAX_16_BITS) -> tuple[Image.Image, int]:
    """A picture of grays 0...`white` as one of 0...255, and the greatest gray that it had."""
    width, height = image.size
    pixels, greatest = np.empty((height, width), np.uint8), 0
    for top in range(0, height, STRIP):
        grays = np.asarray(image.crop((0, top, width, min(top + STRIP, height))))
        greatest = max(greatest, int(grays.max(initial=0)))
        if greatest > MAX_16_BITS or grays.min(initial=0) < 0:
            raise ValueError("its grays are not in 0...65535")
        pixels[top : top + STRIP] = grays.astype(np.uint32) * 255 // white
    return Image.fromarray(pixels), greatest


def turned(image: Image.Image) -> Image.Image:
    """The picture as the camera was held (EXIF)."""
    turn = TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def orientation(image: Image.Image) -> int:
    """What the camera noted; 1, upright, where it noted nothing that can be read."""
    try:
        noted = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged note, of which Pillow says many things; the picture may be good
        return 1
    return noted if noted in TURNS else 1


def _centered(have: tuple[int, int], want: Size) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest centered part with the proportions of `want`."""
    width, height = have
    cut_w = min(width, max(1, height * want[1] // want[0]))
    cut_h = min(height, max(1, width * want[0] // want[1]))
    left, top = (width - cut_w) // 2, (height - cut_h) // 2
    return left, top, left + cut_w, top + cut_h
