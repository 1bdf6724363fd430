"""Copying images into training, validation and test splits: all of the folders appear, or none.

All copies are first written to a temporary folder in the destination. When they are complete, it is
renamed to `.minicnn-split-...`, and its folders are moved from there to their names. If the process
is killed before that, the next split removes the copies; if it is killed while the folders are
moved, the next split moves the rest and reports it. The original images are only read.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from minicnn.data.folders import links_out
from minicnn.data.image_files import PathLike, reason_of
from minicnn.data.image_list import ImageList
from minicnn.data.tools.split import PlannedSplit
from minicnn.errors import ArgumentError, FormatError
from minicnn.support.atomic_files import copy_file, make_names_durable, new_temporary, sweep
from minicnn.support.locks import FolderLock

READY = ".minicnn-split-"
# Errors of the disk, which every further copy would have too.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

Failures = list[tuple[Path, str]]


def copy_split(
    images: ImageList,
    plan: Sequence[PlannedSplit],
    destination: PathLike,
    *,
    follow_links: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Failures:
    """Copy the images, with their times, to `destination/SPLIT/CLASS/...`.

    Parameters
    ----------
    images : as `list_folder` returned them
    plan : as `plan_split` returned it
    destination : a folder; it is created if needed
    follow_links : also copy images that are outside of their folder because of links
    progress : called with (images done, number of images) after each

    Returns
    -------
    (path, reason) of the files that could not be copied

    Raises
    ------
    FileExistsError
        The folder of a split exists already; nothing is mixed or overwritten.
    ArgumentError
        The destination is the folder of the images or inside it, where the splits would become
        classes.
    FolderInUseError
        Another process is copying a split there.
    OSError
        The disk is full; no folder of the split exists then.

    Notes
    -----
    The folders get their names after everything was copied, so an interruption leaves none.
    """
    root = Path(destination)
    if _is_below(root, images.root):
        raise ArgumentError(
            f"destination must be outside of {images.root}, where its folders would be classes; "
            f"got {root}"
        )
    root.mkdir(parents=True, exist_ok=True)
    with FolderLock(root):
        _finish_interrupted(root)
        sweep(root)
        for split in plan:
            _check_free(root / split.name, "exists already; give a new folder")
        with new_temporary(root) as temporary:
            try:
                outside = set() if follow_links else links_out(images)
                failures = _copy_all(images, plan, Path(temporary), outside, progress)
                _move_folders(Path(temporary), root)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)  # it contains only copies
    return failures


def _is_below(folder: Path, root: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def _check_free(path: Path, text: str) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, text, str(path))


def _copy_all(
    images: ImageList,
    plan: Sequence[PlannedSplit],
    folder: Path,
    outside: set[Path],
    progress: Callable[[int, int], None] | None,
) -> Failures:
    failures = []
    done, total = 0, sum(len(split.rows) for split in plan)
    for split in plan:
        for name in images.class_names:  # a class without images keeps its folder and index
            (folder / split.name / name).mkdir(parents=True, exist_ok=True)
        for row in split.rows:
            source = images.paths[row]
            target = folder / split.name / os.path.relpath(source, images.root)
            reason = LEADS_OUT if source in outside else _copy(source, target)
            if reason:
                failures.append((source, reason))
            done += 1
            if progress is not None:
                progress(done, total)
    return failures


LEADS_OUT = "a link leads out of the folder"


def _copy(source: Path, target: Path) -> str:
    """Copy one file; return why it could not be copied, or ""."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_file(source, target)
    except FormatError as error:
        return error.reason
    except OSError as error:
        if error.errno in DISK_ERRORS:
            raise
        return reason_of(error)
    return ""


def _move_folders(temporary: Path, root: Path) -> None:
    """Move the folders in a temporary folder to `root`, all of them or none."""
    ready = root / f"{READY}{secrets.token_hex(8)}"
    os.rename(temporary, ready)
    make_names_durable(root)
    names = sorted(os.listdir(ready))
    try:
        for name in names:
            os.rename(ready / name, root / name)
        make_names_durable(root)
    except BaseException:  # Ctrl-C too, which may come right after a rename
        for name in names:
            if not os.path.lexists(ready / name):
                os.rename(root / name, ready / name)
        shutil.rmtree(ready, ignore_errors=True)  # it contains only copies
        raise
    os.rmdir(ready)


def _finish_interrupted(root: Path) -> None:
    """Move the folders of a split that was killed when its copies were complete."""
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if not entry.name.startswith(READY) or not entry.is_dir(follow_symlinks=False):
            continue
        names = sorted(os.listdir(entry.path))
        for name in names:
            _check_free(
                root / name,
                f"exists already, and {entry.path} contains the same folder of an interrupted "
                "split; remove one of them",
            )
        for name in names:
            os.rename(os.path.join(entry.path, name), root / name)
        os.rmdir(entry.path)
        if names:
            warnings.warn(
                f"an earlier split to {root} was interrupted just before its end; its last folders "
                f"were moved now: {', '.join(names)}",
                stacklevel=3,
            )
