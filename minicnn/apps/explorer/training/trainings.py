"""The trainings that run in front of somebody: a few at a time."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import GONE, Problem
from minicnn.apps.explorer.training.datasets import DataChoice, TrainingData, load_data
from minicnn.apps.explorer.training.recipe import read_recipe
from minicnn.apps.explorer.training.watched import WatchedTraining

AT_A_TIME = 2  # trainings; the oldest one ends when another one is started
GONE_TEXT = "training {} is not kept; the page keeps the last two. Start it again"


class Trainings:
    """All trainings of one explorer, by numbers from 1 on.

    Parameters
    ----------
    folder : of images that a network can be trained with; None: MNIST alone
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._trainings: dict[int, WatchedTraining] = {}
        self._last = 0
        self._load = lru_cache(maxsize=2)(self._loaded)

    def start(self, given: Any) -> WatchedTraining:
        """Begin the training that JSON describes, paused at step 0; see `read_recipe`.

        Raises
        ------
        ArgumentError : what is described cannot be trained; the message says why
        """
        recipe = read_recipe(given, self.folder)
        data = self._load(recipe.data)
        with self._lock:
            self._last += 1
            number = self._last
        training = WatchedTraining(number, recipe, data)
        with self._lock:
            self._trainings[number] = training
            surplus = sorted(self._trainings)[:-AT_A_TIME]
            ended = [self._trainings.pop(one) for one in surplus]
        for one in ended:
            one.stop()
        return training

    @property
    def numbers(self) -> list[int]:
        """The numbers of the trainings that are kept."""
        with self._lock:
            return sorted(self._trainings)

    def find(self, number: int) -> WatchedTraining:
        """Return the training of that number.

        Raises
        ------
        Problem : it is not kept, or there never was one
        """
        with self._lock:
            if number not in self._trainings:
                raise Problem(GONE_TEXT.format(number), GONE)
            return self._trainings[number]

    def snapshot(self, number: int) -> OpenNetwork:
        """Return the network that a training trains, as it is now.

        As long as the weights are the same, it is the same object.

        Raises
        ------
        Problem : the training is not kept
        """
        return self.find(number).snapshot()

    def close(self) -> None:
        """End all trainings."""
        with self._lock:
            ended = list(self._trainings.values())
            self._trainings.clear()
        for one in ended:
            one.stop()

    def _loaded(self, choice: DataChoice) -> TrainingData:
        return load_data(choice, self.folder)
