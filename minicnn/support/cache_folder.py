"""The folder of the user for files that can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache() -> Path:
    """Return the folder for files that can be made again; `MINICNN_HOME` names another one."""
    if home := os.environ.get("MINICNN_HOME"):
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "minicnn"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "minicnn"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minicnn"
