"""Trainings of which a random process is killed at a random instant: do they end as if none were?

    python benchmarks/kill_ranks.py --kills 100

A small network is trained on 1, 2, 4 and 8 processes, undisturbed. Then it is trained again and
again: on one of these numbers of processes, of which one is killed (SIGKILL), and from there on
another number of them, until the end. Weights, optimizer state and history must then be those of
the undisturbed trainings, bit for bit. `mpirun` must have ended within ten seconds after the kill,
and must have named the rank.
It needs mpirun (pip install -e '.[mpi]') and Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from output import add_out
from predict_kills import ranks_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from mpi import environment, mpirun_line

WORKER = Path(__file__).parent / "kill_ranks_worker.py"
RANKS = (1, 2, 4, 8)
MAX_SECONDS = 10.0  # from the kill to the end of the job
HEAD = ("kill", "ranks", "killed", "second", "step", "ended after", "resumed on", "same bits")


def start(folder: Path, ranks: int) -> subprocess.Popen[str]:
    """Start a training, or resume the one in the folder."""
    folder.mkdir(exist_ok=True)
    line = mpirun_line(ranks, sys.executable, str(WORKER), str(folder))
    return subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    )


def finish(folder: Path, ranks: int) -> str:
    """Train to the end, and return the hash of what was trained."""
    job = start(folder, ranks)
    error = job.communicate()[1]
    if job.returncode:
        raise SystemExit(f"on {ranks} ranks the training ended with {job.returncode}: {error}")
    return (folder / "result").read_text()


def kill_one(folder: Path, ranks: int, seconds: float, rng: random.Random) -> dict[str, Any] | None:
    """Start a training, of which a whole one takes so many seconds, and kill a rank of it.

    Returns None if the training ends before.
    """
    job, began = start(folder, ranks), time.monotonic()
    instant = rng.uniform(0, seconds)
    while not (processes := ranks_of(job.pid) if job.poll() is None else {}):
        if job.poll() is not None:
            return None
        time.sleep(0.01)
    time.sleep(max(0.0, began + instant - time.monotonic()))
    rank = rng.choice(sorted(processes))
    try:
        os.kill(processes[rank], signal.SIGKILL)
    except ProcessLookupError:
        job.communicate()
        return None
    killed = time.monotonic()
    error = job.communicate()[1]
    if job.returncode == 0:
        return None
    return {
        "ranks": ranks,
        "killed": rank,
        "second": round(killed - began, 2),
        "step": newest_step(folder),
        "ended after": round(time.monotonic() - killed, 2),
        "named": bool(re.search(rf"rank {rank}\b[^.]*\bon\s+node", error)),  # in one line or two
    }


def newest_step(folder: Path) -> int:
    """Return the step of the newest checkpoint; 0 if there is none."""
    names = (path.stem for path in (folder / "checkpoints").glob("checkpoint-*.mcnn"))
    return max((int(name.partition("-")[2]) for name in names), default=0)


def row(number: int, one: Mapping[str, Any]) -> str:
    """Return a line of the table."""
    cells = [number, *(one[name] for name in HEAD[1:])]
    return "  ".join(f"{cell!s:>{len(name)}}" for cell, name in zip(cells, HEAD, strict=True))


def undisturbed(root: Path) -> tuple[str, dict[int, float]]:
    """Train on each number of ranks; return the hash, the same for all, and the seconds of each."""
    hashes, seconds = set(), {}
    for ranks in RANKS:
        began = time.monotonic()
        hashes.add(finish(root / f"undisturbed-{ranks}", ranks))
        seconds[ranks] = time.monotonic() - began
    if len(hashes) > 1:
        raise SystemExit("without a kill the numbers of ranks differ already")
    return hashes.pop(), seconds


def measure(kills: int, rng: random.Random, root: Path) -> list[dict[str, Any]]:
    """Return what became of each kill."""
    right, seconds = undisturbed(root)
    print("seconds undisturbed:", {ranks: round(one, 1) for ranks, one in seconds.items()})
    print("  ".join(HEAD))
    found: list[dict[str, Any]] = []
    while len(found) < kills:
        folder, ranks = root / f"training-{len(found)}-{rng.randrange(10**9)}", rng.choice(RANKS)
        one = kill_one(folder, ranks, seconds[ranks], rng)
        if one is None:
            continue
        again = rng.choice([count for count in RANKS if count != ranks])
        one |= {"resumed on": again, "same bits": finish(folder, again) == right}
        found.append(one)
        print(row(len(found), one), flush=True)
    return found


def faults(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is not as it must be."""
    wrong = []
    for number, one in enumerate(found, 1):
        if not one["same bits"]:
            wrong.append(f"kill {number}: the training ended with other bits")
        if one["ended after"] > MAX_SECONDS:
            wrong.append(f"kill {number}: the job ended {one['ended after']} s after the kill")
        if not one["named"]:
            wrong.append(f"kill {number}: mpirun did not name the rank")
    return wrong


def main() -> int:
    """Kill, resume, compare; return 1 if something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    add_out(parser)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(words.kills, random.Random(words.seed), Path(folder))
    wrong, same = faults(found), sum(one["same bits"] for one in found)
    slowest = max(one["ended after"] for one in found)
    print(f"{same} of {len(found)} ended with the same bits; a job ended at most {slowest} s late")
    print(*wrong, sep="\n")
    words.out.mkdir(parents=True, exist_ok=True)
    (words.out / "kill-ranks.json").write_text(json.dumps(found, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
