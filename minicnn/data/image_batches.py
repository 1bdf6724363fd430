"""Batches of images made by threads while the batch before is trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_flag, check_int, shape_text
from minicnn.data.images import (
    CHANNELS,
    IMAGE_EXTENSIONS,
    PathLike,
    default_threads,
    reason_of,
    save_img,
)
from minicnn.data.unreadable import USUAL_SHARE, check_share, check_unreadable
from minicnn.errors import ArgumentError, ShapeError
from minicnn.support.threads import Job, Threads

DTYPES = ("uint8", "float16", "float32", "float64")
# What makes the array that is learned from: (image, epoch, the image's place) -> (H, W, C).
Prepare = Callable[[np.ndarray, int, int], np.ndarray]


class ImageBatches:
    """Batches (x, y) of images, made one by one in a pool of threads, one batch ahead of their use.

    A subclass says how many images there are (`n`), reads one (`read`) and knows labels
    (`batch_of`). The order of an epoch, and what `prepare` may draw, depend on the seed, the epoch
    and an image's place alone: not on threads, batch size or what was drawn before. A given seed
    decides alone, whatever `set_random_seed` set.

    An image that cannot be read leaves its place empty: the others stay in the batches in which
    they would be with it, so that two sources that are read side by side (photos and masks) stay
    in step.

    Attributes
    ----------
    n, samples : images; the same number under Keras's two names
    places : (n,): the place of each image among all that were listed, with those that were left
        out from the beginning
    batch_size, shuffle, seed : as given
    order : numbers of the images of the epoch under way, in the order of the batches. An image that
        could not be read is taken out when its turn comes, so after `predict(batches)` the row k
        is that of image `order[k]`
    bad_files : (path, reason) of each image that could not be read
    allow_unreadable : the largest share of the images that is left out with a warning; more are an
        UnreadableImagesError
    """

    def __init__(
        self,
        n: int,
        image_shape: tuple[int, int, int],
        batch_size: int = 32,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        prepare: Prepare | None = None,
        dtype: str = "float32",
        threads: int | None = None,
        places: np.ndarray | None = None,
        listed: int | None = None,
        allow_unreadable: float = USUAL_SHARE,
    ) -> None:
        if n == 0:
            raise ArgumentError("there are no images; at least one is needed")
        self.n = self.samples = n
        self.places = np.arange(n) if places is None else places
        self._rows = np.full(n if listed is None else listed, -1)  # of each place; -1: it is empty
        self._rows[self.places] = np.arange(n)
        self.allow_unreadable = check_share(allow_unreadable)
        self.image_shape = image_shape
        self.batch_size = check_int(batch_size, "batch_size")
        self.shuffle = check_flag(shuffle, "shuffle")
        self.seed = None if seed is None else random.check_seed(seed)
        self.prepare, self.dtype = prepare, np.dtype(check_choice(dtype, "dtype", DTYPES))
        self.threads = default_threads(threads)
        self.order = np.arange(n)
        self.epoch = 0  # that `__iter__` and `[...]` are in
        self.bad_files: list[tuple[Path, str]] = []
        self._unread: set[int] = set()  # images that were listed, and then could not be read
        self.root: Path | None = None  # of the files' names in messages
        self.saves: Saves | None = None
        self._endless: Iterator[Any] | None = None

    def read(self, i: int) -> np.ndarray:
        """Image i, (H, W, C); raises OSError if it cannot be read."""
        raise NotImplementedError

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """What a batch of the images `rows`, prepared, is handed out as."""
        raise NotImplementedError

    def path_of(self, i: int) -> Path:
        """Where image i is, for messages."""
        return Path(f"image {i}")

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._rows) // self.batch_size)

    def order_of(self, epoch: int) -> np.ndarray:
        """Numbers of all images, in an epoch's order."""
        return np.concatenate(self._batches_of(epoch))

    def _batches_of(self, epoch: int) -> list[np.ndarray]:
        """The numbers of the images in each batch; a place without an image counts in its size."""
        rows = self._rows
        if self.shuffle:
            rows = rows[random.generator("shuffle", epoch, seed=self.seed).permutation(len(rows))]
        cut = [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        return [batch[batch >= 0] for batch in cut]

    def for_epoch(self, epoch: int) -> Iterator[Any]:
        """The batches of one epoch; the same whenever it is asked for."""
        self._check_bad_files()  # for those that ask once more after the error
        batches = self._batches_of(epoch)
        self.order = np.concatenate(batches)
        pool = Threads(self.threads, "minicnn-images")
        try:
            coming = self._begin(pool, batches[0], epoch)
            for rows, following in zip(batches, [*batches[1:], None], strict=True):
                x, tasks = coming
                reasons = [task.result() for task in tasks]
                # Before this batch is used: the next one is read meanwhile.
                if following is not None:
                    coming = self._begin(pool, following, epoch)
                yield from self._finished(x, rows, reasons, epoch)
        finally:
            pool.close(wait=False)

    def __iter__(self) -> Iterator[Any]:
        """Batches without end, epoch after epoch, as Keras's; `for_epoch` gives those of one."""
        return self

    def __next__(self) -> Any:
        """The next batch of that endless row."""
        if self._endless is None:
            self._endless = self._all_epochs()
        return next(self._endless)

    def _all_epochs(self) -> Iterator[Any]:
        while True:
            yield from self.for_epoch(self.epoch)
            self.epoch += 1

    def __getitem__(self, number: int) -> Any:
        """Batch `number` of the epoch that `self.epoch` says."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"there are {len(self)} batches; got number {number}")
        rows = self._batches_of(self.epoch)[number]
        x = self._room(rows)
        reasons = [self._fill(x, k, int(i), self.epoch) for k, i in enumerate(rows)]
        read = self._read(rows, reasons)
        return self.batch_of(x[read], rows[read])

    def _room(self, rows: np.ndarray) -> np.ndarray:
        return np.empty((len(rows), *self.image_shape), self.dtype)

    def _begin(
        self, pool: Threads, rows: np.ndarray, epoch: int
    ) -> tuple[np.ndarray, list[Job[str | None]]]:
        """A batch that is being filled: each task says why its image could not be read, if so."""
        x = self._room(rows)
        fill = random.carried(self._fill)  # what the pool draws depends on this thread's seed
        return x, [pool.submit(fill, x, k, int(i), epoch) for k, i in enumerate(rows)]

    def _fill(self, x: np.ndarray, k: int, i: int, epoch: int) -> str | None:
        try:
            image = self.read(i)
        except OSError as error:
            return reason_of(error)
        x[k] = image if self.prepare is None else self.prepare(image, epoch, int(self.places[i]))
        return None

    def _read(self, rows: np.ndarray, reasons: list[str | None]) -> np.ndarray:
        """Which images of a batch could be read; the others are noted, and refused if too many."""
        unread = [
            (i, reason)
            for i, reason in zip(rows.tolist(), reasons, strict=True)
            if reason is not None and i not in self._unread
        ]
        self._unread |= {i for i, _ in unread}
        before = len(self.bad_files)
        self.bad_files += [(self.path_of(i), reason) for i, reason in unread]
        self._check_bad_files()
        for count, (path, reason) in enumerate(self.bad_files[before:], before + 1):
            warnings.warn(
                f"cannot read {path} ({reason}). Skipped; {count} so far. List: minicnn data check",
                stacklevel=2,
            )
        return np.array([reason is None for reason in reasons], bool)

    def _check_bad_files(self) -> None:
        """Raise UnreadableImagesError if there are too many of them."""
        check_unreadable(self.bad_files, len(self._rows), self.allow_unreadable, self.root)

    def _finished(
        self, x: np.ndarray, rows: np.ndarray, reasons: list[str | None], epoch: int
    ) -> Iterator[Any]:
        """The batch without images that could not be read; nothing if none could."""
        read = self._read(rows, reasons)
        if not read.all():
            self.order = self.order[~np.isin(self.order, rows[~read])]
            x, rows = x[read], rows[read]
        if len(rows):
            if self.saves is not None:
                self.saves.write(x, self.places[rows], epoch)
            yield self.batch_of(x, rows)


class Saves:
    """Writes what was made of the images into a folder, to look at."""

    def __init__(
        self, folder: PathLike, prefix: str, file_format: str, image_shape: tuple[int, int, int]
    ) -> None:
        self.folder, self.prefix = Path(folder), prefix
        known = [ending[1:] for ending in IMAGE_EXTENSIONS]
        self.file_format = check_choice(file_format, "save_format", known)
        if image_shape[2] not in CHANNELS.values():
            raise ShapeError(
                f"save_to_dir writes images of 1, 3 or 4 channels; these are "
                f"{shape_text(image_shape)}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, x: np.ndarray, rows: np.ndarray, epoch: int) -> None:
        """One file an image, named by its number and the epoch."""
        for image, i in zip(x, rows, strict=True):
            save_img(self.folder / f"{self.prefix}_{i}_{epoch}.{self.file_format}", image)
