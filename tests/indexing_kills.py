"""A process whose children index pictures, until they are killed.

    python indexing_kills.py FOLDER KILLS CHILDREN [ADDRESS]

First the children share a folder of pictures. Then each round adds, changes, renames and deletes
some of them; the children index the folder at the same time, into one SQLite file or into the
database at ADDRESS, and each is killed at a random moment. Whatever happens, a picture that was
read has all its features; and after one more run each file is one row. A line of JSON on stdout
sums up. Run as a script, so that it can fork while it has one thread only.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from kills import child_of, finished
from library_tools import Shades, check_complete, contents_of, make_pictures

from minicnn.apps.library import claims, indexing
from minicnn.apps.library.opening import open_library

PICTURES = 60
claims.BLOCK, indexing.BATCH = 8, 3  # many moments between two transactions


class SlowShades(Shades):
    """It takes as long as a network, so that most kills come between the blocks of a run."""

    def describe(self, images):
        """Wait, and describe the images."""
        time.sleep(0.01)
        return super().describe(images)


def extractors():
    return [SlowShades(), SlowShades("others")]


def index(address, photos):
    library = open_library(address, create=True)
    indexing.index(library, [photos], extractors(), force=True)
    library.close()


def index_and_count(address, photos, counts):
    library = open_library(address, create=True)
    described = indexing.index(library, [photos], extractors()).described
    (counts / f"{os.getpid()}").write_text(str(described))


def check_together(address, photos, children):
    """Children that nobody kills share the work: each picture is described by one of them."""
    counts = photos.parent / "counts"
    counts.mkdir()
    started = [child_of(index_and_count, address, photos, counts) for _ in range(children)]
    ended = [os.waitpid(child, 0)[1] for child in started]
    shares = [int(path.read_text()) for path in counts.iterdir()]
    if any(ended) or sum(shares) != PICTURES:
        raise SystemExit(f"described {shares} of {PICTURES} pictures; ended with {ended}")
    return shares


def check_after_kill(address, photos, log):
    """Nothing is half there: a picture that was read has all its features."""
    library = open_library(address, create=True)
    names, read = sorted(one.name for one in extractors()), contents_of(library)
    half = {path: has for path, (_, has) in read.items() if has != names}
    if half:
        raise SystemExit(f"half written: {half}")
    if 0 < len(read) < PICTURES:
        with log.open("a") as file:
            file.write(f"{len(read)}\n")


def check_end(address, photos):
    check_complete(open_library(address), photos, extractors())


def change(photos, rng, start):
    """Add, overwrite, rename and delete some pictures."""
    paths = sorted(photos.rglob("*.png"))
    rng.shuffle(paths)
    few = len(paths) // 4
    for path in paths[:few]:
        path.unlink()
    for path in paths[few : 2 * few]:
        folder = photos / rng.choice("abc")
        folder.mkdir(exist_ok=True)
        path.rename(folder / f"{start}-{path.name}")
    for path in paths[2 * few : 3 * few]:
        path.write_bytes(path.read_bytes() + b"%d" % start)
    make_pictures(photos, PICTURES - len(paths) + few, start=start)


def one_round(address, photos, children, rng, most_s):
    """Return how many of the children were still running when they were killed."""
    start = time.monotonic()
    moments = {child_of(index, address, photos): rng.uniform(0, most_s) for _ in range(children)}
    dead = 0
    for child, moment in sorted(moments.items(), key=lambda one: one[1]):
        time.sleep(max(0.0, start + moment - time.monotonic()))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if status not in (0, signal.SIGKILL):
            raise SystemExit(f"a child ended with status {status}")
        dead += os.WIFSIGNALED(status)
    finished(check_after_kill, address, photos, photos.parent / "midway")
    return dead


def run(folder, kills, children, address):
    rng, total, rounds = random.Random(0), 0, 1
    photos = folder / "photos"
    make_pictures(photos, PICTURES)
    shares = check_together(address or str(folder / "library.sqlite3"), photos, children)
    most_s = 0.2
    while total < kills:
        change(photos, rng, rounds * 1000)
        if rounds % 3 == 0 and address is None:
            for part in folder.glob("library.sqlite3*"):
                part.unlink()
        where = address or str(folder / "library.sqlite3")
        dead = one_round(where, photos, children, rng, most_s)
        most_s *= 1.2 if dead == children else 0.8  # so that most are killed at work
        finished(index, where, photos)
        finished(check_end, where, photos)
        total += dead
        rounds += 1
    log = folder / "midway"
    midway = len(log.read_text().splitlines()) if log.exists() else 0
    found = {"shares": shares, "rounds": rounds - 1, "midway": midway, "kills": total}
    print(json.dumps({**found, "lost_or_doubled": 0}))


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:] or [None])
