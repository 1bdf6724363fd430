"""The process of one engine: reads requests from stdin, one JSON line each, and writes replies.

    python -m peers.worker ENGINE THREADS

The first line that it writes is {"versions": ..., "variants": {variant: [mode, ...]}}, or
{"absent": package} if the engine is not installed. The request `check` computes outputs and weights
for comparison, `block` times steps, `memory` measures the memory of training, and `learn` measures
how long LeNet takes to learn MNIST. What libraries print to stdout goes to stderr.
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
SGD_COMPARED = SGD(5e-4, 0.9)  # a small rate, so that no max pooling changes its argmax
MAX_STEPS = 300  # then a model starts over, long before the momenta of dead neurons are denormal
MEMORY_STEPS = 3  # enough for every array to be allocated
# The first steps of a block find cold caches and sleeping threads. This many are not counted, or
# as many as fit into the time. A longer step is warm after a small part of it.
WARM_STEPS = 3
WARM_SECONDS = 0.2


class Loaded:
    """A model, and the number of training steps since its initial weights."""

    def __init__(self, model: Any, weights: list[np.ndarray]) -> None:
        self.model, self.weights = model, weights
        self.start_over()

    def start_over(self) -> None:
        """Restore the initial weights and clear the optimizer's state."""
        self.model.load(self.weights)
        self.steps = 0

    def train(self, x: Any, y: Any) -> None:
        """Train for one step."""
        self.model.train(x, y)
        self.steps += 1


class Worker:
    """The models of one engine by network and variant, built on first use."""

    def __init__(self, engine: Any, threads: int) -> None:
        self.engine, self.threads = engine, threads
        self.models: dict[tuple[str, str], Loaded] = {}
        self.slow: set[tuple[Any, ...]] = set()  # cases with long steps, which need no warm-up

    def check(
        self, network: str, variant: str, batch: int, seed: int, limit: float, to: str
    ) -> dict[str, Any]:
        """Write probabilities and, if the engine trains, weights after three steps to file `to`.

        It trains once with the network's optimizer and once with SGD, without dropout, whose masks
        differ between engines. Returns the seconds per step, or None if the engine does not train.
        A training with more than `limit` seconds per step is given up.
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
        """Time each of the steps that fit into about `seconds`."""
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
        """Train and test LeNet; return the seconds that this takes, and the accuracy.

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
        """Resident bytes before the model is built, and their peak during training."""
        net = NETWORKS[network]
        before = machine.resident_bytes()
        machine.forget_peak()
        model = self.engine.Model(net, variant)
        # Broadcast zeros take no memory themselves.
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
    """Return the pipe to the parent, and send everything else that is printed to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Reply to requests until stdin ends."""
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
