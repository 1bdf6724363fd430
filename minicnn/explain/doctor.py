"""Doctor: why does a training not learn? It looks, and it tries."""

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
from minicnn.losses import Loss
from minicnn.models import Model
from minicnn.models.saving.graph_config import graph_from_config, graph_to_config
from minicnn.ops.operation import apply, gradients
from minicnn.support.text import say

MAX_SAMPLES = 64  # that are looked at
BY_HEART = 16  # samples that any network should be able to learn by heart
STEPS = 80
LEARNED = 0.8  # a loss below this part of the first one says that it does
FACTORS = (1.0, 0.1, 0.01, 10.0)  # of the learning rate, in the order in which they are tried


Progress = Callable[[int, int], None]


class Finding(NamedTuple):
    """One sentence about the training; `bad` if it can be the reason."""

    bad: bool
    text: str


def examine(
    model: Model, x: Any, y: Any, *, by_heart: bool = True, progress: Progress | None = None
) -> list[Finding]:
    """Look for what keeps this model from learning from these samples.

    Parameters
    ----------
    model : compiled; is not changed
    x, y : some dozens of samples as `fit` gets them, of all classes
    by_heart : also try whether the network, started afresh, can learn 16 of them by heart, and
        with which learning rate: 80 small steps, a few seconds for most networks
    progress : called with (steps done, steps at most) during that trial

    Returns
    -------
    list of Finding, what is wrong first; the last says how the trial went

    Examples
    --------
    >>> from minicnn.zoo import lenet
    >>> model, rng = lenet(), np.random.default_rng(0)
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> x = rng.integers(0, 2, (16, 28, 28, 1)).astype(np.float32)
    >>> examine(model, x, np.arange(16) % 10, by_heart=False)[0].text
    'pixels run 0...1 and the network rescales once more; rescale once'
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
    """Train a fresh copy on a few samples again and again; any sound training learns them."""
    x, y = x[:BY_HEART], y[:BY_HEART]
    rate = float(model.need_compiled()[0].learning_rate)
    tried = []
    for number, factor in enumerate(FACTORS):
        first, last = _trial(model, x, y, rate * factor, _counted(progress, number))
        tried.append(f"{rate * factor:g}: {first:.3f} to {last:.3f}")
        if last < LEARNED * first:
            break
    else:
        return Finding(
            True,
            f"the network cannot learn {len(x)} samples by heart in {STEPS} steps, whatever the "
            f"learning rate ({'; '.join(tried)}): look at its layers, the loss and the pixels",
        )
    if factor == 1.0:
        return Finding(
            False,
            f"a fresh copy learns {len(x)} samples by heart in {STEPS} steps (loss {first:.3f} to "
            f"{last:.3f}): layers, loss and learning rate work",
        )
    return Finding(
        True,
        f"learning rate {rate:g} learns {len(x)} samples not even by heart, {rate * factor:g} does "
        f"(losses in {STEPS} steps: {'; '.join(tried)})",
    )


class Doctor(Callback):
    """Watches a training, and says once what is wrong and what it is likely to come from.

    Parameters
    ----------
    x, y : some dozens of samples, to look for reasons in; without them only the loss, the curves
        and the weights can be looked at
    patience : batches for which the loss may stay where it is for a network that guesses, or above

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
        self._total, self._done = 0.0, 0  # the losses of the epoch so far, of so many batches
        self._said: list[str] = []
        self._curves: dict[str, list[float]] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """A new patient."""
        self._losses.clear()
        self._total, self._done = 0.0, 0
        self._curves, self._said = {}, []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Is the net still guessing?"""
        total = (logs or {}).get("loss", 0.0) * (batch + 1)  # logs are means over the epoch so far
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
        """What do the curves say?"""
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
        """What was seen and said."""
        curves = {name: list(values) for name, values in self._curves.items()}
        return {"losses": list(self._losses), "said": list(self._said), "curves": curves}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with the same patient."""
        self._losses = deque(state["losses"], maxlen=self.patience)
        self._said, self._curves = list(state["said"]), dict(state["curves"])

    def _reasons(self, model: Model) -> str:
        if self.x is None:
            reason = symptoms.learning_rate_problem(model, {}) or symptoms.loss_mismatch(model)
            return f"{reason or 'a learning rate that does not fit'}, or {SHUFFLED}"
        found = [one.text for one in examine(model, self.x, self.y) if one.bad]
        return "; ".join(found) if found else SHUFFLED

    def _say(self, text: str) -> None:
        say(f"Doctor: {text}")


SHUFFLED = "labels are shuffled against images (look at some of both)"


def _gradients(model: Model, tape: Tape, y: np.ndarray) -> dict[str, np.ndarray]:
    """{parameter: gradient} of the mean loss, of samples as in use."""
    _, loss = model.need_compiled()
    labels = loss.prepare(y, tape.output.shape)
    found = tape.gradient(tape.output, _by_output(loss, tape.output, labels))
    by_name = {p.name: found.of(p) for p in model.parameters}
    return {name: dw for name, dw in by_name.items() if dw is not None}


def _by_output(loss: Loss, output: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean loss's gradient by the network's output."""
    operation = loss.operation_named(loss.operation)
    of_samples, saved = apply(operation, output, labels, **loss.attributes)
    shares = np.full(of_samples.shape, 1 / of_samples.size, np.float32)
    return next(iter(gradients(shares, saved).values()))


def _counted(progress: Progress | None, trial: int) -> Callable[[int], None]:
    """Tells the steps of one of several trials."""

    def count(step: int) -> None:
        if progress is not None:
            progress(trial * STEPS + step + 1, len(FACTORS) * STEPS)

    return count


def _trial(
    model: Model, x: np.ndarray, y: np.ndarray, rate: float, count: Callable[[int], None]
) -> tuple[float, float]:
    """(first, mean of the last five) losses of a fresh copy that sees only these samples."""
    graph = graph_from_config(graph_to_config(model.graph))
    copy = Model(graph.inputs, graph.outputs, name=f"{model.name}_by_heart")
    optimizer, loss = model.need_compiled()
    copy.compile(type(optimizer)(**{**optimizer.get_config(), "learning_rate": rate}), loss)
    try:
        found = []
        for step in range(STEPS):
            found.append(copy.train_on_batch(x, y))
            count(step)
    except NumericError:
        return math.nan, math.inf
    return found[0], float(np.mean(found[-5:]))


def _curves(model: Model) -> dict[str, list[float]]:
    return model.history.history if model.history is not None else model.saved_history
