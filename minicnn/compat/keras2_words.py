"""The arguments of Keras 1 and 2, and what takes the place of each today.

A row says what becomes of one old argument: `renamed` to today's, with other values if they
changed; `dropped`, with the reason; or a function of its value and of the other arguments, which
returns today's. A row counts only where today's class has no argument of the old name: ELU's
`alpha` is today's too, LeakyReLU's is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, NamedTuple

from minicnn import schedules
from minicnn.checks import quoted
from minicnn.errors import ArgumentError

Arguments = dict[str, Any]


class Row(NamedTuple):
    """Today's arguments for an old one, and the words that say so."""

    change: Callable[[Any, Arguments], Arguments]
    today: str


def renamed(new: str, values: Mapping[Any, Any] | None = None) -> Row:
    """Return the row of an argument that has another name now, and perhaps other values."""
    known = values or {}

    def change(value: Any, others: Arguments) -> Arguments:
        return {new: known.get(value, value) if isinstance(value, str) else value}

    return Row(change, f"{new}=")


def dropped(reason: str, *harmless: Any) -> Row:
    """Return the row of an argument that has no meaning now, if it has one of these values."""

    def change(value: Any, others: Arguments) -> Arguments:
        if harmless and value not in harmless:
            raise ArgumentError(f"{quoted(value)} is not understood any more: {reason}")
        return {}

    return Row(change, f"nothing: {reason}")


def _kernel_size(rows: Any, others: Arguments) -> Arguments:
    """Return `kernel_size` for `nb_row` and its twin `nb_col`."""
    return {"kernel_size": (rows, others.pop("nb_col", rows))}


def _decayed(decay: Any, others: Arguments) -> Arguments:
    """Return the learning rate that falls as Keras 2's did: rate / (1 + decay * steps)."""
    rate = others.get("learning_rate")
    if not decay or not isinstance(rate, Real):  # a schedule says it all
        return {}
    return {"learning_rate": schedules.InverseTimeDecay(float(rate), 1, decay)}


def _per_epoch(steps: str, batches_of: str) -> Callable[[Any, Arguments], Arguments]:
    """Return the function that turns a number of samples into a number of batches."""

    def change(samples: Any, others: Arguments) -> Arguments:
        size = getattr(others.get(batches_of), "batch_size", None)
        if not size:
            raise ArgumentError(f"give {steps}=, a number of batches; got {samples} samples")
        return {steps: math.ceil(samples / size)}

    return change


FORMATS = {"tf": "channels_last", "th": "channels_first", "default": "channels_last"}
INITIALIZERS = {"zero": "zeros", "one": "ones"}
FOR_THREADS = (
    "workers", "nb_worker", "use_multiprocessing", "pickle_safe", "max_queue_size", "max_q_size",
)  # fmt: skip

LAYERS = {
    "nb_filter": renamed("filters"),
    "nb_row": Row(_kernel_size, "kernel_size=(rows, columns)"),
    "filter_length": renamed("kernel_size"),
    "output_dim": renamed("units"),
    "p": renamed("rate"),
    "sigma": renamed("stddev"),
    "alpha": renamed("negative_slope"),
    "border_mode": renamed("padding"),
    "subsample": renamed("strides"),
    "subsample_length": renamed("strides"),
    "stride": renamed("strides"),
    "pool_length": renamed("pool_size"),
    "atrous_rate": renamed("dilation_rate"),
    "dim_ordering": renamed("data_format", FORMATS),
    "init": renamed("kernel_initializer", INITIALIZERS),
    "W_regularizer": renamed("kernel_regularizer"),
    "b_regularizer": renamed("bias_regularizer"),
    "W_constraint": renamed("kernel_constraint"),
    "b_constraint": renamed("bias_constraint"),
    "bias": renamed("use_bias"),
    "beta_init": renamed("beta_initializer", INITIALIZERS),
    "gamma_init": renamed("gamma_initializer", INITIALIZERS),
    "mode": dropped("statistics are those of a channel", 0),
}

OPTIMIZERS = {
    "lr": renamed("learning_rate"),
    "decay": Row(_decayed, "learning_rate=schedules.InverseTimeDecay(rate, 1, decay)"),
    "schedule_decay": dropped("Nadam's momentum follows a fixed schedule"),
    "epsilon": dropped("leave epsilon= out", None),
}

MODELS = {"input": renamed("inputs"), "output": renamed("outputs")}

COMPILE = {
    "class_mode": dropped("the loss says what the labels are"),
    "sample_weight_mode": dropped("weights are per sample", None),
}

# fit, evaluate and predict
TRAINING = {
    "nb_epoch": renamed("epochs"),
    "show_accuracy": dropped('compile(metrics=["accuracy"]) does it'),
    "samples_per_epoch": Row(_per_epoch("steps_per_epoch", "x"), "steps_per_epoch="),
    "nb_val_samples": Row(_per_epoch("validation_steps", "validation_data"), "validation_steps="),
    "val_samples": Row(_per_epoch("steps", "x"), "steps="),
    **dict.fromkeys(FOR_THREADS, dropped("minicnn prepares batches in threads of its own")),
}

CALLBACKS = {
    "ModelCheckpoint": {
        "period": dropped('save_freq= says how often: "epoch", or a number of batches', 1),
    },
    "ReduceLROnPlateau": {"epsilon": renamed("min_delta")},
    "TensorBoard": {
        "write_grads": dropped("gradients are not written", False),
        "batch_size": dropped("it was that of the histograms"),
    },
}

CATEGORIES = {"nb_classes": renamed("num_classes")}
