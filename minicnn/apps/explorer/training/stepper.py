"""The training steps that `fit` takes, one at a time, and everything that they change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.explorer.training.datasets import TrainingData
from minicnn.models import Model
from minicnn.models.batches import ArrayBatches, Batch, EpochStart
from minicnn.models.training.preparation import prepare_arrays


class StepResult(NamedTuple):
    """What one step measured, before it changed the weights."""

    loss: float
    accuracy: float


class State(NamedTuple):
    """Everything that a step depends on, besides the images, the seed and the learning rate.

    Shuffles and dropout are functions of the seed and of the number of the step, so there is no
    random state.
    """

    step: int
    weights: list[np.ndarray]
    slots: list[np.ndarray]

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in (*self.weights, *self.slots))


class Stepper:
    """Trains a model as `fit(x, y, batch_size)` does, by one step at a time.

    Parameters
    ----------
    model : a compiled model with its first weights
    data : the images
    batch_size, seed : as for `fit`; after N steps, weights and optimizer have the bits that `fit`
        gives them after N steps under this seed
    """

    def __init__(self, model: Model, data: TrainingData, batch_size: int, seed: int) -> None:
        self.model, self.seed = model, seed
        self.optimizer, _ = model.need_compiled()
        self.batches = ArrayBatches((data.x_train,), data.y_train, None, batch_size, shuffle=True)
        prepare_arrays(model, self.batches)
        for parameter in model.parameters:
            for name in self.optimizer.all_slots if parameter.trainable else ():
                model.slot(parameter, name)  # makes it, so that the state of step 0 has it
        self._slots = list(model.slots)
        self._next: Iterator[Batch] = iter(())
        self._next_step = -1  # the step that the next batch of the iterator is for

    @property
    def step_number(self) -> int:
        """How many steps have been taken."""
        return self.optimizer.steps

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches of one pass over the images."""
        return len(self.batches)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.learning_rate)

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.optimizer.learning_rate = rate

    def step(self) -> StepResult:
        """Take one step.

        Raises
        ------
        NumericError : the loss is not finite; the weights are as before
        """
        with random.seeded(self.seed):
            batch = self._batch()
            result = self.model.train_step(batch)
        self._next_step += 1
        right = result.predictions.argmax(-1) == np.asarray(batch.labels).reshape(-1)
        return StepResult(result.loss, float(right.mean()))

    def state(self) -> State:
        """Return a copy of everything that steps change."""
        slots = self.model.slots
        return State(
            self.step_number,
            [array.copy() for array in self.model.get_weights()],
            [slots[key].copy() for key in self._slots],
        )

    def restore(self, state: State) -> None:
        """Go back to a state."""
        self.model.set_weights(state.weights)
        slots = self.model.slots
        for key, array in zip(self._slots, state.slots, strict=True):
            slots[key][...] = array
        self.optimizer.steps = state.step

    def fingerprint(self) -> str:
        """Return the SHA-256 of the bytes of all weights."""
        found = hashlib.sha256()
        for array in self.model.get_weights():
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    def _batch(self) -> Batch:
        """Return the batch of the next step, prepared as its loss reads it."""
        if self._next_step != self.step_number:
            self._next_step = self.step_number
            epoch, done = divmod(self._next_step, self.steps_per_epoch)
            self._next = self.batches.for_epoch(EpochStart(epoch), done)
        batch = next(self._next, None)
        if batch is None:
            self._next_step = -1
            return self._batch()
        return batch
