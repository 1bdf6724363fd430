"""CIFAR-100: 60,000 images of a hundred classes in twenty groups, read from its published files.

Collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. It is not part of the package, and
nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minicnn.checks import check_choice
from minicnn.data.image_files import PathLike
from minicnn.data.tar import members
from minicnn.datasets.cifar_batches import PIXELS, LabeledImages, labeled, parse_pickle
from minicnn.datasets.places import find
from minicnn.errors import FormatError, SizeLimitError, TruncatedError
from minicnn.support.files import open_regular, read_whole

CLASSES = {"fine": 100, "coarse": 20}
PARTS = ("train", "test")
RECORD_BYTES = 2 + PIXELS  # of the binary version: the coarse label, the fine one, the pixels
MAX_BYTES = 256 << 20  # of one file; the training part has 155 MB
MAX_ARCHIVE_BYTES = 2**31
# The names under which it is looked for in a folder of data sets.
USUAL_NAMES = (
    "cifar-100-binary", "cifar-100-python", "cifar100", "cifar-100", "CIFAR-100",
    "cifar-100-python-target/cifar-100-python", "cifar-100-binary.tar.gz",
    "cifar-100-python.tar.gz",
)  # fmt: skip


def load_data(
    label_mode: str = "fine", path: PathLike | None = None
) -> tuple[LabeledImages, LabeledImages]:
    """Load small images and the index of each one's class, or of its group of classes.

    Parameters
    ----------
    label_mode : "fine", the class, 0...99, or "coarse", the group, 0...19
    path : str or path, optional
        A folder with `train` and `test` (the Python version) or `train.bin` and `test.bin` (the
        binary version), an archive (.tar, .tar.gz) of it, or a folder that contains one of these
        under its usual name. Default: the folder that MINICNN_DATA names, Keras's
        `~/.keras/datasets`, and the folder `data`.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (50000, 32, 32, 3) and (10000, 32, 32, 3), labels uint8 (50000, 1) and
        (10000, 1).

    Raises
    ------
    FileNotFoundError
        There is no CIFAR-100 at `path`.
    FormatError
        A file is damaged, has another format or contains more than plain data.

    References
    ----------
    Krizhevsky: Learning multiple layers of features from tiny images. 2009.
    """
    mode = check_choice(label_mode, "label_mode", list(CLASSES))
    source = find(
        None if path is None else Path(path),
        USUAL_NAMES,
        _holds,
        "CIFAR-100",
        "the files of www.cs.toronto.edu/~kriz/cifar.html, such as cifar-100-python.tar.gz",
    )
    contents = _of_archive(source) if source.is_file() else _of_folder(source)
    train, test = (_parsed(*contents[part], mode) for part in PARTS)
    return train, test


def _holds(place: Path) -> bool:
    if place.is_file():
        return ".tar" in place.name
    return any(all((place / f"{part}{end}").is_file() for part in PARTS) for end in ("", ".bin"))


def _of_folder(folder: Path) -> dict[str, tuple[bytes, Path]]:
    """Return the content of both parts, with the path that is named in errors."""
    end = "" if (folder / PARTS[0]).is_file() else ".bin"
    files = {part: folder / f"{part}{end}" for part in PARTS}
    return {part: (read_whole(file, MAX_BYTES), file) for part, file in files.items()}


def _of_archive(path: Path) -> dict[str, tuple[bytes, Path]]:
    """Return the same from an archive, which is read once; nothing is written to disk."""
    found: dict[str, tuple[bytes, Path]] = {}
    with open_regular(path, MAX_ARCHIVE_BYTES) as file:
        for member in members(file, path):
            name = Path(member.name).name
            part = name.removesuffix(".bin")
            if part not in PARTS:
                continue
            if member.size > MAX_BYTES:
                raise SizeLimitError(
                    f"{path}: {name!a} has {member.size:,} bytes; at most {MAX_BYTES:,} are read"
                )
            found[part] = member.read(), path / name
    missing = [part for part in PARTS if part not in found]
    if missing:
        raise FormatError(path, f"holds no CIFAR-100: {' and '.join(missing)} not in it")
    return found


def _parsed(data: bytes, path: Path, mode: str) -> LabeledImages:
    if path.suffix != ".bin":
        return parse_pickle(data, path, CLASSES[mode], f"{mode}_labels")
    if len(data) == 0 or len(data) % RECORD_BYTES:
        whole = len(data) // RECORD_BYTES * RECORD_BYTES
        raise TruncatedError(path, f"must hold records of {RECORD_BYTES} bytes", whole)
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD_BYTES)
    labels = records[:, 1 if mode == "fine" else 0]
    return labeled(records[:, 2:], labels, path, CLASSES[mode])
