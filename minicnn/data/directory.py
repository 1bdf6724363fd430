"""Batches of labeled image files, read while the network trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minicnn.checks import check_choice, quoted
from minicnn.data.image_batches import ImageBatches
from minicnn.data.image_files import why_unreadable
from minicnn.data.image_list import MAX_NAMES, ImageList, found_text
from minicnn.data.image_modes import CHANNELS
from minicnn.data.images import INTERPOLATIONS, Size, check_size, decode
from minicnn.data.parallel import map_in_threads
from minicnn.data.unreadable import (
    ALLOWED_SHARE,
    BadFiles,
    check_share,
    check_unreadable,
    first_names,
)
from minicnn.errors import ArgumentError, DTypeError
from minicnn.support.text import say


class DirectoryBatches(ImageBatches):
    """Batches (x, y) of labeled image files, as `flow_from_directory` returns them.

    In scripts they are made by `ImageDataGenerator().flow_from_directory(...)`.

    Parameters
    ----------
    images : ImageList
        The files, as `list_folder` or `read_list` returned them. Files whose first bytes are not
        those of an image are left out, with a message; their positions in the batches stay empty.
    target_size : (H, W) of every image
    color_mode : "rgb", "grayscale" or "rgba"
    batch_size : images in a batch
    class_mode : what y is: "categorical" one-hot (n, classes) float32; "sparse" the class index
        (n,) float32; "binary" the same, for two classes; "input" y is x; None: batches are x alone
    interpolation : how an image is resized; "nearest" as in Keras
    keep_aspect_ratio : crop the image to the aspect ratio of `target_size` before it is resized
    pad_to_aspect_ratio : surround it by black to that aspect ratio instead
    upright : rotate images as their EXIF orientation says, as everywhere in minicnn; Keras does not
    allow_unreadable : the largest share of the files, 0...1, that may be left out because they
        cannot be read; default: 0.01, but 0 where `class_mode` is None, as batches without labels
        often belong, file by file, to those of another folder
    verbose : print `Found 14034 images belonging to 6 classes.`
    options : `shuffle`, `seed`, `prepare`, `dtype`, `threads` and `saver` of `ImageBatches`

    Attributes
    ----------
    class_indices, class_names, classes : class indices by name, class names by index, and the class
        index of each file
    filenames, filepaths : paths relative to the folder, and whole paths
    directory : the folder
    labels : the same as `classes`
    order, bad_files, n, samples, batch_size : as in `ImageBatches`

    Raises
    ------
    UnreadableImagesError : more files cannot be read than `allow_unreadable` allows; raised here if
        their first bytes show it, else when a batch is made
    """

    allowed_class_modes: tuple[str | None, ...] = (
        "categorical", "binary", "sparse", "input", None,
    )  # fmt: skip
    data_format = "channels_last"
    split: tuple[float, float] | None = None  # the part of the files that a subset takes

    def __init__(
        self,
        images: ImageList,
        target_size: Size | int = (256, 256),
        color_mode: str = "rgb",
        batch_size: int = 32,
        class_mode: str | None = "categorical",
        *,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        upright: bool = True,
        allow_unreadable: float | None = None,
        verbose: bool = True,
        **options: Any,
    ) -> None:
        if not isinstance(images, ImageList):
            raise DTypeError(
                "these batches are made by ImageDataGenerator().flow_from_directory(directory), or "
                f"from the ImageList of list_folder(directory); got {quoted(images)}"
            )
        if class_mode not in self.allowed_class_modes:
            raise ArgumentError(
                f"class_mode must be one of {self.allowed_class_modes}; got {class_mode!r}"
            )
        positions, bad_files = drop_unreadable(images, options.get("threads"))
        listed, images = len(images.paths), images.pick(positions)
        if allow_unreadable is None:
            allow_unreadable = 0.0 if class_mode is None else ALLOWED_SHARE
        check_unreadable(bad_files, listed, check_share(allow_unreadable), images.root)
        if class_mode == "binary" and len(images.class_names) != 2:
            raise ArgumentError(
                f'class_mode="binary" needs two classes; there are {len(images.class_names)}'
            )
        self.images, self.class_mode = images, class_mode
        self.target_size = check_size(target_size, "target_size")
        self.color_mode = check_choice(color_mode, "color_mode", list(CHANNELS))
        self.interpolation = check_choice(interpolation, "interpolation", list(INTERPOLATIONS))
        if keep_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("an image is either cropped or padded to an aspect ratio, not both")
        self.keep_aspect_ratio, self.pad_to_aspect_ratio = keep_aspect_ratio, pad_to_aspect_ratio
        self.upright = upright
        super().__init__(
            len(images.paths),
            (*self.target_size, CHANNELS[color_mode]),
            batch_size,
            positions=positions,
            listed=listed,
            allow_unreadable=allow_unreadable,
            **options,
        )
        self.root = images.root
        self.bad_files += bad_files
        if verbose:
            self._report(bad_files)

    def _report(self, bad_files: BadFiles) -> None:
        """Print how many images were found, and which files were left out."""
        say(found_text(self.images))
        if bad_files:
            say(skipped_text(bad_files, self.images.root))

    @property
    def classes(self) -> np.ndarray:
        """The class index of each file, (n,) int32."""
        return self.images.labels.astype(np.int32)

    @property
    def labels(self) -> Any:
        """The labels of all files."""
        return self.classes

    @property
    def directory(self) -> str:
        """The folder that `filenames` are relative to."""
        return str(self.images.root)

    @property
    def class_names(self) -> list[str] | None:
        """The class names in the order of their indices; None if there are no classes."""
        return self.images.class_names or None

    @property
    def class_indices(self) -> dict[str, int]:
        """The index of each class name."""
        return self.images.class_indices

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.images.class_names)

    @property
    def filenames(self) -> list[str]:
        """The paths of the files, relative to the folder."""
        return self.images.filenames

    @property
    def filepaths(self) -> list[str]:
        """The whole paths of the files."""
        return [str(path) for path in self.images.paths]

    def path_of(self, i: int) -> Path:
        """Return the path of image i."""
        return self.images.paths[i]

    def read(self, i: int) -> np.ndarray:
        """Return image i as a uint8 array (H, W, C)."""
        return decode(
            self.images.paths[i],
            self.target_size,
            self.color_mode,
            self.interpolation,
            upright=self.upright,
            keep_aspect_ratio=self.keep_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
        )

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """Return (x, y), or x alone if there is no class mode."""
        if self.class_mode is None:
            return x
        return x, x.copy() if self.class_mode == "input" else self.labels_of(rows)

    def labels_of(self, rows: np.ndarray) -> np.ndarray:
        """Return y of the images with the indices `rows`."""
        labels = self.images.labels[rows]
        if self.class_mode == "categorical":
            return np.eye(self.num_classes, dtype=np.float32)[labels]
        return labels.astype(np.float32)


def drop_unreadable(
    images: ImageList, threads: int | None = None
) -> tuple[np.ndarray, list[tuple[Path, str]]]:
    """Find the files that are not images by their first bytes, in about 0.03 ms per file.

    An image that is damaged further on is found when it is decoded.

    Returns
    -------
    rows : int64 (n,), indices of the files whose header is valid
    bad_files : (path, reason) of the others
    """
    reasons = map_in_threads(why_unreadable, images.paths, threads)
    rows = np.array([i for i, reason in enumerate(reasons) if reason is None], np.int64)
    return rows, [(p, r) for p, r in zip(images.paths, reasons, strict=True) if r is not None]


def skipped_text(bad_files: BadFiles, root: Path) -> str:
    """Return the message about files that are left out.

    >>> skipped_text([(Path("a/b/1.jpg"), "the file is empty")], Path("a"))
    'Skipped 1 that cannot be read: b/1.jpg (the file is empty). All: minicnn data check a'
    """
    names = first_names(bad_files, root, MAX_NAMES)
    return f"Skipped {len(bad_files)} that cannot be read: {names}. All: minicnn data check {root}"
