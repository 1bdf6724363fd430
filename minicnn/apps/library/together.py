"""Several processes of one `mpirun` that fill a library: one compares the folders, for all.

If each of them did, the comparisons of a large folder would take longer than they help, and a
picture that cannot be read would be tried by each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from minicnn.apps.library.models import ScannedJob
from minicnn.apps.library.opening import Library
from minicnn.distributed.launch import Place, job_name, place

SECONDS_TO_POLL = 0.5
# If the first process has not finished by then, it may be dead, and the others compare themselves.
SECONDS_TO_SCAN = 3600.0
KEPT = timedelta(days=1)  # rows of earlier jobs


class Together(NamedTuple):
    """Which process of a job this is. They know each other by the name of the job."""

    here: Place = Place(0, 1)
    job: str = ""

    @property
    def are_several(self) -> bool:
        """Whether other processes work on the same job."""
        return self.here.size > 1 and bool(self.job)

    @property
    def is_first(self) -> bool:
        """Whether this is the first process of its job."""
        return self.here.rank == 0

    @property
    def tells_of_all(self) -> bool:
        """Whether this process says what all of them have done."""
        return self.are_several and self.is_first


ALONE = Together()


def of_environment() -> Together:
    """Return what mpirun says in the environment."""
    return Together(place(), job_name())


def forget_scan(library: Library, together: Together) -> None:
    """Forget earlier jobs, one of which may have had the same name."""
    if together.tells_of_all:
        jobs = ScannedJob.objects.using(library.alias)
        jobs.filter(Q(name=together.job) | Q(at__lt=timezone.now() - KEPT)).delete()


def tell_scanned(library: Library, together: Together) -> None:
    """Let the other processes of the job begin."""
    if together.tells_of_all:
        ScannedJob.objects.using(library.alias).create(name=together.job, at=timezone.now())


def wait_for_scan(library: Library, together: Together, stop: Callable[[], bool]) -> bool:
    """Wait until the first process of the job has compared the folders.

    Return whether it has. If this is that process, or works alone, return False at once.
    """
    if together.is_first or not together.are_several:
        return False
    end = time.monotonic() + SECONDS_TO_SCAN
    scanned = ScannedJob.objects.using(library.alias).filter(name=together.job)
    while time.monotonic() < end and not stop():
        if scanned.exists():
            return True
        time.sleep(SECONDS_TO_POLL)
    return False
