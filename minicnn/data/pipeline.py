"""Batches of images made by threads while the batch before is trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_flag, check_int
from minicnn.data.images import PathLike, array_to_img, default_threads, reason_of
from minicnn.threads import Job, Threads

# What makes the array that is learned from: (image, epoch, the image's number) -> (H, W, C).
Prepare = Callable[[np.ndarray, int, int], np.ndarray]


class ImageBatches:
    """Batches (x, y) of images, made one by one in a pool of threads, one batch ahead of their use.

    A subclass says how many images there are (`n`), reads one (`read`) and knows labels
    (`batch_of`). The order of an epoch, and what `prepare` may draw, depend on the seed, the epoch
    and an image's number alone: not on threads, batch size or what was drawn before.

    Attributes
    ----------
    n, samples : images; the same number under Keras's two names
    batch_size, shuffle, seed : as given
    order : numbers of the images of the epoch under way, in the order of the batches. An image that
        could not be read is taken out when its turn comes, so after `predict(batches)` the row k
        is that of image `order[k]`
    bad_files : (path, reason) of each image that could not be read
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
    ) -> None:
        self.n = self.samples = n
        self.image_shape = image_shape
        self.batch_size = check_int(batch_size, "batch_size")
        self.shuffle = check_flag(shuffle, "shuffle")
        self.seed = None if seed is None else check_int(seed, "seed", 0)
        self.prepare, self.dtype = prepare, np.dtype(dtype)
        self.threads = default_threads(threads)
        self.order = np.arange(n)
        self.epoch = 0  # that `__iter__` and `[...]` are in
        self.bad_files: list[tuple[Path, str]] = []
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
        return -(-self.n // self.batch_size)

    def order_of(self, epoch: int) -> np.ndarray:
        """Numbers of all images, in an epoch's order."""
        if not self.shuffle:
            return np.arange(self.n)
        seed = () if self.seed is None else (self.seed,)
        return random.generator("shuffle", *seed, epoch).permutation(self.n)

    def for_epoch(self, epoch: int) -> Iterator[Any]:
        """The batches of one epoch; the same whenever it is asked for."""
        order = self.order = self.order_of(epoch)
        batches = [order[i : i + self.batch_size] for i in range(0, self.n, self.batch_size)]
        pool = Threads(self.threads, "minicnn-images")
        try:
            coming = self._begin(pool, batches[0], epoch) if batches else None
            for rows, following in zip(batches, [*batches[1:], None], strict=True):
                x, tasks = coming  # type: ignore[misc]
                read = [task.result() for task in tasks]
                # Before this batch is used: the next one is read meanwhile.
                coming = None if following is None else self._begin(pool, following, epoch)
                yield from self._finished(x, rows, np.array(read, bool), epoch)
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
        start = number % len(self) * self.batch_size
        rows = self.order_of(self.epoch)[start : start + self.batch_size]
        x = self._room(rows)
        read = [self._fill(x, k, int(i), self.epoch) for k, i in enumerate(rows)]
        return self.batch_of(x[read], rows[read])

    def _room(self, rows: np.ndarray) -> np.ndarray:
        return np.empty((len(rows), *self.image_shape), self.dtype)

    def _begin(
        self, pool: Threads, rows: np.ndarray, epoch: int
    ) -> tuple[np.ndarray, list[Job[bool]]]:
        """A batch that is being filled: each task says whether its image could be read."""
        x = self._room(rows)
        fill = random.carried(self._fill)  # what the pool draws depends on this thread's seed
        return x, [pool.submit(fill, x, k, int(i), epoch) for k, i in enumerate(rows)]

    def _fill(self, x: np.ndarray, k: int, i: int, epoch: int) -> bool:
        try:
            image = self.read(i)
        except OSError as error:
            self._note(self.path_of(i), reason_of(error))
            return False
        x[k] = image if self.prepare is None else self.prepare(image, epoch, i)
        return True

    def _note(self, path: Path, reason: str) -> None:
        if path not in (known for known, _ in self.bad_files):
            self.bad_files.append((path, reason))
            warnings.warn(
                f"cannot read {path} ({reason}). Skipped; {len(self.bad_files)} so far. "
                "List: minicnn data check",
                stacklevel=2,
            )

    def _finished(
        self, x: np.ndarray, rows: np.ndarray, read: np.ndarray, epoch: int
    ) -> Iterator[Any]:
        """The batch without images that could not be read; nothing if none could."""
        if not read.all():
            self.order = self.order[~np.isin(self.order, rows[~read])]
            x, rows = x[read], rows[read]
        if len(rows):
            if self.saves is not None:
                self.saves.write(x, rows, epoch)
            yield self.batch_of(x, rows)


class Saves:
    """Writes what was made of the images into a folder, to look at."""

    def __init__(self, folder: PathLike, prefix: str = "", file_format: str = "png") -> None:
        self.folder, self.prefix, self.file_format = Path(folder), prefix, file_format

    def write(self, x: np.ndarray, rows: np.ndarray, epoch: int) -> None:
        """One file an image, named by its number and the epoch."""
        for image, i in zip(x, rows, strict=True):
            name = f"{self.prefix}_{i}_{epoch}.{self.file_format}"
            array_to_img(image).save(self.folder / name)
