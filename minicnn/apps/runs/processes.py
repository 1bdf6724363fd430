"""A run by several processes, which `mpirun` has started: all train, the main one does the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from minicnn import distributed
from minicnn.apps.runs.settings import Settings
from minicnn.errors import ArgumentError
from minicnn.support.main_process import is_main

T = TypeVar("T")


def joined(settings: Settings) -> Settings:
    """Let all processes train together, if there are several or the settings have shards.

    Returns
    -------
    The settings with the number of shards, on which the result depends
    """
    distributed.connect()
    if not (settings.shards or distributed.size() > 1 or distributed.is_initialized()):
        return settings
    settings = settings.changed(shards=settings.shards or distributed.shards())
    distributed.init(settings.shards)
    return settings


def check_resumable(path: Path, settings: Settings) -> None:
    """Raise ArgumentError if several processes resume a run of steps that are not in shards."""
    distributed.connect()
    if distributed.size() > 1 and not settings.shards:
        raise ArgumentError(
            f"{path} was started by one process without --shards, so several would compute other "
            "steps. Resume it without mpirun, or start a new run"
        )


def from_main(make: Callable[[], T]) -> T:
    """Return on all processes what the function returns on the main one, which alone calls it."""
    return distributed.communicator().broadcast(make() if is_main() else None)


def leave_the_rest_to_main() -> None:
    """End this process, with exit code 0, unless it is the main one."""
    if not is_main():
        raise SystemExit(0)


def refuse_several(what: str, advice: str) -> None:
    """Raise ArgumentError if `mpirun` has started several processes for what one process does."""
    distributed.connect()
    if distributed.size() > 1:
        raise ArgumentError(f"{what} cannot be started by mpirun. {advice}")
