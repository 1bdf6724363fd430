"""Compare an engine with the reference, one step of a program at a time.

The engine runs the model's own programs, planned and fused as usual, but step by step. The
reference's kernel of the same name gets the same inputs in float64, and the results are compared.
Because both start from the same values at every step, an error shows in the kernel that makes it
and in no other.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.backends import available_backends, check_available, kernel, use_backend
from minicnn.contracts import CONTRACTS
from minicnn.models import Model
from minicnn.models.batches import Batch, as_arrays
from minicnn.models.training.advice import last_activation
from minicnn.program import Program, Step

UNIT = 2.0**-24  # relative rounding error of float32
REFERENCE = "numpy"
# Rounding may move the position of a pooling window's maximum in this share of the windows.
MAX_OTHER_POSITIONS = 1e-3
# Sums of dy over a channel. They may cancel to almost 0, as before a batch normalization; then
# only the rounding errors of dy remain, so the error is measured relative to dy.
SUMS_OF_DY = ("db", "dbeta")


class Check(NamedTuple):
    """One kernel call of an engine, compared with the reference."""

    engine: str
    passes: str  # "inference" or "training"
    layer: str  # the layer whose parameters the kernel reads; "" if it reads none
    kernel: str
    error: float  # largest difference divided by the largest absolute value
    allowed: float  # the error that rounding explains

    @property
    def agrees(self) -> bool:
        """Whether rounding explains the error; False for NaN."""
        return self.error <= self.allowed


def verify(
    model: Model, x: Any = None, y: Any = None, *, engines: Sequence[str] | None = None
) -> list[Check]:
    """Compare each kernel call of a prediction and of a training step with the reference.

    Parameters
    ----------
    model : Model
        It is not changed. If it is not compiled, the loss that matches its last layer is used.
    x : (N, ...) array, optional
        Samples; default: two samples of noise.
    y : array, optional
        Their labels; default: random labels.
    engines : sequence of str, optional
        Default: all engines that are available here. "numpy" compares the reference in float32
        with itself in float64. Small networks run on "cuda" in numba's simulator, too.

    Returns
    -------
    list of Check
        One per kernel call, in the order of the steps.

    Raises
    ------
    ArgumentError, BackendError : an engine is unknown, or not available here

    Notes
    -----
    A sum of K products may be wrong by UNIT * (64 + 2 * sqrt(K)), relative to the largest result:
    64 for Winograd's transforms and transcendental functions, sqrt(K) for the rounding of a sum. A
    mistake in a kernel causes errors thousands of times larger.

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
        with use_backend(engine):
            _check_inference(probe, inputs, checks)
            if len(probe.graph.outputs) == 1:
                _check_training(probe, inputs, y, checks)
    return checks


class Watcher:
    """Replaces an execution's runner and compares every step with the reference."""

    max_steps_per_call: int = 1

    def __init__(self, runner: Any, program: Program, report: Callable[[Step, float, float], None]):
        self._runner, self._program, self._report = runner, program, report

    def __getitem__(self, index: int) -> np.ndarray:
        return self._runner[index]

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` to before `last`, and report each one's error."""
        for k in range(len(self._program.steps))[first:last]:
            step = self._program.steps[k]
            # Copies, because the engine may overwrite what it reads.
            reads = [None if i is None else self._runner[i].copy() for i in step.reads]
            self._runner.run(k, k + 1)
            self._report(step, *self._compare(step, reads))

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone."""
        self.run(0, self._program.constant_steps)

    def _compare(self, step: Step, reads: list[np.ndarray | None]) -> tuple[float, float]:
        """(error, allowed error) of the step's worst result."""
        worst = (0.0, UNIT)
        with use_backend(REFERENCE):
            wanted = kernel(step.kernel)(*_widened(step.kernel, reads), **step.attributes)
        names = CONTRACTS[step.kernel].writes
        for name, index, right in zip(names, step.writes, wanted, strict=True):
            if index is not None and right is not None:
                added = reads[0] if name in SUMS_OF_DY else None
                found = _compared(self._runner[index], right, reads, added)
                worst = max(worst, found, key=lambda pair: _excess(*pair))
        return worst


def _check_inference(model: Model, inputs: tuple[np.ndarray, ...], checks: list[Check]) -> None:
    model.build_for(inputs)
    execution = model.execution("predict", inputs)
    execution.runner = _watched(execution, "inference", checks)
    execution.predict(inputs)


def _check_training(
    model: Model, inputs: tuple[np.ndarray, ...], y: Any, checks: list[Check]
) -> None:
    """Check a whole training step; its update changes `model`, which must be a copy."""
    optimizer, loss = model.need_compiled()
    shape = (len(inputs[0]), *model.graph.outputs[0].shape[1:])
    labels = loss.prepare(_labels(model, shape) if y is None else y, shape)
    execution = model.execution("train", inputs)
    execution.runner = _watched(execution, "training", checks)
    step = optimizer.steps
    execution.forward_backward(Batch(inputs, labels), optimizer.rates(step), random.rng_key(step))
    execution.commit()


def _watched(execution: Any, passes: str, checks: list[Check]) -> Watcher:
    program, engine = execution.plan.program, execution.engine

    def report(step: Step, error: float, allowed: float) -> None:
        checks.append(Check(engine, passes, _layer(program, step), step.kernel, error, allowed))

    return Watcher(execution.runner, program, report)


def _layer(program: Program, step: Step) -> str:
    """The layer whose parameters the step reads; a parameter is named like "conv1/kernel"."""
    names = [program.buffers[i].name for i in step.reads if i is not None]
    return next((name.partition("/")[0] for name in names if "/" in name), "")


def _widened(name: str, reads: list[np.ndarray | None]) -> list[np.ndarray | None]:
    # Adam divides by the root of a mean square. Small squares underflow to 0 in float32 only.
    if name.endswith("_update"):
        return reads
    return [x.astype(np.float64) if x is not None and x.dtype == np.float32 else x for x in reads]


def _compared(
    found: np.ndarray,
    right: np.ndarray,
    reads: list[np.ndarray | None],
    added: np.ndarray | None,
) -> tuple[float, float]:
    """(error, allowed error) of one result, relative to the largest of `right` and `added`."""
    if right.dtype.kind != "f":  # positions of maxima in pooling windows
        return float((found != right).mean()), MAX_OTHER_POSITIONS
    sizes = [right] if added is None else [right, added]
    largest = max(float(np.abs(x).max(initial=0.0)) for x in sizes)
    difference = float(np.abs(found - right).max(initial=0.0))
    # An upper bound for the number of terms in one sum: the values that were read per channel.
    terms = max((x.size for x in reads if x is not None), default=1) / max(right.shape[-1], 1)
    allowed = UNIT * (64 + 2 * math.sqrt(terms))
    return difference / largest if largest > 0 else difference, allowed


def _excess(error: float, allowed: float) -> float:
    return math.inf if math.isnan(error) else error / allowed


def _noise(model: Model) -> tuple[np.ndarray, ...]:
    """Two random samples per input: pixels of 0...255 where the model rescales, else 0...1."""
    rng = random.generator("verify")
    return tuple(
        (rng.random((2, *t.shape[1:])) * (255 if model.rescales(i) else 1)).astype(np.float32)
        for i, t in enumerate(model.graph.inputs)
    )


def _labels(model: Model, shape: tuple[int, ...]) -> np.ndarray:
    """Random labels in the form that the loss takes: class indices, 0 and 1, or one-hot rows."""
    rng = random.generator("verify labels")
    spec = model.need_compiled()[1].label_spec(shape)
    if np.dtype(spec.dtype).kind in "iu":
        return rng.integers(0, shape[-1], shape[0])
    if shape[-1] == 1:
        return rng.integers(0, 2, shape)
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def _loss_for(model: Model) -> str:
    """The loss that matches the network's last activation."""
    last = last_activation(model.graph.outputs[0])
    losses = {"softmax": "sparse_categorical_crossentropy", "sigmoid": "binary_crossentropy"}
    return losses.get(last or "", "mean_squared_error")


def summary(checks: Sequence[Check]) -> str:
    """One sentence: the number of kernel calls compared, and the one nearest to its limit."""
    bad = [check for check in checks if not check.agrees]
    worst = max(checks, key=lambda check: _excess(check.error, check.allowed))
    text = (
        f"{len(checks)} kernel calls compared; the nearest to its limit: {worst.kernel}, "
        f"error {worst.error:.1e}, allowed {worst.allowed:.1e}"
    )
    return f"{len(bad)} of {text}" if bad else f"all {text}"
