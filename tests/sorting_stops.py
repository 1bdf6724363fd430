"""A process whose children sort pictures or undo it, until they end before a certain system call.

    python sorting_stops.py FOLDER OTHER_FOLDER [WAY ...]

The two folders should be on two file systems. For each way to sort, and for undoing it, a child
ends before its first call that changes the disk, the next one before its second, and so on. After
each, the journal is undone, or resumed and undone, and all files must be as before. A line of JSON
on stdout sums up.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sorted_trees import by_number, contents, digests, gallery, planned

from minicnn.apps import sorter
from minicnn.apps.sorter import carrying
from minicnn.apps.sorter.journal import journals_in
from minicnn.support import no_replace

PICTURES = 4
STOPPED, DONE, FAILED = 9, 0, 1
CALLS = (
    (os, "open"), (os, "write"), (os, "fsync"), (os, "unlink"), (os, "mkdir"), (os, "rmdir"),
    (os, "link"), (os, "replace"), (os, "chmod"), (os, "utime"), (os, "ftruncate"),
    (no_replace, "_call"),
)  # fmt: skip


def stop_before(number: int) -> None:
    """Let this process end before call `number`."""
    calls = [0]

    def counted(function: Callable) -> Callable:
        def call(*arguments, **more):
            calls[0] += 1
            if calls[0] == number:
                os._exit(STOPPED)
            return function(*arguments, **more)

        return call

    for module, name in CALLS:
        setattr(module, name, counted(getattr(module, name)))


def no_links(*_names: object) -> None:
    raise PermissionError(errno.EPERM, "no hard links here")


def in_child(function: Callable, *arguments, number: int, disk: str) -> int:
    """Run `function` in a child that ends before a call; return its exit code."""
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            carrying.COPYING_THREADS = 1  # so that the calls have an order
            if disk != "all ways":
                no_replace._system_rename = lambda: None
            if disk == "reserved":
                os.link = no_links
            stop_before(number)
            function(*arguments)
            code = DONE
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def new_gallery(root: Path, into: Path) -> dict[str, tuple]:
    for folder in (root, into):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    gallery(root, PICTURES)
    return contents(root, into)


def sort(root: Path, into: Path, move: bool) -> None:
    if sorter.apply(planned(root, by_number, move=move, into=into)).failed:
        raise SystemExit("not sorted")


def take_up(function: Callable, into: Path) -> None:
    for journal in journals_in(into):
        if (outcome := function(journal)).failed:
            raise SystemExit(f"{function.__name__} failed: {outcome.failed}")


def check(right: bool, what: str) -> None:
    if not right:
        raise SystemExit(what)


def stopped_sortings(root: Path, into: Path, move: bool, disk: str) -> int:
    """Stop a sorting before each of its calls; return their number."""
    number, code = 0, STOPPED
    while code == STOPPED:
        number += 1
        before = new_gallery(root, into)
        code = in_child(sort, root, into, move, number=number, disk=disk)
        check(code in (STOPPED, DONE), f"call {number}: the sorting failed")
        check({*digests(root, into)} >= {one[0] for one in before.values()}, "a content is lost")
        if number % 2:
            take_up(sorter.resume, into)
            wanted = [one[0] for one in before.values()] * (1 if move else 2)
            planned = any(sorter.read_journal(one).files for one in journals_in(into))
            check(not planned or digests(root, into) == sorted(wanted), f"{number}: not resumed")
        take_up(sorter.undo, into)
        check(contents(root, into) == before, f"call {number}: undone, but not as before")
    return number


def stopped_undoings(root: Path, into: Path, move: bool, disk: str) -> int:
    """Stop the undoing of a sorting before each of its calls; return their number."""
    number, code = 0, STOPPED
    while code == STOPPED:
        number += 1
        before = new_gallery(root, into)
        sort(root, into, move)
        code = in_child(take_up, sorter.undo, into, number=number, disk=disk)
        check(code in (STOPPED, DONE), f"call {number}: the undoing failed")
        check({*digests(root, into)} >= {one[0] for one in before.values()}, "a content is lost")
        take_up(sorter.undo, into)
        check(contents(root, into) == before, f"call {number}: undone twice, but not as before")
    return number


# How files get their names: by the system's renaming, by hard links, by reserving names.
WAYS = {
    "across": (True, "all ways"),
    "beside": (True, "all ways"),
    "copies": (False, "all ways"),
    "links": (True, "links"),
    "reserved": (True, "reserved"),
}


def run(folder: Path, other: Path, ways: Sequence[str]) -> None:
    calls = {}
    root = folder / "photos"
    for way in ways or WAYS:
        move, disk = WAYS[way]
        into = (root if way in ("beside", "copies") else other) / "sorted"
        calls[way] = [
            function(root, into, move, disk) for function in (stopped_sortings, stopped_undoings)
        ]
    print(json.dumps(calls))


if __name__ == "__main__":
    os.fsync = lambda _handle: None  # matters only in a power failure
    run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
