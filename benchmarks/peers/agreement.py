"""Check that all engines compute the same outputs and updates, before they are timed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from peers.engine_processes import EngineError, EngineProcesses
from peers.engines import ENGINES
from peers.networks import Network, random_weights, weights_of, without_dropout

TOLERANCE = 1e-4  # largest difference of a probability, or of a weight after three steps of SGD
# Adam divides each gradient by its own size. Where a gradient is nearly 0, the step depends on
# rounding and on where epsilon is added, which PyTorch does after the bias correction. So the
# moves of all weights are compared as one vector: |difference| / |move|.
ADAM_TOLERANCE = 0.25
SEED = 0
# A peer's variant whose training step takes longer than 2 seconds and 4 times as long as another
# peer's is timed at inference only; some need 20 seconds where others need one.
PATIENCE_SECONDS, TOO_SLOW = 2.0, 4

Computed = dict[str, np.ndarray]


class Way(NamedTuple):
    """An engine and one of its variants."""

    engine: str
    variant: str

    def __str__(self) -> str:
        return " ".join(self).strip()


class DisagreementError(RuntimeError):
    """An engine computed different results, so its time means nothing."""


class Agreement(NamedTuple):
    """The variants that take part, the modes of each, and their differences from the first one."""

    modes: dict[Way, list[str]]
    rows: list[dict[str, Any]]


def agree(processes: EngineProcesses, network: Network, console: Console) -> Agreement:
    """Compare all variants that work here; raise if one computes different results."""
    console.print(f"[bold]{network.name}[/]: do all compute the same?")
    found = Agreement({}, [])
    wanted: Computed = {}
    limit = np.inf
    for way in (Way(e, v) for e, variants in processes.variants.items() for v in variants):
        try:
            computed, seconds = _computed(processes, way, network, limit)
        except EngineError as err:
            if ENGINES[way.engine].is_ours:
                raise
            console.print(f"[yellow]  {way} does not work here: {err}")
            continue
        modes = processes.variants[way.engine][way.variant]
        if seconds is not None and not ENGINES[way.engine].is_ours:
            if seconds > limit:
                console.print(f"[yellow]  {way} takes {seconds:.1f} s a step: not let learn")
                modes = [mode for mode in modes if mode == "inference"]
            limit = min(limit, max(TOO_SLOW * seconds, PATIENCE_SECONDS))
        found.modes[way] = modes
        if not wanted:
            wanted = computed
            _demand_moves(wanted, network)
            continue
        row = differences(computed, wanted, network)
        text = ", ".join(f"{name} {value:.1e}" for name, value in row.items())
        console.print(f"  {way} differs from {next(iter(found.modes))} by: {text}", soft_wrap=True)
        _demand_agreement(way, row)
        found.rows.append({"way": str(way), "batch": network.batch, **row})
    if not found.modes:
        raise EngineError("no engine could be started")
    return found


def differences(found: Computed, wanted: Computed, network: Network) -> dict[str, float]:
    """The differences of probabilities, of weights after SGD, and of the optimizer's moves."""
    off = {"probabilities": _largest(found["probabilities"] - wanted["probabilities"])}
    count = len(weights_of(network))
    if "sgd_0" in found:
        pairs = [(found[f"sgd_{i}"], wanted[f"sgd_{i}"]) for i in range(count)]
        off["weights"] = max(_largest(a - b) for a, b in pairs)
        ours, theirs = _moves(wanted, network), _moves(found, network)
        off["moves"] = float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours))
    return off


def _computed(
    processes: EngineProcesses, way: Way, network: Network, limit: float
) -> tuple[Computed, Any]:
    """What a variant computes, and its seconds per training step, or None if it does not train."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "computed.npz"
        limit = np.inf if ENGINES[way.engine].is_ours else limit
        request = {"network": network.name, "variant": way.variant, "batch": network.batch}
        request |= {"seed": SEED, "limit": limit, "to": str(path)}
        answer = processes.ask(way.engine, "check", **request)
        with np.load(path) as file:
            return dict(file), answer["seconds"]


def _moves(computed: Computed, network: Network) -> np.ndarray:
    """How the network's optimizer moved all learned weights, as one vector."""
    plain = without_dropout(network)
    weights = zip(weights_of(plain), random_weights(plain, SEED), strict=True)
    moves = [
        (computed[f"own_{i}"] - start).ravel()
        for i, (weight, start) in enumerate(weights)
        if weight.learned
    ]
    return np.concatenate(moves)


def _demand_moves(computed: Computed, network: Network) -> None:
    starts = enumerate(random_weights(network, SEED))
    moved = max(_largest(computed[f"sgd_{i}"] - start) for i, start in starts)
    if not moved >= 10 * TOLERANCE:
        raise DisagreementError("the training moves the weights too little to compare them")


def _demand_agreement(way: Way, row: dict[str, float]) -> None:
    limits = {"probabilities": TOLERANCE, "weights": TOLERANCE, "moves": ADAM_TOLERANCE}
    for name, value in row.items():
        if not value <= limits[name]:  # also true for NaN
            raise DisagreementError(f"{way}: {name} differ by more than {limits[name]:g}")


def _largest(array: np.ndarray) -> float:
    return float(np.abs(array).max())
