"""Find out why a network does not learn: check for known mistakes, then train a fresh copy."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.callbacks import Callback
from minicnn.checks import check_int
from minicnn.errors import NumericError
from minicnn.explain import symptoms
from minicnn.explain.tape import Tape
from minicnn.models import Model
from minicnn.models.saving.graph_config import graph_from_config, graph_to_config
from minicnn.support.text import say

MAX_SAMPLES = 64  # samples that `examine` uses
BY_HEART = 16  # samples that any network should be able to learn by heart
STEPS = 80  # training steps per learning rate that is tried
# The network learns if the loss falls below this fraction of the first loss and of guessing's.
LEARNED = 0.8
FACTORS = (1.0, 0.1, 0.01, 10.0)  # multiples of the learning rate, in the order of the attempts
SHUFFLED = "labels are shuffled against images (look at some of both)"

Progress = Callable[[int, int], None]


class Finding(NamedTuple):
    """One sentence about the training; `bad` if it describes a likely reason for not learning."""

    bad: bool
    text: str


def examine(
    model: Model, x: Any, y: Any, *, by_heart: bool = True, progress: Progress | None = None
) -> list[Finding]:
    """Look for reasons why this model does not learn from these samples.

    Parameters
    ----------
    model : Model
        A compiled model. It is not changed.
    x, y : arrays
        A few dozen samples of all classes and their labels, as `fit` takes them. Only the first
        64 are used.
    by_heart : bool, default True
        Also train a copy with new initial weights on 16 of the samples, to see whether it can
        learn them by heart and with which learning rate. This takes 80 to 320 training steps, a
        few seconds for most networks.
    progress : function, optional
        Called as `progress(steps done, maximum number of steps)` during that training.

    Returns
    -------
    list of Finding
        The problems that were found; with `by_heart`, the last finding describes that training.

    Raises
    ------
    ArgumentError : the model is not compiled, or has several outputs

    Examples
    --------
    >>> from minicnn.zoo import lenet
    >>> model, rng = lenet(), np.random.default_rng(0)
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> x = rng.integers(0, 2, (16, 28, 28, 1)).astype(np.float32)
    >>> examine(model, x, np.arange(16) % 10, by_heart=False)[0].text
    'pixels run 0...1 and the network rescales them again; rescale once'
    """
    model.need_compiled()
    x, y = np.asarray(x)[:MAX_SAMPLES], np.asarray(y)[:MAX_SAMPLES]
    tape = Tape(model, x)
    texts = [
        symptoms.pixel_problems(model, x),
        symptoms.label_problems(model, y),
        symptoms.contradictory_labels(x, y),
        symptoms.loss_mismatch(model),
        symptoms.all_frozen(model),
        symptoms.stacked_linear(model),
        symptoms.dead_units(model, tape),
        symptoms.constant_output(tape),
        symptoms.learning_rate_problem(model, _gradients(model, tape, y)),
        symptoms.curve_problems(_curves(model)),
        symptoms.unsettled_statistics(model, _curves(model)),
    ]
    findings = [Finding(True, text) for text in texts if text is not None]
    if by_heart:
        findings.append(learns_by_heart(model, x, y, progress))
    return findings


def learns_by_heart(
    model: Model, x: np.ndarray, y: np.ndarray, progress: Progress | None = None
) -> Finding:
    """Train a copy with new initial weights on a few samples, which a sound network learns.

    The model's learning rate is tried first, then the other multiples in FACTORS.
    """
    x, y = x[:BY_HEART], y[:BY_HEART]
    rate = float(model.need_compiled()[0].learning_rate)
    guessing = symptoms.guessing_loss(model, y)
    to_beat = (guessing[0] if guessing else 0) or math.inf  # with a single class it would be 0
    tried = []
    for attempt, factor in enumerate(FACTORS):
        first, last = _trial(model, x, y, rate * factor, _counted(progress, attempt))
        tried.append(f"{rate * factor:g}: {first:.3f} to {last:.3f}")
        if last < LEARNED * min(first, to_beat):
            break
    else:
        return Finding(
            True,
            f"the network cannot learn {len(x)} samples by heart in {STEPS} steps with any "
            f"learning rate ({'; '.join(tried)}): check its layers, the loss and the pixels",
        )
    if factor == 1.0:
        return Finding(
            False,
            f"a fresh copy learns {len(x)} samples by heart in {STEPS} steps (loss {first:.3f} to "
            f"{last:.3f}): layers, loss and learning rate work",
        )
    return Finding(
        True,
        f"with learning rate {rate:g} the network cannot even learn {len(x)} samples by heart, "
        f"with {rate * factor:g} it can (losses in {STEPS} steps: {'; '.join(tried)})",
    )


class Doctor(Callback):
    """Watches a training and prints each problem once, with its likely cause.

    It does not change the training.

    Parameters
    ----------
    x, y : arrays, optional
        A few dozen samples and their labels, which `examine` checks when the network does not
        learn. Without them the cause is guessed from the losses and the weights alone.
    patience : int, default 200
        The loss may stay at or above the loss of random guessing for this many batches before
        the doctor reports it.

    Examples
    --------
    >>> Doctor(patience=100).patience
    100
    """

    every_batch = False
    adds_logs = False

    def __init__(self, x: Any = None, y: Any = None, patience: int = 200) -> None:
        self.x, self.y = x, y
        self.patience = check_int(patience, "patience")
        self._losses: deque[float] = deque(maxlen=self.patience)
        self._total, self._done = 0.0, 0  # sum of this epoch's batch losses, and their number
        self._said: list[str] = []  # the kinds of problems that were reported
        self._curves: dict[str, list[float]] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forget the previous training."""
        self._losses.clear()
        self._total, self._done = 0.0, 0
        self._curves, self._said = {}, []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report a loss that has stayed at the level of guessing for `patience` batches."""
        total = (logs or {}).get("loss", 0.0) * (batch + 1)  # logs hold means over the epoch
        steps = batch + 1 - self._done
        self._losses += [(total - self._total) / steps] * steps
        self._total, self._done = total, batch + 1
        if len(self._losses) == self.patience and "guesses" not in self._said:
            model: Any = self.model
            labels = None if self.y is None else np.asarray(self.y)
            text = symptoms.stuck(list(self._losses), symptoms.guessing_loss(model, labels))
            if text is not None:
                self._said.append("guesses")
                self._say(f"{text}. Likely: {self._reasons(model)}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report a loss curve that rises or is not finite, and other problems of the curves."""
        self._total, self._done = 0.0, 0
        for name, value in (logs or {}).items():
            self._curves.setdefault(name, []).append(value)
        model: Any = self.model
        curves = self._curves
        text = symptoms.curve_problems(curves) or symptoms.unsettled_statistics(model, curves)
        kind = "" if text is None else " ".join(text.split()[:2])
        if text is not None and kind not in self._said:
            self._said.append(kind)
            self._say(text)

    def get_state(self) -> dict[str, Any]:
        """Return the losses, the curves and the kinds of problems that were reported."""
        curves = {name: list(values) for name, values in self._curves.items()}
        return {"losses": list(self._losses), "said": list(self._said), "curves": curves}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_state` returned."""
        self._losses = deque(state["losses"], maxlen=self.patience)
        self._said, self._curves = list(state["said"]), dict(state["curves"])

    def _reasons(self, model: Model) -> str:
        if self.x is None:
            reason = symptoms.learning_rate_problem(model, {}) or symptoms.loss_mismatch(model)
            return f"{reason or 'an unsuitable learning rate'}, or {SHUFFLED}"
        found = [one.text for one in examine(model, self.x, self.y) if one.bad]
        return "; ".join(found) if found else SHUFFLED

    def _say(self, text: str) -> None:
        say(f"Doctor: {text}")


def _gradients(model: Model, tape: Tape, y: np.ndarray) -> dict[str, np.ndarray]:
    """Gradients of the mean loss by parameter name, with layers in inference mode."""
    _, loss = model.need_compiled()
    labels = loss.prepare(y, tape.output.shape)
    losses = tape.losses(loss, labels)
    found = tape.gradient(losses, np.full(losses.shape, 1 / losses.size, np.float32))
    by_name = {p.name: found.of(p) for p in model.parameters}
    return {name: dw for name, dw in by_name.items() if dw is not None}


def _counted(progress: Progress | None, attempt: int) -> Callable[[int], None]:
    """A function that reports a step of one attempt as progress over all attempts."""

    def count(step: int) -> None:
        if progress is not None:
            progress(attempt * STEPS + step + 1, len(FACTORS) * STEPS)

    return count


def _trial(
    model: Model, x: np.ndarray, y: np.ndarray, rate: float, count: Callable[[int], None]
) -> tuple[float, float]:
    """Train a copy with new initial weights; return the first loss and the mean of the last five.

    A training that overflows returns (nan, inf).
    """
    graph, _, _ = graph_from_config(graph_to_config(model.graph))
    copy = Model(graph.inputs, graph.outputs, name=f"{model.name}_by_heart")
    optimizer, loss = model.need_compiled()
    copy.compile(type(optimizer)(**{**optimizer.get_config(), "learning_rate": rate}), loss)
    try:
        losses = []
        for step in range(STEPS):
            losses.append(copy.train_on_batch(x, y))
            count(step)
    except NumericError:
        return math.nan, math.inf
    return losses[0], float(np.mean(losses[-5:]))


def _curves(model: Model) -> dict[str, list[float]]:
    return model.history.history if model.history is not None else model.saved_history
