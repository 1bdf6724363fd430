"""Kills of `minicnn train` at random moments: `python tests/train_kills.py 200`.

One training is left alone. The same training is begun again and again in other folders, killed
(SIGKILL) at moments that are equally likely over its whole length, and gone on with by `--resume`
until it ends. Then weights, optimizer state, history and tables must be those of the first, bit
for bit. Whatever is not is printed, and the exit code is 1.
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
# Of a model's documents those that a training decides; metadata.json holds digests of the others.
TRAINED = ("config", "classes", "preprocess", "history", "training")
TABLES = ("history.csv", "confusion.csv", "per_class.csv", "mistakes.csv", "predictions.csv")
# Of one training, which is left alone then: a machine that has become slower may need longer to
# start than the first training took.
MAX_KILLS = 40


def write_config(root: Path) -> Path:
    """Settings of a training with all that could be lost: augmentation, schedule, Adam's slots."""
    numbers = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 4)):
        for name in ("a", "b"):
            folder = root / "data" / part / name
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
    """A training in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "minicnn", "train", config, "--runs", runs, "--quiet", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MINICNN_NUM_THREADS": "1"},
    )


def end_of(process: subprocess.Popen[str]) -> None:
    """Wait for a training that nobody kills."""
    error = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"the training ended with {process.returncode}: {error}")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each thing that must not depend on how often the training was killed."""
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


def killed_again_and_again(config: Path, runs: Path, seconds: float, dice: random.Random) -> int:
    """Begin, kill, go on, kill, ... until it ends; how often it was killed."""
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
                return kills  # killed behind its end
            if not begun and not (folder / "config.toml").exists():
                _forget(runs)  # before there was anything to go on with
            continue
        if process.returncode:
            raise SystemExit(f"after {kills} kills, exit code {process.returncode}: {error}")
        return kills


def _forget(runs: Path) -> None:
    for folder in sorted(runs.rglob("*"), reverse=True):
        folder.rmdir() if folder.is_dir() else folder.unlink()


def leftovers(folder: Path) -> list[str]:
    """Files of killed processes that the end of the training has not taken away."""
    return [path.name for path in folder.rglob(".minicnn*")]


def main(wanted: int) -> int:
    """Kill so many times; how many of the trainings did not end as the undisturbed one."""
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
            count = killed_again_and_again(config, runs, 0.8 * seconds, dice)
            found, left = digests(runs / f"{NAME}-1"), leftovers(runs / f"{NAME}-1")
            different = [name for name in right if found[name] != right[name]]
            kills, wrong = kills + count, wrong + bool(different or left)
            print(f"training {trainings}: {count} kills", *different, *left, flush=True)
    print(f"{kills} kills in {trainings} trainings, {wrong} of which ended otherwise")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
