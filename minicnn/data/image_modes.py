"""Color modes, 16-bit grayscale and EXIF orientation of PIL images."""

from __future__ import annotations

import numpy as np
from PIL import Image

MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}  # Pillow's name of each color mode
CHANNELS = {"rgb": 3, "grayscale": 1, "rgba": 4}

SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")  # Pillow's modes that may hold 16-bit grays
MAX_16_BITS = 65535
# Detectors, of X-rays for example, often have 12 bits and write them into 16-bit files unscaled.
TWELVE_BITS = 4096
STRIP_ROWS = 256  # converted to 8 bits at once, which bounds the memory that is needed

ORIENTATION = 0x0112  # the EXIF tag; 1 is upright
# The operation that makes an image upright, by its EXIF orientation.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def as_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert an image to one of Pillow's modes "RGB", "L" and "RGBA".

    16-bit grays are scaled to 8 bits, and palettes are replaced by their colors.
    """
    if image.mode in SIXTEEN_BITS:
        image, _ = eight_bits(image)
    if image.mode.startswith("F"):
        raise ValueError("it stores floating-point pixels whose white level is unknown")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # converting directly to RGB, Pillow would warn
    return image if image.mode == mode else image.convert(mode)


def eight_bits(image: Image.Image, white: int = MAX_16_BITS) -> tuple[Image.Image, int]:
    """Scale gray levels 0...`white` to 0...255.

    Returns
    -------
    image : of mode "L"
    largest : the largest gray level before the scaling
    """
    width, height = image.size
    pixels, largest = np.empty((height, width), np.uint8), 0
    for top in range(0, height, STRIP_ROWS):
        grays = np.asarray(image.crop((0, top, width, min(top + STRIP_ROWS, height))))
        largest = max(largest, int(grays.max(initial=0)))
        if largest > MAX_16_BITS or grays.min(initial=0) < 0:
            raise ValueError("its gray levels are not in 0...65535")
        pixels[top : top + STRIP_ROWS] = grays.astype(np.uint32) * 255 // white
    return Image.fromarray(pixels), largest


def is_dark(largest: int) -> bool:
    """Return whether the largest of 16-bit gray levels fits 12 bits, so the image looks black."""
    return 0 < largest < TWELVE_BITS


def made_upright(image: Image.Image) -> Image.Image:
    """Return the image rotated or mirrored as its EXIF orientation says."""
    image.load()  # Pillow turns a TIFF itself then, and removes the orientation
    operation = UPRIGHT.get(orientation(image))
    return image if operation is None else image.transpose(operation)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1...8; 1 (upright) if there is none or it is not valid."""
    try:
        tag = image.getexif().get(ORIENTATION, 1)
    except Exception:  # Pillow raises many types for damaged EXIF data; the image may be intact
        return 1
    return tag if tag in UPRIGHT else 1
