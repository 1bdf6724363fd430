"""Listing the image files in folders, with the class folders as labels."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from minicnn.data.image_files import IMAGE_EXTENSIONS, PathLike
from minicnn.data.image_list import ImageList, few_of
from minicnn.errors import ArgumentError
from minicnn.support.text import quoted

# Files and folders that operating systems and programs create. Hidden ones are ignored too.
IGNORED_NAMES = ("Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir")
_KINDS = " ".join(extension[1:] for extension in IMAGE_EXTENSIONS)


def list_folder(
    directory: PathLike,
    classes: Sequence[str] | None = None,
    *,
    follow_links: bool = False,
    skip_inaccessible: bool = False,
) -> ImageList:
    """List the images in a folder that has one folder per class.

    Parameters
    ----------
    directory : str or path
    classes : names of the class folders, in the order of their indices; default: all folders,
        sorted by name
    follow_links : follow symbolic links to folders
    skip_inaccessible : treat a folder that cannot be opened as empty

    Returns
    -------
    ImageList
        Class by class, sorted by path, including images in deeper folders. Hidden files, and names
        that operating systems create (`Thumbs.db`, `__MACOSX`, ...), are ignored.

    Raises
    ------
    FileNotFoundError
        There is no such folder, no class folder, or no image in any of them.
    PermissionError
        A folder cannot be opened. Without an error its images would be missing unnoticed.

    Notes
    -----
    Names are sorted as plain text ("10" comes before "9"), so a class has the same index on every
    machine. A class without images keeps its index, and a warning names it.
    """
    root = Path(directory)
    names = class_folders(root) if classes is None else _check_classes(root, classes)
    on_error = _ignore if skip_inaccessible else _raise
    files = [
        sorted(walk(root / name, follow_links=follow_links, on_error=on_error)) for name in names
    ]
    found = [[path for path in paths if is_image(path)] for paths in files]
    _check_found(root, names, files, found)
    labels = np.repeat(np.arange(len(names)), [len(paths) for paths in found])
    return ImageList([path for paths in found for path in paths], labels, names, root)


def list_files(
    directory: PathLike, labels: Sequence[int] | None = None, *, follow_links: bool = False
) -> ImageList:
    """List all images in a folder and below it, sorted by folder and name.

    Parameters
    ----------
    directory : str or path
    labels : the class index of each image; default: 0 for all, and no class names
    follow_links : follow symbolic links to folders

    Raises
    ------
    FileNotFoundError : there is no such folder, or it has no images
    ArgumentError : `labels` is not one class index per image
    """
    root = Path(directory)
    class_folders(root)  # raises if it is not a folder
    paths = [path for path in walk(root, follow_links=follow_links) if is_image(path)]
    paths.sort(key=lambda path: (str(path.parent), path.name))  # Keras's order
    if not paths:
        raise FileNotFoundError(
            errno.ENOENT, f"no images here. Known image types: {_KINDS}", str(root)
        )
    if labels is None:
        return ImageList(paths, np.zeros(len(paths), np.int64), [], root)
    indices = np.asarray(labels)
    if indices.shape != (len(paths),) or indices.dtype.kind not in "iu" or indices.min() < 0:
        raise ArgumentError(
            f"labels must be one integer for each of the {len(paths)} images, sorted by folder and "
            f"name; got {quoted(labels)}"
        )
    names = [str(i) for i in range(int(indices.max()) + 1)]
    return ImageList(paths, indices.astype(np.int64), names, root)


def class_folders(root: PathLike) -> list[str]:
    """Return the names of the class folders in `root`, sorted as plain text.

    Hidden folders are left out, and links to `root` itself or to a folder that contains it.
    """
    root = Path(root)
    if not root.is_dir():
        seen = "is a file" if root.exists() else "no such folder"
        raise FileNotFoundError(
            errno.ENOENT, f"{seen}; give a folder with one folder of images per class", str(root)
        )
    return sorted(
        entry.name
        for entry in os.scandir(root)
        if _is_folder(entry) and not is_ignored(entry.name) and not _leads_back(entry.path)
    )


def walk(
    folder: PathLike,
    *,
    follow_links: bool = False,
    on_error: Callable[[OSError], object] | None = None,
) -> Iterator[Path]:
    """Yield every file below `folder` but those with ignored names; enter each folder only once.

    `on_error` is called with the error of a folder that cannot be opened; default: raise it.
    """
    entered = {_identity(folder)} if follow_links else set()
    onerror = on_error or _raise
    for parent, folders, files in os.walk(folder, onerror=onerror, followlinks=follow_links):
        folders[:] = sorted(name for name in folders if not is_ignored(name))
        if follow_links:  # a link may lead back to a folder that was entered
            folders[:] = [name for name in folders if _enter(os.path.join(parent, name), entered)]
        yield from (Path(parent, name) for name in sorted(files) if not is_ignored(name))


def links_out(images: ImageList) -> set[Path]:
    """Return the images that are outside of the root because they or their folder are links."""
    root = os.path.realpath(images.root)

    def is_outside(path: Path) -> bool:
        return not Path(os.path.realpath(path)).is_relative_to(root)

    outside = {folder for folder in {path.parent for path in images.paths} if is_outside(folder)}
    return {
        path
        for path in images.paths
        if path.parent in outside or (os.path.islink(path) and is_outside(path))
    }


def is_ignored(name: str) -> bool:
    """Return whether files and folders of this name are ignored."""
    return name.startswith(".") or name in IGNORED_NAMES


def is_image(path: PathLike) -> bool:
    """Return whether the extension is that of an image; the content may be something else."""
    return os.fspath(path).lower().endswith(IMAGE_EXTENSIONS)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _raise(error: OSError) -> None:
    raise error


def _ignore(error: OSError) -> None:
    """Do nothing, so the folder counts as empty."""


def _enter(folder: str, entered: set[tuple[int, int]]) -> bool:
    """Add a folder to those that were entered; False if it was, or contains the link to itself."""
    identity = _identity(folder)
    if identity in entered or _leads_back(folder):
        return False
    entered.add(identity)
    return True


def _identity(folder: PathLike) -> tuple[int, int]:
    """Return (device, inode), which is the same for all paths to a folder."""
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _leads_back(folder: str) -> bool:
    """Return whether the path is a link to a folder that contains the link."""
    path = Path(folder)
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _check_classes(root: Path, classes: Sequence[str]) -> list[str]:
    """Return the names of the classes if each has a folder in `root`."""
    names = list(classes)
    if not names or isinstance(classes, str) or len(set(names)) < len(names):
        raise ArgumentError(f"classes must be different names of folders; got {quoted(classes)}")
    existing = class_folders(root)
    missing = [repr(name) for name in names if name not in existing]
    if missing:
        raise FileNotFoundError(
            errno.ENOENT,
            f"no folder for the class {few_of(missing)}; there are: {few_of(existing) or 'none'}",
            str(root),
        )
    return names


def _check_found(
    root: Path, names: list[str], files: list[list[Path]], found: list[list[Path]]
) -> None:
    """Raise an error if there are no images at all; warn of classes without images."""
    if not names:
        raise FileNotFoundError(
            errno.ENOENT,
            "no class folders here; put the images of each class into a folder of its own, such "
            "as cats/ and dogs/",
            str(root),
        )
    if not any(found):
        count = sum(map(len, files))
        raise FileNotFoundError(
            errno.ENOENT,
            f"no images in {len(names)} folders. Found 0 of {count} files with a known image type "
            f"({_KINDS})",
            str(root),
        )
    empty = [name for name, paths in zip(names, found, strict=True) if not paths]
    if empty:
        warnings.warn(
            f"{len(empty)} classes have no images: {few_of(empty)} (in {root})", stacklevel=3
        )
