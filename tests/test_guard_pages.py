"""No kernel accesses a byte outside its arrays: they end or begin at a page that faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("minicnn._core")

PROGRAM = Path(__file__).with_name("guard_pages.py")


# The number of random layers; each runs all kernels of its family at both ends.
@pytest.mark.parametrize("configurations", [300, pytest.param(2000, marks=pytest.mark.slow)])
def test_no_kernel_reads_or_writes_past_its_arrays(configurations):
    result = _run([str(PROGRAM), "0", str(configurations)])
    last = result.stdout.splitlines()[-1] if result.stdout else "nothing"
    assert result.returncode == 0, f"{result.stderr}\nwhile computing {last}"
    assert last.startswith(f"{configurations} random layers")


@pytest.mark.parametrize(("at_end", "index"), [(True, 8), (False, -1)])
def test_the_guard_guards(at_end, index):
    touch = (
        "import ctypes, guard_pages\n"
        f"guarded = guard_pages.Guarded((8,), 'float32', at_end={at_end})\n"
        "numbers = (ctypes.c_float * 8).from_buffer(guarded.array)\n"
        f"print(ctypes.cast(numbers, ctypes.POINTER(ctypes.c_float))[{index}])\n"
    )
    assert _run(["-c", touch]).returncode == -signal.SIGSEGV


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROGRAM.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
