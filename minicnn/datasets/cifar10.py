"""CIFAR-10: 60,000 pictures of ten kinds of things, in every form in which it is handed around.

Collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton. It is not part of the package; no
network is used.
"""

from __future__ import annotations

import errno
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from minicnn import environment
from minicnn.atomic import read_whole
from minicnn.data.folders import is_ignored, is_image, list_folder
from minicnn.data.images import PathLike, decode, read_images
from minicnn.data.plain_pickle import loads
from minicnn.errors import FormatError, SizeLimitError, TruncatedError

LabelledImages = tuple[np.ndarray, np.ndarray]

CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
TRAINING = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = "test_batch"
SIDE, COLOURS = 32, 3
RECORD_BYTES = 1 + COLOURS * SIDE * SIDE  # a label, then all red, all green, all blue pixels
MOST_BYTES = 64 << 20  # of one file; a batch has 31 MB
MOST_MEMBERS = 100_000  # of an archive; the pictures are 60,000

# Where in a folder of data sets it may be.
USUAL_NAMES = (
    "cifar-10-batches-bin", "cifar-10-batches-py", "cifar10", "cifar-10", "CIFAR-10",
    "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz", "cifar10.tar.xz", "cifar10.tar.gz",
)  # fmt: skip


def load_data(path: PathLike | None = None) -> tuple[LabelledImages, LabelledImages]:
    """Small pictures of things, and which of the ten `CLASS_NAMES` each shows.

    Parameters
    ----------
    path : str or path, optional
        Any of: a folder with `data_batch_1.bin`, ... (the binary version) or `data_batch_1`, ...
        (the Python version); a folder `train` and a folder `test` with a folder of pictures for
        each class; an archive (.tar, .tar.gz, .tar.xz) of one of these; a folder in which one of
        these lies under its usual name. Default: the folder that the environment variable
        MINICNN_DATA names.

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
        return _from_archive(source)
    if (source / "train").is_dir() and (source / "test").is_dir():
        return _from_folders(source / "train"), _from_folders(source / "test")
    names = [*TRAINING, TEST, *(f"{name}.bin" for name in (*TRAINING, TEST))]
    files = {name: source / name for name in names if (source / name).is_file()}
    return _from_batches(
        {name: read_whole(file, MOST_BYTES) for name, file in files.items()}, source
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


def _from_batches(files: dict[str, bytes], source: Path) -> tuple[LabelledImages, LabelledImages]:
    binary = f"{TRAINING[0]}.bin" in files
    ending, parse = (".bin", _parse_binary) if binary else ("", _parse_pickle)
    missing = [name + ending for name in (*TRAINING, TEST) if name + ending not in files]
    if missing:
        raise FileNotFoundError(errno.ENOENT, f"CIFAR-10 without {', '.join(missing)}", str(source))

    def batch(name: str) -> LabelledImages:
        return parse(files[name + ending], source / (name + ending))

    parts = [batch(name) for name in TRAINING]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return (images, labels), batch(TEST)


def _parse_binary(data: bytes, path: Path) -> LabelledImages:
    """Records of 3,073 bytes."""
    if len(data) == 0 or len(data) % RECORD_BYTES:
        whole = len(data) // RECORD_BYTES * RECORD_BYTES
        raise TruncatedError(path, f"must hold records of {RECORD_BYTES} bytes", whole)
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD_BYTES)
    return _checked(records[:, 1:], records[:, 0], path)


def _parse_pickle(data: bytes, path: Path) -> LabelledImages:
    """A dictionary with `data` (N, 3072) and `labels`."""
    batch = loads(data, path)
    if not isinstance(batch, dict) or not {"data", "labels"} <= _as_texts(batch).keys():
        raise FormatError(path, "must hold a dictionary with data and labels")
    batch = _as_texts(batch)
    return _checked(batch["data"], batch["labels"], path)


def _as_texts(batch: dict) -> dict[str, object]:
    return {key.decode() if isinstance(key, bytes) else str(key): batch[key] for key in batch}


def _checked(pixels: object, labels: object, path: Path) -> LabelledImages:
    """Images (N, 32, 32, 3) from rows of all red, all green, all blue pixels."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise FormatError(path, "must hold uint8 pixels with a row for each image")
    if pixels.shape[1] != RECORD_BYTES - 1:
        raise FormatError(path, f"has rows of {pixels.shape[1]} pixels, not {RECORD_BYTES - 1}")
    try:
        numbers = np.asarray(labels, np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(path, "has labels that are no whole numbers") from error
    wrong = numbers.ndim != 1 or len(numbers) != len(pixels)
    if wrong or ((numbers < 0) | (numbers >= len(CLASS_NAMES))).any():
        raise FormatError(path, f"must have a label 0...9 for each of {len(pixels)} images")
    images = pixels.reshape(-1, COLOURS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), numbers.astype(np.uint8)


# --- pictures -----------------------------------------------------------------------------------


def _from_folders(folder: Path) -> LabelledImages:
    found = list_folder(folder, CLASS_NAMES)
    images, kept, failures = read_images(found.paths, SIDE)
    if failures:
        path, reason = failures[0]
        raise FormatError(path, f"cannot be read ({reason}), and {len(failures) - 1} more")
    return images, found.labels[kept].astype(np.uint8)


# --- archives -----------------------------------------------------------------------------------


def _from_archive(path: Path) -> tuple[LabelledImages, LabelledImages]:
    """From an archive's own order, once through: nothing is unpacked on disk."""
    batches: dict[str, bytes] = {}
    pictures: dict[str, list[tuple[str, int, np.ndarray]]] = {"train": [], "test": []}
    try:
        with tarfile.open(path, "r|*") as archive:
            for name, read in _members(archive, path):
                if name.name.removesuffix(".bin") in (*TRAINING, TEST):
                    batches[name.name] = read()
                elif is_image(name) and len(name.parts) > 2 and name.parts[-3] in pictures:
                    _add_picture(pictures[name.parts[-3]], name, read, path)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, f"is no whole tar archive ({error})") from error
    if batches:
        return _from_batches(batches, path)
    return _arrays(pictures["train"], path), _arrays(pictures["test"], path)


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[Path, Callable[[], bytes]]]:
    """(name, how to read it) of each regular file."""
    for number, member in enumerate(archive):
        if number >= MOST_MEMBERS:
            raise SizeLimitError(f"{path}: has more than {MOST_MEMBERS:,} files")
        name = Path(member.name)
        if not member.isfile() or is_ignored(name.name):
            continue
        if member.size > MOST_BYTES:
            raise SizeLimitError(
                f"{path}: {name} has {member.size:,} bytes, of which at most "
                f"{MOST_BYTES:,} are read"
            )
        file = archive.extractfile(member)
        if file is not None:
            yield name, file.read


def _add_picture(
    pictures: list[tuple[str, int, np.ndarray]], name: Path, read: Callable[[], bytes], path: Path
) -> None:
    kind = name.parts[-2]
    if kind not in CLASS_NAMES:
        raise FormatError(path, f"has the class {kind!r}; those of CIFAR-10 are {CLASS_NAMES}")
    pixels = decode(read(), SIDE)
    pictures.append((str(name), CLASS_NAMES.index(kind), pixels))


def _arrays(pictures: list[tuple[str, int, np.ndarray]], path: Path) -> LabelledImages:
    """In the order of the names, whatever order the archive has."""
    if not pictures:
        raise FormatError(path, "holds neither batches of CIFAR-10 nor train/ and test/ pictures")
    pictures.sort(key=lambda picture: (picture[1], picture[0]))
    images = np.stack([pixels for _, _, pixels in pictures])
    return images, np.array([label for _, label, _ in pictures], np.uint8)
