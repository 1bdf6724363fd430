"""A sheet of examples of each augmentation parameter, and the parameters without visible effect."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from minicnn import random
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.image_writing import array_to_img

COLUMNS = 6  # examples of each parameter
MARGIN, TEXT_HEIGHT = 6, 16  # pixels
# The parameters that change an image; each gets a row. Those in FILLING only modify the others.
EFFECTS = (
    "rotation_range", "width_shift_range", "height_shift_range", "brightness_range", "shear_range",
    "zoom_range", "channel_shift_range", "horizontal_flip", "vertical_flip", "perspective_range",
)  # fmt: skip
FILLING = ("fill_mode", "cval", "zoom_keep_aspect", "interpolation_order")
VISIBLE_SHIFT = 0.5  # pixels
VISIBLE_BRIGHTNESS = 2.0  # of 255


def preview_sheet(
    image: np.ndarray, settings: Mapping[str, Any], columns: int = COLUMNS
) -> Image.Image:
    """Draw a row for each parameter alone and one for all together; the original comes first.

    Parameters
    ----------
    image : uint8 (H, W, C)
    settings : arguments of ImageDataGenerator
    columns : number of random examples in a row
    """
    effects = {name: value for name, value in settings.items() if name in EFFECTS}
    filling = {name: value for name, value in settings.items() if name in FILLING}
    rows = [(f"{name}={value!r}", {name: value}) for name, value in effects.items()]
    if len(rows) != 1:
        rows.append(("all together", effects))
    examples = [
        (title, [image, *_examples(image, {**filling, **one}, columns)]) for title, one in rows
    ]
    return _sheet(examples)


def idle_parameters(settings: Mapping[str, Any], size: tuple[int, int]) -> list[str]:
    """Return a line for each parameter whose effect is too small to see in images of (H, W).

    >>> print(*idle_parameters({"shear_range": 0.2, "zoom_range": 0.2}, (150, 150)))
    shear_range=0.2 is 0.2 degrees: the image's edges move by 0.3 pixels. For 0.2 radians write \
11.5.
    """
    return [
        text for name, value in settings.items() if (text := _idle(name, value, size)) is not None
    ]


def _idle(name: str, value: Any, size: tuple[int, int]) -> str | None:
    """Return the line about one parameter, or None if its effect is visible."""
    side = max(size)
    if name in ("shear_range", "rotation_range") and value:
        moved = math.tan(math.radians(min(abs(value), 45))) * side / 2
        if moved < VISIBLE_SHIFT:
            return (
                f"{name}={value!r} is {value:g} degrees: the image's edges move by {moved:.1f} "
                f"pixels. For {value:g} radians write {math.degrees(value):.1f}."
            )
    if name in ("width_shift_range", "height_shift_range"):
        return _idle_shift(name, value, size)
    if name == "perspective_range" and 0 < value * side < VISIBLE_SHIFT:
        return f"{name}={value!r} moves the image's corners by {value * side:.1f} pixels."
    if name == "zoom_range":
        low, high = value if isinstance(value, Sequence) else (1 - value, 1 + value)
        moved = max(abs(1 - low), abs(high - 1)) * side / 2
        if moved < VISIBLE_SHIFT and (low, high) != (1, 1):
            return f"{name}={value!r} moves the image's edges by {moved:.1f} pixels."
    if name == "channel_shift_range" and 0 < value < VISIBLE_BRIGHTNESS:
        return (
            f"{name}={value!r} adds up to {value:g} of 255, too little to see. For {value:.0%} "
            f"write {value * 255:g}."
        )
    if name == "brightness_range" and value is not None:
        change = max(abs(factor - 1) for factor in value) * 255
        if change < VISIBLE_BRIGHTNESS:
            return f"{name}={value!r} is a factor: white changes by {change:.1f} of 255."
    return None


def _idle_shift(name: str, value: Any, size: tuple[int, int]) -> str | None:
    """Return the line about a shift, which is a fraction of the side if below 1, else pixels."""
    if isinstance(value, Sequence) or not value:
        return None
    side = size[1] if name.startswith("width") else size[0]
    moved = abs(value) * side if abs(value) < 1 else abs(value)
    if moved < VISIBLE_SHIFT:
        return f"{name}={value!r} moves an image of {side} pixels by {moved:.1f} pixels."
    return None


def _examples(image: np.ndarray, settings: Mapping[str, Any], columns: int) -> Sequence[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about small values; `idle_parameters` reports them
        generator = ImageDataGenerator(**settings)
    changes = [
        generator.ranges.draw(random.generator("preview", i), image.shape) for i in range(columns)
    ]
    return [generator.apply_transform(image, change) for change in changes]


def _sheet(rows: list[tuple[str, list[np.ndarray]]]) -> Image.Image:
    height, width = rows[0][1][0].shape[:2]
    columns = max(len(images) for _, images in rows)
    step_x, step_y = width + MARGIN, height + TEXT_HEIGHT + MARGIN
    font = ImageFont.load_default()
    longest = max(math.ceil(font.getlength(title)) for title, _ in rows)
    total = (MARGIN + max(columns * step_x, longest + MARGIN), MARGIN + len(rows) * step_y)
    sheet = Image.new("RGB", total, "white")
    draw = ImageDraw.Draw(sheet)
    for r, (title, images) in enumerate(rows):
        top = MARGIN + r * step_y
        draw.text((MARGIN, top), title, "black", font)
        for c, pixels in enumerate(images):
            image = array_to_img(np.round(pixels), scale=False)  # pasting converts it to RGB
            sheet.paste(image, (MARGIN + c * step_x, top + TEXT_HEIGHT))
    return sheet
