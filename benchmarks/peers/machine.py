"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

# The instruction sets that these engines choose between.
TELLING_FLAGS = (
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
)


def describe(threads: int, processors: list[int]) -> dict[str, Any]:
    """Processor, its flags, the load before the start, and where the engines are pinned to."""
    cpu = _cpuinfo()
    flags = set(cpu.get("flags", "").split())
    return {
        "processor": cpu.get("model name", platform.processor() or platform.machine()),
        "flags": [flag for flag in TELLING_FLAGS if flag in flags],
        "processors": os.cpu_count(),
        "threads": threads,
        "pinned_to": processors,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def pin(threads: int) -> list[int]:
    """Keep this process, and all that it starts, on as many processors as there are threads."""
    chosen = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, chosen)
    return chosen


def _cpuinfo() -> dict[str, str]:
    """The first processor's lines of /proc/cpuinfo; empty where there is no such file."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
