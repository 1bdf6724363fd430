"""The machine that a result comes from."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

from minicnn import config
from minicnn.backends import current_backend, instruction_set


def machine() -> dict[str, Any]:
    """What the times depend on."""
    return {
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "backend": current_backend(),
        "isa": instruction_set(),
        "threads": config.get_threads(),
        "processors": os.cpu_count(),
    }


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
