"""A cross-validation of a tiny training, for tests."""

from __future__ import annotations

from pathlib import Path

from image_folders import make_colored

from minicnn.apps.runs.settings import Settings

FOLDS = 3
IMAGES = 3 * 17


def quiet(_text: str) -> None:
    """Say nothing."""


def make_settings(root: Path) -> Settings:
    """Make three classes of 17 noisy images, not split, of which some will be confused."""
    make_colored(root, 17, noise=190)
    return Settings(
        model="cifar", data=str(root), name="colors", epochs=3, batch_size=8,
        image_size=(24, 24), folds=FOLDS,
    )  # fmt: skip
