"""The engine's thread pool under load, as it is and with ThreadSanitizer."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "csrc"
SOURCES = (
    "tests/thread_pool.cpp",
    "core/cancellation.cpp",
    "core/parallel.cpp",
    "core/thread_pool_std.cpp",
)
COMPILER = shutil.which("g++")

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="needs g++"),
    pytest.mark.skipif(platform.system() != "Linux", reason="the driver forks and counts on Linux"),
]


def build(folder: Path, *options: str) -> Path:
    """Compile the stress test with these options and return its path."""
    program = folder / "thread_pool"
    files = [str(ROOT / name) for name in SOURCES]
    command = [
        COMPILER,
        "-std=c++17",
        "-g",
        *options,
        f"-I{ROOT}",
        *files,
        "-pthread",
        "-o",
        program,
    ]
    subprocess.run(command, check=True)
    return program


def run(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *words], capture_output=True, text=True)


@pytest.fixture(scope="module")
def optimized(tmp_path_factory):
    return build(tmp_path_factory.mktemp("optimized"), "-O2")


def test_every_task_runs_once_from_any_thread(optimized):
    result = run(optimized, "1.5")
    assert result.returncode == 0, result.stderr


def test_forked_children_compute_while_another_thread_does(optimized):
    result = run(optimized, "1", "fork")
    assert result.returncode == 0, result.stderr


def test_no_data_race(tmp_path):
    try:
        sanitized = build(tmp_path, "-O1", "-fsanitize=thread")
    except subprocess.CalledProcessError:
        pytest.skip("this compiler has no ThreadSanitizer")
    result = run(sanitized, "2")
    if "unexpected memory mapping" in result.stderr:
        pytest.skip("ThreadSanitizer does not run on this kernel")
    assert result.returncode == 0, result.stderr[:3000]
