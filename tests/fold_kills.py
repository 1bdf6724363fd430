"""Kill cross-validations at random moments: `python tests/fold_kills.py 100`.

One cross-validation runs undisturbed. The same one is started in other folders, killed (SIGKILL) at
moments that are spread evenly over its length, and resumed with `--resume`, by one process or by
two at the same time, until it ends. The models of all folds and the tables of all folds must then
equal those of the first, bit for bit. Every difference is printed and makes the exit code 1.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import train_kills
from train_kills import NAME

FOLDS = 3
TABLES = ("folds.csv", "confusion.csv", "per_class.csv", "predictions.csv")
# The values of report.json that must not depend on kills; times and command lines may.
NUMBERS = ("data", "folds", "mean", "standard_deviation", "all_folds", "per_class", "confusion")
MAX_KILLS = 20  # per cross-validation, which is then left to end


def write_config(root: Path) -> Path:
    """Write the settings of a cross-validation of a training with much state."""
    config = train_kills.write_config(root)
    text = config.read_text().replace("folds = 0", f"folds = {FOLDS}")
    config.write_text(text.replace("epochs = 12", "epochs = 5"))
    return config


def digests(folder: Path) -> dict[str, str]:
    """Return the digests of everything that must not depend on the number of kills."""
    found = {name: (folder / name).read_bytes().hex() for name in TABLES}
    report = json.loads((folder / "report.json").read_text())
    found |= {name: repr(report[name]) for name in NUMBERS}
    for number in range(1, FOLDS + 1):
        fold = train_kills.digests(folder / f"fold-{number}")
        found |= {f"fold-{number}/{name}": digest for name, digest in fold.items()}
    return found


def killed_again_and_again(
    config: Path, runs: Path, seconds: float, dice: random.Random, processes: int
) -> int:
    """Start, kill, resume, kill, ... until it ends; return how often it was killed."""
    kills, folder = 0, runs / f"{NAME}-1"
    while not (folder / "report.json").exists():
        if not (folder / "config.toml").exists():
            train_kills._forget(runs)  # killed before there was anything to resume
            workers = [train_kills.start(config, runs)]
        else:
            workers = [train_kills.start(config, runs, "--resume") for _ in range(processes)]
        time_left = dice.uniform(0, seconds) if kills < MAX_KILLS else None
        kills += _kill_after(workers, time_left, folder)
    return kills


def _kill_after(workers: list[subprocess.Popen[str]], seconds: float | None, folder: Path) -> int:
    """Kill the processes that have not ended after so many seconds; return how many."""
    end, kills = time.monotonic() + (seconds or 0), 0
    for worker in workers:
        try:
            left = None if seconds is None else max(0.0, end - time.monotonic())
            error = worker.communicate(timeout=left)[1]
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
            kills += 1
            continue
        # One of two may find that the other has finished everything.
        if worker.returncode and not (folder / "report.json").exists():
            raise SystemExit(f"exit code {worker.returncode}: {error}")
    return kills


def main(wanted: int) -> int:
    """Kill `wanted` times; return how many cross-validations ended unlike the first."""
    dice, wrong, kills, count = random.Random(time.time_ns()), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        config = write_config(root)
        began = time.monotonic()
        train_kills.end_of(train_kills.start(config, root / "whole"))
        seconds = time.monotonic() - began
        right = digests(root / "whole" / f"{NAME}-1")
        while kills < wanted:
            count += 1
            runs, processes = root / f"killed-{count}", 1 + count % 2
            killed = killed_again_and_again(config, runs, 0.6 * seconds, dice, processes)
            found = digests(runs / f"{NAME}-1")
            different = [name for name in right if found[name] != right[name]]
            kills, wrong = kills + killed, wrong + bool(different)
            print(f"{count}: {killed} kills, {processes} at a time", *different, flush=True)
    print(f"{kills} kills of {count} cross-validations, {wrong} of which ended otherwise")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
