"""The five networks in minicnn: training steps, epochs of `fit`, predictions."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from peers.networks import NETWORKS, Network, random_batch, random_weights
from peers.with_minicnn import optimizer_of, zoo_model

import minicnn as mc
from gpu_parts.clock import images_per_second, seconds_each
from gpu_parts.options import Item, Options

FIT_IMAGES = 4  # times as many as in the benchmark on processors
MODES = ("fit", "training", "inference", "one")


def items(options: Options) -> list[Item]:
    """Return the measurements, the most important first: there may be no time for the last ones."""
    names = [n for n in NETWORKS if not options.networks or n in options.networks]
    return [
        Item(f"{name}, {mode}, {precision}", partial(measure, name, mode, precision))
        for modes in (MODES[:1], MODES[1:])
        for name in names
        for precision in ("float32", "tf32")
        for mode in modes
    ]


def measure(name: str, mode: str, precision: str) -> dict[str, Any]:
    """Measure images per second; images are uint8 in main memory, and a step waits for its loss."""
    network = NETWORKS[name]
    model, x, y, size = _prepared(name, mode, precision)
    runs = {
        "fit": lambda: model.fit(x, y, batch_size=network.batch, epochs=1, verbose=0),
        "training": lambda: model.train_on_batch(x, y),
        "inference": lambda: model.predict_on_batch(x),
        "one": lambda: model.predict_on_batch(x),
    }
    found = images_per_second(seconds_each(runs[mode], lambda: None), size)
    return {"network": name, "mode": mode, "precision": precision, "engine": "minicnn", **found}


def _prepared(name: str, mode: str, precision: str) -> tuple[Any, Any, Any, int]:
    mc.set_backend("cuda")
    mc.set_precision(precision)
    network = NETWORKS[name]
    sizes = {
        "fit": FIT_IMAGES * network.fit_images,
        "training": network.batch,
        "inference": network.inference_batch,
        "one": 1,
    }
    return model_of(network), *random_batch(network, sizes[mode], 0), sizes[mode]


@cache
def model_of(network: Network) -> Any:
    """Return the zoo's network with the initial weights of all engines."""
    model = zoo_model(network)
    model.compile(optimizer=optimizer_of(network), loss="sparse_categorical_crossentropy")
    model.set_weights(random_weights(network, 0))
    return model
