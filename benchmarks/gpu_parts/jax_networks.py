"""The five networks in JAX: one `jit` over the whole step, which may reuse its buffers."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
from peers.networks import NETWORKS, random_batch, random_weights
from peers.with_jax import Model

from gpu_parts.clock import images_per_second, seconds_each
from gpu_parts.options import Item, Options

PRECISIONS = {"float32": "highest", "tf32": "tensorfloat32"}
VARIANT = "window"  # of pooling; on processors the other variant can be faster


def items(options: Options) -> list[Item]:
    """Return nothing if JAX has no GPU here: on a processor it would be slow."""
    if jax.default_backend() != "gpu":
        raise ModuleNotFoundError("jax with CUDA", name="jax[cuda]")
    names = [n for n in NETWORKS if not options.networks or n in options.networks]
    return [
        Item(f"{name}, {mode}, {precision}, jax", partial(measure, name, mode, precision))
        for precision in ("tf32", "float32")
        for mode in ("training", "inference")
        for name in names
    ]


def measure(name: str, mode: str, precision: str) -> dict[str, Any]:
    """Measure images per second; a training step waits for its loss."""
    jax.config.update("jax_default_matmul_precision", PRECISIONS[precision])
    network = NETWORKS[name]
    model = Model(network, VARIANT)
    model.load(random_weights(network, 0))
    size = network.batch if mode == "training" else network.inference_batch
    x, y = model.tensors(*random_batch(network, size, 0))
    run = (lambda: model.train(x, y)) if mode == "training" else (lambda: model.predict(x))
    found = images_per_second(seconds_each(run, lambda: None), size)
    return {"network": name, "mode": mode, "precision": precision, "engine": "jax", **found}
