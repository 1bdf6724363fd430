"""CIFAR-10: 60,000 images of ten classes, read from any of the formats in which it is distributed.

Collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. It is not part of the package, and
nothing is downloaded.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minicnn.data.folders import is_ignored, is_image, list_folder
from minicnn.data.image_files import PathLike, with_opened_image
from minicnn.data.images import decode, read_images
from minicnn.data.tar import TarMember, members
from minicnn.datasets.cifar_batches import PIXELS, SIDE, LabeledImages, labeled, parse_pickle
from minicnn.datasets.places import find
from minicnn.errors import FormatError, ImageReadError, SizeLimitError, TruncatedError
from minicnn.support.files import open_regular, read_whole

Progress = Callable[[int, int], None]

CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
TRAINING = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = "test_batch"
RECORD_BYTES = 1 + PIXELS  # a label, then all red, all green, all blue pixels
MAX_BYTES = 64 << 20  # of one file; a batch has 31 MB
MAX_ARCHIVE_BYTES = 2**31
# Limits for the image files in an archive. They may have been enlarged, but not by much.
MAX_IMAGE_BYTES = 4 << 20
MAX_PIXELS = 1 << 20
MAX_TOTAL_PIXELS = 60_000 * 64 * 64
# What an error says for a folder without the data set.
WANTED = (
    f"{TRAINING[0]}(.bin), ..., or folders train and test, or an archive of them, from "
    "www.cs.toronto.edu/~kriz/cifar.html"
)

# The names under which it is looked for in a folder of data sets.
USUAL_NAMES = (
    "cifar-10-batches-bin", "cifar-10-batches-py", "cifar10", "cifar-10", "CIFAR-10",
    "cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-binary.tar.gz",
    "cifar-10-python.tar.gz", "cifar10.tar.xz", "cifar10.tar.gz",
)  # fmt: skip


def load_data(
    path: PathLike | None = None, *, progress: Progress | None = None
) -> tuple[LabeledImages, LabeledImages]:
    """Load small images and the index of each one's class in `CLASS_NAMES`.

    Parameters
    ----------
    path : str or path, optional
        Any of: a folder with `data_batch_1.bin`, ... (the binary version) or `data_batch_1`, ...
        (the Python version); a folder that contains `train` and `test`, each with one folder of
        images per class; an archive (.tar, .tar.gz, .tar.xz) of one of these; a folder that
        contains one of these under its usual name. Default: the folder that the environment
        variable MINICNN_DATA names, Keras's `~/.keras/datasets`, and the folder `data`.
    progress : called with (bytes read, size of the file) while an archive is read

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (50000, 32, 32, 3) and (10000, 32, 32, 3), labels uint8 (50000, 1) and
        (10000, 1).
        Images from class folders are in the order of the classes.

    Raises
    ------
    FileNotFoundError
        There is no CIFAR-10 at `path`.
    FormatError
        A file is damaged, has another format or contains more than plain data.

    Notes
    -----
    Pickles are read by `minicnn.data.plain_pickle`, which builds only numbers, strings and arrays.
    Class folders must have the names in `CLASS_NAMES`.

    References
    ----------
    Krizhevsky: Learning multiple layers of features from tiny images. 2009.
    """
    source = _find(path)
    if source.is_file():
        return _from_archive(source, progress)
    if (source / "train").is_dir() and (source / "test").is_dir():
        return _from_folders(source / "train"), _from_folders(source / "test")
    names = [*TRAINING, TEST, *(f"{name}.bin" for name in (*TRAINING, TEST))]
    files = {name: source / name for name in names if (source / name).is_file()}
    return _from_batches(
        {name: read_whole(file, MAX_BYTES) for name, file in files.items()}, source
    )


def _find(path: PathLike | None) -> Path:
    """Return the folder with the files, or the archive."""
    return find(
        None if path is None else Path(path),
        USUAL_NAMES,
        lambda place: place.is_file() or _holds(place),
        "CIFAR-10",
        WANTED,
    )


def _holds(folder: Path) -> bool:
    batches = any((folder / f"{TRAINING[0]}{ending}").is_file() for ending in ("", ".bin"))
    return batches or ((folder / "train").is_dir() and (folder / "test").is_dir())


# --- batches ------------------------------------------------------------------------------------


def _from_batches(files: dict[str, bytes], source: Path) -> tuple[LabeledImages, LabeledImages]:
    binary = f"{TRAINING[0]}.bin" in files
    ending, parse = (".bin", _parse_binary) if binary else ("", _parse_pickle)
    missing = [name + ending for name in (*TRAINING, TEST) if name + ending not in files]
    if missing:
        raise FileNotFoundError(errno.ENOENT, f"CIFAR-10 without {', '.join(missing)}", str(source))

    def batch(name: str) -> LabeledImages:
        return parse(files[name + ending], source / (name + ending))

    parts = [batch(name) for name in TRAINING]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return (images, labels), batch(TEST)


def _parse_binary(data: bytes, path: Path) -> LabeledImages:
    """Parse the binary version: records of 3,073 bytes."""
    if len(data) == 0 or len(data) % RECORD_BYTES:
        whole = len(data) // RECORD_BYTES * RECORD_BYTES
        raise TruncatedError(path, f"must hold records of {RECORD_BYTES} bytes", whole)
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD_BYTES)
    return labeled(records[:, 1:], records[:, 0], path, len(CLASS_NAMES))


def _parse_pickle(data: bytes, path: Path) -> LabeledImages:
    """Parse the Python version: a dictionary with `data` (N, 3072) and `labels`."""
    return parse_pickle(data, path, len(CLASS_NAMES))


# --- class folders ------------------------------------------------------------------------------


def _from_folders(folder: Path) -> LabeledImages:
    found = list_folder(folder, CLASS_NAMES)
    images, kept, failures = read_images(found.paths, SIDE)
    if failures:
        path, reason = failures[0]
        others = f", and {len(failures) - 1} more files" if len(failures) > 1 else ""
        raise FormatError(path, f"cannot be read ({reason}){others}")
    return images, found.labels[kept].astype(np.uint8)[:, None]


# --- archives -----------------------------------------------------------------------------------


def _from_archive(
    path: Path, progress: Progress | None = None
) -> tuple[LabeledImages, LabeledImages]:
    """Read an archive once, from start to end; nothing is written to disk."""
    archive = _Archive(path)
    with open_regular(path, MAX_ARCHIVE_BYTES) as file:
        for member in members(file, path):
            if progress is not None:
                progress(file.tell(), path.stat().st_size)
            archive.add(member)
    return archive.arrays()


class _Archive:
    """The batches or the image files that were found in an archive."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._batches: dict[str, bytes] = {}
        self._images = {"train": _ImageFiles(path), "test": _ImageFiles(path)}

    def add(self, member: TarMember) -> None:
        """Read a file if it is a batch or an image of the training or test split."""
        name = Path(member.name)
        if is_ignored(name.name):
            return
        if name.name.removesuffix(".bin") in (*TRAINING, TEST):
            self._check_size(member, MAX_BYTES)
            if name.name in self._batches:
                raise FormatError(self._path, f"holds {name.name} twice")
            self._batches[name.name] = member.read()
        elif is_image(name) and len(name.parts) > 2 and name.parts[-3] in self._images:
            self._check_size(member, MAX_IMAGE_BYTES)
            self._images[name.parts[-3]].add(name, member.read())

    def arrays(self) -> tuple[LabeledImages, LabeledImages]:
        """Return the training and the test split."""
        if not self._batches:
            return self._images["train"].arrays(), self._images["test"].arrays()
        try:
            return _from_batches(self._batches, self._path)
        except FileNotFoundError as error:
            raise FormatError(self._path, f"holds {error.strerror}") from error

    def _check_size(self, member: TarMember, max_bytes: int) -> None:
        if member.size > max_bytes:
            raise SizeLimitError(
                f"{self._path}: {Path(member.name).name!a} has {member.size:,} bytes; at most "
                f"{max_bytes:,} are read"
            )


class _ImageFiles:
    """The images of one split of an archive, in folders with the names of their classes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[tuple[int, str, np.ndarray]] = []  # (label, name, pixels)
        self._pixels = 0

    def add(self, name: Path, data: bytes) -> None:
        """Decode an image file; raise SizeLimitError if the archive has too many pixels."""
        kind = name.parts[-2]
        if kind not in CLASS_NAMES:
            raise FormatError(
                self._path, f"has the class {kind!r}; the classes of CIFAR-10 are {CLASS_NAMES}"
            )
        try:
            width, height = with_opened_image(data, lambda image: image.size)
            self._count(width * height)
            pixels = decode(data, SIDE)
        except ImageReadError as error:
            where = ascii("/".join(name.parts[-3:]))
            raise FormatError(self._path, f"{where} cannot be read ({error.reason})") from error
        self._found.append((CLASS_NAMES.index(kind), str(name), pixels))

    def arrays(self) -> LabeledImages:
        """Return the images and labels by class and name, whatever the order in the archive."""
        if not self._found:
            raise FormatError(
                self._path, "holds neither the batches of CIFAR-10 nor images in train/ and test/"
            )
        self._found.sort(key=lambda image: image[:2])
        images = np.stack([pixels for _, _, pixels in self._found])
        return images, np.array([[label] for label, _, _ in self._found], np.uint8)

    def _count(self, pixels: int) -> None:
        self._pixels += pixels
        if pixels > MAX_PIXELS or self._pixels > MAX_TOTAL_PIXELS:
            raise SizeLimitError(
                f"{self._path}: has an image of {pixels:,} pixels and {self._pixels:,} pixels in "
                f"total; at most {MAX_PIXELS:,} and {MAX_TOTAL_PIXELS:,} are read. The images of "
                f"CIFAR-10 have {SIDE * SIDE:,} each"
            )
