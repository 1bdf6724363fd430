"""A training that somebody watches: it runs in a thread, stops, goes back, and can be asked."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

import numpy as np

from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.training.datasets import TrainingData
from minicnn.apps.explorer.training.findings import problems_at_begin, problems_now, sentence
from minicnn.apps.explorer.training.measures import Measured, Sample, is_measured, measure
from minicnn.apps.explorer.training.recipe import MAX_RATE, MIN_RATE, Recipe
from minicnn.apps.explorer.training.stepper import Stepper
from minicnn.apps.explorer.training.timeline import Timeline
from minicnn.apps.explorer.training.worker import Worker
from minicnn.errors import ArgumentError, MiniCNNError
from minicnn.models.training.nonfinite import REMEDY
from minicnn.shapes import is_int
from minicnn.support.text import quoted

RUNNING, SEEKING, PAUSED, FAILED, STOPPED = "running", "seeking", "paused", "failed", "stopped"
UNWATCHED_SECONDS = 60.0  # after which a training that nobody asks about pauses
MOST_STEPS = 200_000
GROWN = "the numbers have grown too large: start anew with a smaller learning rate"
NOBODY = "It paused because no page has shown it for a minute."
END = "It paused after {:,} steps, the limit of this page."


class WatchedTraining:
    """One training, which begins paused at step 0.

    All methods may be called by any thread.

    Parameters
    ----------
    number : what addresses call it
    recipe : what it begins with
    data : the images of the recipe
    """

    def __init__(self, number: int, recipe: Recipe, data: TrainingData) -> None:
        self.number, self.recipe, self.data = number, recipe, data
        self.model = recipe.build()
        self.model.preprocess = data.preprocess
        self.timeline = Timeline(Stepper(self.model, data, recipe.batch_size, recipe.seed))
        self.sample = Sample.of(self.model, data)
        self.always = problems_at_begin(self.model, self.sample)
        self.note = ""  # why it is not running, if it is not because somebody paused it
        self.failed = self.stopped = False
        self.findings: list[str] = []
        self._goal: float = 0  # the step that it goes to; infinity: as far as it comes
        self._times: deque[float] = deque(maxlen=32)  # when the last steps ended
        self._before: list[np.ndarray] | None = None  # the weights before the last step
        self._asked = time.monotonic()
        self._opened: OpenNetwork | None = None
        self._opened_fingerprint = ""
        self._measure()
        self._worker = Worker(f"training-{number}", self._piece, self._fail)

    @property
    def state(self) -> str:
        """One word of what it does."""
        if self.stopped:
            return STOPPED
        if self._goal == math.inf:
            return RUNNING
        if self._goal != self.timeline.step:
            return SEEKING
        return FAILED if self.failed else PAUSED

    def run(self) -> None:
        """Train on, from where it is."""
        self._worker.call(lambda: self._go_on(math.inf))

    def step(self) -> None:
        """Take one step, or one more if it is on its way to another one."""
        self._worker.call(lambda: self._go_on(self.timeline.step + 1))

    def pause(self) -> None:
        """Stay after the next step, which is looked at."""
        self._worker.call(self._pause)

    def undo(self, steps: Any = 1) -> None:
        """Go back by some steps; to the first weights if there are not so many."""
        self._worker.call(lambda: self._go_to(self.timeline.step - _count(steps, "steps")))

    def seek(self, step: Any) -> None:
        """Go to any step that was taken already."""
        self._worker.call(lambda: self._go_to(_count(step, "step")))

    def change_rate(self, value: Any) -> None:
        """Set the learning rate of the next steps."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not MIN_RATE <= value <= MAX_RATE:
            raise ArgumentError(
                f"the learning rate must be from {MIN_RATE:g} to {MAX_RATE:g}; got "
                f"{quoted(value, 30)}"
            )
        self._worker.call(lambda: self._change_rate(float(value)))

    def stop(self) -> None:
        """End it; what was measured can still be asked for."""
        self._worker.call(self._end)
        self._worker.end()

    def ask(self, function: Any) -> Any:
        """Return function(self), computed between two steps."""

        def answer() -> Any:
            self._asked = time.monotonic()
            return function(self)

        return self._worker.call(answer)

    def snapshot(self) -> OpenNetwork:
        """Return the network as it is at this step; training goes on without changing it."""
        found: OpenNetwork = self.ask(lambda _: self._open())
        return found

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until it neither runs nor is on its way to another step, or the time is over."""
        end = time.monotonic() + seconds
        while self.state in (RUNNING, SEEKING) and time.monotonic() < end:
            self._worker.call(lambda: None)

    @property
    def measured(self) -> Measured:
        """What was measured last; while it does not run, that is this step."""
        if self._measured.step != self.timeline.step and self.state in (PAUSED, FAILED):
            self._measure()
        return self._measured

    @property
    def images_per_second(self) -> float:
        """How fast it has been during the last steps; 0 if it does not run."""
        if len(self._times) < 2:
            return 0.0
        seconds = self._times[-1] - self._times[0]
        return (len(self._times) - 1) * self.recipe.batch_size / max(seconds, 1e-9)

    def _piece(self) -> bool:
        """Take a step towards the goal; return whether there are more to take."""
        if self._goal == self.timeline.step or self.stopped:
            return False
        if time.monotonic() - self._asked > UNWATCHED_SECONDS:
            self._stay(NOBODY)
        elif self._goal < self.timeline.step:
            # The last step is taken again, so that its update can be measured.
            self.timeline.rewind(max(int(self._goal) - 1, 0))
        else:
            self._advance()
        return True

    def _advance(self) -> None:
        """Take one step, and look at it if it is time."""
        step, goal = self.timeline.step + 1, self._goal
        if step > MOST_STEPS:
            self._stay(END.format(MOST_STEPS))
            return
        looks = is_measured(step, self.timeline.stepper.steps_per_epoch)
        self._before = None
        if goal == step or (goal == math.inf and looks):
            self._before = [array.copy() for array in self.model.get_weights()]
        self.timeline.advance()
        self._times.append(time.monotonic())
        if goal == math.inf and looks:
            self._measure()

    def _fail(self, error: Exception) -> None:
        """Stay where it is, and say why."""
        is_known = isinstance(error, MiniCNNError)
        self._stay(sentence(_in_page_words(error) if is_known else f"this step failed: {error!r}"))
        self.failed = True

    def _go_on(self, goal: float) -> None:
        """Take new steps from here."""
        self._check_not_stopped()
        self.failed, self.note = False, ""
        self._asked = time.monotonic()
        self.timeline.forget_future()
        self._goal = goal

    def _go_to(self, step: int) -> None:
        self._check_not_stopped()
        self._times.clear()
        self.failed, self.note = False, ""
        self._asked = time.monotonic()
        self._goal = min(max(step, 0), len(self.timeline.record))

    def _pause(self) -> None:
        self._goal = min(self._goal, self.timeline.step + 1)
        self.note = ""

    def _stay(self, note: str = "") -> None:
        self._times.clear()
        self._goal, self.note = self.timeline.step, note

    def _change_rate(self, rate: float) -> None:
        self._check_not_stopped()
        self.timeline.change_rate(rate)
        if self._goal != math.inf:
            self._goal = self.timeline.step

    def _end(self) -> None:
        self._stay()
        self._measured = self.measured
        self.timeline.snapshots.drop_after(0)
        self.stopped = True

    def _check_not_stopped(self) -> None:
        if self.stopped:
            raise ArgumentError(f"training {self.number} was stopped; start a new one")

    def _measure(self) -> None:
        """Look at the network as it is now."""
        record, stepper = self.timeline.record, self.timeline.stepper
        self._measured = found = measure(self.model, self.sample, self._before)
        record.tests[found.step] = found.test_loss, found.test_accuracy
        now = problems_now(self.model, self.sample, found, record, stepper.steps_per_epoch)
        self.findings = [*self.always, *now]

    def _open(self) -> OpenNetwork:
        fingerprint = self.timeline.stepper.fingerprint()
        if self._opened is None or fingerprint != self._opened_fingerprint:
            model = self.recipe.build()
            model.set_weights(self.model.get_weights())
            model.preprocess = self.data.preprocess
            name = f"training-{self.number}"
            title = f"Training {self.number}, step {self.timeline.step:,}"
            self._opened = opened(name, model, preprocess=self.data.preprocess, title=title)
            self._opened_fingerprint = fingerprint
        return self._opened


def _in_page_words(error: Exception) -> str:
    """Return what an error says; what helps names arguments of `fit`, and a page has none."""
    return str(error).replace(REMEDY, GROWN)


def _count(value: Any, name: str) -> int:
    if not is_int(value) or value < 0:
        raise ArgumentError(f"{name} must be a whole number from 0 on; got {quoted(value, 30)}")
    return int(value)
