"""From a folder, an archive or a list of files to images in memory, in three parts.

What may stand on the disk:

    DIR/train/CLASS/*  DIR/test/CLASS/*  (DIR/val/CLASS/*)     parts that somebody made
    DIR/CLASS/*                                                no parts: split here, by the seed
    DIR/train.txt  DIR/test.txt                                lines "path label"
    DIR/train-images-idx3-ubyte(.gz) ...                       MNIST's four files
    cifar10.tar.xz, DIR/data_batch_1.bin, DIR/data_batch_1     CIFAR-10 in its published forms
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.settings import Settings
from minicnn.data.folders import ImageList, list_folder, read_list
from minicnn.data.folders import found_text as images_found
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.datasets import cifar10, mnist
from minicnn.errors import ArgumentError

TRAIN = ("train", "training", "seg_train", "training_set")
VALIDATION = ("val", "valid", "validation", "seg_val")
TEST = ("test", "testing", "seg_test", "test_set")


class Part(NamedTuple):
    """Images uint8 (N, H, W, C), labels (N,), and the file that each came from, if any did."""

    images: np.ndarray
    labels: np.ndarray
    files: list[str]

    def __len__(self) -> int:
        """So many images."""
        return len(self.images)


class Images(NamedTuple):
    """All that a training looks at."""

    train: Part
    validation: Part
    test: Part
    class_names: list[str]
    skipped: list[tuple[str, str]]  # files that could not be read, and why
    shared: bool  # are the test images the validation too, as in the papers?


class Listing(NamedTuple):
    """Lists of files before anything is read; `validation` may be missing."""

    train: ImageList
    validation: ImageList | None
    test: ImageList


def load_images(settings: Settings, preprocess: Preprocess, say: Callable[[str], None]) -> Images:
    """Find the images of `settings.data` and read them, at the size that the network wants.

    Raises
    ------
    FileNotFoundError
        There is nothing there, or there are no images.
    ArgumentError
        There are images, but not as a training needs them: one class, one part.
    """
    if not settings.data and settings.model == "lenet":
        return _arrays(mnist.load_data(), mnist.CLASS_NAMES)
    path = Path(settings.data)
    if not path.exists():
        raise _missing(path, f"is not there. {NEEDED}")
    if path.is_dir() and list(path.glob("*-idx3-ubyte*")):
        return _arrays(mnist.load_data(path), mnist.CLASS_NAMES)
    if cifar10.is_cifar10(path):
        return _arrays(cifar10.load_data(path), cifar10.CLASS_NAMES)
    if not path.is_dir():
        raise _missing(path, f"is a file, and no archive of CIFAR-10. {NEEDED}")
    listing = find_lists(path, settings)
    say(found_text(listing))
    return _read(listing, preprocess, say)


def load_test_part(
    folder: Path, preprocess: Preprocess, names: Sequence[str], say: Callable[[str], None]
) -> tuple[Part, list[tuple[str, str]]]:
    """The images of these classes in a folder, or in its test part; and what cannot be read."""
    if not folder.is_dir():
        raise _missing(folder, "there is no such folder. Needed is one with a folder a class")
    inner = _part_folder(folder, TEST)
    if inner is not None:
        say(f"Taking the images in {inner}")
    images = list_folder(inner or folder, list(names))
    say(images_found(images))
    skipped: list[tuple[str, str]] = []
    return _part(images, preprocess, skipped), skipped


NEEDED = (
    "Needed is a folder with one folder of images a class, or with train/ and test/ that have one "
    "each; give it with --data DIR"
)


def find_lists(folder: Path, settings: Settings) -> Listing:
    """The files of a folder, cut into parts: its own, or by chance where it has none."""
    classes = list(settings.classes) or None
    if (folder / "train.txt").is_file() and (folder / "test.txt").is_file():
        listing = Listing(
            read_list(folder / "train.txt", folder), None, read_list(folder / "test.txt", folder)
        )
    else:
        train, test = _part_folder(folder, TRAIN), _part_folder(folder, TEST)
        if (train is None) != (test is None):
            there, missing = ("train", "test") if test is None else ("test", "train")
            raise ArgumentError(
                f"{folder} has a part {there}/ but no {missing}/; add it, or put the class folders "
                "into one folder and minicnn splits them"
            )
        if train is not None and test is not None:
            names = list_folder(train, classes).class_names
            validation = _part_folder(folder, VALIDATION)
            listing = Listing(
                list_folder(train, names),
                None if validation is None else list_folder(validation, names),
                list_folder(test, names),
            )
        else:
            listing = split(list_folder(folder, classes), settings.split)
    _check(listing, folder)
    return listing


def split(images: ImageList, percent: Sequence[int]) -> Listing:
    """Cut a list into train, validation and test, each with every class's share; seeded."""
    if sum(percent) != 100 or percent[0] == 0 or percent[2] == 0:
        raise ArgumentError(
            f"split must be percent that add up to 100, the first and the last above 0; got "
            f"{list(percent)}"
        )
    parts: tuple[list[int], ...] = ([], [], [])
    for number in range(len(images.class_names)):
        own = np.flatnonzero(images.labels == number)
        own = random.generator("split", number).permutation(own)
        # The remainders go to training: 20 % and 10 % are rounded to the nearest.
        tested = round(len(own) * percent[2] / 100)
        validated = round(len(own) * percent[1] / 100)
        cuts = len(own) - tested - validated, len(own) - tested
        for part, rows in zip(parts, np.split(own, cuts), strict=True):
            part += sorted(int(i) for i in rows)
    train, validation, test = (images.pick(np.array(part, np.int64)) for part in parts)
    return Listing(train, validation if len(validation.paths) else None, test)


def found_text(listing: Listing) -> str:
    """What was found, as Keras says it."""
    classes = len(listing.train.class_names)
    parts = [
        ("training", listing.train),
        ("validation", listing.validation),
        ("test", listing.test),
    ]
    return "\n".join(
        f"Found {len(part.paths)} {what} images belonging to {classes} classes."
        for what, part in parts
        if part is not None
    )


def _part_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """The subfolder of one of these names; of seg_train/seg_train, which exists, the inner one."""
    for name in names:
        part = folder / name
        if part.is_dir():
            return part / name if (part / name).is_dir() else part
    return None


def _missing(path: Path, text: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, text, str(path))


def _check(listing: Listing, folder: Path) -> None:
    names = listing.train.class_names
    if len(names) < 2:
        one = f"one class, {names[0]!r}" if names else "no class folder"
        raise ArgumentError(f"{folder} has {one}; a classifier needs two or more. {NEEDED}")
    for what, part in (("train", listing.train), ("test", listing.test)):
        counts = np.bincount(part.labels, minlength=len(names))
        if not len(part.paths):
            raise _missing(folder, f"has no images to {what} with. {NEEDED}")
        if what == "train" and not counts.all():
            empty = [name for name, count in zip(names, counts, strict=True) if not count]
            raise ArgumentError(
                f"{folder}: no training image of {', '.join(empty)}; take the folder out or fill it"
            )


def _read(listing: Listing, preprocess: Preprocess, say: Callable[[str], None]) -> Images:
    """Read all files, each once; those that cannot be read are counted and named."""
    skipped: list[tuple[str, str]] = []
    train, test = (_part(one, preprocess, skipped) for one in (listing.train, listing.test))
    shared = listing.validation is None
    validation = (
        test if listing.validation is None else _part(listing.validation, preprocess, skipped)
    )
    if skipped:
        path, reason = skipped[0]
        say(f"Skipped {len(skipped)} that cannot be read, as {path} ({reason}); all are in "
            "report.json. Look: minicnn data check")  # fmt: skip
    return Images(train, validation, test, listing.train.class_names, skipped, shared)


def _part(images: ImageList, preprocess: Preprocess, skipped: list[tuple[str, str]]) -> Part:
    pixels, kept, failures = read_images(
        images.paths, preprocess.size, preprocess.color_mode, preprocess.interpolation
    )
    skipped += [(_name(path, images.root), reason) for path, reason in failures]
    files = [_name(images.paths[i], images.root) for i in kept]
    return Part(pixels, images.labels[kept], files)


def _name(path: Path, root: Path) -> str:
    """The file as a report names it: from the part's folder on."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.name


Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _arrays(arrays: Arrays, names: Sequence[str]) -> Images:
    """Data that comes as arrays: it has no files, and its test images validate too."""
    train, test = (
        Part(x[..., None] if x.ndim == 3 else x, np.ravel(y).astype(np.int64), [])
        for x, y in arrays
    )
    return Images(train, test, test, list(names), [], shared=True)
