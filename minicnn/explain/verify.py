"""Verify: does an engine compute what the reference computes? Every step of a program, watched.

The engine runs the model's own programs, fused and planned as always, but one step at a time. What
a step reads is also given to the reference's kernel of the same name, in float64, and what the two
write is compared. Both start from the same numbers at every step, so that a mistake shows where it
is made, and nowhere else.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.backends import available_backends, backend, check_available, kernel
from minicnn.contracts import CONTRACTS
from minicnn.models import Model
from minicnn.models.batches import Batch, as_arrays
from minicnn.program import Program, Step

UNIT = 2.0**-24  # half the distance of float32 numbers, at 1
REFERENCE = "numpy"
MAX_OTHER_WINNERS = 1e-3
# Where they are nearly 0, as db before a batch norm is, all that is left of dy is its rounding.
SUMS_OF_DY = ("db", "dbeta")


class Check(NamedTuple):
    """One kernel call of one engine against the reference."""

    engine: str
    passes: str  # "use" or "training"
    layer: str  # whose parameters it reads; "" if it has none
    kernel: str
    error: float  # largest difference, in parts of the largest number
    allowed: float

    @property
    def agrees(self) -> bool:
        """Within what rounding explains? NaN never is."""
        return self.error <= self.allowed


def verify(
    model: Model, x: Any = None, y: Any = None, *, engines: Sequence[str] | None = None
) -> list[Check]:
    """Compare each kernel call of a prediction and of a training step with the reference.

    Parameters
    ----------
    model : is not changed; a model that is not compiled gets the loss that fits its last layer
    x : (N, ...) samples; default: two of noise
    y : their labels; default: drawn at random
    engines : names; default: all that this machine has. The reference's float32 is checked
        against its float64, too. "cuda" also runs in numba's simulator, if small

    Returns
    -------
    list of Check, in the order of the steps

    Raises
    ------
    ArgumentError, BackendError : an engine is unknown, or not available here; it says why

    Notes
    -----
    A sum of K products may be wrong by UNIT * (64 + 2 * sqrt(K)) of the largest result: 64 for
    Winograd's transforms and curved functions, sqrt(K) for sums taken in order. A mistake in a
    kernel is thousands of times larger.

    Examples
    --------
    >>> from minicnn.zoo import lenet
    >>> all(check.agrees for check in verify(lenet()))
    True
    """
    checks: list[Check] = []
    engines = list(engines or available_backends())
    for engine in engines:
        check_available(engine)
    for engine in engines:
        probe = copy.deepcopy(model)
        if probe.optimizer is None or probe.loss is None:
            probe.compile("sgd", _loss_for(probe))
        inputs = as_arrays(x) if x is not None else _noise(probe)
        with backend(engine):
            _watch_use(probe, inputs, checks)
            if len(probe.graph.outputs) == 1:
                _watch_training(probe, inputs, y, checks)
    return checks


class Watcher:
    """Runs an engine's program step by step, and the reference beside it."""

    def __init__(self, runner: Any, program: Program, report: Callable[[Step, float, float], None]):
        self._runner, self._program, self._report = runner, program, report

    def __getitem__(self, index: int) -> np.ndarray:
        return self._runner[index]

    def run(self, first: int = 0, last: int | None = None) -> None:
        """As the runner's own, with every step compared."""
        for number in range(len(self._program.steps))[first:last]:
            step = self._program.steps[number]
            # The engine may write over what it reads.
            reads = [None if i is None else self._runner[i].copy() for i in step.reads]
            self._runner.run(number, number + 1)
            self._report(step, *self._compare(step, reads))

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone; a probe has never run them."""
        self.run(0, self._program.constant)

    def _compare(self, step: Step, reads: list[np.ndarray | None]) -> tuple[float, float]:
        """(error, what is allowed) of the worst of the step's results."""
        worst = (0.0, UNIT)
        with backend(REFERENCE):
            wanted = kernel(step.kernel)(*_widened(step.kernel, reads), **step.attributes)
        names = CONTRACTS[step.kernel].writes
        for name, index, right in zip(names, step.writes, wanted, strict=True):
            if index is not None and right is not None:
                added = reads[0] if name in SUMS_OF_DY else None
                found = _compared(self._runner[index], right, reads, added)
                worst = max(worst, found, key=lambda pair: _excess(*pair))
        return worst


def _watch_use(model: Model, inputs: tuple[np.ndarray, ...], checks: list[Check]) -> None:
    model.build_for(inputs)
    execution = model.execution("predict", inputs)
    execution.runner = _watched(execution, "use", checks)
    execution.predict(inputs)


def _watch_training(
    model: Model, inputs: tuple[np.ndarray, ...], y: Any, checks: list[Check]
) -> None:
    """A whole step: forward, backward, update of a model that nobody needs any more."""
    optimizer, loss = model.need_compiled()
    shape = (len(inputs[0]), *model.graph.outputs[0].shape[1:])
    labels = loss.prepare(_labels(model, shape) if y is None else y, shape)
    execution = model.execution("train", inputs)
    execution.runner = _watched(execution, "training", checks)
    step = optimizer.iterations
    execution.forward_backward(Batch(inputs, labels), optimizer.rates(step), random.rng_key(step))
    execution.commit()


def _watched(execution: Any, passes: str, checks: list[Check]) -> Watcher:
    program, engine = execution.plan.program, execution.engine

    def report(step: Step, error: float, allowed: float) -> None:
        checks.append(Check(engine, passes, _layer(program, step), step.kernel, error, allowed))

    return Watcher(execution.runner, program, report)


def _layer(program: Program, step: Step) -> str:
    """The layer whose parameters the step reads, by their names: "conv1/kernel"."""
    names = [program.buffers[i].name for i in step.reads if i is not None]
    return next((name.partition("/")[0] for name in names if "/" in name), "")


def _widened(name: str, reads: list[np.ndarray | None]) -> list[np.ndarray | None]:
    # Adam divides by the root of a mean of squares. In float32 small squares are 0, in float64 not.
    if name.endswith("_update"):
        return reads
    return [x.astype(np.float64) if x is not None and x.dtype == np.float32 else x for x in reads]


def _compared(
    found: np.ndarray,
    right: np.ndarray,
    reads: list[np.ndarray | None],
    added: np.ndarray | None,
) -> tuple[float, float]:
    """(error, what is allowed) of one result, whose size is at least that of what was `added`."""
    if right.dtype.kind != "f":  # who won a pooling: by another rounding it may be another one
        return float((found != right).mean()), MAX_OTHER_WINNERS
    sizes = [right] if added is None else [right, added]
    largest = max(float(np.abs(x).max(initial=0.0)) for x in sizes)
    difference = float(np.abs(found - right).max(initial=0.0))
    # A result has at most so many terms: the numbers that were read, for each channel.
    terms = max((x.size for x in reads if x is not None), default=1) / max(right.shape[-1], 1)
    allowed = UNIT * (64 + 2 * math.sqrt(terms))
    return difference / largest if largest > 0 else difference, allowed


def _excess(error: float, allowed: float) -> float:
    return math.inf if math.isnan(error) else error / allowed


def _noise(model: Model) -> tuple[np.ndarray, ...]:
    """Two samples for each input: pixels 0...255 where the model rescales, else 0...1."""
    rng = random.generator("verify")
    return tuple(
        (rng.random((2, *t.shape[1:])) * (255 if model.rescales(i) else 1)).astype(np.float32)
        for i, t in enumerate(model.graph.inputs)
    )


def _labels(model: Model, shape: tuple[int, ...]) -> np.ndarray:
    """Labels at random, of the kind that the loss takes: numbers, or rows that sum to 1."""
    rng = random.generator("verify labels")
    spec = model.need_compiled()[1].label_spec(shape)
    if np.dtype(spec.dtype).kind in "iu":
        return rng.integers(0, shape[-1], shape[0])
    if shape[-1] == 1:
        return rng.integers(0, 2, shape)
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def _loss_for(model: Model) -> str:
    """The loss that goes with the network's last activation."""
    last = getattr(model.graph.outputs[0].layer, "activation", "linear")
    losses = {"softmax": "sparse_categorical_crossentropy", "sigmoid": "binary_crossentropy"}
    return losses.get(last, "mean_squared_error")


def summary(checks: Sequence[Check]) -> str:
    """One sentence: how many kernel calls were compared, and how the worst came out."""
    bad = [check for check in checks if not check.agrees]
    worst = max(checks, key=lambda check: _excess(check.error, check.allowed))
    text = (
        f"{len(checks)} kernel calls compared; the nearest to its limit: {worst.kernel}, "
        f"{worst.error:.1e} of {worst.allowed:.1e}"
    )
    return f"{len(bad)} of {text}" if bad else f"all {text}"
