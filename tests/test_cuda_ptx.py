"""The CUDA kernels compile for real GPUs, to code that keeps its variables in registers.

Needs no GPU, but NVIDIA's compiler: pip install 'numba-cuda[cu13]' nvidia-cuda-nvcc. It runs in a
process of its own, since numba decides when it is imported whether it simulates.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from minicnn.backends import device

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
REGISTERS = 65536  # per multiprocessor; a warp gets a multiple of 256
SHARED = 48 * 1024  # bytes per block of an ordinary launch

# Second passes over few values: the variance at a large mean, and sums over a whole batch.
MAY_USE_FLOAT64 = {"add_parts", "join_chunks"}


@pytest.fixture(scope="module")
def rows():
    if find_spec("numba_cuda") is None:
        pytest.skip("numba-cuda is not installed")
    environment = {k: v for k, v in os.environ.items() if k != device.SIMULATOR}
    environment["PYTHONPATH"] = os.pathsep.join([str(BENCHMARKS.parent), *sys.path])
    command = [sys.executable, BENCHMARKS / "ptx.py", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if "is not installed" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def table(rows, *columns):
    """Return these rows as a text, for the message of a failed test."""
    lines = [f"{row['case']}, {row['function']}, sm_{row['arch']}" for row in rows]
    return [
        f"{line}: " + ", ".join(f"{name} {row[name]}" for name in columns)
        for line, row in zip(lines, rows, strict=True)
    ]


def test_nothing_is_spilled_or_in_local_memory(rows):
    assert not table([r for r in rows if r["spills"] or r["local"]], "spills", "local")


def test_a_block_fits_on_a_multiprocessor(rows):
    def registers(row):
        return -(-row["registers"] * 32 // 256) * 256 * (row["threads"] // 32)

    wrong = [r for r in rows if registers(r) > REGISTERS or r["shared"] > SHARED]
    assert not table(wrong, "registers", "threads", "shared")


def test_nothing_is_computed_in_float64_by_mistake(rows):
    wrong = [r for r in rows if r["float64"] and r["function"] not in MAY_USE_FLOAT64]
    assert not table(wrong, "float64")


def test_products_in_tf32_use_the_tensor_cores(rows):
    using = {(r["case"], r["arch"]) for r in rows if r["tensor_cores"]}
    wanted = {(r["case"], r["arch"]) for r in rows if "tf32" in r["case"]}
    assert using == wanted and {arch for _, arch in wanted} == {80, 90}
