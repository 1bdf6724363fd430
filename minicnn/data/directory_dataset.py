"""Keras's `image_dataset_from_directory`: a data set of the images in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_choice, quoted
from minicnn.data.dataset import Dataset
from minicnn.data.directory import DirectoryBatches
from minicnn.data.elements import as_element, picked, row_count
from minicnn.data.folders import list_files, list_folder
from minicnn.data.image_files import PathLike
from minicnn.data.image_list import ImageList
from minicnn.data.images import INTERPOLATIONS, Size
from minicnn.data.sources import Source
from minicnn.data.unreadable import BadFiles
from minicnn.data.validation_split import shuffled_subset
from minicnn.errors import ArgumentError
from minicnn.support.text import say

# The class mode of `DirectoryBatches` for each label mode.
LABEL_MODES = {"int": "sparse", "categorical": "categorical", "binary": "binary", None: None}
RESIZING = {"area": "box", "lanczos3": "lanczos"}  # Keras's names for some of Pillow's filters
SINGLE = 32  # images that are read at a time where the elements are single images


class FolderBatches(DirectoryBatches):
    """`DirectoryBatches` whose labels have the types of Keras's data sets.

    They are int32 (n,), or float32 (n, 1) for two classes.
    """

    def labels_of(self, rows: np.ndarray) -> np.ndarray:
        """Return y of the images with the indices `rows`."""
        if self.class_mode == "sparse":
            return self.classes[rows]
        labels = super().labels_of(rows)
        return labels[:, None] if self.class_mode == "binary" else labels


class FolderSource(Source):
    """The batches of files, or their images one by one; the first axis may be the channels."""

    def __init__(self, batches: DirectoryBatches, *, single: bool, channels_first: bool) -> None:
        self.batches, self.single, self.channels_first = batches, single, channels_first
        self.batched = not single

    def length(self) -> int:
        """Return the number of batches, or of images."""
        return self.batches.n if self.single else len(self.batches)

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the elements of a pass."""
        for batch in self.batches.for_epoch(number):
            element = as_element(self._arranged(batch))
            if not self.single:
                yield element
                continue
            for i in range(row_count(element)):
                yield picked(element, i)

    def _arranged(self, batch: Any) -> Any:
        if not self.channels_first:
            return batch
        x, *y = batch if isinstance(batch, tuple) else (batch,)
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
        return (x, *y) if y else x


class FolderDataset(Dataset):
    """The data set of a folder of images, read by threads one batch ahead.

    Attributes
    ----------
    class_names : the names of the classes in the order of their indices; None without labels
    file_paths, filenames : the paths of all files, whole and relative to the folder
    n : the number of files
    order : the indices of the files in the current pass, in the order of its elements
    bad_files : (path, reason) of each file that could not be read
    """

    def __init__(
        self, batches: DirectoryBatches, *, single: bool = False, channels_first: bool = False
    ) -> None:
        super().__init__(FolderSource(batches, single=single, channels_first=channels_first))
        self.batches = batches
        self.class_names: list[str] | None = batches.class_names
        self.file_paths: list[str] = batches.filepaths

    @property
    def prepares_own_rows(self) -> bool:
        """Whether the elements are the batches that are read."""
        return self._source.batched

    @property
    def filenames(self) -> list[str]:
        """The paths of all files, relative to the folder."""
        return self.batches.filenames

    @property
    def n(self) -> int:
        """The number of files."""
        return self.batches.n

    @property
    def batch_size(self) -> int:
        """The number of images that are read at a time."""
        return self.batches.batch_size

    @property
    def order(self) -> np.ndarray:
        """The indices of the files in the current pass, in the order of its elements."""
        return self.batches.order

    @property
    def bad_files(self) -> BadFiles:
        """The files that could not be read so far, and why."""
        return self.batches.bad_files


def image_dataset_from_directory(
    directory: PathLike,
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Size | int = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
    *,
    upright: bool = True,
    dtype: str = "float32",
    threads: int | None = None,
    allow_unreadable: float | None = None,
) -> Any:
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
    color_mode, shuffle, seed : as in `DirectoryBatches`
    batch_size : images in a batch; None for elements of one image each
    image_size : (H, W); images are stretched to it, or cropped first with `crop_to_aspect_ratio`,
        or surrounded by black with `pad_to_aspect_ratio`
    validation_split, subset : take this fraction of the shuffled files with subset="validation",
        the others with subset="training"; "both" returns the list [training, validation]. The files
        of the subsets depend on the seed, not on `shuffle`, so the two never have a file in common
    interpolation : "nearest", "bilinear", "bicubic", "area" or "lanczos3"; also Pillow's names
        "box", "hamming" and "lanczos". All are Pillow's filters, which mean over the pixels of an
        image that becomes smaller; TensorFlow skips most of these pixels
    follow_links : follow symbolic links to folders
    data_format : "channels_last", the default, or "channels_first" for x (n, C, H, W)
    format : "tf", the only one
    verbose : print how many files were found
    upright, dtype, threads, allow_unreadable : as in `DirectoryBatches`

    Returns
    -------
    FolderDataset : a loop over it is one pass; or a list of two

    Raises
    ------
    FileNotFoundError : there is no such folder, or it has no class folders or no images
    ArgumentError : `subset` without `validation_split`, or the reverse
    """
    channels_first = _check_formats(data_format, format)
    images = _find_images(directory, labels, label_mode, class_names, follow_links)
    if verbose:
        classes = f" belonging to {len(images.class_names)} classes" if images.class_names else ""
        say(f"Found {len(images.paths)} files{classes}.")

    def dataset(images: ImageList, *, shuffle: bool) -> FolderDataset:
        batches = FolderBatches(
            images,
            image_size,
            color_mode,
            SINGLE if batch_size is None else batch_size,
            None if labels is None else LABEL_MODES[label_mode],
            shuffle=shuffle,
            seed=seed,
            interpolation=_filter_of(interpolation),
            keep_aspect_ratio=crop_to_aspect_ratio,
            pad_to_aspect_ratio=pad_to_aspect_ratio,
            upright=upright,
            dtype=dtype,
            threads=threads,
            allow_unreadable=allow_unreadable,
            verbose=False,
        )
        return FolderDataset(batches, single=batch_size is None, channels_first=channels_first)

    def part(subset: str) -> ImageList:
        files = shuffled_subset(images, validation_split, subset, seed)
        if verbose:
            say(f"Using {len(files.paths)} files for {subset}.")
        return files

    if subset == "both":
        training, validation = part("training"), part("validation")
        return [dataset(training, shuffle=shuffle), dataset(validation, shuffle=False)]
    if validation_split is not None or subset is not None:
        images = part(subset)  # type: ignore[arg-type]
    return dataset(images, shuffle=shuffle)


def _check_formats(data_format: str | None, format: str) -> bool:
    """Check the two formats; return whether the channels come first."""
    check_choice(format, "format", ["tf"])
    formats = ["channels_last", "channels_first"]
    return check_choice(data_format or formats[0], "data_format", formats) == formats[1]


def _filter_of(interpolation: str) -> str:
    """Return Pillow's name of an interpolation."""
    name = interpolation.lower() if isinstance(interpolation, str) else interpolation
    known = check_choice(name, "interpolation", [*INTERPOLATIONS, *RESIZING])
    return RESIZING.get(known, known)


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
            f"got {quoted(labels)} and {label_mode!r}"
        )
    labels = None if label_mode is None else labels
    if isinstance(labels, str):
        return list_folder(directory, class_names, follow_links=follow_links)
    if class_names is not None:
        raise ArgumentError('class_names names folders, so it needs labels="inferred"')
    return list_files(directory, labels, follow_links=follow_links)
