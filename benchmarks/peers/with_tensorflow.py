"""TensorFlow in its own process: its leanest form, raw operations in one `tf.function`.

No Keras layer, metric or optimizer object costs time here: the graph of a step holds the
convolutions, the loss, the gradients and TensorFlow's fused momentum update.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from peers.networks import Conv, Network, Pool

VARIANTS = ("function", "xla")


class Model:
    """LeNet and the like from `tf.nn` operations; variant "xla" adds `jit_compile=True`."""

    def __init__(self, network: Network, variant: str, threads: int) -> None:
        _use_threads(threads)
        self.network = network
        compiled = variant == "xla"
        self._train = tf.function(self._train_step, jit_compile=compiled)
        self._predict = tf.function(self._probabilities, jit_compile=compiled)
        self.variables: list[tf.Variable] = []
        self.velocities: list[tf.Variable] = []

    def load(self, weights: list[np.ndarray]) -> None:
        """Start over: these weights, no momentum yet."""
        if not self.variables:
            self.variables = [tf.Variable(w) for w in weights]
            self.velocities = [tf.Variable(tf.zeros_like(w)) for w in weights]
        for variable, velocity, w in zip(self.variables, self.velocities, weights, strict=True):
            variable.assign(w)
            velocity.assign(tf.zeros_like(w))

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        """A batch in the form that this engine likes best: no copy is left for the timed part."""
        return tf.constant(x), tf.constant(y)

    def train(self, x: tf.Tensor, y: tf.Tensor) -> float:
        """One step; waits for the loss."""
        return float(self._train(x, y))

    def predict(self, x: tf.Tensor) -> np.ndarray:
        """Probabilities, (N, classes)."""
        return self._predict(x).numpy()

    def weights(self) -> list[np.ndarray]:
        """All weights, in the order of `load`."""
        return [variable.numpy() for variable in self.variables]

    def _logits(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, tf.float32) * self.network.scale
        weights = iter(self.variables)
        for layer in self.network.layers:
            if isinstance(layer, Pool):
                x = tf.nn.max_pool2d(x, layer.size, layer.size, "VALID")
                continue
            w, b = next(weights), next(weights)
            if isinstance(layer, Conv):
                x = tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "VALID"), b)
            else:
                x = tf.nn.bias_add(tf.reshape(x, (x.shape[0], -1)) @ w, b)
            x = tf.nn.relu(x) if layer.activation == "relu" else x
        return x

    def _probabilities(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self._logits(x))

    def _train_step(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, self._logits(x))
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.variables)
        for variable, velocity, dw in zip(self.variables, self.velocities, gradients, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=velocity.handle,
                lr=self.network.optimizer.learning_rate,
                grad=dw,
                momentum=self.network.optimizer.momentum,
            )
        return loss


def _use_threads(threads: int) -> None:
    """Only the first call of a process may set them; later ones ask for the same."""
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def versions() -> dict[str, str]:
    """What ran: package, version."""
    return {"tensorflow": tf.__version__, "numpy": np.__version__}
