"""Settings of the engine that switch off its faster algorithms, for comparison."""

from __future__ import annotations

VARIANTS = {  # name: (algorithm, fuse)
    "everything on": ("auto", True),
    'algorithm="direct"': ("direct", True),
    "fuse=False": ("auto", False),
    "neither": ("direct", False),
}
