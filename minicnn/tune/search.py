"""The search itself: build, train, remember, until enough networks were tried."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from minicnn import random
from minicnn.callbacks.base import Monitor
from minicnn.checks import check_int
from minicnn.errors import ArgumentError, MiniCNNError, NumericError, ShapeError, SizeLimitError
from minicnn.models import Model, load_model
from minicnn.support.locks import locked
from minicnn.support.text import say
from minicnn.tune import figures, report
from minicnn.tune.results import Result, results_of
from minicnn.tune.sampling import combinations, exhausted, number_of, path_of
from minicnn.tune.space import Draw, Hyperparameter, HyperParameters
from minicnn.tune.study import LOCK, TRIALS, Study, at_work, remove, trial_id
from minicnn.tune.trial import Build, Trained, Training

# A network that does not fit or whose loss explodes is a result; any other error is a mistake.
FAILURES = (NumericError, ShapeError, SizeLimitError)


class Job(NamedTuple):
    """A trial that was chosen and is to be trained."""

    trial: Any  # Optuna's
    hp: HyperParameters
    model: Model
    seeds: list[int]


class Tuner:
    """Tries networks and remembers how good each one was.

    Parameters
    ----------
    build_model : function of HyperParameters
        Makes and compiles the network that the values it asks for describe.
    objective : str
        What a trial is judged by, in its best epoch: a name of the training's logs.
    max_trials : int
        Networks to try, those of earlier runs of the same search included.
    executions_per_trial : int
        Trainings of each, from other first weights; the mean counts.
    directory, project_name : str
        The search's folder is `directory/project_name`. What is there already is gone on with;
        several processes, on several machines too, may work on one search at the same time.
    overwrite : bool
        Delete an earlier search in this folder and begin anew.
    seed : int, optional
        Of choices, first weights and shuffles; default: the one that `set_random_seed` set.
    direction : "auto", "min" or "max"
        Which objective is better; "auto" goes by its name.
    pruner : "median", "hyperband" or None
        Ends trials early that promise little.
    keep_models : int
        So many of the best trials keep their model, with the weights of their best epoch.
    max_failures : int
        When so many trials in a row failed, the search ends with the last one's error.
    verbose : 0 nothing, 1 a few lines a trial

    Examples
    --------
    >>> tuner = RandomSearch(build_model, max_trials=20, project_name="digits")  # doctest: +SKIP
    >>> tuner.search(x, y, epochs=3, validation_data=(x_val, y_val))  # doctest: +SKIP
    >>> tuner.results_summary()  # doctest: +SKIP
    """

    sampler: ClassVar[str]

    def __init__(
        self,
        build_model: Build,
        objective: str = "val_accuracy",
        max_trials: int = 10,
        *,
        executions_per_trial: int = 1,
        directory: str | os.PathLike[str] = "runs",
        project_name: str = "search",
        overwrite: bool = False,
        seed: int | None = None,
        direction: str = "auto",
        pruner: str | None = None,
        keep_models: int = 10,
        max_failures: int = 3,
        verbose: int = 1,
    ) -> None:
        if not callable(build_model):
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
        if overwrite:
            remove(self.folder)
        self.study = Study(self.folder, self._settings(), pruner)

    def _settings(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "direction": f"{self.direction}imize",
            "sampler": self.sampler,
            "seed": self.seed,
            "executions_per_trial": self.executions,
        }

    def search(self, *fit_arguments: Any, **fit_options: Any) -> None:
        """Try networks until there are `max_trials`; the arguments are those of `Model.fit`.

        Interrupted at any instant, the next call goes on: with the interrupted trial from its
        beginning, then with the others.
        """
        training = Training(
            self.build_model, self.objective, self.direction, self.executions, fit_arguments,
            fit_options,
        )  # fmt: skip
        self._clock = report.Clock(len(self.results()))
        self._failures: list[MiniCNNError] = []
        with at_work(self.folder) as worker:
            while (job := self._next(training, worker)) is not None:
                self._run(training, job)

    def results(self) -> list[Result]:
        """Every trial that ended, the best first; pruned and failed ones behind the others."""
        return results_of(self.study.trials(), self.seed, self.direction)

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Of the best trials: pass one to `build_model` to get its network, untrained."""
        return [HyperParameters(one.values) for one in self._best(num_trials)[:num_trials]]

    def get_best_models(self, num_models: int = 1) -> list[Model]:
        """The best trials' networks, with the weights of their best epochs."""
        paths = [self.model_path(one) for one in self._best(num_models)[:num_models]]
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise ArgumentError(
                f"only the best {self.keep_models} models are kept (keep_models), and of "
                f"{num_models} not all are there: {missing[0]} is missing"
            )
        return [load_model(path) for path in paths]

    def model_path(self, result: Result) -> Path:
        """Where the model of a trial is kept, if it is one of the best."""
        return self.folder / TRIALS / f"{result.id}.mcnn"

    def results_summary(self, num_trials: int = 10, *, all: bool = False) -> None:
        """Print the best trials; `all` also names what their networks had no use for."""
        results = self.results()
        say(report.summary(results, num_trials, self.folder, self.objective, all=all))

    def search_space_summary(self) -> None:
        """Print what the search chooses from, as far as the default network asks for it."""
        hp = HyperParameters()
        Training(self.build_model, self.objective, self.direction, 1, (), {}).model_for(hp, 0)
        say(report.space_text(hp.space))

    def results_table(self) -> list[dict[str, Any]]:
        """A dict a trial, the best first: number, id, state, score, ..., every hyperparameter."""
        return report.table(self.results())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `results_table` as a file; what a network had no use for stays empty."""
        report.write_trials(self.results(), path)

    def plot(self) -> dict[str, Any]:
        """Matplotlib figures "progress", "values" and "curves" of what was tried."""
        results = self.results()
        return {
            "progress": figures.progress_figure(results, self.objective, self.direction),
            "values": figures.values_figure(results, self.objective),
            "curves": figures.curves_figure(results, self.objective),
        }

    def _best(self, at_least: int = 0) -> list[Result]:
        """The trials that were trained to their end."""
        done = [one for one in self.results() if one.state == "complete"]
        if len(done) < at_least:
            raise ArgumentError(f"only {len(done)} trials are complete; {at_least} were asked for")
        return done

    def _next(self, training: Training, worker: str) -> Job | None:
        """Choose a trial that nobody has tried, or None if there were enough."""
        with locked(self.folder / LOCK):
            self.study.take_up_interrupted()
            while True:
                trials = self.study.trials()
                if len(trials) >= self.max_trials:
                    return None
                paths = [path_of(trial) for trial in trials]
                if exhausted(paths):
                    self._say(report.all_done(combinations(paths)))
                    return None
                job = self._choose(training, worker)
                if job is not None:
                    return job

    def _choose(self, training: Training, worker: str) -> Job | None:
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
        self._say(report.beginning(len(self.results()) + 1, self.max_trials, job.hp.values))
        began = time.perf_counter()
        try:
            trained = training.train(job.model, job.hp, job.trial, job.seeds)
        except FAILURES as err:
            self._end_failed(job.trial, job.hp, err)
            return
        seconds = time.perf_counter() - began
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
        self._say(self._clock.ended(ended, results, self.objective, self.max_trials))

    def _end_failed(self, trial: Any, hp: HyperParameters, err: MiniCNNError) -> None:
        """Record the failure; raise it if it is the last of too many."""
        trial.set_user_attr("values", hp.values)
        self.study.tell_failure(trial, str(err))
        self._failures.append(err)
        self._say(f"Trial failed: {err}\n")
        if len(self._failures) >= self.max_failures:
            err.add_note(f"{len(self._failures)} trials in a row failed, the last one with this.")
            raise err

    def _keep(self, number: int, trained: Trained) -> None:
        """Write the model if it is among the best, and delete the one that no longer is."""
        sign = 1 if self.direction == "max" else -1
        better = [one for one in self._best() if sign * (one.score - trained.score) >= 0]
        if len(better) < self.keep_models:
            trained.model.save(self.folder / TRIALS / f"{trial_id(self.seed, number)}.mcnn")
            for one in self._best()[self.keep_models - 1 :]:
                self.model_path(one).unlink(missing_ok=True)

    def _say(self, text: str) -> None:
        if self.verbose:
            say(text)


class RandomSearch(Tuner):
    """Tries networks at random, no combination twice."""

    sampler = "random"


class GridSearch(Tuner):
    """Tries every combination in order; the space must not hold ranges without steps."""

    sampler = "grid"


class BayesianOptimization(Tuner):
    """Tries what was good before, a little changed: Optuna's tree-structured Parzen estimator.

    References
    ----------
    Bergstra, Bardenet, Bengio, Kégl: Algorithms for hyper-parameter optimization, NIPS 2011.
    """

    sampler = "tpe"


def drawn_by(trial: Any) -> Draw:
    """Lets an Optuna trial choose."""

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
    """The seed of one training, the same whichever process does it."""
    return int(random.generator("trial", number, execution, seed=seed).integers(2**63))
