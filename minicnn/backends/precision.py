"""How exactly an engine multiplies where it has a faster, coarser way."""

from __future__ import annotations

from minicnn.checks import check_choice
from minicnn.support import environment

PRECISIONS = ("float32", "tf32")


def precision() -> str:
    """What products are computed in: "float32", or "tf32" where the engine and the GPU have it."""
    return _current


def set_precision(name: str) -> None:
    """Change it. Programs that are made, and operations that are called, from now on follow."""
    global _current
    _current = check_choice(name, "precision", PRECISIONS)


_current = environment.choice("MINICNN_PRECISION", "float32", PRECISIONS)
