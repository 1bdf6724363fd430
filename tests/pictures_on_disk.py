"""Folders of small picture files for tests, made where they are needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write(path: Path, size=(12, 10), shade=100, mode="RGB") -> Path:
    """A picture of `size` (height, width) with some structure, of about this shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(0, 60, size[0] * size[1]).reshape(size) + shade
    image = Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    image.save(path)
    return path


def class_folders(root: Path, count=3, classes=("cats", "dogs"), ending=".png") -> Path:
    """`count` pictures for each class; each has a shade of its own."""
    for label, name in enumerate(classes):
        for i in range(count):
            write(root / name / f"{i}{ending}", shade=20 + 50 * label + 10 * i)
    return root
