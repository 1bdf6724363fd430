"""One process of a job of `ranks.py`: check what it computes, then time its training steps.

    python ranks_worker.py WAY NETWORK STEPS FILE

Rank 0 writes the weights after a few steps to FILE, and the median time of a step to standard
output, as JSON. Every process has one thread.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from peers.networks import (
    NETWORKS,
    SGD,
    Network,
    random_batch,
    random_weights,
    without_dropout,
)

STEPS_COMPARED = 3
SGD_COMPARED = SGD(5e-4, 0.9)  # a small rate, so that no max pooling changes its argmax
WARM_STEPS = 3


class Ours:
    """minicnn; `shards` of 0 is a process that trains alone, as without mpirun."""

    def __init__(self, network: Network, shards: int) -> None:
        from peers import with_minicnn

        import minicnn as mc

        mc.config.set_threads(1)
        if shards:
            mc.distributed.init(shards)
        self.rank = mc.distributed.rank()
        self.model = with_minicnn.Model(network, "")
        self.model.load(random_weights(network, 0))

    def step(self, x: np.ndarray, y: np.ndarray) -> None:
        """Train on a whole batch, of which this process computes a part."""
        self.model.train(x, y)

    def weights(self) -> list[np.ndarray]:
        """The weights in the order of the benchmarks."""
        return self.model.weights()


class PyTorch:
    """PyTorch's DistributedDataParallel on Gloo, with the options that make it fastest."""

    def __init__(self, network: Network, variant: str) -> None:
        import torch
        from peers import with_torch
        from torch import distributed
        from torch.nn.parallel import DistributedDataParallel

        torch.set_num_threads(1)
        self.rank, self.size = (int(os.environ[f"OMPI_COMM_WORLD_{n}"]) for n in ("RANK", "SIZE"))
        address = f"tcp://127.0.0.1:{os.environ['RANKS_PORT']}"
        distributed.init_process_group("gloo", address, rank=self.rank, world_size=self.size)
        self.model = with_torch.Model(network, variant)
        self.model.load(random_weights(network, 0))
        self.net = self.model.net
        self.model.net = DistributedDataParallel(
            self.net, broadcast_buffers=False, gradient_as_bucket_view=True, static_graph=True
        )
        self._whole: Any = None

    def step(self, x: np.ndarray, y: np.ndarray) -> None:
        """Train on this process's part of a batch; the tensors are made once."""
        if self._whole is not x:
            size = len(x) // self.size
            own = slice(self.rank * size, (self.rank + 1) * size)
            self._whole, self._own = x, self.model.tensors(x[own], y[own])
        self.model.train(*self._own)

    def weights(self) -> list[np.ndarray]:
        """The weights in the order of the benchmarks."""
        self.model.net = self.net
        return self.model.weights()


WAYS: dict[str, Callable[[Network], Any]] = {
    "alone": lambda network: Ours(network, 0),
    "2 shards": lambda network: Ours(network, 2),
    "8 shards": lambda network: Ours(network, 8),
    "ddp eager": lambda network: PyTorch(network, "eager"),
    "ddp compile": lambda network: PyTorch(network, "compile"),
}


def main() -> None:
    """Check or time one way, as the command line says."""
    way, name, steps, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    network = NETWORKS[name]
    if steps == 0:
        network = without_dropout(network)._replace(optimizer=SGD_COMPARED)
    engine, (x, y) = WAYS[way](network), random_batch(network, network.batch, 0)
    times = []
    for _ in range(WARM_STEPS + steps if steps else STEPS_COMPARED):
        start = time.perf_counter()
        engine.step(x, y)
        times.append(time.perf_counter() - start)
    if engine.rank == 0:
        if steps == 0:
            np.savez(file, *engine.weights())
        print(json.dumps({"seconds": statistics.median(times[WARM_STEPS:] or times)}))


if __name__ == "__main__":
    main()
