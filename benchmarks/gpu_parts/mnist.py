"""The time from the start of `fit` until LeNet classifies 99.2 % of MNIST's test images."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from peers.networks import NETWORKS, Adam, random_weights
from peers.with_minicnn import optimizer_of, zoo_model

import minicnn as mc
from gpu_parts.options import Item, Options

WANTED = 0.992
BATCH, EPOCHS, WARM_UP = 128, 8, 200
RATE = 0.004
EVALUATED = 1000  # images per batch


def items(_options: Options) -> list[Item]:
    """Return one item per seed and precision; the first one also compiles the kernels."""
    return [
        Item(f"seed {seed}, {precision}", partial(learn, seed, precision))
        for precision in ("float32", "tf32")
        for seed in (0, 1, 2)
    ]


def learn(seed: int, precision: str) -> dict[str, Any]:
    """Measure the seconds until an evaluation after an epoch reaches WANTED, with evaluations."""
    mc.set_backend("cuda")
    mc.set_precision(precision)
    (x, y), (x_test, y_test) = mc.datasets.mnist.load_data()
    network = NETWORKS["lenet"]._replace(optimizer=Adam(RATE))
    start = time.perf_counter()
    model = zoo_model(network)
    optimizer = optimizer_of(network)
    steps = -(-len(x) // BATCH) * EPOCHS - WARM_UP
    optimizer.learning_rate = mc.schedules.CosineDecay(
        0.0, steps, warmup_target=RATE, warmup_steps=WARM_UP
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(random_weights(network, seed))
    accuracies: list[float] = []
    for epoch in range(EPOCHS):
        model.fit(x[..., None], y, BATCH, epoch + 1, initial_epoch=epoch, verbose=0)
        accuracies.append(model.evaluate(x_test[..., None], y_test, EVALUATED, verbose=0)[1])
        if accuracies[-1] >= WANTED:
            break
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "reached": accuracies[-1] >= WANTED, "accuracies": accuracies}
