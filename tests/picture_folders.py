"""Small folders of pictures for tests; no two pictures are alike unless a test says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, height: int = 24, width: int = 32) -> Image.Image:
    """Large soft blots: each seed's look is its own, and survives saving as JPEG and scaling."""
    colours = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BILINEAR)


def save(path: Path, seed: int, **settings: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed).save(path, **settings)
    return path


def make_folder(root: Path, counts: dict[str, int], ending: str = ".jpg") -> Path:
    """`counts` pictures in each class's folder."""
    seed = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(count):
            seed += 1
            save(root / name / f"{name}_{i:03d}{ending}", seed)
    return root
