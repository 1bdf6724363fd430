"""A process whose children sort pictures and undo it, until they are killed.

    python sorting_kills.py FOLDER OTHER_FOLDER KILLS

The two folders should be on two file systems. Each round sorts a gallery from the first into the
second, by moving in most rounds, and kills that at a random moment. Then it is resumed or undone,
killed again and again, until one undoing comes to its end. Whatever happens, every content must
have a name, and in the end each file its old path, bytes, time, permissions and attributes. A line
of JSON on stdout sums up. Run as a script, so that it can fork while it has one thread only.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from pathlib import Path

from kills import finished, killed
from sorted_trees import by_number, contents, gallery, planned, rate

from minicnn.apps import sorter
from minicnn.apps.sorter.journal import journals_in

PICTURES = 24
MAX_MORE_KILLS = 4  # in a round, of resuming and undoing
WAYS = ("across", "across", "beside", "copies")


def make_gallery(root, into, rng):
    """Make pictures with attributes, and files in the way of some of them."""
    for folder in (root, into):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    gallery(root, PICTURES)
    for path in sorted(root.iterdir()):
        path.write_bytes(path.read_bytes() * rng.choice((1, 1000, 30000)))
        rate(path, b"%d" % rng.randrange(5), into.parent)
        os.utime(path, ns=(10**18, 10**18 + rng.randrange(10**17)))
    (into / "cats").mkdir()
    (into / "cats" / "IMG_6.jpg").write_bytes(b"in the way")


def sometimes_without_fsync():
    """Most kills would come while it waits for the disk."""
    if random.SystemRandom().random() < 0.7:
        os.fsync = lambda _handle: None


def sort(root, into, way):
    sometimes_without_fsync()
    outcome = sorter.apply(planned(root, by_number, move=way != "copies", into=into))
    if outcome.failed:
        raise SystemExit(f"not sorted: {outcome.failed}")


def resume(journal):
    sometimes_without_fsync()
    check_outcome(sorter.resume(journal))


def undo(journal):
    sometimes_without_fsync()
    check_outcome(sorter.undo(journal))


def check_outcome(outcome):
    if outcome.failed:
        raise SystemExit(f"failed: {outcome.failed}")


def check(before, folders, what):
    """Every content still has a name, with all its bytes."""
    missing = {one[0] for one in before.values()} - {one[0] for one in contents(*folders).values()}
    if missing:
        raise SystemExit(f"{what}: {len(missing)} contents are lost")


def one_round(root, into, rng, most_s, way):
    """Return the kills of sorting, resuming and undoing; the files are as before."""
    before, kills = contents(root, into), [0, 0, 0]
    kills[0] += killed(rng, most_s, sort, root, into, way)
    check(before, (root, into), f"{way}, killed while sorting")
    journals = journals_in(into)
    for _ in range(rng.randrange(MAX_MORE_KILLS) if journals else 0):
        which = rng.choice((1, 2))
        kills[which] += killed(rng, most_s, (resume, undo)[which - 1], journals[0])
        check(before, (root, into), f"{way}, killed while {('resuming', 'undoing')[which - 1]}")
    if journals and rng.random() < 0.5:
        finished(resume, journals[0])
        if sorter.read_journal(journals[0]).files:  # else it was killed before the plan was there
            check_sorted(root, into, way)
    if journals:
        finished(undo, journals[0])
    if contents(root, into) != before:
        raise SystemExit(f"{way}: undone, but not as before")
    return kills


def check_sorted(root, into, way):
    """Whatever was resumed is sorted to the end, with no temporary copy left."""
    left = list(into.rglob("*.tmp"))
    if left or (way != "copies" and contents(root)):
        raise SystemExit(f"{way}: resumed, but not to its end: {left or [*contents(root)][:3]}")


def run(folder, other, kills):
    rng, total, rounds = random.Random(0), [0, 0, 0], 0
    while sum(total) < kills:
        way = WAYS[rounds % len(WAYS)]
        root = folder / "photos"
        into = folder / "sorted" if way == "beside" else other / "sorted"
        make_gallery(root, into, rng)
        seconds = finished(sort, root, into, way)
        make_gallery(root, into, rng)
        now = one_round(root, into, rng, seconds, way)
        total = [a + b for a, b in zip(total, now, strict=True)]
        rounds += 1
    names = ("sortings", "resumings", "undoings")
    print(json.dumps({"rounds": rounds, **dict(zip(names, total, strict=True)), "lost": 0}))


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
