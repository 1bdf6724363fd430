"""CIFAR-10: 60,000 pictures of ten kinds of things, in every form in which it is handed around.

Collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. It is not part of the package; no
network is used.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minicnn.data.folders import is_ignored, is_image, list_folder
from minicnn.data.image_files import PathLike, with_opened_image
from minicnn.data.images import decode, read_images
from minicnn.data.plain_pickle import loads
from minicnn.data.tar import Member, members
from minicnn.errors import FormatError, ImageReadError, SizeLimitError, TruncatedError
from minicnn.shapes import is_int
from minicnn.support import environment
from minicnn.support.files import open_regular, read_whole

LabeledImages = tuple[np.ndarray, np.ndarray]
Progress = Callable[[int, int], None]

CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
TRAINING = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = "test_batch"
SIDE, COLORS = 32, 3
RECORD_BYTES = 1 + COLORS * SIDE * SIDE  # a label, then all red, all green, all blue pixels
MAX_BYTES = 64 << 20  # of one file; a batch has 31 MB
MAX_ARCHIVE_BYTES = 2**31
# Of the pictures in an archive, which may have been enlarged.
MAX_IMAGE_BYTES = 4 << 20
MAX_PIXELS = 1 << 20
MAX_PIXELS_IN_ALL = 60_000 * 64 * 64

# Where in a folder of data sets it may be.
USUAL_NAMES = (
    "cifar-10-batches-bin", "cifar-10-batches-py", "cifar10", "cifar-10", "CIFAR-10",
    "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz", "cifar10.tar.xz", "cifar10.tar.gz",
)  # fmt: skip


def load_data(
    path: PathLike | None = None, *, progress: Progress | None = None
) -> tuple[LabeledImages, LabeledImages]:
    """Small pictures of things, and which of the ten `CLASS_NAMES` each shows.

    Parameters
    ----------
    path : str or path, optional
        Any of: a folder with `data_batch_1.bin`, ... (the binary version) or `data_batch_1`, ...
        (the Python version); a folder `train` and a folder `test` with a folder of pictures for
        each class; an archive (.tar, .tar.gz, .tar.xz) of one of these; a folder in which one of
        these lies under its usual name. Default: the folder that the environment variable
        MINICNN_DATA names.
    progress : called with (bytes read, bytes in all) while an archive is read, which takes a while

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (50000, 32, 32, 3) and (10000, 32, 32, 3), labels uint8 (50000,) and (10000,).
        Pictures from class folders come class by class.

    Raises
    ------
    FileNotFoundError
        There is nothing of it at `path`.
    FormatError
        A file is damaged, has another form or holds more than data.

    Notes
    -----
    Pickles are read by `minicnn.data.plain_pickle`, which can make numbers, texts and arrays, and
    nothing else. Class folders have to be named as `CLASS_NAMES`.

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
    """The folder or archive itself."""
    text = environment.text_of("MINICNN_DATA") if path is None else path
    if text is None:
        raise FileNotFoundError(
            errno.ENOENT, "say where CIFAR-10 is: load_data(path), or MINICNN_DATA", "cifar10"
        )
    source = Path(text)
    if source.is_file() or _holds(source):
        return source
    for name in USUAL_NAMES:
        if (source / name).is_file() or _holds(source / name):
            return source / name
    raise FileNotFoundError(
        errno.ENOENT,
        f"no CIFAR-10 here: no {TRAINING[0]}(.bin), no folders train and test, and none of "
        f"{', '.join(USUAL_NAMES)}",
        str(source),
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
    """Records of 3,073 bytes."""
    if len(data) == 0 or len(data) % RECORD_BYTES:
        whole = len(data) // RECORD_BYTES * RECORD_BYTES
        raise TruncatedError(path, f"must hold records of {RECORD_BYTES} bytes", whole)
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD_BYTES)
    return _checked(records[:, 1:], records[:, 0], path)


def _parse_pickle(data: bytes, path: Path) -> LabeledImages:
    """A dictionary with `data` (N, 3072) and `labels`."""
    batch = loads(data, path)
    if not isinstance(batch, dict):
        raise FormatError(path, "must hold a dictionary with data and labels")
    return _checked(_entry(batch, "data", path), _entry(batch, "labels", path), path)


def _entry(batch: dict, name: str, path: Path) -> object:
    """What a batch calls so; in files of Python 2 that is read as bytes in Python 3."""
    for key in (name, name.encode()):
        if key in batch:
            return batch[key]
    raise FormatError(path, f"must hold a dictionary with data and labels; it has no {name}")


def _checked(pixels: object, labels: object, path: Path) -> LabeledImages:
    """Images (N, 32, 32, 3) from rows of all red, all green, all blue pixels."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise FormatError(path, "must hold uint8 pixels with a row for each image")
    if pixels.shape[1] != RECORD_BYTES - 1:
        raise FormatError(path, f"has rows of {pixels.shape[1]} pixels, not {RECORD_BYTES - 1}")
    if len(pixels) == 0:
        raise FormatError(path, "holds no images")
    images = pixels.reshape(-1, COLORS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), _labels(labels, len(images), path)


def _labels(labels: object, count: int, path: Path) -> np.ndarray:
    """uint8 (N,) from a list of integers or an array of them; 1.7, "1" and True are none."""
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        labels = labels.tolist()
    if not isinstance(labels, list) or not all(map(is_int, labels)):
        raise FormatError(path, "has labels that are no whole numbers")
    if len(labels) != count or not all(0 <= label < len(CLASS_NAMES) for label in labels):
        raise FormatError(path, f"must have a label 0...9 for each of {count} images")
    return np.array(labels, np.uint8)


# --- pictures -----------------------------------------------------------------------------------


def _from_folders(folder: Path) -> LabeledImages:
    found = list_folder(folder, CLASS_NAMES)
    images, kept, failures = read_images(found.paths, SIDE)
    if failures:
        path, reason = failures[0]
        raise FormatError(path, f"cannot be read ({reason}), and {len(failures) - 1} more")
    return images, found.labels[kept].astype(np.uint8)


# --- archives -----------------------------------------------------------------------------------


def _from_archive(
    path: Path, progress: Progress | None = None
) -> tuple[LabeledImages, LabeledImages]:
    """From an archive's own order, once through: nothing is unpacked on disk."""
    batches: dict[str, bytes] = {}
    pictures = {"train": Pictures(path), "test": Pictures(path)}
    with open_regular(path, MAX_ARCHIVE_BYTES) as file:
        for member in members(file, path):
            if progress is not None:
                progress(file.tell(), path.stat().st_size)
            name = Path(member.name)
            if is_ignored(name.name):
                continue
            if name.name.removesuffix(".bin") in (*TRAINING, TEST):
                _check_size(member, MAX_BYTES, path)
                if name.name in batches:
                    raise FormatError(path, f"holds {name.name} twice")
                batches[name.name] = member.read()
            elif is_image(name) and len(name.parts) > 2 and name.parts[-3] in pictures:
                _check_size(member, MAX_IMAGE_BYTES, path)
                pictures[name.parts[-3]].add(name, member.read())
    if batches:
        try:
            return _from_batches(batches, path)
        except FileNotFoundError as error:
            raise FormatError(path, f"holds {error.strerror}") from error
    return pictures["train"].arrays(), pictures["test"].arrays()


def _check_size(member: Member, most: int, path: Path) -> None:
    if member.size > most:
        raise SizeLimitError(
            f"{path}: {Path(member.name).name!a} has {member.size:,} bytes, of which at most "
            f"{most:,} are read"
        )


class Pictures:
    """The pictures of one part, in folders named as their classes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[tuple[int, str, np.ndarray]] = []  # (label, name, pixels)
        self._pixels = 0

    def add(self, name: Path, data: bytes) -> None:
        """Decode one, if the archive does not hold more pixels than 60,000 such pictures need."""
        kind = name.parts[-2]
        if kind not in CLASS_NAMES:
            raise FormatError(
                self._path, f"has the class {kind!r}; those of CIFAR-10 are {CLASS_NAMES}"
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
        """In the order of the names, whatever order the archive has."""
        if not self._found:
            raise FormatError(
                self._path, "holds neither batches of CIFAR-10 nor train/ and test/ pictures"
            )
        self._found.sort(key=lambda picture: picture[:2])
        images = np.stack([pixels for _, _, pixels in self._found])
        return images, np.array([label for label, _, _ in self._found], np.uint8)

    def _count(self, pixels: int) -> None:
        self._pixels += pixels
        if pixels > MAX_PIXELS or self._pixels > MAX_PIXELS_IN_ALL:
            raise SizeLimitError(
                f"{self._path}: has a picture of {pixels:,} pixels and {self._pixels:,} in all; at "
                f"most {MAX_PIXELS:,} and {MAX_PIXELS_IN_ALL:,} are read. Those of CIFAR-10 "
                f"have {SIDE * SIDE:,}"
            )
