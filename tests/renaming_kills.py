"""A process whose children rename images and undo it, until they are killed.

    python renaming_kills.py FOLDER KILLS

Each round renames a folder of files, by the command or in circles, and kills that at a random
moment; then it takes the renaming back, killed again and again, until one undoing comes to its end.
Whatever happens, every content must be there under one name, and in the end under its own. Then the
same renaming is done uninterrupted. A line of JSON on stdout sums up. Run as a script, so that it
can fork while it has one thread only.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from pathlib import Path

from kills import finished, killed

import minicnn.apps.cli.data  # noqa: F401  before the first fork, so that no child does
from minicnn.apps.cli import main
from minicnn.data.tools.rename import Rename, apply_renames

FILES = 24
MAX_UNDOINGS = 4  # that are killed in a round


def contents(root):
    """Return {name: bytes} of all files, also hidden ones, but not of locks."""
    found = [p for p in sorted(root.rglob("*")) if p.is_file() and p.name != ".minicnn.lock"]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found}


def make_files(root, rng):
    """Make files, some of whose new names are the old names of others."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in rng.sample(range(2 * FILES), FILES // 2):
            stem = f"{name}_{i:04d}" if rng.random() < 0.5 else f"IMG {i} ä"
            (root / name / f"{stem}.jpg").write_bytes(f"{name} {i}".encode())


def run_command(*words):
    """Run a command; its output goes nowhere. The return value is its exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return main.run([*words, "--quiet"])


def by_command(root, journal):
    words = ["data", "rename", str(root), "--apply", "--journal", str(journal)]
    if run_command(*words) != 0:
        raise SystemExit("the renaming failed")


def in_circles(root, journal):
    """Return a plan in which every name goes to another file of its class."""
    for_all = []
    for folder in (root / "cat", root / "dog"):
        names = sorted(p for p in folder.iterdir() if p.suffix == ".jpg")
        new = [*names[1:7], names[0], *reversed(names[7:])]
        for_all += [Rename(a, b) for a, b in zip(names, new, strict=True) if a != b]
    apply_renames(for_all, journal)


def undo(root, journal):
    if run_command("data", "rename", str(root), "--undo", str(journal)) != 0:
        raise SystemExit("the undoing failed")


def check(root, before, what):
    if sorted(contents(root).values()) != sorted(before.values()):
        raise SystemExit(f"{what}: a content is lost or there twice")


def one_round(root, journal, rng, most_s, renaming):
    """Return the kills of the renaming and of the undo; the files are as before."""
    before, kills = contents(root), [0, 0]
    kills[0] += killed(rng, most_s, renaming, root, journal)
    check(root, before, "killed while renaming")
    for _ in range(rng.randrange(MAX_UNDOINGS)):
        if journal.exists():
            kills[1] += killed(rng, most_s, undo, root, journal)
            check(root, before, "killed while undoing")
    if journal.exists():
        finished(undo, root, journal)
        journal.unlink()
    if contents(root) != before:
        raise SystemExit("undone, but not as before")
    return kills


def whole_and_back(root, journal, renaming, wanted):
    """Rename without interruption; the names must be those without any kill."""
    seconds = finished(renaming, root, journal)
    if wanted is not None and contents(root) != wanted:
        raise SystemExit("renamed, but not as uninterrupted")
    renamed = contents(root)
    finished(undo, root, journal)
    journal.unlink()
    return seconds, renamed


def run(folder, kills):
    rng, total, rounds = random.Random(0), [0, 0], 0
    root, journal = folder / "photos", folder / "journal.csv"
    while sum(total) < kills:
        renaming = (by_command, in_circles)[rounds % 2]
        make_files(root, rng)
        seconds, wanted = whole_and_back(root, journal, renaming, None)
        now = one_round(root, journal, rng, seconds, renaming)
        whole_and_back(root, journal, renaming, wanted)
        total = [a + b for a, b in zip(total, now, strict=True)]
        rounds += 1
    print(json.dumps({"rounds": rounds, "renamings": total[0], "undoings": total[1], "lost": 0}))


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
