"""Describe the machine of a measurement, and measure the load of other programs."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path
from typing import Any

# Instruction sets that the engines may choose.
FLAGS = (
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
STATUS = Path("/proc/self/status")


def describe(threads: int, processors: list[int]) -> dict[str, Any]:
    """The processor, its flags, the load average, and the processors of the engines."""
    cpu = _cpuinfo()
    flags = set(cpu.get("flags", "").split())
    return {
        "processor": cpu.get("model name", platform.processor() or platform.machine()),
        "flags": [flag for flag in FLAGS if flag in flags],
        "processors": os.cpu_count(),
        "threads": threads,
        "pinned_to": processors,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def pin(threads: int) -> list[int]:
    """Pin this process and its children to as many processors as there are threads."""
    chosen = available()[:threads]
    os.sched_setaffinity(0, chosen)
    return chosen


def available() -> list[int]:
    """The processors that this process may use."""
    return sorted(os.sched_getaffinity(0))


def busy_seconds(processors: list[int]) -> float:
    """CPU time of these processors since the system's start; 0 if it is unknown."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    rows = (line.split() for line in path.read_text().splitlines())
    counts = {row[0]: [int(ticks) for ticks in row[1:]] for row in rows if row[0][:3] == "cpu"}
    ticks = 0
    for number in processors:
        user, nice, system, _idle, _waiting, *others = counts[f"cpu{number}"][:8]
        ticks += user + nice + system + sum(others)
    return ticks / os.sysconf("SC_CLK_TCK")


def process_seconds(process: int) -> float:
    """CPU time of all threads of a process; 0 if it is unknown."""
    path = Path(f"/proc/{process}/stat")
    if not path.exists():
        return 0.0
    after_name = path.read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes() -> int:
    """Resident memory of this process."""
    return _status_bytes("VmRSS")


def peak_bytes() -> int:
    """Largest resident memory since `forget_peak`, or since the start if that has no effect."""
    return _status_bytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> None:
    """Reset the peak that `peak_bytes` returns."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")


def _status_bytes(name: str) -> int:
    if not STATUS.exists():
        return 0
    lines = (line.split() for line in STATUS.read_text().splitlines())
    return next(int(line[1]) * 1024 for line in lines if line[0] == f"{name}:")


def _cpuinfo() -> dict[str, str]:
    """The entries of the first processor in /proc/cpuinfo; empty if there is no such file."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
