"""Batches of the pictures in folders, read while the network trains."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_number
from minicnn.data.folders import FEW, ImageList, found_text, list_folder
from minicnn.data.images import (
    CHANNELS,
    INTERPOLATIONS,
    PathLike,
    Size,
    check_size,
    decode,
    look_at,
    of_each,
)
from minicnn.data.pipeline import ImageBatches, Prepare
from minicnn.errors import ArgumentError, ImageReadError
from minicnn.text import say

CLASS_MODES = ("categorical", "binary", "sparse", "input", None)
SUBSETS = ("training", "validation")


class DirectoryBatches(ImageBatches):
    """Batches (x, y) of labelled picture files; what `flow_from_directory` returns.

    Parameters
    ----------
    images : ImageList
        The files, as `list_folder` or `read_list` found them. Those that are no pictures are left
        out from the beginning, and said so.
    target_size : (H, W) of every image
    color_mode : "rgb", "grayscale" or "rgba"
    batch_size, shuffle, seed : as in `ImageBatches`
    class_mode : what y is: "categorical" (n, classes) float32, one number 1; "sparse" (n,) int64;
        "binary" (n,) float32, for two classes; "input" y is x; None: batches are x alone
    interpolation : how a picture gets its size; "nearest" as in Keras
    keep_aspect_ratio : cut the largest centred part of the right proportions first
    upright : turn pictures as the camera noted (EXIF); Keras does not
    prepare : (image uint8, epoch, number) -> (H, W, C), what is done to each; default: nothing
    dtype : of x; "uint8" keeps pixels as they are in the file
    threads : that read pictures; default: one a processor
    verbose : print `Found 14034 images belonging to 6 classes.`

    Attributes
    ----------
    class_indices, class_names, classes : the classes' numbers, their names, and each file's number
    filenames, filepaths : relative to the folder, and whole
    order, bad_files, n, samples, batch_size : as in `ImageBatches`
    """

    def __init__(
        self,
        images: ImageList,
        target_size: Size | int = (256, 256),
        color_mode: str = "rgb",
        batch_size: int = 32,
        class_mode: str | None = "categorical",
        *,
        shuffle: bool = True,
        seed: int | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        upright: bool = False,
        prepare: Prepare | None = None,
        dtype: str = "float32",
        threads: int | None = None,
        verbose: bool = True,
    ) -> None:
        if class_mode not in CLASS_MODES:
            raise ArgumentError(f"class_mode must be one of {CLASS_MODES}; got {class_mode!r}")
        images, bad_files = that_open(images, threads)
        if class_mode == "binary" and len(images.class_names) != 2:
            raise ArgumentError(
                f'class_mode="binary" is for two classes; there are {len(images.class_names)}'
            )
        self.target_size = check_size(target_size, "target_size")
        self.color_mode = check_choice(color_mode, "color_mode", list(CHANNELS))
        self.interpolation = check_choice(interpolation, "interpolation", list(INTERPOLATIONS))
        self.keep_aspect_ratio, self.upright = keep_aspect_ratio, upright
        self.images, self.class_mode = images, class_mode
        super().__init__(
            len(images.paths),
            (*self.target_size, CHANNELS[color_mode]),
            batch_size,
            shuffle=shuffle,
            seed=seed,
            prepare=prepare,
            dtype=dtype,
            threads=threads,
        )
        self.bad_files += bad_files
        if verbose:
            say(found_text(images))
            if bad_files:
                say(skipped_text(bad_files, images.root))

    @property
    def classes(self) -> np.ndarray:
        """(n,) int64: each file's class."""
        return self.images.labels

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of their numbers."""
        return self.images.class_names

    @property
    def class_indices(self) -> dict[str, int]:
        """The number of each class."""
        return self.images.class_indices

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.images.class_names)

    @property
    def filenames(self) -> list[str]:
        """Paths below the folder."""
        return self.images.filenames

    @property
    def filepaths(self) -> list[str]:
        """Whole paths."""
        return [str(path) for path in self.images.paths]

    def path_of(self, i: int) -> Path:
        """Where image i is."""
        return self.images.paths[i]

    def read(self, i: int) -> np.ndarray:
        """Image i, uint8 (H, W, C)."""
        return decode(
            self.images.paths[i],
            self.target_size,
            self.color_mode,
            self.interpolation,
            upright=self.upright,
            keep_aspect_ratio=self.keep_aspect_ratio,
        )

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """(x, y), or x alone where there is no class mode."""
        if self.class_mode is None:
            return x
        return x, x.copy() if self.class_mode == "input" else self.labels_of(rows)

    def labels_of(self, rows: np.ndarray) -> np.ndarray:
        """y of the images `rows`."""
        labels = self.classes[rows]
        if self.class_mode == "categorical":
            return np.eye(self.num_classes, dtype=np.float32)[labels]
        return labels.astype(np.float32) if self.class_mode == "binary" else labels


class FolderDataset(DirectoryBatches):
    """`DirectoryBatches` whose loop ends after one epoch, as that over a `tf.data.Dataset` does."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        yield from self.for_epoch(self.epoch)
        self.epoch += 1


def that_open(
    images: ImageList, threads: int | None = None
) -> tuple[ImageList, list[tuple[Path, str]]]:
    """The pictures whose first bytes look well, and (path, reason) of the others.

    Takes about 0.03 ms a file. A picture that is damaged further on shows when it is read.

    Raises
    ------
    ImageReadError : there are pictures, and none of them can be read
    """
    reasons = of_each(images.paths, look_at, threads)
    rows = [i for i, reason in enumerate(reasons) if reason is None]
    bad = [(p, r) for p, r in zip(images.paths, reasons, strict=True) if r is not None]
    if bad and not rows:
        raise ImageReadError(bad[0][0], f"{bad[0][1]}; none of {len(bad)} images can be read")
    return (images.pick(rows) if bad else images), bad


def skipped_text(bad_files: list[tuple[Path, str]], root: Path) -> str:
    """What is said of pictures that are left out.

    >>> skipped_text([(Path("a/b/1.jpg"), "the file is empty")], Path("a"))
    'Skipped 1 that cannot be read: b/1.jpg (the file is empty). All: minicnn data check a'
    """
    few = "; ".join(f"{os.path.relpath(path, root)} ({why})" for path, why in bad_files[:FEW])
    more = "; ..." if len(bad_files) > FEW else ""
    return (
        f"Skipped {len(bad_files)} that cannot be read: {few}{more}. All: minicnn data check {root}"
    )


def image_dataset_from_directory(
    directory: PathLike,
    labels: str | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int = 32,
    image_size: Size | int = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    *,
    dtype: str = "float32",
    threads: int | None = None,
    verbose: bool = True,
) -> FolderDataset:
    """Batches (x, y) of the pictures in a folder of class folders, with x in 0...255.

    Parameters
    ----------
    directory : str or path
    labels : "inferred" from the folders' names, or None for batches without labels
    label_mode : "int" (n,) int64, "categorical" (n, classes), "binary" (n,) float32, None
    class_names : the class folders in the order of their numbers; default: all, sorted
    color_mode, batch_size, shuffle, seed, interpolation, dtype, threads : as `DirectoryBatches`
    image_size : (H, W); pictures are stretched to it, or with `crop_to_aspect_ratio` first cut
    validation_split, subset : with subset="validation" this fraction of the shuffled files, with
        "training" the others
    follow_links : also into folders that are symbolic links

    Returns
    -------
    FolderDataset : a loop over it is one epoch

    Raises
    ------
    FileNotFoundError : no folder, no class folders or no pictures
    ArgumentError : `subset` without `validation_split`, or the other way round
    """
    modes = {"int": "sparse", "categorical": "categorical", "binary": "binary", None: None}
    if labels not in ("inferred", None) or label_mode not in modes:
        raise ArgumentError(
            f'labels must be "inferred" or None and label_mode one of {list(modes)}; got '
            f"{labels!r} and {label_mode!r}"
        )
    images = list_folder(directory, class_names, follow_links=follow_links)
    if verbose:
        count = len(images.class_names)
        say(f"Found {len(images.paths)} files belonging to {count} classes.")
    if validation_split is not None or subset is not None:
        images = shuffled_part(images, validation_split, subset, seed)
        if verbose:
            say(f"Using {len(images.paths)} files for {subset}.")
    return FolderDataset(
        images,
        image_size,
        color_mode,
        batch_size,
        None if labels is None else modes[label_mode],
        shuffle=shuffle,
        seed=seed,
        interpolation=interpolation,
        keep_aspect_ratio=crop_to_aspect_ratio,
        dtype=dtype,
        threads=threads,
        verbose=False,
    )


def shuffled_part(
    images: ImageList, fraction: float | None, subset: str | None, seed: int | None
) -> ImageList:
    """The part for training or for validation, which is the end of all files in a random order."""
    if fraction is None or subset is None:
        raise ArgumentError("validation_split and subset go together; give both or none")
    check_choice(subset, "subset", SUBSETS)
    check_number(fraction, "validation_split", 0.0, 1.0, open=True)
    order = random.generator("split", 0 if seed is None else seed).permutation(len(images.paths))
    kept = len(order) - int(fraction * len(order))
    return images.pick(np.sort(order[:kept] if subset == "training" else order[kept:]))


def class_part(images: ImageList, fraction: float, subset: str | None) -> ImageList:
    """The part for validation, the first files of each class as in Keras; or that for training."""
    if subset is None:
        return images
    check_choice(subset, "subset", SUBSETS)
    parts = []
    for label in range(len(images.class_names)):
        rows = np.flatnonzero(images.labels == label)
        cut = int(fraction * len(rows))
        parts.append(rows[:cut] if subset == "validation" else rows[cut:])
    return images.pick(np.concatenate(parts))
