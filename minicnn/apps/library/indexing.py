"""Filling a library: pictures are claimed in blocks, read in threads, described and written."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

from minicnn.apps.library.claims import Claims, Wanted, path_of
from minicnn.apps.library.feature_extractor import Described, FeatureExtractor
from minicnn.apps.library.folders import folder_parts
from minicnn.apps.library.foreign import register
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.opening import Library, database_errors
from minicnn.apps.library.picture_jobs import COLUMNS, ReadJob, read_job
from minicnn.apps.library.scanning import Scan, scan
from minicnn.apps.library.together import ALONE, Together, forget_scan, tell_scanned, wait_for_scan
from minicnn.data.parallel import default_threads
from minicnn.support.threads import Job, ThreadPool

BATCH = 32  # pictures that an extractor gets at a time
SECONDS_TO_COUNT = 2.0  # between two counts of what all processes have done
SECONDS_TO_POLL = 0.5

Progress = Callable[[int, int], object]


class Indexed(NamedTuple):
    """What an indexing run did; of several processes of one job, the first one tells of all."""

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
    together: Together = ALONE,
) -> Indexed:
    """Bring a library up to date with folders, and describe the pictures that lack features.

    Other processes may index the same library meanwhile; each picture is described by one of them.
    A kill loses the pictures of one block, which the next run describes, or the other processes of
    the job.

    Parameters
    ----------
    library : it is filled
    directories : folders, which are searched with all that is below them
    extractors : what describes the pictures; each name is one column of features
    force : also remove all pictures of a folder in which none is left
    rebuild : forget the features that another model of the same name made
    progress : called with (pictures done, all that this run found to do)
    stop : asked after each batch; after True, what is done is written and the run ends
    together : which process of a job this is; all of them end when all pictures are described

    Raises
    ------
    FileNotFoundError : a folder does not exist or has lost all its pictures; see `scan`
    ForeignModelError : a model of the same name has made the features of the library
    LibraryError : the database reports an error
    """
    start = time.monotonic()
    with database_errors(library):
        if (
            together.are_several
            and not together.is_first
            and wait_for_scan(library, together, stop)
        ):
            keys = register(library, extractors)
            scanned = Scan(folder_parts(library, directories), 0, 0, 0, 0, 0, {})
        else:
            forget_scan(library, together)
            keys = register(library, extractors, rebuild=rebuild)
            scanned = scan(library, directories, force=force)
        folders = [part.folder for part in scanned.parts]
        wanted = Wanted(library, folders, list(keys.values()))
        filling = _Filling(wanted, extractors, keys, progress, stop, together)
        tell_scanned(library, together)
        if filling.total:
            filling.run()
        described, failed = filling.result()
    return Indexed(scanned, described, failed, filling.stopped, time.monotonic() - start)


class _Filling:
    """One run: what it has to do, and what it has done."""

    def __init__(
        self,
        wanted: Wanted,
        extractors: Sequence[FeatureExtractor],
        keys: Mapping[str, int],
        progress: Progress,
        stop: Callable[[], bool],
        together: Together,
    ) -> None:
        self._wanted, self._alias = wanted, wanted.library.alias
        self._together = together
        self._extractors, self._keys = extractors, keys
        self._progress, self._stop = progress, stop
        self.total = wanted.pictures().count()
        self._complete = wanted.complete() if together.tells_of_all else 0
        self._described, self.stopped = 0, False
        self._failed: list[tuple[str, str]] = []
        self._done, self._counted = 0, 0.0
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
                    if not self._others_work():
                        return
                    time.sleep(SECONDS_TO_POLL)
                    self._tell()
                    self.stopped = self._stop()
                after = pictures[-1].id if pictures else -1

    def result(self) -> tuple[int, list[tuple[str, str]]]:
        """Return how many pictures were described, and which cannot be read."""
        if not self._together.tells_of_all:
            return self._described, self._failed
        return self._wanted.complete() - self._complete, self._wanted.failed()

    def _others_work(self) -> bool:
        """Return whether other processes of the job have pictures, which they may give up."""
        left = self._wanted.pictures().exclude(id__in=list(self._left))
        return self._together.are_several and left.exists()

    def _tell(self) -> None:
        """Tell the progress, which in a job of several processes is that of all."""
        if not self._together.are_several:
            self._progress(self._done, max(self.total, self._done))
        elif time.monotonic() - self._counted >= SECONDS_TO_COUNT:
            self._counted = time.monotonic()
            self._progress(max(self.total - self._wanted.pictures().count(), 0), self.total)

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
            self._tell()
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
        self._described += sum(not one.failure for one in pictures)
        self._failed += [(path_of(one), one.failure) for one in pictures if one.failure]


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
