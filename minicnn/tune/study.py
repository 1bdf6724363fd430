"""A search's record on disk: an Optuna study in a folder, which several processes may share.

journal.log      every choice and every epoch's result, one per line, in Optuna's journal format
lock             locked while a trial is chosen, so that no two processes choose the same
workers/         one file per working process, locked as long as the process lives
trials/          the best trials' models
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra
from minicnn.support.files import open_regular
from minicnn.support.locks import FileLock, is_locked, locked
from minicnn.tune.record import check_settings, check_trials, drop_torn_line, reading
from minicnn.tune.sampling import Sampler, number_of, path_of

JOURNAL, JOURNAL_LOCK, LOCK = "journal.log", "journal.lock", "lock"
WORKERS, TRIALS = "workers", "trials"
NAME = "search"
FIRST_TRIALS = 5  # number of random trials before TPE proposes and before the median prunes
PRUNERS = ("median", "hyperband")


class Study:
    """The trials of one search.

    Parameters
    ----------
    folder : Path
        A folder for this search alone; it is created if it does not exist.
    settings : dict
        Settings that must be the same in all processes and resumed runs; the first ones are kept.
    pruner : "median", "hyperband" or None
        "median" stops a trial that is worse than half of the others were at that epoch.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], pruner: str | None = None) -> None:
        self.folder = folder
        (folder / WORKERS).mkdir(parents=True, exist_ok=True)
        (folder / TRIALS).mkdir(exist_ok=True)
        optuna = import_optuna()
        self.states = optuna.trial.TrialState
        self.sampler = Sampler(
            settings["sampler"],
            settings["seed"],
            lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=FIRST_TRIALS),
        )
        with locked(folder / LOCK):
            self.optuna = _open(optuna, folder, settings, self.sampler, pruner)
            self._agree(settings)

    def trials(self) -> list[Any]:
        """All trials that run or have ended, except interrupted ones."""
        return [t for t in self._all() if t.state.name != "WAITING" and not _is_interrupted(t)]

    def ask(self, worker: str) -> Any:
        """A new trial, or the repetition of an interrupted one. The caller must hold the lock."""
        self.sampler.paths = [path_of(trial) for trial in self.trials()]
        every = self._all()
        if not any(trial.state.name == "WAITING" for trial in every):
            number = max((number_of(trial) for trial in every), default=-1) + 1
            self.optuna.enqueue_trial({}, user_attrs={"number": number})
        trial = self.optuna.ask()
        trial.set_user_attr("worker", worker)
        return trial

    def tell(self, trial: Any, score: float | None, state: str = "COMPLETE") -> None:
        """End a trial with state COMPLETE and a score, or PRUNED."""
        self.optuna.tell(trial, score, self.states[state])

    def tell_failure(self, trial: Any, reason: str) -> None:
        """End a trial with state FAIL."""
        trial.set_user_attr("reason", reason)
        self.optuna.tell(trial, state=self.states.FAIL)

    def requeue_interrupted(self) -> None:
        """Queue the trials of dead processes for repetition. The caller must hold the lock."""
        every = self._all()
        planned = {number_of(trial) for trial in every if trial.state.name == "WAITING"}
        for trial in every:
            if trial.state.name != "RUNNING" or self._is_alive(trial.user_attrs.get("worker")):
                continue
            # Queue first, then end: if this process is killed in between, the trial still runs, is
            # found again here, and is not queued a second time.
            number = number_of(trial)
            if number not in planned and "reason" not in trial.user_attrs:
                self.optuna.enqueue_trial(trial.params, user_attrs={"number": number})
            self.optuna.tell(trial.number, state=self.states.FAIL)

    def _all(self) -> list[Any]:
        journal = self.folder / JOURNAL
        with reading(journal):
            return check_trials(self.optuna.get_trials(deepcopy=False), journal)

    def _is_alive(self, worker: str | None) -> bool:
        if worker is None:  # its process was killed between two lines of `ask`
            return False
        return is_locked(self.folder / WORKERS / worker)

    def _agree(self, settings: dict[str, Any]) -> None:
        """Store the first settings; refuse others, because their results cannot be compared."""
        if "settings" not in self.optuna.user_attrs:
            self.optuna.set_user_attr("settings", settings)
        known = check_settings(self.optuna.user_attrs["settings"], self.folder / JOURNAL)
        if known != settings:
            differ = [name for name in settings if known.get(name) != settings[name]]
            before = ", ".join(f"{name}={quoted(known.get(name))}" for name in differ)
            now = ", ".join(f"{name}={settings[name]!r}" for name in differ)
            raise ArgumentError(
                f"the search in {self.folder} was begun with {before}, and this is {now}; use the "
                "same settings, or choose another folder (overwrite=True deletes the old search)"
            )


def _is_interrupted(trial: Any) -> bool:
    """Return whether the process ended before the trial; a failure of the network has a reason."""
    return trial.state.name == "FAIL" and "reason" not in trial.user_attrs


def remove(folder: Path) -> None:
    """Delete the files of a search from its folder, and no others."""
    for name in (JOURNAL, JOURNAL_LOCK, LOCK):
        (folder / name).unlink(missing_ok=True)
    for name in (WORKERS, TRIALS):
        shutil.rmtree(folder / name, ignore_errors=True)


def known_settings(folder: Path) -> dict[str, Any]:
    """The settings with which the search in this folder was started."""
    if not (folder / JOURNAL).exists():
        raise FileNotFoundError(errno.ENOENT, "no search was begun in this folder", str(folder))
    optuna = import_optuna()
    with reading(folder / JOURNAL):
        study = optuna.load_study(study_name=NAME, storage=_storage(optuna, folder))
        return check_settings(study.user_attrs.get("settings"), folder / JOURNAL)


def trial_id(seed: int, number: int) -> str:
    """A trial's name of 32 hexadecimal digits.

    >>> trial_id(0, 1)
    '0a496bc7b52f0d077f408f5ef288614c'
    """
    return hashlib.blake2b(f"{seed} {number}".encode(), digest_size=16).hexdigest()


@contextmanager
def working(folder: Path) -> Iterator[str]:
    """Register this process as a worker inside the block, and yield its name.

    The worker's file is locked, so that other processes can see whether this one still lives.
    """
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    path = folder / WORKERS / name
    try:
        with locked(path):
            yield name
    finally:
        path.unlink(missing_ok=True)


def import_optuna() -> Any:
    """Import Optuna; the error for a missing one says how to install it."""
    try:
        import optuna
    except ModuleNotFoundError as err:
        raise missing_extra("a search needs Optuna", "tune") from err
    return optuna


def _open(
    optuna: Any, folder: Path, settings: dict[str, Any], sampler: Sampler, pruner: str | None
) -> Any:
    with locked(folder / JOURNAL_LOCK):
        drop_torn_line(folder / JOURNAL)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with reading(folder / JOURNAL):
            return optuna.create_study(
                storage=_storage(optuna, folder),
                study_name=NAME,
                direction=settings["direction"],
                sampler=sampler,
                pruner=_pruner(optuna, pruner),
                load_if_exists=True,
            )
    finally:
        optuna.logging.set_verbosity(verbosity)


def _pruner(optuna: Any, name: str | None) -> Any:
    if name is None:
        return optuna.pruners.NopPruner()
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS)
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner()
    raise ArgumentError(f"pruner must be one of {[*PRUNERS, None]}; got {name!r}")


def _storage(optuna: Any, folder: Path) -> Any:
    with suppress(FileNotFoundError):
        open_regular(folder / JOURNAL).close()  # Optuna would wait for a pipe
    # Optuna's own locks last half a minute after a process was killed that held one.
    lock = FileLock(folder / JOURNAL_LOCK)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL), lock)
    return optuna.storages.JournalStorage(backend)
