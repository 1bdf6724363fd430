"""What a killed sorting left open: each file is either at its target or where it was before.

A file's last line in the journal says what was about to happen to it. Whether it happened shows on
the disk, and an operation that was in its middle is completed or taken back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from minicnn.apps.sorter.journal import Begun, Entry, Log, Record
from minicnn.apps.sorter.transfer import is_unchanged, make_durable


def settle(record: Record, log: Log) -> None:
    """Settle all operations that were begun; afterwards no temporary copy is left."""
    for entry in record.files:
        begun = entry.begun
        if begun is None:
            continue
        mark = {"undo": True} if begun.undo else {}
        if _is_finished(entry, begun, record):
            entry.is_sorted = not begun.undo
            log.later(done=entry.number, **mark)
        else:
            log.later(failed=entry.number, reason="interrupted")
        entry.begun = None
    for name in record.temporaries:  # that could not be removed after a failure
        with suppress(OSError):
            os.unlink(record.path_of(name))
    log.now()


def _is_finished(entry: Entry, begun: Begun, record: Record) -> bool:
    """Return whether an operation came to its end, after completing it if it was nearly there."""
    source, target = record.path_of(entry.source), record.path_of(entry.target)
    if begun.undo:
        source, target = target, source
    if begun.temporary is None:
        return not os.path.lexists(source) and is_unchanged(target, entry.facts)
    if not _is_placed(entry, begun, record.path_of(begun.temporary), target):
        return False
    return not record.move or _leave(source, target, entry)


def _is_placed(entry: Entry, begun: Begun, temporary: Path, target: Path) -> bool:
    """Return whether a file that is copied first has its final name; remove the temporary one."""
    if not os.path.lexists(temporary):
        return begun.copied and is_unchanged(target, entry.facts)
    placed = os.path.lexists(target) and os.path.samefile(temporary, target)  # by a hard link
    if not placed and begun.copied and entry.facts["size"]:
        _remove_if_empty(target)  # it reserved the name
    os.unlink(temporary)
    return placed


def _leave(source: Path, target: Path, entry: Entry) -> bool:
    """Remove the source of a file whose copy is complete; False if it has changed since."""
    if not os.path.lexists(source):
        return True
    if not is_unchanged(source, entry.facts):
        return False
    make_durable(target.parent)
    os.unlink(source)
    return True


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        if os.stat(path, follow_symlinks=False).st_size == 0:
            os.unlink(path)
