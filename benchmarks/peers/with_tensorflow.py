"""TensorFlow as an engine: `tf.function` over raw operations, fused optimizers.

No Keras layer, metric or optimizer object costs time here: the graph of a step holds the
convolutions, the loss, the gradients and TensorFlow's fused update.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from peers.networks import SGD, BatchNorm, Conv, Dropout, Network, Pool, weights_of

BOTH = ("training", "inference")
VARIANTS = {"function": BOTH, "xla": BOTH}


class Model:
    """A network of `tf.nn` operations; variant "xla" adds `jit_compile=True`."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network = network
        compiled = variant == "xla"
        self._train = tf.function(self._train_step, jit_compile=compiled)
        self._predict = tf.function(self._probabilities, jit_compile=compiled)
        self.variables: list[tf.Variable] = []

    def load(self, weights: list[np.ndarray]) -> None:
        """Set these weights and clear the optimizer's state."""
        if not self.variables:
            self._make_variables(weights)
        for variable, w in zip(self.variables, weights, strict=True):
            variable.assign(w)
        for slot in (s for slots in self.slots for s in slots):
            slot.assign(tf.zeros_like(slot))
        for variable in (self.step, *self.powers):
            variable.assign(tf.ones_like(variable))

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        """The batch in the form that is fastest for this engine, so that no copy is timed."""
        return tf.constant(x), tf.constant(y)

    def train(self, x: tf.Tensor, y: tf.Tensor) -> float:
        """Train for one step and return the loss."""
        return float(self._train(x, y))

    def predict(self, x: tf.Tensor) -> np.ndarray:
        """Predict the probabilities (N, classes)."""
        return self._predict(x).numpy()

    def weights(self) -> list[np.ndarray]:
        """All weights in the order of `load`."""
        return [variable.numpy() for variable in self.variables]

    def _make_variables(self, weights: list[np.ndarray]) -> None:
        flags = [weight.learned for weight in weights_of(self.network)]
        self.variables = [tf.Variable(w) for w in weights]
        self.learned = [v for v, flag in zip(self.variables, flags, strict=True) if flag]
        count = 1 if isinstance(self.network.optimizer, SGD) else 2
        self.slots = [[tf.Variable(tf.zeros_like(v)) for _ in range(count)] for v in self.learned]
        self.powers = [tf.Variable(1.0), tf.Variable(1.0)]  # Adam's betas to the power of the step
        self.step = tf.Variable(1)

    def _logits(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        x = tf.cast(x, tf.float32) * self.network.scale
        weights = iter(self.variables)
        for number, layer in enumerate(self.network.layers):
            if isinstance(layer, Pool):
                x = tf.nn.max_pool2d(x, layer.size, layer.size, "VALID")
            elif isinstance(layer, Dropout):
                x = self._dropout(x, layer.rate, number) if training else x
            elif isinstance(layer, BatchNorm):
                x = _batch_norm(layer, x, *(next(weights) for _ in range(4)), training=training)
            else:
                w, b = next(weights), next(weights)
                if isinstance(layer, Conv):
                    x = tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "VALID"), b)
                else:
                    x = tf.nn.bias_add(tf.reshape(x, (x.shape[0], -1)) @ w, b)
                x = tf.nn.relu(x) if layer.activation == "relu" else x
        return x

    def _dropout(self, x: tf.Tensor, rate: float, number: int) -> tf.Tensor:
        """Stateless dropout, which takes a quarter of the time of `tf.nn.dropout`."""
        seed = tf.stack([self.step, number])
        return tf.nn.experimental.stateless_dropout(x, rate, seed=seed, rng_alg="philox")

    def _probabilities(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self._logits(x, training=False))

    def _train_step(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = self._logits(x, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.learned)
        self.step.assign_add(1)
        self._update(gradients)
        return loss

    def _update(self, gradients: list[tf.Tensor]) -> None:
        numbers = self.network.optimizer
        if isinstance(numbers, SGD):
            for w, (velocity,), dw in zip(self.learned, self.slots, gradients, strict=True):
                _momentum(w, velocity, dw, *numbers)
            return
        for power, beta in zip(self.powers, (numbers.beta_1, numbers.beta_2), strict=True):
            power.assign(power * beta)
        for w, slots, dw in zip(self.learned, self.slots, gradients, strict=True):
            _adam(w, *slots, dw, *self.powers, numbers)


def _batch_norm(
    layer: BatchNorm,
    x: tf.Tensor,
    gamma: tf.Variable,
    beta: tf.Variable,
    *moving: tf.Variable,
    training: bool,
) -> tf.Tensor:
    epsilon = layer.epsilon
    if not training:
        y, *_ = tf.compat.v1.nn.fused_batch_norm(
            x, gamma, beta, *moving, epsilon=epsilon, is_training=False
        )
        return y
    y, *statistics = tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=epsilon)
    for old, new in zip(moving, statistics, strict=True):
        old.assign(layer.momentum * old + (1 - layer.momentum) * new)
    return y


def _momentum(
    w: tf.Variable, velocity: tf.Variable, dw: tf.Tensor, rate: float, momentum: float
) -> None:
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=w.handle, accum=velocity.handle, lr=rate, grad=dw, momentum=momentum
    )


def _adam(
    w: tf.Variable,
    first: tf.Variable,
    second: tf.Variable,
    dw: tf.Tensor,
    beta_1_power: tf.Variable,
    beta_2_power: tf.Variable,
    numbers: Any,
) -> None:
    tf.raw_ops.ResourceApplyAdam(
        var=w.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=beta_1_power,
        beta2_power=beta_2_power,
        lr=numbers.learning_rate,
        beta1=numbers.beta_1,
        beta2=numbers.beta_2,
        epsilon=numbers.epsilon,
        grad=dw,
    )


def use_threads(threads: int) -> None:
    """Set the number of threads, which TensorFlow allows only once per process."""
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"tensorflow": tf.__version__, "numpy": np.__version__}
