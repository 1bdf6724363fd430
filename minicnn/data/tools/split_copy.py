"""The pictures of a split, copied: all parts get their names, or none does.

Everything is copied into a temporary folder of the destination first, which then becomes
`.minicnn-split-...`, whole and ready, and its parts move out of it to their names. Killed before
that, the copies are swept away by the next split; killed in the middle of it, the next split moves
the rest and says so. Pictures are only ever read.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from minicnn.data.folders import ImageList, links_out
from minicnn.data.image_files import PathLike, reason_of
from minicnn.data.tools.split import SplitPart
from minicnn.errors import ArgumentError, FormatError
from minicnn.support.atomic_files import copy_file, make_names_durable, new_temporary, sweep
from minicnn.support.locks import FolderLock

READY = ".minicnn-split-"
# Errors that every further copy would meet as well.
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

Failures = list[tuple[Path, str]]


def copy_split(
    images: ImageList,
    plan: Sequence[SplitPart],
    destination: PathLike,
    *,
    follow_links: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Failures:
    """Copy the pictures, with their times, to `destination/PART/CLASS/...`.

    Parameters
    ----------
    images : as `list_folder` found them
    plan : as `plan_split` made it
    destination : a folder, made if it is not there
    follow_links : also copy what links lead to outside of the pictures' folder
    progress : called with (pictures done, pictures in all) after each

    Returns
    -------
    (path, reason) of files that were not copied; nothing of them is left

    Raises
    ------
    FileExistsError
        A part's folder is there already; nothing is mixed or overwritten.
    ArgumentError
        The destination is the folder of the pictures, or in it: the parts would become classes.
    FolderInUseError
        Another split is being copied there.
    OSError
        The disk is full. Nothing of the split is there then.

    Notes
    -----
    The folders get their names when everything is copied: interrupted, nothing of them is there.
    """
    root = Path(destination)
    if _is_below(root, images.root):
        raise ArgumentError(
            f"destination must lie outside of {images.root}, or the parts would be taken for "
            f"classes there; got {root}"
        )
    root.mkdir(parents=True, exist_ok=True)
    with FolderLock(root):
        _finish_interrupted(root)
        sweep(root)
        for part in plan:
            _check_free(root / part.name, "is there already; give a new folder")
        with new_temporary(root) as temporary:
            try:
                outside = set() if follow_links else links_out(images)
                failures = _copy_all(images, plan, Path(temporary), outside, progress)
                _name_parts(Path(temporary), root)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)  # copies only
    return failures


def _is_below(folder: Path, root: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def _check_free(path: Path, text: str) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, text, str(path))


def _copy_all(
    images: ImageList,
    plan: Sequence[SplitPart],
    folder: Path,
    outside: set[Path],
    progress: Callable[[int, int], None] | None,
) -> Failures:
    failures = []
    done, total = 0, sum(len(part.rows) for part in plan)
    for part in plan:
        for name in images.class_names:  # a class without pictures keeps its folder and number
            (folder / part.name / name).mkdir(parents=True, exist_ok=True)
        for row in part.rows:
            source = images.paths[row]
            target = folder / part.name / os.path.relpath(source, images.root)
            reason = LEADS_OUT if source in outside else _copy(source, target)
            if reason:
                failures.append((source, reason))
            done += 1
            if progress is not None:
                progress(done, total)
    return failures


LEADS_OUT = "a link leads out of the folder"


def _copy(source: Path, target: Path) -> str:
    """Copy one file; why it could not be, or nothing."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_file(source, target)
    except FormatError as error:
        return error.reason
    except OSError as error:
        if error.errno in OF_THE_DISK:
            raise
        return reason_of(error)
    return ""


def _name_parts(temporary: Path, root: Path) -> None:
    """Give the parts in a temporary folder their names in `root`, all of them or none."""
    ready = root / f"{READY}{secrets.token_hex(8)}"
    os.rename(temporary, ready)
    make_names_durable(root)
    names = sorted(os.listdir(ready))
    try:
        for name in names:
            os.rename(ready / name, root / name)
        make_names_durable(root)
    except BaseException:  # Ctrl-C too, which may come right behind a rename
        for name in names:
            if not os.path.lexists(ready / name):
                os.rename(root / name, ready / name)
        shutil.rmtree(ready, ignore_errors=True)  # copies only
        raise
    os.rmdir(ready)


def _finish_interrupted(root: Path) -> None:
    """Move what a split that was killed at its very end had ready."""
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if not entry.name.startswith(READY) or not entry.is_dir(follow_symlinks=False):
            continue
        names = sorted(os.listdir(entry.path))
        for name in names:
            _check_free(
                root / name,
                f"is there already, and {entry.path} holds the same part of a split that was "
                "interrupted; take one of them away",
            )
        for name in names:
            os.rename(os.path.join(entry.path, name), root / name)
        os.rmdir(entry.path)
        if names:
            warnings.warn(
                f"an earlier split to {root} had been interrupted just before its end; its last "
                f"parts are in place now: {', '.join(names)}",
                stacklevel=3,
            )
