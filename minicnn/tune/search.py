"""Tuners: choose hyperparameters, train the network, record its score, and repeat."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from minicnn import random
from minicnn.callbacks.monitor import Monitor
from minicnn.checks import check_int
from minicnn.errors import ArgumentError, MiniCNNError, NumericError, ShapeError, SizeLimitError
from minicnn.models import Model, load_model
from minicnn.support.text import say
from minicnn.tune import figures, report
from minicnn.tune.fit_settings import fit_settings
from minicnn.tune.results import Result, results_of
from minicnn.tune.sampling import combinations, exhausted, number_of, path_of
from minicnn.tune.space import Draw, Hyperparameter, HyperParameters
from minicnn.tune.study import TRIALS, Study, remove, storage_of, trial_id
from minicnn.tune.trial import Build, Trained, Training

# Shapes that do not fit and a loss that overflows are results of a trial; other errors are bugs.
FAILURES = (NumericError, ShapeError, SizeLimitError)
WAIT_S = 0.5  # until a process looks again whether other ones have ended their trials


class Job(NamedTuple):
    """A trial whose hyperparameters are chosen and whose network is to be trained."""

    trial: Any  # an Optuna Trial
    hp: HyperParameters
    model: Model
    seeds: list[int]


class Tuner:
    """Base class of searches: tries networks and records the score of each.

    Parameters
    ----------
    build_model : function of HyperParameters
        Builds and compiles a network from the hyperparameters for which it asks.
    objective : str, default "val_accuracy"
        The metric by which trials are compared, one of the names in the training's logs. A
        trial's score is its value in the best epoch.
    max_trials : int, default 10
        Number of networks to try, including those of earlier runs of the same search.
    executions_per_trial : int, default 1
        Trainings per network, each with other initial weights; the score is their mean.
    directory, project_name : str
        The search's folder is `directory/project_name`. A search that is there already is
        resumed; several processes, also on several machines, may share it.
    storage : str, optional
        postgresql://user:password@host/database: the trials are in this database, under the
        name `project_name`, and workers on many machines share them. Each machine keeps the models
        that it has trained in its own folder.
    overwrite : bool, default False
        Delete an earlier search of this name and start again.
    seed : int, optional
        Seed of the choices, initial weights and shuffles; default: that of `set_random_seed`.
    direction : "auto", "min" or "max"
        Whether a lower or a higher objective is better; "auto" decides by its name.
    pruner : "median", "hyperband" or None
        Stops unpromising trials early.
    workers : int, optional
        Number of processes that shall work at once. If it is given, trial n is chosen and pruned
        by the results of trials 0 to n - workers alone, so that `BayesianOptimization` and the
        median come to the same trials however many processes work. Other searches always do.
    keep_models : int, default 10
        Number of best trials whose models are kept, with the weights of their best epochs.
    max_failures : int, default 3
        After this many failed trials in a row the search raises the last one's error.
    verbose : 0 or 1
        0 prints nothing, 1 a few lines per trial.

    Examples
    --------
    >>> tuner = RandomSearch(build_model, max_trials=20, project_name="digits")  # doctest: +SKIP
    >>> tuner.search(x, y, epochs=3, validation_data=(x_val, y_val))  # doctest: +SKIP
    >>> tuner.results_summary()  # doctest: +SKIP
    """

    sampler: ClassVar[str]  # kind of `Sampler`

    def __init__(
        self,
        build_model: Build,
        objective: str = "val_accuracy",
        max_trials: int = 10,
        *,
        executions_per_trial: int = 1,
        directory: str | os.PathLike[str] = "runs",
        project_name: str = "search",
        storage: str | None = None,
        overwrite: bool = False,
        seed: int | None = None,
        direction: str = "auto",
        pruner: str | None = None,
        workers: int | None = None,
        keep_models: int = 10,
        max_failures: int = 3,
        verbose: int = 1,
    ) -> None:
        if not callable(build_model) or isinstance(build_model, Model):
            raise ArgumentError(f"build_model must be a function; got {build_model!r}")
        self.build_model = build_model
        self.max_trials = check_int(max_trials, "max_trials")
        self.executions = check_int(executions_per_trial, "executions_per_trial")
        self.keep_models = check_int(keep_models, "keep_models", 0)
        self.max_failures = check_int(max_failures, "max_failures")
        self.verbose = verbose
        self.folder = Path(directory) / project_name
        self.seed = random.seed() if seed is None else check_int(seed, "seed", 0)
        monitor = Monitor("a search", objective, direction)
        self.objective = monitor.name
        self.direction = "max" if monitor.sign > 0 else "min"
        self.pruner = pruner
        self.workers = None if workers is None else check_int(workers, "workers")
        place = storage_of(self.folder, storage)
        if overwrite:
            remove(place, self.folder)
        self.study = Study(place, self._settings(), pruner, self.workers)

    def _settings(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "direction": f"{self.direction}imize",
            "sampler": self.sampler,
            "seed": self.seed,
            "executions_per_trial": self.executions,
        }

    def search(self, *fit_arguments: Any, **fit_options: Any) -> None:
        """Try networks until there are `max_trials` results; the arguments are those of `fit`.

        A search that was interrupted is resumed by the next call: it repeats the interrupted
        trial from its first epoch, then tries the remaining ones. The arguments must be the same
        again, in all processes; arrays are compared by their content.

        Raises
        ------
        ArgumentError
            The search was begun with other data or options, or by another version or engine.
        StorageError
            The database cannot be reached any more; the next call resumes the search.
        """
        chosen = {"pruner": self.pruner, "workers": self.workers}
        self.study.agree("training", {**chosen, **fit_settings(fit_arguments, fit_options)})
        training = Training(
            self.build_model, self.objective, self.direction, self.executions, fit_arguments,
            fit_options,
        )  # fmt: skip
        self._clock = report.Clock(len(self.results()))
        self._failures: list[MiniCNNError] = []
        with self.study.storage.working() as worker:
            while (job := self._next(training, worker)) is not None:
                self._run(training, job)

    def results(self) -> list[Result]:
        """All trials that have ended: complete ones, best first, then pruned, then failed ones."""
        return results_of(self.study.trials(), self.seed, self.direction)

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """The hyperparameters of the best trials, from which `build_model` makes new networks."""
        return [HyperParameters(one.values) for one in self._best(num_trials)[:num_trials]]

    def get_best_models(self, num_models: int = 1) -> list[Model]:
        """The models of the best trials, with the weights of their best epochs."""
        paths = [self.model_path(one) for one in self._best(num_models)[:num_models]]
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise ArgumentError(
                f"only the best {self.keep_models} models are kept (keep_models), by the machines "
                f"that trained them, so not all of the best {num_models} are here: {missing[0]} is "
                "missing"
            )
        return [load_model(path) for path in paths]

    def model_path(self, result: Result) -> Path:
        """The path at which a trial's model is kept, if the trial is among the best."""
        return self.folder / TRIALS / f"{result.id}.mcnn"

    def results_summary(self, num_trials: int = 10, *, all: bool = False) -> None:
        """Print the best trials; `all` also lists hyperparameters that they did not use."""
        results = self.results()
        place = self.study.storage.name
        say(report.summary(results, num_trials, place, self.objective, all=all))

    def search_space_summary(self) -> None:
        """Print the hyperparameters and ranges for which the default network asks."""
        hp = HyperParameters()
        Training(self.build_model, self.objective, self.direction, 1, (), {}).model_for(hp, 0)
        say(report.space_text(hp.space))

    def results_table(self) -> list[dict[str, Any]]:
        """One dict per trial, best first: number, id, state, score, ..., every hyperparameter."""
        return report.table(self.results())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `results_table` as a CSV file; unused hyperparameters are empty."""
        report.write_trials(self.results(), path)

    def plot(self) -> dict[str, Any]:
        """Return the matplotlib figures "progress", "values" and "curves" of the trials."""
        results = self.results()
        return {
            "progress": figures.progress_figure(results, self.objective, self.direction),
            "values": figures.values_figure(results, self.objective),
            "curves": figures.curves_figure(results, self.objective),
        }

    def _best(self, at_least: int = 0) -> list[Result]:
        """All complete trials, best first; an error if there are fewer than `at_least`."""
        done = [one for one in self.results() if one.state == "complete"]
        if len(done) < at_least:
            raise ArgumentError(f"only {len(done)} trials are complete; {at_least} were asked for")
        return done

    def _next(self, training: Training, worker: str) -> Job | None:
        """Choose the next trial, or return None if the search is finished."""
        while True:
            with self.study.storage.lock():
                self.study.end_interrupted()
                if self._is_finished():
                    return None
                ready = self.study.is_ready()
                job = self._choose(training, worker) if ready else None
            if job is not None:
                return job
            if not ready:
                time.sleep(WAIT_S)

    def _is_finished(self) -> bool:
        """Return whether no trial is left to choose."""
        trials = self.study.trials()
        if len(trials) >= self.max_trials:
            return True
        paths = [path_of(trial) for trial in trials]
        if exhausted(paths):
            self._say(report.space_exhausted(combinations(paths)))
            return True
        return False

    def _choose(self, training: Training, worker: str) -> Job | None:
        """Choose a trial and build its network; None if its network cannot be built."""
        trial = self.study.ask(worker)
        seeds = [trial_seed(self.seed, number_of(trial), i) for i in range(self.executions)]
        hp = HyperParameters(draw=drawn_by(trial))
        try:
            model = training.model_for(hp, seeds[0])
        except FAILURES as err:
            self._end_failed(trial, hp, err)
            return None
        trial.set_user_attr("values", hp.values)
        return Job(trial, hp, model, seeds)

    def _run(self, training: Training, job: Job) -> None:
        self._say(report.trial_started(len(self.results()) + 1, self.max_trials, job.hp.values))
        start = time.perf_counter()
        try:
            trained = training.train(job.model, job.hp, job.trial, job.seeds)
        except FAILURES as err:
            self._end_failed(job.trial, job.hp, err)
            return
        seconds = time.perf_counter() - start
        job.trial.set_user_attr("best_step", trained.best_step)
        job.trial.set_user_attr("seconds", seconds)
        if trained.pruned:
            self.study.tell(job.trial, None, "PRUNED")
        else:
            self._keep(number_of(job.trial), trained)
            self.study.tell(job.trial, trained.score)
        self._failures.clear()
        results = self.results()
        ended = next(one for one in results if one.number == number_of(job.trial))
        self._say(self._clock.trial_ended(ended, results, self.objective, self.max_trials))

    def _end_failed(self, trial: Any, hp: HyperParameters, err: MiniCNNError) -> None:
        """Record a failure; raise it if it is one too many in a row."""
        trial.set_user_attr("values", hp.values)
        self.study.tell_failure(trial, str(err))
        self._failures.append(err)
        self._say(f"Trial failed: {err}\n")
        if len(self._failures) >= self.max_failures:
            err.add_note(f"{len(self._failures)} trials in a row failed, the last one with this.")
            raise err

    def _keep(self, number: int, trained: Trained) -> None:
        """Save a trial's model if it is among the best, and delete models that no longer are."""
        sign = 1 if self.direction == "max" else -1
        better = [one for one in self._best() if sign * (one.score - trained.score) >= 0]
        if len(better) < self.keep_models:
            (self.folder / TRIALS).mkdir(parents=True, exist_ok=True)
            trained.model.save(self.folder / TRIALS / f"{trial_id(self.seed, number)}.mcnn")
            for one in self._best()[self.keep_models - 1 :]:
                self.model_path(one).unlink(missing_ok=True)

    def _say(self, text: str) -> None:
        if self.verbose:
            say(text)


class RandomSearch(Tuner):
    """A search that chooses at random and tries no combination twice."""

    sampler = "random"


class GridSearch(Tuner):
    """A search that tries all combinations in order; every range needs a step."""

    sampler = "grid"


class BayesianOptimization(Tuner):
    """A search that prefers values like those of good trials, by Optuna's TPE sampler.

    TPE is the tree-structured Parzen estimator.

    References
    ----------
    Bergstra, Bardenet, Bengio, Kégl: Algorithms for hyper-parameter optimization, NIPS 2011.
    """

    sampler = "tpe"


def drawn_by(trial: Any) -> Draw:
    """Return a function that lets an Optuna trial choose a hyperparameter's value."""

    def draw(one: Hyperparameter) -> Any:
        if one.kind == "Fixed":
            return one.default
        if one.kind == "Int":
            return trial.suggest_int(one.name, one.low, one.high, step=one.step, log=one.log)
        if one.kind == "Float":
            return trial.suggest_float(one.name, one.low, one.high, step=one.step, log=one.log)
        return trial.suggest_categorical(one.name, one.values)

    return draw


def trial_seed(seed: int, number: int, execution: int) -> int:
    """The seed of one training, which is the same in every process."""
    return int(random.generator("trial", number, execution, seed=seed).integers(2**63))
