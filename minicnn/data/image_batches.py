"""Batches of images that threads prepare while the network trains on the batch before."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_flag, check_int
from minicnn.data.image_files import reason_of
from minicnn.data.image_writing import ImageSaver
from minicnn.data.own_rows import are_shared, own_rows
from minicnn.data.parallel import default_threads
from minicnn.data.unreadable import ALLOWED_SHARE, check_share, check_unreadable
from minicnn.errors import ArgumentError, UnreadableImagesError
from minicnn.support.threads import Job, ThreadPool

MAX_IMAGES_PER_JOB = 8
DTYPES = ("uint8", "float16", "float32", "float64")
# Turns an image as it was read into the one in the batch: (image, epoch, position) -> (H, W, C).
Prepare = Callable[[np.ndarray, int, int], np.ndarray]


class ImageBatches:
    """Batches (x, y) of images, prepared by a pool of threads one batch ahead.

    A subclass passes the number of images `n`, reads one image (`read`) and adds the labels
    (`batch_of`). The order of an epoch, and what `prepare` draws at random, depend only on the
    seed, the epoch and the position of an image, not on threads, the batch size or earlier draws. A
    `seed` that is given replaces the one of `set_random_seed`.

    The place of an image that cannot be read stays empty: all other images stay in the batches
    they would be in otherwise. So two sources that are read side by side, such as photos and masks,
    stay aligned.

    Parameters
    ----------
    n : number of images
    image_shape : (H, W, C) of every prepared image
    batch_size : images in a batch; the last one of an epoch may have fewer
    shuffle : whether each epoch has a random order of its own
    seed : default: the seed of `set_random_seed`
    prepare : (image, epoch, position) -> (H, W, C); default: images stay as they are read
    dtype : of x
    threads : default: one per processor
    positions : (n,), the position of each image in the list that they come from, ascending;
        default: 0...n - 1
    listed : length of that list, including images that were left out; default: n
    allow_unreadable : the largest share of the images that may be left out with a warning; beyond
        it UnreadableImagesError is raised
    saver : writes every image of every batch into a folder

    Attributes
    ----------
    n, samples : number of images, under Keras's two names
    positions, batch_size, shuffle, seed, allow_unreadable : as given
    order, index_array : indices of the images of the current epoch, in the order of the batches. An
        image that cannot be read is removed when its turn comes, so after `predict(batches)` row k
        belongs to image `order[k]`
    batch_index : number of the next batch of `next(batches)` in its epoch
    total_batches_seen : batches that were given in any way
    save_to_dir, save_prefix, save_format : those of `saver`
    image_data_generator : the generator that made the batches, if one did
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
        positions: np.ndarray | None = None,
        listed: int | None = None,
        allow_unreadable: float = ALLOWED_SHARE,
        saver: ImageSaver | None = None,
    ) -> None:
        if n == 0:
            raise ArgumentError("there are no images; at least one is needed")
        self.n = self.samples = n
        self.positions = np.arange(n) if positions is None else positions
        # The index of the image at each position, -1 where there is none.
        self._image_at = np.full(n if listed is None else listed, -1)
        self._image_at[self.positions] = np.arange(n)
        self.allow_unreadable = check_share(allow_unreadable)
        self.image_shape = image_shape
        self.batch_size = check_int(batch_size, "batch_size")
        self.shuffle = check_flag(shuffle, "shuffle")
        self.seed = None if seed is None else random.check_seed(seed)
        self.prepare, self.dtype = prepare, np.dtype(check_choice(dtype, "dtype", DTYPES))
        self.threads = default_threads(threads)
        self.saver = saver
        if saver is not None:
            saver.make_folder(image_shape)
        self.order = np.arange(n)
        self.epoch = 0  # the current one of `__iter__` and `[...]`
        self.batch_index = self.total_batches_seen = 0
        self.image_data_generator: Any = None
        self.bad_files: list[tuple[Path, str]] = []
        self._unread: set[int] = set()  # images that are in `order` but could not be read
        self.root: Path | None = None  # file names in messages are relative to it
        self._endless: Iterator[Any] | None = None

    def read(self, i: int) -> np.ndarray:
        """Return image i as an array (H, W, C), or raise OSError if it cannot be read."""
        raise NotImplementedError

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """Return the batch, such as (x, y), of the prepared images `x` with the indices `rows`."""
        raise NotImplementedError

    def path_of(self, i: int) -> Path:
        """Return the path of image i, for messages."""
        return Path(f"image {i}")

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self._image_at) // self.batch_size)

    @property
    def prepares_own_rows(self) -> bool:
        """Whether the rows of a batch do not depend on each other; a user's class may mix them."""
        return type(self).__module__.startswith("minicnn.")

    @property
    def num_batches(self) -> int:
        """The number of batches in an epoch."""
        return len(self)

    @property
    def _images_per_job(self) -> int:
        """The number of images that a thread prepares at a time; each thread has two jobs or more.

        To give a thread a job takes 20 microseconds.
        """
        return max(1, min(MAX_IMAGES_PER_JOB, self.batch_size // (2 * self.threads)))

    @property
    def index_array(self) -> np.ndarray:
        """The same as `order`, under Keras's name."""
        return self.order

    @property
    def save_to_dir(self) -> str | None:
        """The folder into which images are written, if they are."""
        return None if self.saver is None else str(self.saver.folder)

    @property
    def save_prefix(self) -> str:
        """The first part of the names of the written files."""
        return "" if self.saver is None else self.saver.prefix

    @property
    def save_format(self) -> str:
        """The format of the written files."""
        return "png" if self.saver is None else self.saver.file_format

    def order_of(self, epoch: int) -> np.ndarray:
        """Return the indices of all images in the order of an epoch."""
        return np.concatenate(self._batches_of(epoch))

    def _batches_of(self, epoch: int) -> list[np.ndarray]:
        """Return the indices of the images in each batch; empty positions count in its size."""
        rows = self._image_at
        if self.shuffle:
            rows = rows[random.epoch_order(len(rows), epoch, self.seed)]
        cut = [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        return [batch[batch >= 0] for batch in cut]

    def for_epoch(self, epoch: int) -> Iterator[Any]:
        """Yield the batches of one epoch, the same ones in every call."""
        self._check_bad_files()  # raises again if the caller continues after the error
        batches = self._batches_of(epoch)
        self.order = np.concatenate(batches)
        pool = ThreadPool(self.threads, "minicnn-images")
        try:
            coming = self._begin(pool, batches[0], epoch)
            for rows, following in zip(batches, [*batches[1:], None], strict=True):
                x, own, tasks = coming
                reasons = [reason for task in tasks for reason in task.result()]
                if own.stop - own.start < len(rows):
                    reasons = self._reasons_of_all(rows, own, reasons)
                # Begun before this batch is used, so that the two overlap.
                if following is not None:
                    coming = self._begin(pool, following, epoch)
                yield from self._finished(x, rows, reasons, epoch)
        finally:
            pool.close(wait=False)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over batches without end, epoch after epoch, as in Keras; see `for_epoch`."""
        return self

    def __next__(self) -> Any:
        """Return the next batch of the endless iteration."""
        if self._endless is None:
            self._endless = self._all_epochs()
        return next(self._endless)

    def _all_epochs(self) -> Iterator[Any]:
        while True:
            for batch in self.for_epoch(self.epoch):
                self.batch_index = (self.batch_index + 1) % len(self)
                yield batch
            self.batch_index = 0
            self.epoch += 1

    def reset(self) -> None:
        """Let `next(batches)` begin an epoch, if it is not at the beginning of one."""
        if self._endless is not None:
            self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Go to the next epoch, which has another order if batches are shuffled."""
        self._endless, self.batch_index = None, 0
        self.epoch += 1

    def __getitem__(self, number: int) -> Any:
        """Return batch `number` of the epoch `self.epoch`."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"there are {len(self)} batches; got number {number}")
        rows = self._batches_of(self.epoch)[number]
        x = self._empty_batch(rows)
        reasons = self._fill_several(x, 0, rows, self.epoch)
        read = self._note_unread(rows, reasons)
        self.total_batches_seen += 1
        return self.batch_of(x[read], rows[read])

    def _empty_batch(self, rows: np.ndarray) -> np.ndarray:
        shape = (len(rows), *self.image_shape)
        # The rows of other processes stay zeros: what has never been written may look like NaN.
        return np.zeros(shape, self.dtype) if are_shared() else np.empty(shape, self.dtype)

    def _begin(
        self, pool: ThreadPool, rows: np.ndarray, epoch: int
    ) -> tuple[np.ndarray, slice, list[Job[list[str | None]]]]:
        """Start to fill the rows of a batch that are needed here.

        Returns the batch, these rows, and jobs, each of which returns what `_fill_several` does.
        """
        x, step, own = self._empty_batch(rows), self._images_per_job, own_rows(len(rows))
        # The pool's threads draw with the seed of this thread.
        fill = random.bind_seed(self._fill_several)
        firsts = range(own.start, own.stop, step)
        jobs = [pool.submit(fill, x, k, rows[k : min(k + step, own.stop)], epoch) for k in firsts]
        return x, own, jobs

    def _reasons_of_all(
        self, rows: np.ndarray, own: slice, reasons: list[str | None]
    ) -> list[str | None]:
        """Return why each image of a batch could not be read, of which only some were read here.

        Raises UnreadableImagesError: the other processes would keep an image that is left out here.
        """
        for i, reason in zip(rows[own].tolist(), reasons, strict=True):
            if reason is not None:
                raise UnreadableImagesError(
                    self.path_of(i),
                    reason,
                    f"cannot read {self.path_of(i)} ({reason}), and images cannot be left out of a "
                    "training on several processes. To find all such files: minicnn data check",
                )
        return [None] * own.start + reasons + [None] * (len(rows) - own.stop)

    def _fill_several(
        self, x: np.ndarray, first: int, rows: np.ndarray, epoch: int
    ) -> list[str | None]:
        """Prepare images as rows `first`, first + 1, ... of the batch.

        Returns why each of them could not be read, or None.
        """
        # First all are read, then all are prepared: the processor's caches do not have room for
        # the code of both. That takes 25 % less time (64 x 64 pixels, AMD EPYC 9005, 2026-11).
        images = [self._read_or_reason(i) for i in rows.tolist()]
        for k, (i, image) in enumerate(zip(rows.tolist(), images, strict=True), first):
            if not isinstance(image, str):
                position = int(self.positions[i])
                x[k] = image if self.prepare is None else self.prepare(image, epoch, position)
        return [image if isinstance(image, str) else None for image in images]

    def _read_or_reason(self, i: int) -> np.ndarray | str:
        """Return image i, or why it could not be read."""
        try:
            return self.read(i)
        except OSError as error:
            return reason_of(error)

    def _note_unread(self, rows: np.ndarray, reasons: list[str | None]) -> np.ndarray:
        """Return a mask of the images that could be read; warn of the others.

        Raises UnreadableImagesError if there are too many others.
        """
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
        """Raise UnreadableImagesError if more files are bad than allowed."""
        check_unreadable(self.bad_files, len(self._image_at), self.allow_unreadable, self.root)

    def _finished(
        self, x: np.ndarray, rows: np.ndarray, reasons: list[str | None], epoch: int
    ) -> Iterator[Any]:
        """Yield the batch without the images that could not be read, if any is left."""
        read = self._note_unread(rows, reasons)
        if not read.all():
            self.order = self.order[~np.isin(self.order, rows[~read])]
            x, rows = x[read], rows[read]
        if len(rows):
            if self.saver is not None:
                self.saver.write(x, self.positions[rows], epoch)
            self.total_batches_seen += 1
            yield self.batch_of(x, rows)
