"""What a training reports, and in which order: as Keras 3.15 does, from the same weights.

`keras_histories.py` has the trainings, `keras_histories.json` Keras's answers.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import keras_histories
import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import ArgumentError

KERAS = json.loads(Path(__file__).with_name("keras_histories.json").read_text())
CASES = {**keras_histories.SEVERAL, **keras_histories.ONE}
CLOSE = {"rel": 2e-4, "abs": 2e-6}


@pytest.mark.filterwarnings("ignore:steps_per_epoch")
@pytest.mark.parametrize("case", CASES)
def test_the_same_names_order_and_numbers_as_keras(case):
    ours, theirs = keras_histories.answers(mc, *CASES[case]), KERAS[case]
    assert [name for name, _ in ours["history"]] == [name for name, _ in theirs["history"]]
    for (name, curve), (_, expected) in zip(ours["history"], theirs["history"], strict=True):
        assert curve == pytest.approx(expected, **CLOSE), name
    # Keras returns a value twice if a metric and a weighted one have one name.
    for what in () if case == "weighted-metrics" else ("evaluate", "test_on_batch"):
        assert ours[what] == pytest.approx(theirs[what], **CLOSE), what
    for what in ("evaluate-dict", "train_on_batch", "params"):
        assert ours[what] == theirs[what], what


def test_the_same_hooks_as_keras():
    assert keras_histories.calls(mc) == KERAS["calls"]


def several(kind="list", **compiled):
    model = keras_histories.network(mc, kind)
    model.compile("sgd", **compiled)
    return model


LOSSES = {"loss": ["binary_crossentropy", "categorical_crossentropy"]}
X, A, B = keras_histories.X, keras_histories.A, keras_histories.B


def test_predictions_come_as_the_outputs_were_given():
    b, a = several("list", **LOSSES).predict(X, verbose=0)
    assert b.shape == (12, 1) and a.shape == (12, 3)
    named = keras_histories.network(mc, "keys")
    found = named.predict(X, verbose=0)
    assert list(found) == ["xb", "xa"] and np.array_equal(found["xa"], a)
    assert np.array_equal(named.predict_on_batch(X)["xb"], b)


def test_metrics_names_are_those_of_evaluate():
    model = several("list", **LOSSES, metrics=["accuracy", None])
    assert model.metrics_names == ["loss", "b_loss", "a_loss", "b_accuracy"]
    assert len(model.evaluate(X, [B, A], verbose=0)) == 4
    assert [metric.name for metric in model.metrics] == ["accuracy"]


def test_a_flat_list_of_metrics_is_for_every_output_as_in_keras_2():
    model = several("list", **LOSSES, metrics=["accuracy"])
    assert model.metrics_names[3:] == ["a_accuracy", "b_accuracy"]


def test_batches_of_an_iterable_have_labels_in_lists_and_dicts():
    def batches(as_dict):
        for i in range(0, 12, 4):
            a, b, w = A[i : i + 4], B[i : i + 4], np.full(4, 0.5)
            yield X[i : i + 4], {"a": a, "b": b} if as_dict else [b, a], [w, w]

    curves = []
    for data in (list(batches(True)), list(batches(False))):
        curves.append(several("list", **LOSSES).fit(data, epochs=2, verbose=0).history)
    whole = several("list", **LOSSES)
    weights = np.full(12, 0.5)
    curves.append(
        whole.fit(
            {"x": X}, [B, A], 4, 2, verbose=0, shuffle=False, sample_weight=[weights, weights]
        ).history
    )
    assert curves[0] == curves[1] == curves[2] and len(curves[0]["a_loss"]) == 2


def test_validation_split_takes_rows_of_all_labels():
    history = several("list", **LOSSES).fit(X, [B, A], validation_split=0.25, verbose=0).history
    last = several("list", **LOSSES)
    last.fit(X[:9], [B[:9], A[:9]], verbose=0)
    assert history["val_a_loss"] == [last.evaluate(X[9:], [B[9:], A[9:]], verbose=0)[2]]


def test_a_training_of_several_outputs_is_saved_and_resumed(tmp_path):
    made = {**LOSSES, "loss_weights": [2.0, 0.5], "metrics": [None, ["accuracy"]]}
    model = several("list", **made, weighted_metrics=[["accuracy"], None])
    model.fit(X, [B, A], 4, verbose=0)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.metrics_names == model.metrics_names
    assert again.evaluate(X, [B, A], verbose=0) == model.evaluate(X, [B, A], verbose=0)
    curves = []
    for epochs in ([4], [2, 4]):
        for last in epochs:
            other = several("list", **made)
            backup = mc.callbacks.BackupAndRestore(
                tmp_path / f"b{len(epochs)}", delete_checkpoint=last == 4, save_freq=1
            )
            history = other.fit(X, [B, A], 4, last, verbose=0, callbacks=[backup])
        curves.append(history.history)
    assert curves[0] == curves[1] and len(curves[0]["b_loss"]) == 4


WRONG = {
    "loss-count": (lambda: several(loss=["mse"] * 3), r"loss has 3 values, .* 2 outputs"),
    "loss-key": (lambda: several(loss={"c": "mse"}), r"loss has the keys \['c'\]; the outputs are"),
    "metric-key": (lambda: several(loss="mse", metrics={"c": "accuracy"}), r"metrics has the keys"),
    "no-loss": (lambda: several(loss=[None, None]), "no output has a loss"),
    "metric-without-loss": (
        lambda: several(loss=["mse", None], metrics=[None, "accuracy"]),
        "output 'a' has no loss",
    ),
    "list-for-dict": (lambda: several("dict", loss=["mse", "mse"]), "loss must be a dict, too"),
    "two-for-one": (lambda: several("one", loss=["mse", "mse"]), "one output, 'a', so compile"),
    "weights": (lambda: several(loss="mse", loss_weights=["x"], metrics=["accuracy"]), "weights"),
    "labels-count": (
        lambda: several(**LOSSES).fit(X, [B], verbose=0),
        r"y must be one array for each of the outputs \['b', 'a'\]; got 1",
    ),
    "labels-key": (
        lambda: several(**LOSSES).fit(X, {"a": A}, verbose=0),
        r"keys \['a'\], and \['b'\] are missing",
    ),
    "labels-for-dict": (
        lambda: several("dict", loss="mse").fit(X, [B, A], verbose=0),
        "the outputs are a dict, so y must be a dict",
    ),
    "class-weight": (
        lambda: several(**LOSSES).fit(X, [B, A], class_weight={0: 2.0}, verbose=0),
        "class_weight is for a model with one loss",
    ),
    "samples": (lambda: several(**LOSSES).fit(X, [B[:5], A], verbose=0), "y has 5"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_the_outputs_is_refused(wrong):
    make, words = WRONG[wrong]
    with pytest.raises(ArgumentError, match=words):
        make()


def test_the_third_argument_of_compile_is_understood_as_in_keras_2():
    model = keras_histories.network(mc)
    with pytest.warns(UserWarning, match=r"order of Keras 2.*metrics=\[\.\.\.\]"):
        model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    assert model.metrics_names == ["loss", "accuracy"]


SIGNATURES = {
    "compile": "optimizer loss loss_weights metrics weighted_metrics run_eagerly "
    "steps_per_execution jit_compile auto_scale_loss",
    "fit": "x y batch_size epochs verbose callbacks validation_split validation_data shuffle "
    "class_weight sample_weight initial_epoch steps_per_epoch validation_steps "
    "validation_batch_size validation_freq",
    "evaluate": "x y batch_size verbose sample_weight steps callbacks return_dict",
    "predict": "x batch_size verbose steps callbacks",
    "train_on_batch": "x y sample_weight class_weight return_dict",
    "test_on_batch": "x y sample_weight return_dict",
    "predict_on_batch": "x",
}


@pytest.mark.parametrize("method", SIGNATURES)
def test_arguments_are_in_the_order_of_keras(method):
    parameters = inspect.signature(getattr(mc.Model, method)).parameters.values()
    positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    assert positional == ["self", *SIGNATURES[method].split()]


OWN_STEPS = ["train_step", "test_step", "predict_step", "compute_loss", "make_train_function"]


@pytest.mark.parametrize("method", OWN_STEPS)
def test_a_step_of_ones_own_is_refused_with_what_to_use_instead(method):
    kind = type("Mine", (mc.Model,), {method: lambda self, *data: {}})
    x = mc.Input((3,))
    model = kind(x, mc.layers.Dense(1)(x))
    with pytest.raises(ArgumentError, match=rf"Mine\.{method} cannot be used.*Write instead "):
        model.compile("sgd", "mse")
