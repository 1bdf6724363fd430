"""Batches of the pictures in folders, read while the network trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_number
from minicnn.data.folders import FEW, ImageList, found_text, list_files, list_folder
from minicnn.data.image_batches import ImageBatches, Prepare
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
from minicnn.data.unreadable import (
    USUAL_SHARE,
    BadFiles,
    check_share,
    check_unreadable,
    first_names,
)
from minicnn.data.validation_split import check_filled, check_subset, whole_part
from minicnn.errors import ArgumentError
from minicnn.support.text import say

CLASS_MODES = ("categorical", "binary", "sparse", "input", None)


class DirectoryBatches(ImageBatches):
    """Batches (x, y) of labeled picture files; what `flow_from_directory` returns.

    Parameters
    ----------
    images : ImageList
        The files, as `list_folder` or `read_list` found them. Those that are no pictures are left
        out from the beginning, and said so; their places in the batches stay empty.
    target_size : (H, W) of every image
    color_mode : "rgb", "grayscale" or "rgba"
    batch_size, shuffle, seed : as in `ImageBatches`
    class_mode : what y is: "categorical" (n, classes) float32, one number 1; "sparse" (n,) int64;
        "binary" (n,) float32, for two classes; "input" y is x; None: batches are x alone
    interpolation : how a picture gets its size; "nearest" as in Keras
    keep_aspect_ratio : cut the largest centered part of the right proportions first
    upright : turn pictures as the camera noted (EXIF), as everywhere in minicnn; Keras does not
    prepare : (image uint8, epoch, number) -> (H, W, C), what is done to each; default: nothing
    dtype : of x; "uint8" keeps pixels as they are in the file
    threads : that read pictures; default: one a processor
    allow_unreadable : the largest share of the files, 0...1, that is left out if it cannot be read;
        default: 0.01, and 0 where `class_mode` is None, as batches without labels often belong to
        those of another folder, file by file
    verbose : print `Found 14034 images belonging to 6 classes.`

    Attributes
    ----------
    class_indices, class_names, classes : the classes' numbers, their names, and each file's number
    filenames, filepaths : relative to the folder, and whole
    order, bad_files, n, samples, batch_size : as in `ImageBatches`

    Raises
    ------
    UnreadableImagesError : more files cannot be read than `allow_unreadable` allows; here if their
        first bytes show it, else when the batch is made
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
        upright: bool = True,
        prepare: Prepare | None = None,
        dtype: str = "float32",
        threads: int | None = None,
        allow_unreadable: float | None = None,
        verbose: bool = True,
    ) -> None:
        if class_mode not in CLASS_MODES:
            raise ArgumentError(f"class_mode must be one of {CLASS_MODES}; got {class_mode!r}")
        places, bad_files = that_open(images, threads)
        listed, images = len(images.paths), images.pick(places)
        if allow_unreadable is None:
            allow_unreadable = 0.0 if class_mode is None else USUAL_SHARE
        check_unreadable(bad_files, listed, check_share(allow_unreadable), images.root)
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
            places=places,
            listed=listed,
            allow_unreadable=allow_unreadable,
        )
        self.root = images.root
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
    def class_names(self) -> list[str] | None:
        """Names of the classes, in the order of their numbers; None if there are no classes."""
        return self.images.class_names or None

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
    """`DirectoryBatches` whose loop ends after one epoch, as that over a `tf.data.Dataset` does.

    Its labels have Keras's types for such data sets: int32 (n,), or float32 (n, 1) of two classes.
    """

    def labels_of(self, rows: np.ndarray) -> np.ndarray:
        """y of the images `rows`."""
        labels = super().labels_of(rows)
        if self.class_mode == "binary":
            return labels[:, None]
        return labels.astype(np.int32) if self.class_mode == "sparse" else labels

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch, also if a loop before was left early."""
        self.epoch += 1
        yield from self.for_epoch(self.epoch - 1)


def that_open(
    images: ImageList, threads: int | None = None
) -> tuple[np.ndarray, list[tuple[Path, str]]]:
    """The numbers of the pictures whose first bytes look well, and (path, reason) of the others.

    Takes about 0.03 ms a file. A picture that is damaged further on shows when it is read.
    """
    reasons = of_each(images.paths, look_at, threads)
    rows = np.array([i for i, reason in enumerate(reasons) if reason is None], np.int64)
    return rows, [(p, r) for p, r in zip(images.paths, reasons, strict=True) if r is not None]


def skipped_text(bad_files: BadFiles, root: Path) -> str:
    """What is said of pictures that are left out.

    >>> skipped_text([(Path("a/b/1.jpg"), "the file is empty")], Path("a"))
    'Skipped 1 that cannot be read: b/1.jpg (the file is empty). All: minicnn data check a'
    """
    few = first_names(bad_files, root, FEW)
    return f"Skipped {len(bad_files)} that cannot be read: {few}. All: minicnn data check {root}"


def image_dataset_from_directory(
    directory: PathLike,
    labels: str | Sequence[int] | None = "inferred",
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
    upright: bool = True,
    dtype: str = "float32",
    threads: int | None = None,
    allow_unreadable: float | None = None,
    verbose: bool = True,
) -> FolderDataset:
    """Batches (x, y) of the pictures in a folder of class folders, with x in 0...255.

    Parameters
    ----------
    directory : str or path
    labels : "inferred" from the folders' names; None for batches without labels, of all pictures in
        the folder and below it; or the class number of each of these, sorted by folder and name
    label_mode : "int" (n,) int32, "categorical" (n, classes), "binary" (n, 1) float32; None means
        labels=None too
    class_names : the class folders in the order of their numbers; default: all, sorted
    color_mode, batch_size, shuffle, seed, interpolation : as `DirectoryBatches`
    upright, dtype, threads, allow_unreadable : as `DirectoryBatches`
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
    if (isinstance(labels, str) and labels != "inferred") or label_mode not in modes:
        raise ArgumentError(
            f'labels must be "inferred", None or a list and label_mode one of {list(modes)}; got '
            f"{labels!r:.80} and {label_mode!r}"
        )
    labels = None if label_mode is None else labels
    if class_names is not None and not isinstance(labels, str):
        raise ArgumentError('class_names are folders, which count with labels="inferred" alone')
    if isinstance(labels, str):
        images = list_folder(directory, class_names, follow_links=follow_links)
    else:
        images = list_files(directory, labels, follow_links=follow_links)
    if verbose:
        classes = f" belonging to {len(images.class_names)} classes" if images.class_names else ""
        say(f"Found {len(images.paths)} files{classes}.")
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
        upright=upright,
        dtype=dtype,
        threads=threads,
        allow_unreadable=allow_unreadable,
        verbose=False,
    )


def shuffled_part(
    images: ImageList, fraction: float | None, subset: str | None, seed: int | None
) -> ImageList:
    """The part for training or for validation, which is the end of all files in a random order."""
    if fraction is None or subset is None:
        raise ArgumentError("validation_split and subset go together; give both or none")
    check_subset(subset)
    check_number(fraction, "validation_split", 0.0, 1.0, open=True)
    seed = None if seed is None else random.check_seed(seed)
    order = random.generator("split", seed=seed).permutation(len(images.paths))
    kept = len(order) - whole_part(len(order), fraction)
    rows = order[:kept] if subset == "training" else order[kept:]
    check_filled(len(rows), subset, len(order), fraction)
    return images.pick(np.sort(rows))
