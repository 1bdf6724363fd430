"""Runs a part in separate processes, within its time, even if they crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from gpu_parts.options import Options

FOLDER = Path(__file__).parents[1]
MAX_STARTS = 20  # of processes; with more, all of them seem to fail


class PartResult(NamedTuple):
    """The results of a part; `rows` that failed have an "error"."""

    part: str
    seconds: float
    rows: list[dict[str, Any]]
    not_reached: int = 0
    absent: str = ""  # the package that is missing

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Rows with an error."""
        return [row for row in self.rows if "error" in row]


def run_part(part: str, budget: float, options: Options) -> PartResult:
    """Run all items of the part, or as many as `budget` seconds allow."""
    start = time.monotonic()
    rows: list[dict[str, Any]] = []
    first = total = 0
    for _ in range(MAX_STARTS):
        lines, ended = _start(part, first, start + budget - time.monotonic(), options)
        absent = next((row["absent"] for row in lines if "absent" in row), "")
        rows += [row for row in lines if "start" not in row and "absent" not in row]
        started = [row for row in lines if "start" in row]
        if absent or not started:
            if ended != "0":
                rows.append({"name": part, "error": f"did not start: {ended}"})
            return PartResult(part, time.monotonic() - start, rows, total - first, absent)
        first, total = started[-1]["start"] + 1, started[-1]["of"]
        if "start" in lines[-1]:  # in the middle of an item
            rows.append({"name": lines[-1]["name"], "error": f"the process ended: {ended}"})
        if first == total or time.monotonic() - start >= budget:
            break
    return PartResult(part, time.monotonic() - start, rows, total - first)


def _start(
    part: str, first: int, seconds: float, options: Options
) -> tuple[list[dict[str, Any]], str]:
    """Return the lines of a process, and how it ended: its exit code, or "out of time"."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.jsonl"
        command = [sys.executable, "-m", "gpu_parts.child", part, str(first), str(file)]
        command.append(json.dumps(options._asdict()))
        try:
            done = subprocess.run(
                command, cwd=FOLDER, env=_environment(options), timeout=max(seconds, 1),
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            last = done.stderr.strip().splitlines()[-1:] if done.returncode else []
            ended = " ".join([str(done.returncode), *last])
        except subprocess.TimeoutExpired:
            ended = "out of time"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")], ended


def _environment(options: Options) -> dict[str, str]:
    """Return an environment with this source folder, in which JAX does not reserve all memory."""
    paths = [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    found["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    if options.simulate:
        found["NUMBA_ENABLE_CUDASIM"] = "1"
    return found
