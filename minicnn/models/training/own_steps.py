"""Methods of Keras's training loop that a user's class cannot replace here."""

from __future__ import annotations

from typing import Any

from minicnn.errors import ArgumentError

# The methods, and what to write instead.
INSTEAD = {
    "train_step": "its loss as a loss of your own (losses.Loss) or as self.add_loss(...) in a "
    "layer's call, what it reports as metrics, what it changes between steps as a callback; or "
    "write the loop yourself around model.train_on_batch(x, y)",
    "test_step": "what it reports as metrics of your own (metrics.Metric)",
    "predict_step": "what it computes as a layer, or as a model around this one",
    "compute_loss": "a loss of your own (losses.Loss), or self.add_loss(...) in a layer's call",
    "compute_metrics": "metrics of your own (metrics.Metric)",
    "make_train_function": "a loop of your own around model.train_on_batch(x, y)",
    "make_test_function": "a loop of your own around model.test_on_batch(x, y)",
    "make_predict_function": "a loop of your own around model.predict_on_batch(x)",
}


def refuse_own_steps(model: Any) -> None:
    """Raise ArgumentError if the model's class has a training step of its own.

    A step is planned as one program from the layers, the loss and the optimizer, so a method that
    computes gradients in Python has no place in it.
    """
    for kind in type(model).__mro__:
        if kind.__module__.startswith("minicnn."):
            return
        for name, instead in INSTEAD.items():
            if name in vars(kind):
                raise ArgumentError(
                    f"{kind.__name__}.{name} cannot be used: a step is planned from the layers, "
                    f"the loss and the optimizer. Write instead {instead}"
                )
