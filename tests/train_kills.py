"""Kill `minicnn train` at random moments: `python tests/train_kills.py 200`.

One training runs undisturbed. The same training is started in other folders, killed (SIGKILL) at
moments that are spread evenly over its length, and resumed with `--resume` until it ends. Its
weights, optimizer state, history and tables must then equal those of the first, bit for bit. Every
difference is printed and makes the exit code 1.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from minicnn.apps.runs.settings import Settings, to_toml
from minicnn.models.saving.archive import read_archive

NAME, SIZE = "noise", 22
# The documents of a model that depend on the training; metadata.json has digests of the others.
TRAINED = ("config", "classes", "preprocess", "history", "training")
TABLES = ("history.csv", "confusion.csv", "per_class.csv", "mistakes.csv", "predictions.csv")
# Kills per training, which is then left to end: on a machine that has become slower, starting may
# take longer than the first training took.
MAX_KILLS = 40


def write_config(root: Path) -> Path:
    """Write the settings of a training with much state: augmentation, schedule, Adam's slots."""
    numbers = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for name in ("a", "b"):
            folder = root / "data" / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = numbers.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    settings = Settings(
        model="cifar", data=str(root / "data"), name=NAME, epochs=12, batch_size=8,
        image_size=(SIZE, SIZE), patience=50,
        optimizer={"name": "adam", "learning_rate": 0.002, "schedule": "cosine"},
        augmentation={"horizontal_flip": True, "width_shift_range": 0.1},
    )  # fmt: skip
    (root / "noise.toml").write_text(to_toml(settings))
    return root / "noise.toml"


def start(config: Path, runs: Path, *more: str) -> subprocess.Popen[str]:
    """Start a training in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "minicnn", "train", config, "--runs", runs, "--quiet", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MINICNN_NUM_THREADS": "1"},
    )


def end_of(process: subprocess.Popen[str]) -> None:
    """Wait for a training that is not killed."""
    error = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"the training ended with {process.returncode}: {error}")


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of everything that must not depend on the number of kills."""
    found = {}
    for name in ("best.mcnn", "checkpoints/last.mcnn"):
        archive = read_archive(folder / name)
        for kind in ("weights", "arrays"):
            parts = [f"{k}{a.dtype}{a.shape}".encode() + a.tobytes()
                     for k, a in sorted(getattr(archive, kind).items())]  # fmt: skip
            found[f"{name} {kind}"] = _digest(b"".join(parts))
        for document in TRAINED:
            found[f"{name} {document}"] = _digest(repr(archive.documents[document]).encode())
    for name in TABLES:
        found[name] = _digest((folder / name).read_bytes())
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def killed_again_and_again(
    config: Path, runs: Path, seconds: float, dice: random.Random
) -> tuple[int, bool]:
    """Start, kill, resume, kill, ... until it ends.

    Returns how often it was killed, and whether the last kill came after its report was written:
    then nobody came after it who could have removed its lock.
    """
    kills, folder = 0, runs / f"{NAME}-1"
    while True:
        begun = (folder / "config.toml").exists()
        process = start(config, runs, *(["--resume"] if begun else []))
        try:
            time_left = dice.uniform(0, seconds) if kills < MAX_KILLS else None
            error = process.communicate(timeout=time_left)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            if (folder / "report.json").exists():
                return kills, True
            if not begun and not (folder / "config.toml").exists():
                _forget(runs)  # killed before there was anything to resume
            continue
        if process.returncode:
            raise SystemExit(f"after {kills} kills, exit code {process.returncode}: {error}")
        return kills, False


def _forget(runs: Path) -> None:
    for folder in sorted(runs.rglob("*"), reverse=True):
        folder.rmdir() if folder.is_dir() else folder.unlink()


def leftovers(folder: Path) -> list[str]:
    """Return the files of killed processes that are still there after the training."""
    return [path.name for path in folder.rglob(".minicnn*")]


def main(wanted: int) -> int:
    """Kill `wanted` times; return how many trainings ended unlike the uninterrupted one."""
    dice, wrong, kills, trainings = random.Random(time.time_ns()), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        config = write_config(root)
        began = time.monotonic()
        end_of(start(config, root / "whole"))
        seconds = time.monotonic() - began
        right = digests(root / "whole" / f"{NAME}-1")
        while kills < wanted:
            trainings += 1
            runs = root / f"killed-{trainings}"
            count, killed_last = killed_again_and_again(config, runs, 0.8 * seconds, dice)
            found = digests(runs / f"{NAME}-1")
            left = [] if killed_last else leftovers(runs / f"{NAME}-1")
            different = [name for name in right if found[name] != right[name]]
            kills, wrong = kills + count, wrong + bool(different or left)
            print(f"training {trainings}: {count} kills", *different, *left, flush=True)
    print(f"{kills} kills in {trainings} trainings, {wrong} of which ended otherwise")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
