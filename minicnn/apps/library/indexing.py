"""Filling a library: pictures are claimed in blocks, read in threads, described and written."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

from minicnn.apps.library.claims import Claims, Wanted
from minicnn.apps.library.feature_extractor import Described, FeatureExtractor
from minicnn.apps.library.foreign import register
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.opening import Library, database_errors
from minicnn.apps.library.picture_jobs import COLUMNS, ReadJob, read_job
from minicnn.apps.library.scanning import Scan, scan
from minicnn.data.parallel import default_threads
from minicnn.support.threads import Job, ThreadPool

BATCH = 32  # pictures that an extractor gets at a time

Progress = Callable[[int, int], object]


class Indexed(NamedTuple):
    """What an indexing run did."""

    scan: Scan
    described: int  # pictures
    failed: list[tuple[str, str]]  # (path, reason) of those that cannot be read
    stopped: bool  # before the end
    seconds: float


def index(
    library: Library,
    directories: Sequence[str | os.PathLike[str]],
    extractors: Sequence[FeatureExtractor],
    *,
    force: bool = False,
    rebuild: bool = False,
    progress: Progress = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> Indexed:
    """Bring a library up to date with folders, and describe the pictures that lack features.

    Other processes may index the same library meanwhile; each picture is described by one of them.
    A kill loses the pictures of one block, which the next run describes.

    Parameters
    ----------
    library : it is filled
    directories : folders, which are searched with all that is below them
    extractors : what describes the pictures; each name is one column of features
    force : also remove all pictures of a folder in which none is left
    rebuild : forget the features that another model of the same name made
    progress : called with (pictures done, all that this run found to do)
    stop : asked after each batch; after True, what is done is written and the run ends

    Raises
    ------
    FileNotFoundError : a folder does not exist or has lost all its pictures; see `scan`
    ForeignModelError : a model of the same name has made the features of the library
    LibraryError : the database reports an error
    """
    start = time.monotonic()
    with database_errors(library):
        keys = register(library, extractors, rebuild=rebuild)
        scanned = scan(library, directories, force=force)
        folders = [part.folder for part in scanned.parts]
        wanted = Wanted(library, folders, list(keys.values()))
        filling = _Filling(wanted, extractors, keys, progress, stop)
        if filling.total:
            filling.run()
    seconds = time.monotonic() - start
    return Indexed(scanned, filling.described, filling.failed, filling.stopped, seconds)


class _Filling:
    """One run: what it has to do, and what it has done."""

    def __init__(
        self,
        wanted: Wanted,
        extractors: Sequence[FeatureExtractor],
        keys: Mapping[str, int],
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self._wanted, self._alias = wanted, wanted.library.alias
        self._extractors, self._keys = extractors, keys
        self._progress, self._stop = progress, stop
        self.total = wanted.pictures().count()
        self.described, self.stopped = 0, False
        self.failed: list[tuple[str, str]] = []
        self._done = 0
        self._left: set[int] = set()  # pictures that this run does not try again

    def run(self) -> None:
        """Do block after block, and look again from the start for what others have given up."""
        after = -1
        with ThreadPool(default_threads(None)) as pool, Claims(self._wanted) as claims:
            while not self.stopped:
                with claims.block(after, self._left) as pictures:
                    if pictures:
                        self._block(pictures, pool, claims)
                if not pictures and after < 0:
                    return
                after = pictures[-1].id if pictures else -1

    def _block(self, pictures: list[Picture], pool: ThreadPool, claims: Claims) -> None:
        """Describe the pictures of a block and write them, in one transaction."""
        missing = self._missing(pictures)
        self._left |= {key for key, extractors in missing.items() if not extractors}
        jobs = [pool.submit(read_job, one, missing[one.id]) for one in pictures if missing[one.id]]
        found: list[ReadJob] = []
        described: list[Features] = []
        for batch in _batches(jobs):
            read = [one for one in batch if one is not None]
            described += self._describe(read)
            found += read
            self._done += len(batch)
            self._progress(self._done, max(self.total, self._done))
            if self._stop():
                self.stopped = True
                break
        if not self.stopped:
            self._remove_gone(pictures, missing, found)
        self._write(found, described, claims)

    def _missing(self, pictures: Sequence[Picture]) -> dict[int, list[FeatureExtractor]]:
        """Return the extractors that have not described each picture.

        On PostgreSQL the query for the block may also have returned pictures that another process
        has described since it began.
        """
        rows = Features.objects.using(self._alias).filter(picture__in=[one.id for one in pictures])
        has = defaultdict(set)
        for picture, extractor in rows.values_list("picture", "extractor"):
            has[picture].add(extractor)
        return {
            one.id: [each for each in self._extractors if self._keys[each.name] not in has[one.id]]
            for one in pictures
        }

    def _describe(self, read: Sequence[ReadJob]) -> Iterator[Features]:
        """Yield the rows of features of a batch, extractor by extractor."""
        for extractor in self._extractors:
            jobs = [one for one in read if extractor.name in one.images]
            images = [one.images[extractor.name] for one in jobs]
            for job, said in zip(jobs, extractor.describe(images) if jobs else [], strict=True):
                yield _features(job.picture, self._keys[extractor.name], said)

    def _remove_gone(
        self,
        pictures: Sequence[Picture],
        missing: Mapping[int, Sequence[FeatureExtractor]],
        found: Sequence[ReadJob],
    ) -> None:
        """Remove pictures whose files have vanished since the folders were searched."""
        gone = {one.id for one in pictures if missing[one.id]} - {one.picture.id for one in found}
        self._left |= gone
        Picture.objects.using(self._alias).filter(id__in=gone, sha256="").delete()

    def _write(
        self, found: Sequence[ReadJob], described: Sequence[Features], claims: Claims
    ) -> None:
        with transaction.atomic(using=self._alias):
            may = claims.still_claimed([one.picture for one in found])
            self._left |= {one.picture.id for one in found} - may
            pictures = [one.picture for one in found if one.picture.id in may]
            Picture.objects.using(self._alias).bulk_create(
                pictures, update_conflicts=True, update_fields=COLUMNS, unique_fields=["id"]
            )
            Features.objects.using(self._alias).bulk_create(
                [one for one in described if one.picture_id in may]
            )
        self.described += sum(not one.failure for one in pictures)
        self.failed += [
            (os.path.join(one.folder.path, one.path), one.failure)
            for one in pictures
            if one.failure
        ]


def _batches(jobs: Sequence[Job[ReadJob | None]]) -> Iterator[list[ReadJob | None]]:
    for start in range(0, len(jobs), BATCH):
        yield [job.result() for job in jobs[start : start + BATCH]]


def _features(picture: Picture, extractor: int, said: Described) -> Features:
    label, probability = said.top[0] if said.top else ("", None)
    return Features(
        picture=picture,
        extractor_id=extractor,
        vector=said.vector,
        label=label,
        probability=probability,
        top=[list(pair) for pair in said.top],
    )
