"""Time the training steps of `minicnn.distributed` on several ranks.

    mpirun -n 2 python benchmarks/scaling/training.py NETWORK SHARDS BATCH STEPS FILE

Every rank has one thread. Rank 0 writes FILE, the times of its steps in seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from peers.networks import NETWORKS, random_batch
from peers.with_minicnn import optimizer_of, zoo_model

import minicnn as mc
from scaling.mpirun import pin

WARM_STEPS = 3


def times(name: str, batch: int, steps: int) -> list[float]:
    """Train, and return the times of all steps but the first ones."""
    network = NETWORKS[name]
    # With random labels larger steps would end in NaN.
    slow = network._replace(optimizer=network.optimizer._replace(learning_rate=1e-9))
    model = zoo_model(network)
    model.compile(optimizer_of(slow), loss="sparse_categorical_crossentropy")
    x, y = random_batch(network, batch, seed=0)
    found = []
    for _ in range(WARM_STEPS + steps):
        start = time.perf_counter()
        model.train_on_batch(x, y)
        found.append(time.perf_counter() - start)
    return found[WARM_STEPS:]


def main() -> None:
    """Measure, and let rank 0 write the times."""
    name, shards, batch, steps, path = sys.argv[1:]
    mc.set_backend("native")
    mc.config.set_threads(1)
    mc.distributed.init(int(shards))
    pin(mc.distributed.rank())
    found = times(name, int(batch), int(steps))
    if mc.distributed.rank() == 0:
        Path(path).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
