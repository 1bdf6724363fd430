"""One engine's process: JSON lines come in on stdin, one answer a line goes out.

    python -m peers.worker ENGINE THREADS

First line out: {"versions": ..., "variants": {variant: [what it can do, ...]}}, or {"absent":
package} where it is not installed. Then `check` answers what a network computes, `block` runs it
for a while and answers each step's time, `memory` what training it takes, `learn` how long LeNet
needs for MNIST. The engine's own chatter
on stdout is sent to stderr.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from peers import machine
from peers.engines import ENGINES
from peers.networks import NETWORKS, SGD, random_batch, random_weights, weights_of, without_dropout
from peers.recipes import RECIPES, Digits

STEPS_COMPARED = 3
SGD_COMPARED = SGD(5e-4, 0.9)  # small: a max pooling that changes its argmax is not a difference
MAX_STEPS = 300  # then a model starts over, long before a dead neuron's momenta are denormal
MEMORY_STEPS = 3  # by then every array has been made
# A block's first steps find cold caches and sleeping threads: so many are not counted, or as many
# as fit into the time. What takes longer is warm after a small part of its first step.
WARM_STEPS = 3
WARM_SECONDS = 0.2


class Loaded:
    """A model, and how many steps it has learned from its first weights."""

    def __init__(self, model: Any, weights: list[np.ndarray]) -> None:
        self.model, self.weights = model, weights
        self.start_over()

    def start_over(self) -> None:
        """From the first weights, without momentum."""
        self.model.load(self.weights)
        self.steps = 0

    def train(self, x: Any, y: Any) -> None:
        """One step."""
        self.model.train(x, y)
        self.steps += 1


class Worker:
    """The models of one engine, one for every network and variant, made when first asked for."""

    def __init__(self, engine: Any, threads: int) -> None:
        self.engine, self.threads = engine, threads
        self.models: dict[tuple[str, str], Loaded] = {}
        self.slow: set[tuple[Any, ...]] = set()  # what has run before, and takes long

    def check(
        self, network: str, variant: str, batch: int, seed: int, limit: float, to: str
    ) -> dict[str, Any]:
        """Write probabilities and, if it learns, weights after three steps to the file `to`.

        Once with the network's own optimizer, once with SGD. Without dropout: every engine draws
        other masks. The answer is the seconds of a step, or nothing for what does not learn; what
        takes more than `limit` seconds a step is not let learn to the end.
        """
        plain = without_dropout(NETWORKS[network])
        computed: dict[str, np.ndarray] = {}
        times: list[float] = []
        for name, optimizer in (("own", plain.optimizer), ("sgd", SGD_COMPARED)):
            model = self.engine.Model(plain._replace(optimizer=optimizer), variant)
            model.load(random_weights(plain, seed))
            x, y = model.tensors(*random_batch(plain, batch, seed))
            computed.setdefault("probabilities", model.predict(x))
            if not hasattr(model, "train"):
                break
            times += [_seconds(model.train, x, y) for _ in range(2)]  # the first one compiles
            if min(times) > limit:
                break
            for _ in range(STEPS_COMPARED - 2):
                model.train(x, y)
            computed |= {f"{name}_{i}": w for i, w in enumerate(model.weights())}
            del model
            gc.collect()
        np.savez(to, **computed)
        return {"seconds": min(times, default=None)}

    def block(
        self,
        network: str,
        variant: str,
        mode: str,
        batch: int,
        threads: int,
        seed: int,
        seconds: float,
    ) -> dict[str, Any]:
        """Seconds of every step of about `seconds` of work."""
        self.engine.use_threads(threads)
        loaded = self._loaded(network, variant, seed)
        if loaded.steps >= MAX_STEPS:
            loaded.start_over()
        model = loaded.model
        x, y = model.tensors(*random_batch(NETWORKS[network], batch, seed))
        steps = {
            "training": lambda: loaded.train(x, y),
            "inference": lambda: model.predict(x),
            "fit": lambda: model.fit(x, y),
        }
        times = self._times((network, variant, mode, batch, threads), steps[mode], seconds)
        self.engine.use_threads(self.threads)
        return {"times": times}

    def learn(self, recipe: str, seed: int, data: str) -> dict[str, Any]:
        """Seconds from the start of LeNet's training to its mark in the examination, and the mark.

        `data` is a file with the arrays of `Digits`.
        """
        network = NETWORKS["lenet"]
        with np.load(data) as file:
            digits = Digits(*(file[name] for name in Digits._fields))
        weights = random_weights(network, seed)
        start = time.perf_counter()
        accuracy = self.engine.learn(network, RECIPES[recipe], weights, digits)
        return {"seconds": time.perf_counter() - start, "accuracy": float(accuracy)}

    def memory(self, network: str, variant: str) -> dict[str, Any]:
        """Bytes of a fresh process: before the model, and at most while it trains."""
        net = NETWORKS[network]
        before = machine.resident_bytes()
        machine.forget_peak()
        model = self.engine.Model(net, variant)
        # Zeros that take no memory themselves.
        model.load([np.broadcast_to(np.float32(0), w.shape) for w in weights_of(net)])
        x, y = model.tensors(*random_batch(net, net.batch, seed=0))
        for _ in range(MEMORY_STEPS):
            model.train(x, y)
        return {"before": before, "peak": machine.peak_bytes()}

    def _loaded(self, network: str, variant: str, seed: int) -> Loaded:
        key = (network, variant)
        if key not in self.models:
            net = NETWORKS[network]
            model = self.engine.Model(net, variant)
            self.models[key] = Loaded(model, random_weights(net, seed))
        return self.models[key]

    def _times(self, key: tuple[Any, ...], step: Callable[[], Any], seconds: float) -> list[float]:
        start = now = time.perf_counter()
        for _ in range(WARM_STEPS):
            if now - start >= WARM_SECONDS or key in self.slow:
                break
            step()
            now = time.perf_counter()
        if now - start >= 2 * WARM_SECONDS:
            self.slow.add(key)
        times: list[float] = []
        start = now = time.perf_counter()
        while not times or now - start < seconds:
            before = now
            step()
            now = time.perf_counter()
            times.append(now - before)
        return times


def _seconds(work: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


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
    try:
        engine = importlib.import_module(f"peers.{ENGINES[name].module}")
    except ModuleNotFoundError as err:
        _answer(answers, {"absent": err.name})
        return
    engine.use_threads(threads)
    _answer(answers, {"versions": engine.versions(), "variants": engine.VARIANTS})
    worker = Worker(engine, threads)
    requests: dict[str, Callable[..., dict[str, Any]]]
    names = "check", "block", "memory", "learn"
    requests = {name: getattr(worker, name) for name in names}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            _answer(answers, requests[request.pop("do")](**request))
        except Exception as err:  # the parent decides what a failing variant means
            _answer(answers, {"error": f"{type(err).__name__}: {str(err)[:300]}"})


if __name__ == "__main__":
    main()
