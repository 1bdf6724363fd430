"""What the program remembers from one start to the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # the certainties that the menu offers


@dataclass
class Settings:
    """The choices of the menus, and the folder that was open last."""

    folder: Path | None = None
    model: Path | None = None  # None: the model that comes with minicnn
    move: bool = False
    recursive: bool = False
    preview: bool = False
    min_confidence: float = 0.6


def read_settings(stored: QSettings) -> Settings:
    """Return what is stored; what is missing or damaged has its default."""
    default = Settings()
    level = stored.value("min_confidence", default.min_confidence)
    return Settings(
        folder=_path(stored.value("folder")),
        model=_path(stored.value("model")),
        move=_flag(stored.value("move")),
        recursive=_flag(stored.value("recursive")),
        preview=_flag(stored.value("preview")),
        min_confidence=_level(level, default.min_confidence),
    )


def write_settings(stored: QSettings, settings: Settings) -> None:
    """Store all settings."""
    for name, value in vars(settings).items():
        stored.setValue(name, "" if value is None else str(value))


def _path(text: Any) -> Path | None:
    return Path(text) if isinstance(text, str) and text else None


def _flag(text: Any) -> bool:
    return text == "True"


def _level(text: Any, default: float) -> float:
    return next((level for level in LEVELS if str(level) == str(text)), default)
