"""One engine's process: JSON lines come in on stdin, one answer a line goes out.

    python -m peers.worker ENGINE THREADS

First line out: {"versions": ..., "variants": ...}, or {"absent": package} where it is not
installed. Then `check` answers what the network computes, `block` runs it for a while and answers
each step's time. The engine's own chatter on stdout is sent to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from peers.networks import NETWORKS, random_batch, random_weights

STEPS_COMPARED = 3
WARM_STEPS = 3  # a block's first steps find cold caches and sleeping threads: not counted


class Worker:
    """The models of one engine, one for every network and variant, made when first asked for."""

    def __init__(self, engine: Any, threads: int) -> None:
        self.engine, self.threads = engine, threads
        self.models: dict[tuple[str, str], Any] = {}

    def check(self, network: str, variant: str, batch: int, seed: int, to: str) -> dict[str, Any]:
        """Write probabilities, and weights after three steps, to the file `to`."""
        model = self._model(network, variant, seed)
        x, y = model.tensors(*random_batch(NETWORKS[network], batch, seed))
        probabilities = model.predict(x)
        losses = [model.train(x, y) for _ in range(STEPS_COMPARED)]
        weights = {f"weights_{i}": w for i, w in enumerate(model.weights())}
        np.savez(to, probabilities=probabilities, **weights)
        return {"losses": losses}

    def block(
        self, network: str, variant: str, mode: str, batch: int, seed: int, seconds: float
    ) -> dict[str, Any]:
        """Seconds of every step of about `seconds` of work, from the same weights each time."""
        model = self._model(network, variant, seed)
        x, y = model.tensors(*random_batch(NETWORKS[network], batch, seed))
        step = (lambda: model.train(x, y)) if mode == "training" else (lambda: model.predict(x))
        return {"times": _times(step, seconds)}

    def _model(self, network: str, variant: str, seed: int) -> Any:
        key = (network, variant)
        if key not in self.models:
            self.models[key] = self.engine.Model(NETWORKS[network], variant, self.threads)
        self.models[key].load(random_weights(NETWORKS[network], seed))
        return self.models[key]


def _times(step: Callable[[], Any], seconds: float) -> list[float]:
    for _ in range(WARM_STEPS):
        step()
    times: list[float] = []
    start = now = time.perf_counter()
    while now - start < seconds or len(times) < WARM_STEPS:
        before = now
        step()
        now = time.perf_counter()
        times.append(now - before)
    return times


def _answer(stream: Any, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=stream, flush=True)


def _take_stdout() -> Any:
    """The pipe to the parent, kept apart: what libraries print goes to stderr from now on."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Answer until stdin ends."""
    name, threads = sys.argv[1], int(sys.argv[2])
    answers = _take_stdout()
    package = "minicnn" if name in ("native", "numpy") else name
    try:
        engine = importlib.import_module(f"peers.with_{package}")
    except ModuleNotFoundError as err:
        _answer(answers, {"absent": err.name})
        return
    variants = list(getattr(engine, "VARIANTS", (name,)))
    _answer(answers, {"versions": engine.versions(), "variants": variants})
    worker = Worker(engine, threads)
    requests: dict[str, Callable[..., dict[str, Any]]]
    requests = {"check": worker.check, "block": worker.block}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            _answer(answers, requests[request.pop("do")](**request))
        except Exception as err:  # the parent decides what a failing variant means
            _answer(answers, {"error": f"{type(err).__name__}: {str(err)[:300]}"})


if __name__ == "__main__":
    main()
