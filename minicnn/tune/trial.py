"""Train the network of a trial, once or several times, and keep the best epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.callbacks.base import Callback, Logs
from minicnn.callbacks.monitor import Monitor
from minicnn.checks import quoted
from minicnn.errors import ArgumentError, NumericError
from minicnn.models import Model
from minicnn.support.auto_names import fresh_names
from minicnn.tune.space import HyperParameters

Build = Callable[[HyperParameters], Model]


class Trained(NamedTuple):
    """The result of a trial's training."""

    score: float
    best_step: int  # the best epoch, counted from 0
    model: Model  # with the weights of that epoch
    pruned: bool


class Watch(Callback):
    """Keeps the weights of the best epoch, and lets Optuna stop an unpromising training.

    Parameters
    ----------
    monitor : Monitor
        Of the objective.
    trial : Optuna Trial or None
        None for the second and later executions, which are neither reported nor pruned.
    """

    adds_logs = False

    def __init__(self, monitor: Monitor, trial: Any = None) -> None:
        self.monitor, self.trial = monitor, trial
        self.best_step, self.pruned = 0, False
        self.last = math.nan  # the objective in the last epoch
        self.best_weights: list[np.ndarray] = []

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Check that the objective is among the epoch's logs."""
        self.monitor.check(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the weights if this epoch is the best, and report it to Optuna."""
        value = self.last = self.monitor.value(logs)
        if self.monitor.improves(value, self.monitor.best):
            self.monitor.best, self.best_step = value, epoch
            self.best_weights = self.model.get_weights()
        if self.trial is not None:
            self.trial.report(value, epoch)
            self.pruned = self.trial.should_prune()
            self.model.stop_training |= self.pruned


class Training(NamedTuple):
    """The settings with which every trial is trained."""

    build: Build
    objective: str
    direction: str  # "min" or "max"
    executions: int
    fit_arguments: Sequence[Any]
    fit_options: Mapping[str, Any]

    def model_for(self, hp: HyperParameters, seed: int) -> Model:
        """Build the network of `hp`; its initial weights depend on the seed alone."""
        with random.seeded(seed), fresh_names():
            model = self.build(hp)
        if not isinstance(model, Model):
            raise ArgumentError(
                f"build_model must return a compiled model; got {quoted(model)}. Is its last line "
                "`return model`?"
            )
        if model.optimizer is None:
            raise ArgumentError(
                "build_model must compile the model that it returns: model.compile(optimizer, "
                "loss, metrics)"
            )
        return model

    def train(self, model: Model, hp: HyperParameters, trial: Any, seeds: Sequence[int]) -> Trained:
        """Train a trial's network once per seed; return the best, with the mean score of all.

        Parameters
        ----------
        model : Model
            The network that `model_for` built for `hp` and the first seed.
        hp : HyperParameters
        trial : Optuna Trial
        seeds : sequence of int
            One per execution.
        """
        executions = [self._execute(model, trial, seeds[0])]
        if not executions[0].pruned:
            for seed in seeds[1:]:
                again = self.model_for(HyperParameters(hp.values), seed)
                executions.append(self._execute(again, None, seed))
        sign = 1 if self.direction == "max" else -1
        best = max(executions, key=lambda one: sign * one.score)
        return best._replace(score=float(np.mean([one.score for one in executions])))

    def _execute(self, model: Model, trial: Any, seed: int) -> Trained:
        monitor = Monitor("a search", self.objective, self.direction)
        watch = Watch(monitor, trial)
        options = {"verbose": 0, **self.fit_options}
        # Each training gets copies of the callbacks, because some keep state.
        given = copy.deepcopy(list(options.get("callbacks") or []))
        options["callbacks"] = [*given, watch]
        with random.seeded(seed):
            model.fit(*self.fit_arguments, **options)
        if monitor.best is None:
            raise NumericError(f"{self.objective} was never a finite number")
        if not math.isfinite(watch.last):
            raise NumericError(
                f"{self.objective} was {watch.last} in the last epoch: the training diverged"
            )
        model.set_weights(watch.best_weights)
        return Trained(monitor.best, watch.best_step, model, watch.pruned)
