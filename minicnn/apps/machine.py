"""The machine that a result was measured on."""

from __future__ import annotations

import os
import platform
from typing import Any

from minicnn import config
from minicnn.backends import current_backend, instruction_set
from minicnn.devices import processor


def machine() -> dict[str, Any]:
    """Return everything about the machine and engine that times depend on."""
    return {
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "backend": current_backend(),
        "isa": instruction_set(),
        "threads": config.get_threads(),
        "processors": os.cpu_count(),
    }
