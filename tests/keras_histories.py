"""Trainings from fixed weights, for Keras and for minicnn: what they report, and in which order.

`python tests/keras_histories.py > tests/keras_histories.json` with Keras 3.15 wrote the answers.
"""

from __future__ import annotations

import json

import numpy as np

CE, BCE = "categorical_crossentropy", "binary_crossentropy"


def waves(*shape, shift=0.0):
    """Return numbers that look random and are the same everywhere."""
    return np.sin(np.arange(np.prod(shape)) * 1.7 + shift).reshape(shape).astype("float32")


X = waves(12, 3)
A = np.eye(3, dtype="float32")[np.arange(12) % 3]
B = (np.arange(12).reshape(12, 1) % 4 < 2).astype("float32")
C = np.arange(12) % 3
FIRST, SECOND = np.arange(12.0) / 6, np.full(12, 2.0)
LISTS = {"y": [B, A], "kind": "list"}
DICTS = {"y": {"a": A, "b": B}, "kind": "dict"}

# The outputs, the arguments of compile and those of fit. "b" is the first output.
SEVERAL = {
    "list": ({"loss": [BCE, CE]}, LISTS),
    "metrics-of-each": (
        {"loss": [BCE, CE], "metrics": [["accuracy"], ["accuracy", "categorical_accuracy"]]},
        LISTS,
    ),
    "one-metric-each": ({"loss": [BCE, CE], "metrics": ["accuracy", "accuracy"]}, LISTS),
    "dicts-for-a-list": (
        {
            "loss": {"a": CE, "b": BCE},
            "metrics": {"a": "accuracy"},
            "loss_weights": {"a": 0.5, "b": 2.0},
        },
        LISTS,
    ),
    "weights-in-a-list": ({"loss": [BCE, CE], "loss_weights": [2.0, 0.5]}, LISTS),
    "one-loss-for-all": ({"loss": "mse", "metrics": [["accuracy"], None]}, LISTS),
    "one-output-without-a-loss": ({"loss": [None, CE], "metrics": [None, ["accuracy"]]}, LISTS),
    "labels-by-name": ({"loss": [BCE, CE]}, {**DICTS, "kind": "list"}),
    "labels-in-a-tuple": ({"loss": [BCE, CE]}, {"y": (B, A), "kind": "list"}),
    "dicts": (
        {
            "loss": {"a": CE, "b": BCE},
            "metrics": {"b": ["accuracy"], "a": ["accuracy"]},
            "loss_weights": {"a": 1.0, "b": 0.5},
        },
        DICTS,
    ),
    "other-keys-than-layers": (
        {"loss": {"xa": CE, "xb": BCE}, "metrics": {"xa": ["accuracy"]}},
        {"y": {"xa": A, "xb": B}, "kind": "keys"},
    ),
    "dict-and-one-loss": ({"loss": "mse"}, DICTS),
    "sample-weights-of-each": (
        {
            "loss": [BCE, CE],
            "metrics": [["accuracy"], ["accuracy"]],
            "weighted_metrics": [["accuracy"], ["accuracy"]],
        },
        {**LISTS, "sample_weight": [FIRST, SECOND]},
    ),
    "sample-weights-for-all": (
        {"loss": [BCE, CE], "weighted_metrics": [["accuracy"], ["accuracy"]]},
        {**LISTS, "sample_weight": FIRST},
    ),
    "sample-weights-by-name": (
        {"loss": {"a": CE, "b": BCE}},
        {**DICTS, "sample_weight": {"a": FIRST, "b": SECOND}},
    ),
}
SPARSE = "sparse_categorical_crossentropy"
ACCURATE = {"loss": SPARSE, "metrics": ["accuracy"]}
ONE = {
    "plain": (ACCURATE, {}),
    "weighted-metrics": (
        {**ACCURATE, "weighted_metrics": ["accuracy", "sparse_categorical_accuracy"]},
        {"sample_weight": FIRST},
    ),
    "class-weight": (ACCURATE, {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}),
    "loss-weight": ({"loss": SPARSE, "loss_weights": [3.0]}, {}),
    "steps": (ACCURATE, {"steps_per_epoch": 1, "epochs": 3}),
    "validation-steps": (ACCURATE, {"validation_steps": 2}),
    "each-second-epoch": (ACCURATE, {"validation_freq": 2, "epochs": 5}),
    "some-epochs": (ACCURATE, {"validation_freq": [1, 4], "epochs": 5}),
    "validation-batches": (ACCURATE, {"validation_batch_size": 6}),
}


def network(keras, kind="one"):
    """Return a network of fixed weights whose outputs are one tensor, a list or a dict."""
    x = keras.Input((3,), name="x")
    hidden = keras.layers.Dense(4, activation="tanh", name="h")(x)
    b = keras.layers.Dense(1, activation="sigmoid", name="b")(hidden)
    a = keras.layers.Dense(3, activation="softmax", name="a")(hidden)
    outputs = {"one": a, "list": [b, a], "dict": {"b": b, "a": a}, "keys": {"xb": b, "xa": a}}
    model = keras.Model(x, outputs[kind])
    for i, name in enumerate(["h", "a"] if kind == "one" else ["h", "b", "a"]):
        layer = model.get_layer(name)
        layer.set_weights([waves(*w.shape, shift=i) for w in layer.get_weights()])
    return model


class Calls:
    """Records which hooks are called, with the names in their logs."""

    def __init__(self, keras):
        self.seen = []
        hooks = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]
        unlike = ("on_batch_begin", "on_batch_end", "on_interrupt", "on_exit")
        made = {name: self._hook(name) for name in hooks if name not in unlike}
        self.callback = type("Spy", (keras.callbacks.Callback,), made)()

    def _hook(self, name):
        def hook(_self, *given):
            self.seen.append([name, *given[:-1], sorted(given[-1] or {})])

        def without_number(_self, logs=None):
            hook(_self, logs)

        def with_number(_self, number, logs=None):
            hook(_self, number, logs)

        return with_number if "batch" in name or "epoch" in name else without_number


def _short(value):
    return float(f"{float(value):.7g}")


def answers(keras, compiled, fitted):
    """Return what one training reports."""
    options = {"y": C, "kind": "one", "batch_size": 4, "epochs": 2, **fitted}
    model, y = network(keras, options.pop("kind")), options.pop("y")
    model.compile(optimizer=keras.optimizers.SGD(0.1), **compiled)
    history = model.fit(X, y, verbose=0, shuffle=False, validation_data=(X, y), **options)
    found = model.evaluate(X, y, verbose=0)
    return {
        "history": [[name, [_short(v) for v in curve]] for name, curve in history.history.items()],
        "evaluate": [_short(v) for v in np.ravel(found)],
        "evaluate-dict": list(model.evaluate(X, y, verbose=0, return_dict=True)),
        "test_on_batch": [_short(v) for v in np.ravel(model.test_on_batch(X, y))],
        "train_on_batch": list(model.train_on_batch(X, y, return_dict=True)),
        "params": history.params,
    }


def calls(keras):
    """Return the hooks of one training, one evaluation and one prediction."""
    spy, model = Calls(keras), network(keras)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(X, C, batch_size=6, verbose=0, validation_data=(X, C), callbacks=[spy.callback])
    model.evaluate(X, C, batch_size=6, verbose=0, callbacks=[spy.callback])
    model.predict(X, batch_size=6, verbose=0, callbacks=spy.callback)
    return spy.seen


if __name__ == "__main__":
    import keras

    everything = {"keras": keras.__version__, "calls": calls(keras)}
    everything |= {name: answers(keras, *case) for name, case in {**SEVERAL, **ONE}.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in everything.items()]
    print("{\n" + ",\n".join(lines) + "\n}")
