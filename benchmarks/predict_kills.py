"""Images predicted by processes that are killed at random: is every image there once, in order?

    python benchmarks/predict_kills.py --images 100000 --ranks 4 --kills 2 --rounds 3

One process predicts all images first; its table is what each round must make again, byte by byte.
Rounds are of three kinds: some ranks of a job that goes on without them are killed; the whole job
is killed, and resumed on another number of ranks; the same command is started twice at once, and
one of the two is killed. It needs mpirun (pip install -e '.[mpi]') and Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import minicnn as mc

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from mpi import environment, mpirun_line

UNREADABLE = 3  # the exit code of `minicnn predict` if some files cannot be read
EVERY = 9973  # one file of so many is no image


def make_images(folder: Path, count: int) -> None:
    """Write small images of noise, a thousand to a folder, and a few files that are none."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"{i // 1000:04d}" / f"{i:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if i % EVERY == 5:
            path.write_bytes(b"no image")
        else:
            pixels = rng.integers(0, 256, (28, 28), dtype=np.uint8)
            Image.fromarray(pixels).save(path, compress_level=0)


def make_model(path: Path) -> None:
    """Save LeNet with initial weights."""
    mc.utils.set_random_seed(1)
    model = mc.zoo.lenet()
    model.class_names = [f"digit {i}" for i in range(10)]
    model.preprocess = mc.data.Preprocess((28, 28), "grayscale", scale=1 / 255)
    model.save(path)


def remove_tables(folder: Path) -> None:
    """Remove what an earlier run has left: tables that exist would not be made again."""
    for path in folder.glob("*.csv*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


class Kills:
    """Rounds of kills on one set of images."""

    def __init__(self, folder: Path, ranks: int, kills: int, seed: int) -> None:
        self.folder, self.ranks, self.kills = folder, ranks, kills
        self.rng, self.table = random.Random(seed), b""
        self.seconds = 0.0  # that a job takes

    def command(self, output: str) -> list[str]:
        """Return the command that predicts all images."""
        words = [sys.executable, "-m", "minicnn", "predict", "model.mcnn", "images"]
        return [*words, "--csv", output, "--quiet"]

    def start(self, line: list[str]) -> subprocess.Popen[bytes]:
        """Start a command in the folder, without its output."""
        return subprocess.Popen(
            line, cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def on_ranks(self, output: str, ranks: int, *options: str) -> subprocess.Popen[bytes]:
        """Start the command on some ranks."""
        return self.start(mpirun_line(ranks, *self.command(output), options=options))

    def alone(self) -> None:
        """Predict in one process; that is the table that all rounds must make."""
        self.start(self.command("alone.csv")).wait()
        self.table = (self.folder / "alone.csv").read_bytes()

    def undisturbed(self) -> None:
        """Predict on all ranks, to know how long that takes."""
        start = time.monotonic()
        self.on_ranks("undisturbed.csv", self.ranks).wait()
        self.seconds = time.monotonic() - start
        if (self.folder / "undisturbed.csv").read_bytes() != self.table:
            raise SystemExit("the ranks make another table without a kill already")

    def some_ranks(self, output: str) -> dict[str, object]:
        """Kill some ranks of a job that goes on without them, at random instants."""
        start = time.monotonic()
        job = self.on_ranks(output, self.ranks, "--enable-recovery")
        moments = sorted(self.rng.uniform(0.1, 0.7) * self.seconds for _ in range(self.kills))
        killed = []
        for moment in moments:
            time.sleep(max(0.0, start + moment - time.monotonic()))
            alive = ranks_of(job.pid)
            if alive and job.poll() is None:
                rank = self.rng.choice(sorted(alive))
                os.kill(alive[rank], signal.SIGKILL)
                killed.append(rank)
        job.wait()
        self.wait_for(output)
        return {"killed ranks": killed, "at": [round(one, 1) for one in moments]}

    def whole_job(self, output: str) -> dict[str, object]:
        """Kill all processes at a random instant, and resume on another number of ranks."""
        job = self.on_ranks(output, self.ranks)
        moment = self.rng.uniform(0.2, 0.7) * self.seconds
        time.sleep(moment)
        for number in ranks_of(job.pid).values():
            os.kill(number, signal.SIGKILL)
        job.wait()
        done = len(list((self.folder / f"{output}.parts").glob("*/*.part")))
        again = self.rng.choice([1, 2, 3])
        self.on_ranks(output, again).wait()
        return {"killed ranks": "all", "at": [round(moment, 1)], "blocks kept": done}

    def twice(self, output: str) -> dict[str, object]:
        """Start the same command twice, and kill the first of the two."""
        first, second = (self.start(self.command(output)) for _ in range(2))
        moment = self.rng.uniform(0.2, 0.7) * self.seconds
        time.sleep(moment)
        first.kill()
        first.wait()
        second.wait()
        return {"killed ranks": "first", "at": [round(moment, 1)]}

    def wait_for(self, output: str) -> None:
        """Wait until ranks that mpirun has left behind have ended."""
        while (self.folder / f"{output}.parts").exists():
            time.sleep(0.1)

    def round(self, kind: str, number: int) -> dict[str, object]:
        """Run one round; return what happened."""
        output = f"{kind}-{number}.csv"
        start = time.monotonic()
        found = getattr(self, kind)(output)
        same = (self.folder / output).read_bytes() == self.table
        rest = list(self.folder.glob(f"{output}.*"))
        seconds = round(time.monotonic() - start, 1)
        return {"round": kind, **found, "seconds": seconds, "same": same, "left behind": len(rest)}


def ranks_of(job: int) -> dict[int, int]:
    """Return {rank: process} of the ranks that mpirun has started on this machine."""
    found = {}
    for number in Path(f"/proc/{job}/task/{job}/children").read_text().split():
        variables = Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
        ranks = [one[21:] for one in variables if one.startswith(b"OMPI_COMM_WORLD_RANK=")]
        found |= {int(rank): int(number) for rank in ranks}
    return found


def main() -> None:
    """Run the rounds, print a line for each, and fail if a table is another one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the images here for another time")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = words.folder or Path(temporary)
        if not (folder / "images").exists():
            make_images(folder / "images", words.images)
        remove_tables(folder)
        make_model(folder / "model.mcnn")
        kills = Kills(folder, words.ranks, words.kills, words.seed)
        kills.alone()
        kills.undisturbed()
        rows = kills.table.count(b"\n") - 1
        print(json.dumps({"images": words.images, "rows": rows, "seconds": kills.seconds}))
        rounds = [
            kills.round(kind, number)
            for number in range(words.rounds)
            for kind in ("some_ranks", "whole_job", "twice")
        ]
        for one in rounds:
            print(json.dumps(one))
        if not all(one["same"] for one in rounds):
            raise SystemExit("a table differs from that of one process")


if __name__ == "__main__":
    main()
