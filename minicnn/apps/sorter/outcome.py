"""What a sorting, its undoing or its resuming came to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    """How many images were moved or copied with their companions, and which were not."""

    done: int
    failed: list[tuple[Path, str]]  # (file, why it was left where it was)
    skipped: int = 0  # images that the plan leaves where they are, or whose copy is there already
    journal: Path | None = None  # of what was done, for `undo`; None if nothing was begun
    stopped: bool = False  # `stop` was true before the end
