"""JAX as an engine: pure functions, one `jit` over the whole step, donated buffers."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from peers.networks import SGD, BatchNorm, Conv, Dropout, Network, Pool, weights_of

# Two ways to pool: XLA's own window reduction, or the maximum over two axes of a reshaped image,
# whose gradient is a selection and no scatter. Which is faster depends on the network.
BOTH = ("training", "inference")
VARIANTS = {"window": BOTH, "reshape": BOTH}
Arrays = list[jax.Array]
jax.config.update("jax_default_prng_impl", "rbg")  # the faster random numbers, for dropout


class Model:
    """A network; weights, optimizer state and step count are arguments and results of a step."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network = network
        self._train = jax.jit(partial(_step, network, variant), donate_argnums=0)
        self._predict = jax.jit(partial(_probabilities, network, variant))

    def load(self, weights: list[np.ndarray]) -> None:
        """Set these weights and clear the optimizer's state."""
        slots = 1 if isinstance(self.network.optimizer, SGD) else 2
        zeros = [[jnp.zeros_like(w) for w in weights] for _ in range(slots)]
        self.state = ([jnp.array(w) for w in weights], zeros, jnp.zeros((), jnp.int32))

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[jax.Array, jax.Array]:
        """The batch in the form that is fastest for this engine, so that no copy is timed."""
        return jnp.array(x), jnp.array(y)

    def train(self, x: jax.Array, y: jax.Array) -> float:
        """Train for one step and return the loss, after the new weights are ready."""
        self.state, loss = self._train(self.state, x, y)
        jax.block_until_ready(self.state)
        return float(loss)

    def predict(self, x: jax.Array) -> np.ndarray:
        """Predict the probabilities (N, classes)."""
        return np.asarray(self._predict(self.state[0], x))

    def weights(self) -> list[np.ndarray]:
        """All weights in the order of `load`."""
        return [np.asarray(w) for w in self.state[0]]


def _logits(
    network: Network, pool: str, weights: Arrays, x: jax.Array, key: jax.Array | None
) -> tuple[jax.Array, Arrays]:
    """Logits, and the weights with new moving statistics; inference if `key` is None."""
    x = x.astype(jnp.float32) * network.scale
    given, kept = iter(weights), []
    for layer in network.layers:
        if isinstance(layer, Pool):
            x = _POOLS[pool](x, layer.size)
        elif isinstance(layer, Dropout):
            if key is not None:
                key, mine = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(mine, 1 - layer.rate, x.shape), x, 0)
                x = x / (1 - layer.rate)
        elif isinstance(layer, BatchNorm):
            mine = [next(given) for _ in range(4)]
            x, moving = _batch_norm(layer, x, *mine, training=key is not None)
            kept += [*mine[:2], *moving]
        else:
            w, b = next(given), next(given)
            kept += [w, b]
            x = _convolution(x, w) + b if isinstance(layer, Conv) else _flat(x) @ w + b
            x = jax.nn.relu(x) if layer.activation == "relu" else x
    return x, kept


def _convolution(x: jax.Array, w: jax.Array) -> jax.Array:
    layouts = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=layouts)


def _pool_by_window(x: jax.Array, size: int) -> jax.Array:
    window = (1, size, size, 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")


def _pool_by_reshape(x: jax.Array, size: int) -> jax.Array:
    n, h, w, c = x.shape
    oh, ow = h // size, w // size
    whole = x[:, : oh * size, : ow * size]
    return whole.reshape(n, oh, size, ow, size, c).max((2, 4))


_POOLS = {"window": _pool_by_window, "reshape": _pool_by_reshape}


def _batch_norm(
    layer: BatchNorm,
    x: jax.Array,
    gamma: jax.Array,
    beta: jax.Array,
    *moving: jax.Array,
    training: bool,
) -> tuple[jax.Array, Arrays]:
    mean, variance = moving
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        keep = layer.momentum
        pairs = zip(moving, (mean, variance), strict=True)
        moving = tuple(keep * old + (1 - keep) * new for old, new in pairs)
    return (x - mean) * (gamma * lax.rsqrt(variance + layer.epsilon)) + beta, list(moving)


def _flat(x: jax.Array) -> jax.Array:
    return x.reshape(len(x), -1)


def _probabilities(network: Network, pool: str, weights: Arrays, x: jax.Array) -> jax.Array:
    return jax.nn.softmax(_logits(network, pool, weights, x, None)[0])


def _loss(
    weights: Arrays, network: Network, pool: str, x: jax.Array, y: jax.Array, key: jax.Array
) -> tuple[jax.Array, Arrays]:
    logits, kept = _logits(network, pool, weights, x, key)
    rows = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)
    return -rows.mean(), kept


def _step(
    network: Network, pool: str, state: Any, x: jax.Array, y: jax.Array
) -> tuple[Any, jax.Array]:
    weights, slots, step = state
    key = jax.random.key(step)
    backward = jax.value_and_grad(_loss, has_aux=True)
    (loss, kept), gradients = backward(weights, network, pool, x, y, key)
    step = step + 1
    update = _sgd if isinstance(network.optimizer, SGD) else _adam
    flags = [weight.learned for weight in weights_of(network)]
    moved = [
        update(network.optimizer, step, w, dw, *s) if flag else (w, *s)
        for flag, w, dw, *s in zip(flags, kept, gradients, *slots, strict=True)
    ]
    weights, *slots = (list(arrays) for arrays in zip(*moved, strict=True))
    return (weights, slots, step), loss


def _sgd(numbers: Any, step: jax.Array, w: jax.Array, dw: jax.Array, v: jax.Array) -> Any:
    v = numbers.momentum * v - numbers.learning_rate * dw
    return w + v, v


def _adam(
    numbers: Any, step: jax.Array, w: jax.Array, dw: jax.Array, m: jax.Array, v: jax.Array
) -> Any:
    rate, beta_1, beta_2, epsilon = numbers
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw * dw
    length = rate * jnp.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return w - length * m / (jnp.sqrt(v) + epsilon), m, v


def use_threads(threads: int) -> None:
    """Do nothing: XLA uses one thread per processor to which this process is pinned."""


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"jax": jax.__version__, "numpy": np.__version__}
