"""Start commands as several processes of MPI, in tests that are skipped where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# pip installs mpirun beside the interpreter, whose folder need not be in PATH.
PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
MPIRUN = shutil.which("mpirun", path=PLACES)
MISSING = "there is no mpirun: pip install -e '.[mpi]'"

needs_mpi = pytest.mark.skipif(MPIRUN is None, reason=MISSING)


def mpirun_line(count: int, *command: object, options: tuple[str, ...] = ()) -> list[str]:
    """Return the command line that starts `count` processes of `command`, as root if need be."""
    usual = ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]
    return [MPIRUN or "mpirun", *usual, *options, "-n", str(count), *map(str, command)]


def environment(**more: str) -> dict[str, str]:
    """Return the environment for such processes: this minicnn, and one thread for each."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path, "MINICNN_NUM_THREADS": "1"} | more


def mpirun(
    count: int, *command: object, options: tuple[str, ...] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `count` processes of a command to their end, and return the output of all of them.

    Options of Python come first, such as "-m" and "-c"; this interpreter runs them:
    `mpirun(2, "-m", "minicnn", "version")`. `options` are those of mpirun, and `more` are
    environment variables.
    """
    words = [sys.executable, *command]
    line = mpirun_line(count, *words, options=options)
    done = subprocess.run(
        line, capture_output=True, text=True, env=environment(**more), cwd=ROOT, check=False
    )
    done.stderr = done.stderr.replace("\0", "")  # mpirun ends its own messages with one
    return done
