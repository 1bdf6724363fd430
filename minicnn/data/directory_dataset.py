"""Keras's `image_dataset_from_directory`: a data set of the images in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minicnn.data.directory import DirectoryBatches
from minicnn.data.folders import list_files, list_folder
from minicnn.data.image_files import PathLike
from minicnn.data.image_list import ImageList
from minicnn.data.images import Size
from minicnn.data.validation_split import shuffled_subset
from minicnn.errors import ArgumentError
from minicnn.support.text import say

# The class mode of `DirectoryBatches` for each label mode.
LABEL_MODES = {"int": "sparse", "categorical": "categorical", "binary": "binary", None: None}


class FolderDataset(DirectoryBatches):
    """`DirectoryBatches` over which a loop ends after one epoch, as over a `tf.data.Dataset`.

    Its labels have the types of Keras's data sets: int32 (n,), or float32 (n, 1) for two classes.
    """

    def labels_of(self, rows: np.ndarray) -> np.ndarray:
        """Return y of the images with the indices `rows`."""
        labels = super().labels_of(rows)
        if self.class_mode == "binary":
            return labels[:, None]
        return labels.astype(np.int32) if self.class_mode == "sparse" else labels

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of the next epoch, even if the previous loop was left early."""
        self.epoch += 1
        yield from self.for_epoch(self.epoch - 1)


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
    """Batches (x, y) of the images in a folder with one folder per class, with x in 0...255.

    Parameters
    ----------
    directory : str or path
    labels : "inferred" from the names of the class folders; None for batches without labels, of
        all images in the folder and below it; or a list with the class index of each of these
        images, sorted by folder and name
    label_mode : "int" (n,) int32, "categorical" (n, classes) float32, "binary" (n, 1) float32;
        None implies labels=None
    class_names : the class folders in the order of their indices; default: all, sorted
    color_mode, batch_size, shuffle, seed, interpolation : as in `DirectoryBatches`
    upright, dtype, threads, allow_unreadable : as in `DirectoryBatches`
    image_size : (H, W); images are stretched to it, or cropped first with `crop_to_aspect_ratio`
    validation_split, subset : take this fraction of the shuffled files with subset="validation",
        the others with subset="training"
    follow_links : follow symbolic links to folders

    Returns
    -------
    FolderDataset : a loop over it is one epoch

    Raises
    ------
    FileNotFoundError : there is no such folder, or it has no class folders or no images
    ArgumentError : `subset` without `validation_split`, or the reverse
    """
    images = _find_images(directory, labels, label_mode, class_names, follow_links)
    if verbose:
        classes = f" belonging to {len(images.class_names)} classes" if images.class_names else ""
        say(f"Found {len(images.paths)} files{classes}.")
    if validation_split is not None or subset is not None:
        images = shuffled_subset(images, validation_split, subset, seed)
        if verbose:
            say(f"Using {len(images.paths)} files for {subset}.")
    return FolderDataset(
        images,
        image_size,
        color_mode,
        batch_size,
        None if labels is None else LABEL_MODES[label_mode],
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


def _find_images(
    directory: PathLike,
    labels: str | Sequence[int] | None,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    follow_links: bool,
) -> ImageList:
    """Check the arguments about labels, and list the files with the labels that they ask for."""
    if (isinstance(labels, str) and labels != "inferred") or label_mode not in LABEL_MODES:
        raise ArgumentError(
            f'labels must be "inferred", None or a list, and label_mode one of {[*LABEL_MODES]}; '
            f"got {labels!r:.80} and {label_mode!r}"
        )
    labels = None if label_mode is None else labels
    if isinstance(labels, str):
        return list_folder(directory, class_names, follow_links=follow_links)
    if class_names is not None:
        raise ArgumentError('class_names names folders, so it needs labels="inferred"')
    return list_files(directory, labels, follow_links=follow_links)
