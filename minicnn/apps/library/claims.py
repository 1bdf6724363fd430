"""Who works on which pictures, so that several processes fill one library.

On PostgreSQL the rows are locked for a transaction that lasts until they are written. Others skip
locked rows, and the server releases them when a process dies, on whichever machine.

An SQLite file has one writer at a time, so that nobody may stay in a transaction while pictures are
computed. There the claim is a mark in the row, which is ignored when its process has ended or when
it is ten minutes old.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connections, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from minicnn.apps.library.creating import POSTGRESQL
from minicnn.apps.library.models import Features, Folder, Picture
from minicnn.apps.library.opening import Library
from minicnn.support.atomic_files import is_alive, machine_mark

BLOCK = 128  # pictures that a process claims; a kill costs their computation
LASTS = timedelta(minutes=10)

_in_use: set[str] = set()  # the names of the claims of this process


class Wanted(NamedTuple):
    """Which pictures are wanted: all that lack features of these extractors, in these folders."""

    library: Library
    folders: Sequence[Folder]
    extractors: Sequence[int]  # keys of their rows

    def pictures(self) -> QuerySet[Picture]:
        """Return the pictures that can be read and lack something."""
        missing = Q(sha256="")
        for key in self.extractors:
            missing |= ~Exists(Features.objects.filter(picture=OuterRef("pk"), extractor=key))
        return self._readable().filter(missing).order_by("id")

    def complete(self) -> int:
        """Return how many pictures lack nothing."""
        return self._readable().count() - self.pictures().count()

    def failed(self) -> list[tuple[str, str]]:
        """Return (path, reason) of the pictures that cannot be read."""
        pictures = Picture.objects.using(self.library.alias).filter(folder__in=self.folders)
        failed = pictures.exclude(failure="").select_related("folder").order_by("id")
        return [(path_of(one), one.failure) for one in failed]

    def _readable(self) -> QuerySet[Picture]:
        pictures = Picture.objects.using(self.library.alias)
        return pictures.filter(folder__in=self.folders, failure="")


def path_of(picture: Picture) -> str:
    """Return the absolute path of a picture."""
    return os.path.join(picture.folder.path, picture.path)


class Claims:
    """The claims of one run on the wanted pictures.

    Use it as a context manager; no claims are left at the end.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted, self._alias = wanted, wanted.library.alias
        self._locks = connections[self._alias].vendor == POSTGRESQL
        self._name = f"{machine_mark()}-{os.getpid()}-{secrets.token_hex(8)}"

    def __enter__(self) -> Claims:
        _in_use.add(self._name)
        return self

    def __exit__(self, *_: object) -> None:
        _in_use.discard(self._name)

    @contextmanager
    def block(self, after: int, without: Iterable[int] = ()) -> Iterator[list[Picture]]:
        """Claim the next pictures inside the `with` block, where they are computed and written.

        Parameters
        ----------
        after : only pictures with a larger id
        without : not these ids
        """
        pictures = self._wanted.pictures().filter(id__gt=after).exclude(id__in=list(without))
        if self._locks:
            with transaction.atomic(using=self._alias):
                locked = pictures.select_for_update(skip_locked=True, of=("self",))
                yield list(locked.select_related("folder")[:BLOCK])
            return
        claimed = self._mark(pictures)
        try:
            yield claimed
        finally:
            self._mine(claimed).update(claimed_by="", claimed_at=None)

    def still_claimed(self, pictures: Sequence[Picture]) -> set[int]:
        """Return the ids of those that may be written, to be called in the transaction for that.

        A claim is lost when another process takes the picture after ten minutes, or finds that its
        file has changed or is deleted.
        """
        if self._locks:
            return {picture.id for picture in pictures}
        return set(self._mine(pictures).values_list("id", flat=True))

    def _mark(self, pictures: QuerySet[Picture]) -> list[Picture]:
        now = timezone.now()
        with transaction.atomic(using=self._alias):
            free = pictures.exclude(claimed_by__in=self._others(now))
            claimed = list(free.select_related("folder")[:BLOCK])
            keys = [picture.id for picture in claimed]
            rows = Picture.objects.using(self._alias).filter(id__in=keys)
            rows.update(claimed_by=self._name, claimed_at=now)
        return claimed

    def _mine(self, pictures: Sequence[Picture]) -> QuerySet[Picture]:
        keys = [picture.id for picture in pictures]
        return Picture.objects.using(self._alias).filter(id__in=keys, claimed_by=self._name)

    def _others(self, now: datetime) -> list[str]:
        """Return the names of the claims that hold."""
        rows = Picture.objects.using(self._alias).exclude(claimed_by="")
        recent = rows.filter(claimed_at__gt=now - LASTS)
        names = recent.values_list("claimed_by", flat=True).distinct().order_by()
        return [name for name in names if _holds(name)]


def _holds(name: str) -> bool:
    """Return whether the process that made this claim may still be working."""
    machine, process, _ = name.split("-")
    if machine != machine_mark():
        return True  # unknown
    if int(process) == os.getpid():
        return name in _in_use  # else of an earlier process that had the same number
    return is_alive(int(process))
