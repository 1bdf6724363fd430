"""The trials of a search: an Optuna study that several processes may share.

Each trial has a number, 0, 1, 2, ..., and is one record of Optuna, or several: if a process is
killed, its trial is repeated under the same number in a new record.

While a process chooses a trial, it holds the storage's lock. So when trial n is chosen, trials 0 to
n - 1 have been chosen, whichever processes did it, and whatever became of these processes.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.tune.folder_storage import FolderStorage
from minicnn.tune.optuna_package import import_optuna, quiet_optuna
from minicnn.tune.pruning import FIRST_TRIALS, new_pruner
from minicnn.tune.record import check_settings, check_trials
from minicnn.tune.sampling import Sampler, number_of, path_of
from minicnn.tune.server_storage import ServerStorage

Storage = FolderStorage | ServerStorage
TRIALS = "trials"  # the folder of the best trials' models


class Study:
    """The trials of one search.

    Parameters
    ----------
    storage : FolderStorage or ServerStorage
        Its record.
    settings : dict
        Settings that must be the same in all processes and resumed runs; the first ones are kept.
    pruner : "median", "hyperband" or None
        Stops unpromising trials early: see `new_pruner`.
    workers : int, optional
        If given, trial n is chosen and pruned by the results of trials 0 to n - workers alone, so
        that as many processes can work at once, and come to the same trials as one. Default: by
        all results that are known at that moment.
    """

    def __init__(
        self,
        storage: Storage,
        settings: dict[str, Any],
        pruner: str | None = None,
        workers: int | None = None,
    ) -> None:
        optuna = import_optuna()
        self.storage = storage
        self.direction = settings["direction"]
        self.states = optuna.trial.TrialState
        self.sampler = Sampler(
            settings["sampler"],
            settings["seed"],
            lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=FIRST_TRIALS),
        )
        self.pruner = new_pruner(pruner, workers)
        depends_on_results = settings["sampler"] == "tpe" or pruner is not None
        self.workers = workers if depends_on_results else None
        storage.prepare()
        with storage.reading(), storage.lock(), quiet_optuna():
            self.optuna = optuna.create_study(
                storage=storage.connect(),
                study_name=storage.study_name,
                direction=self.direction,
                sampler=self.sampler,
                pruner=self.pruner,
                load_if_exists=True,
            )
        self._records()  # those of another program's study are refused
        self.agree("settings", settings)

    def agree(self, name: str, settings: Mapping[str, Any]) -> None:
        """Store the first settings of this name; refuse others: results could not be compared."""
        with self.storage.reading(), self.storage.lock():
            if name not in self.optuna.user_attrs:
                self.optuna.set_user_attr(name, dict(settings))
            known = check_settings(self.optuna.user_attrs[name], self.storage.place)
        differ = [one for one in settings if known.get(one) != settings[one]]
        if differ:
            before = ", ".join(f"{one}={quoted(known.get(one))}" for one in differ)
            now = ", ".join(f"{one}={settings[one]!r}" for one in differ)
            raise ArgumentError(
                f"the search in {self.storage.name} was begun with {before}, and this is {now}; "
                "use the same, or another project_name (overwrite=True deletes the old search)"
            )

    def trials(self) -> list[Any]:
        """All trials that run or have ended, except interrupted ones."""
        return [record for record in self._records() if is_taken(record)]

    def is_ready(self) -> bool:
        """Return whether the results on which the next trial depends are known."""
        if self.workers is None:
            return True
        records = self._records()
        ended = {number_of(record) for record in records if has_result(record)}
        return ended.issuperset(range(_next_number(records) - self.workers + 1))

    def ask(self, worker: str) -> Any:
        """A new trial, or the repetition of an interrupted one. The caller must hold the lock."""
        records = self._records()
        number = _next_number(records)
        chosen = {number_of(record): record for record in records if is_chosen(record)}
        known = chosen[number].user_attrs["values"] if number in chosen else {}
        # Only earlier trials count, and all of them do, even if they have been interrupted. So the
        # choice does not depend on the order in which interrupted trials are repeated.
        paths = [path_of(record) for n, record in sorted(chosen.items()) if n < number]
        results = None
        if self.workers is not None:
            results = self.pruner.results = self._results(records, number - self.workers)
        self.sampler.begin_trial(number, known, paths, results)
        trial = self.optuna.ask()
        trial.set_user_attr("worker", worker)
        trial.set_user_attr("number", number)
        return trial

    def tell(self, trial: Any, score: float | None, state: str = "COMPLETE") -> None:
        """End a trial with state COMPLETE and a score, or PRUNED."""
        with self.storage.reading():
            self.optuna.tell(trial, score, self.states[state])

    def tell_failure(self, trial: Any, reason: str) -> None:
        """End a trial with state FAIL."""
        trial.set_user_attr("reason", reason)
        with self.storage.reading():
            self.optuna.tell(trial, state=self.states.FAIL)

    def end_interrupted(self) -> None:
        """End the records of dead processes, without result. The caller must hold the lock."""
        while any(record.state.name == "WAITING" for record in self._records()):
            self.optuna.tell(self.optuna.ask(), state=self.states.FAIL)  # of an earlier version
        running = [record for record in self._records() if record.state.name == "RUNNING"]
        # A process holds the lock until all values are chosen, so one that did not do so is dead.
        half = [record for record in running if not is_chosen(record)]
        rest = [record for record in running if is_chosen(record)]
        alive = self.storage.alive(record.user_attrs["worker"] for record in rest)
        for record in half + [one for one in rest if one.user_attrs["worker"] not in alive]:
            # A worker that has only lost its connection may end its trial at this moment.
            with suppress(import_optuna().exceptions.UpdateFinishedTrialError):
                self.optuna.tell(record.number, state=self.states.FAIL, skip_if_finished=True)

    def _results(self, records: Iterable[Any], last: int) -> Any:
        """An Optuna study, in memory, of the results of trials 0 to `last`, in this order."""
        ended = [one for one in records if one.state.name in ("COMPLETE", "PRUNED")]
        with quiet_optuna() as optuna:
            study = optuna.create_study(direction=self.direction)
        study.add_trials(sorted((one for one in ended if number_of(one) <= last), key=number_of))
        return study

    def _records(self) -> list[Any]:
        with self.storage.reading():
            records = self.optuna.get_trials(deepcopy=False)
            return check_trials(records, self.storage.place)


def is_chosen(record: Any) -> bool:
    """Return whether all values of a trial were chosen, so that its network could be built."""
    return "values" in record.user_attrs


def is_taken(record: Any) -> bool:
    """Return whether a process works on the trial, or it has ended."""
    return record.state.name == "RUNNING" or has_result(record)


def has_result(record: Any) -> bool:
    """Return whether the trial has ended; a failure of the network, unlike a kill, has a reason."""
    failed = record.state.name == "FAIL" and "reason" in record.user_attrs
    return failed or record.state.name in ("COMPLETE", "PRUNED")


def storage_of(folder: Path, address: str | None = None) -> Storage:
    """The storage of a search: its folder, or the database at this address."""
    return FolderStorage(folder) if address is None else ServerStorage(address, folder.name)


def remove(storage: Storage, folder: Path) -> None:
    """Delete a search: its record and the models in its folder, and no other files.

    Raises
    ------
    ArgumentError : a process works on it
    """
    if storage.is_in_use():
        raise ArgumentError(
            f"processes work on the search in {storage.name}; stop them before you delete it"
        )
    storage.remove()
    shutil.rmtree(folder / TRIALS, ignore_errors=True)


def known_settings(storage: Storage) -> dict[str, Any]:
    """The settings with which a search was started."""
    with storage.reading():
        if not storage.exists():
            raise FileNotFoundError(errno.ENOENT, "no search was begun here", storage.name)
        study = import_optuna().load_study(study_name=storage.study_name, storage=storage.connect())
        return check_settings(study.user_attrs.get("settings"), storage.place)


def trial_id(seed: int, number: int) -> str:
    """A trial's name of 32 hexadecimal digits.

    >>> trial_id(0, 1)
    '0a496bc7b52f0d077f408f5ef288614c'
    """
    return hashlib.blake2b(f"{seed} {number}".encode(), digest_size=16).hexdigest()


def _next_number(records: Iterable[Any]) -> int:
    """The smallest number whose trial is not taken."""
    taken = {number_of(record) for record in records if is_taken(record)}
    return next(number for number in range(len(taken) + 1) if number not in taken)
