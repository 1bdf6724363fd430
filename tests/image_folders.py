"""Small folders of images for tests: blurred random colors, all different; ramps of gray with a
shade per image; and noise around one color per class, which a network learns at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def make_image(seed: int, height: int = 24, width: int = 32) -> Image.Image:
    """Return blurred random colors, which still look the same after saving as JPEG and scaling."""
    colors = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(colors).resize((width, height), Image.Resampling.BILINEAR)


def save(path: Path, seed: int, **settings: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    make_image(seed).save(path, **settings)
    return path


def make_folder(root: Path, counts: dict[str, int], ending: str = ".jpg") -> Path:
    """Make a folder per class with `counts` images."""
    seed = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(count):
            seed += 1
            save(root / name / f"{name}_{i:03d}{ending}", seed)
    return root


def save_ramp(path: Path, size=(12, 10), shade=100, mode="RGB") -> Path:
    """Save a ramp of grays of `size` (height, width) around a shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(0, 60, size[0] * size[1]).reshape(size) + shade
    image = Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    image.save(path)
    return path


def make_ramps(root: Path, count=3, classes=("cats", "dogs"), ending=".png") -> Path:
    """Make `count` images per class, each with a shade of its own."""
    for label, name in enumerate(classes):
        for i in range(count):
            save_ramp(root / name / f"{i}{ending}", shade=20 + 50 * label + 10 * i)
    return root


COLORS = {"blue": (30, 40, 220), "green": (40, 200, 60), "red": (220, 40, 30)}


def save_colored(path: Path, color: tuple[int, int, int], seed: int, noise: int = 30) -> None:
    """Save 24 x 24 pixels of a color with noise that depends on the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(-noise, noise, (24, 24, 3)) + color
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


def make_colored(root: Path, count: int, colors: dict[str, tuple] = COLORS, noise=30) -> Path:
    """Make `count` images of each color."""
    for name, color in colors.items():
        for i in range(count):
            save_colored(root / name / f"{name} {i}.png", color, i + 1000 * len(name), noise)
    return root
