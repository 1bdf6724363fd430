"""The doctor finds deliberate mistakes, and nothing in a sound training."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from image_folders import make_colored

import minicnn as mc
from minicnn import explain
from minicnn.apps.cli.doctor import curves
from minicnn.apps.cli.main import run
from minicnn.errors import FormatError
from minicnn.explain import Doctor, doctor, examine, symptoms
from minicnn.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten, MaxPooling2D

RNG = np.random.default_rng(0)


def samples(count=48, classes=3, noise=0.3):
    """Images with a bright bar, whose position is the class."""
    rng = np.random.default_rng(1)
    y = np.arange(count) % classes
    x = rng.uniform(0, noise, (count, 12, 12, 1)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 4 * label : 4 * label + 3] += 0.7
    return x, y


def network(optimizer="adam", loss="sparse_categorical_crossentropy", activation="softmax"):
    model = mc.Sequential(
        [
            mc.Input((12, 12, 1)),
            Conv2D(6, 3, activation="relu", name="see"),
            MaxPooling2D(2),
            Flatten(),
            Dense(16, activation="relu", name="think"),
            Dense(3, activation=activation, name="say"),
        ]
    )
    model.compile(optimizer, loss)
    return model


def bad(findings):
    return [one.text for one in findings if one.bad]


def test_a_sound_training_has_no_findings():
    findings = examine(network(), *samples())
    assert bad(findings) == []
    assert "learns 16 samples by heart" in findings[-1].text


@pytest.mark.parametrize("name", ["lenet", "cifar"])
def test_the_zoos_trainings_have_no_findings(name):
    model = getattr(mc.zoo, name)()
    model.compile("adam", "sparse_categorical_crossentropy")
    x = RNG.uniform(0, 1, (20, *model.input_shape[1:])).astype(np.float32)
    x *= 255 if model.rescales(0) else 1
    assert bad(examine(model, x, np.arange(20) % 10)) == []


def test_a_rate_that_is_too_high_is_named_with_one_that_works():
    model = network(mc.optimizers.Adam(0.5))
    texts = bad(examine(model, *samples()))
    assert any("learning rate 0.5 is too high for Adam (try 0.0" in text for text in texts)
    assert any(text.startswith("with learning rate 0.5 the network cannot even") for text in texts)


def test_a_rate_that_is_too_low_is_named():
    texts = bad(examine(network(mc.optimizers.SGD(1e-9)), *samples()))
    assert any("1e-09 is too low for SGD" in text for text in texts)
    assert any("cannot learn 16 samples by heart" in text for text in texts)


def test_a_loss_that_falls_only_to_that_of_guessing_is_not_learning_by_heart():
    x, y = samples()
    finding = doctor.learns_by_heart(network(mc.optimizers.SGD(0.05, momentum=0.9)), 255 * x, y)
    assert finding.bad
    assert "with learning rate 0.05 the network cannot even learn 16 samples" in finding.text


def test_gradients_that_are_all_0_are_not_blamed_on_the_rate():
    model = network(mc.optimizers.SGD(0.1))
    for parameter in model.get_layer("think").parameters:
        parameter.assign(np.full(parameter.shape, -1))
    texts = bad(examine(model, *samples(), by_heart=False))
    assert any(text.startswith("all gradients of the weights are 0") for text in texts)
    assert not any("too low" in text for text in texts)


def test_a_network_that_cannot_learn_is_told_from_a_rate_that_does_not_fit():
    x, y = samples()
    model = network(mc.optimizers.SGD(0.1))
    model.trainable = False
    texts = bad(examine(model, x, y))
    assert any("no layer is trainable" in text for text in texts)
    assert "cannot learn 16 samples by heart" in texts[-1]


X, Y = samples()
CASES = {
    "pixels 0...255": (network, 255 * X, Y, "pixels run .*rescale=1/255"),
    "the same image everywhere": (network, np.repeat(X[:1], 20, 0), Y[:20], "all 20 images are"),
    "NaN": (network, np.where(X > 0.99, np.nan, X), Y, "values of x are NaN"),
    "one class": (network, X, 0 * Y, "all 48 labels are class 0"),
    "nearly one class": (network, X, (np.arange(48) == 7) * 1, "98% of the labels are class 0"),
    "contradictions": (
        network,
        np.concatenate([X, X[:2]]),
        np.concatenate([Y, Y[:2] + 1]),
        "2 images occur more than once .* samples 0 and 48",
    ),
    "no softmax": (
        lambda: network(activation=None),
        X,
        Y,
        "needs probabilities, but the network ends",
    ),
    "softmax twice": (
        lambda: network(loss=mc.losses.SparseCategoricalCrossentropy(from_logits=True)),
        X,
        Y,
        "from_logits=False",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_broken_is_found(name):
    make, x, y, message = CASES[name]
    model = make()
    if name == "NaN":
        assert np.isnan(x).any()
    found = [symptoms.pixel_problems(model, x), symptoms.label_problems(model, y),
             symptoms.contradictory_labels(x, y), symptoms.loss_mismatch(model)]  # fmt: skip
    texts = [text for text in found if text is not None]
    assert re.search(message, texts[0])
    # Images that are all the same have different labels, too.
    assert len(texts) == 1 + (name == "the same image everywhere")


def test_dead_units_and_an_answer_that_never_changes():
    model = network()
    for parameter in model.get_layer("think").parameters:
        parameter.assign(np.full(parameter.shape, -1))
    texts = bad(examine(model, X, Y, by_heart=False))
    assert any("16 of 16 units of think are 0 for all 48 images" in text for text in texts)
    assert any("is the same for all 48 images (0.333, 0.333, 0.333)" in text for text in texts)


def test_an_output_that_is_not_a_number_is_not_called_the_same_for_all():
    model = network()
    for parameter in model.layers[-1].parameters:
        parameter.assign(np.full(parameter.shape, np.nan))
    assert symptoms.constant_output(explain.Tape(model, X)) is None


def test_dense_layers_without_an_activation_between_them():
    model = mc.Sequential([mc.Input((4,)), Dense(3, name="a"), Dense(2, name="b")])
    assert "a and b have no activation between them" in symptoms.stacked_linear(model)
    bent = mc.Sequential([mc.Input((4,)), Dense(3), Activation("relu"), Dense(2)])
    assert symptoms.stacked_linear(bent) is None


def test_guessing_is_ln_of_the_classes_or_the_entropy_of_the_labels():
    model = network()
    assert symptoms.guessing_loss(model) == (math.log(3), "ln 3")
    level, written = symptoms.guessing_loss(model, np.array([0, 0, 0, 1]))
    assert level == pytest.approx(0.5623, abs=1e-4) and "entropy" in written
    assert symptoms.guessing_loss(network(loss="mse")) is None


GUESSES = "loss stayed at 1.099 = ln 3 for 50 batches: the network guesses"


@pytest.mark.parametrize(
    ("losses", "wanted"),
    [
        ([1.1] * 50, GUESSES),
        (list(1.09 + 0.02 * RNG.standard_normal(50)), GUESSES),
        (list(np.linspace(1.12, 1.06, 50)), None),  # slowly, but it learns
        ([0.7] * 50, None),
        (
            [1.3] * 50,
            "loss stayed at 1.300 for 50 batches, above 1.099 = ln 3: the network does worse "
            "than guessing",
        ),
    ],
)
def test_a_net_that_guesses_is_told_from_one_that_learns_slowly(losses, wanted):
    assert symptoms.stuck(losses, (math.log(3), "ln 3")) == wanted


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"loss": [1.0, math.nan]}, "not finite since epoch 2"),
        ({"loss": [1.0, None]}, "not finite since epoch 2"),
        ({"loss": [1.0, 1.2]}, "grew from 1.000 to 1.200"),
        (
            {"loss": [1, 0.8, 0.6, 0.4, 0.2], "val_loss": [1, 0.9, 1.0, 1.2, 1.4]},
            "overfitting since epoch 2: .* from 0.900 to 1.400 .* from 0.800 to 0.200",
        ),
        ({"loss": [1, 0.8, 0.6, 0.4], "val_loss": [1, 0.9, 0.8, 0.9]}, None),
        ({}, None),
    ],
)
def test_curves(history, message):
    text = symptoms.curve_problems(history)
    assert (text is None) if message is None else re.search(message, text)


def test_the_callback_reports_once_that_the_network_does_not_learn_and_why(capsys):
    x, y = samples(200)
    model = network(mc.optimizers.SGD(1e-9))
    doctor = Doctor(x[:48], y[:48], patience=20)
    model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[doctor])
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "Doctor" in row]
    assert re.match(r"Doctor: loss stayed at 1\.\d+ .*for 20 batches.*guess.*\. Likely: ", line)
    assert "learning rate 1e-09 is too low for SGD" in line


def test_the_callback_names_the_rate_or_the_labels_without_any_samples(capsys):
    x, y = np.zeros((160, 12, 12, 1), np.float32), np.arange(160) % 3
    model = network(mc.optimizers.Adam(1e-4))
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Doctor(patience=15)])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Doctor: loss stayed at 1.099 = ln 3 for 15 batches: the network g")
    assert "an unsuitable learning rate, or labels are shuffled against images" in line


def test_a_healthy_training_gets_no_message_and_is_not_changed(capsys):
    x, y = samples(96)
    weights = []
    for callbacks in ([], [Doctor(x, y, patience=6)]):
        mc.utils.clear_session()
        model = network()
        model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=callbacks)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert capsys.readouterr().out == ""


def test_the_callbacks_state_survives_a_checkpoint(tmp_path):
    x, y = samples(48)
    doctor = Doctor(patience=50)
    network().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[doctor])
    again = Doctor(patience=50)
    again.set_state(doctor.get_state())
    assert again.get_state() == doctor.get_state()
    assert len(doctor.get_state()["losses"]) == 12


def test_examine_leaves_the_model_as_it_was():
    model = network()
    before = model.get_weights()
    explain.examine(model, X, Y)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.optimizer.iterations == 0


def averaging(momentum, epochs, **curves):
    """The finding for these curves after training for `epochs` of three steps."""
    model = mc.Sequential(
        [mc.Input((4,)), Dense(4), BatchNormalization(momentum=momentum, name="norm"), Dense(2)]
    )
    model.compile("sgd", "mse", metrics=["accuracy"])
    model.fit(np.ones((6, 4), np.float32), np.ones((6, 2)), 2, epochs=epochs, verbose=0)
    return symptoms.unsettled_statistics(model, curves)


def test_unsettled_statistics_are_named_if_validation_is_far_behind():
    text = averaging(0.99, 4, accuracy=[0.4, 0.54], val_accuracy=[0.2, 0.2])
    assert "54% right in training, 20% in validation" in text
    # 0.99^12 = 0.886
    assert "after 12 steps the moving statistics of norm are still 89% initial values" in text
    assert averaging(0.99, 4, accuracy=[0.54], val_accuracy=[0.5]) is None
    assert averaging(0.6, 4, accuracy=[0.54], val_accuracy=[0.2]) is None  # 0.6^12 = 0.002


@pytest.fixture
def photos(tmp_path, monkeypatch):
    for part, count in (("train", 8), ("test", 3)):
        make_colored(tmp_path / "photos" / part, count)
    monkeypatch.chdir(tmp_path)
    return [
        "train",
        "--data",
        "photos",
        "--model",
        "cifar",
        "--epochs",
        "2",
        "--batch-size",
        "8",
        "--quiet",
    ]


def test_a_run_that_broke_off_is_known_and_not_taken_up_again(photos, capsys):
    assert run([*photos, "--learning-rate", "1e30"]) == 1
    assert "set_weights" not in capsys.readouterr().err
    assert run(["doctor", "runs/cifar-1"]) == 3
    said = capsys.readouterr().out
    assert said.startswith("! the training failed: the loss became ")
    assert "To start again: minicnn train runs/cifar-1/config.toml --learning-rate 0.001\n" in said
    assert run([*photos, "--resume"]) == 1
    assert "cifar-1 failed (minicnn doctor runs/cifar-1)" in capsys.readouterr().err


def test_of_a_sound_run_nothing_is_found_and_its_history_is_read(photos, capsys):
    assert run(photos) == 0
    capsys.readouterr()
    assert run(["doctor", "runs/cifar-1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].strip() == "nothing found"
    with open("runs/cifar-1/history.csv", "a", encoding="utf-8") as history:
        history.write("2,0.5,9,0.5,9\n")
    assert run(["doctor", "runs/cifar-1"]) == 3
    assert "the loss grew from" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["1,0.5", "1,many,0.2", "1,0.5,0.2,0.3\n2,", "1,0.5,\n"])
def test_a_history_that_is_not_a_table_of_numbers_is_named(tmp_path, wrong):
    path = tmp_path / "history.csv"
    path.write_text(f"epoch,loss,accuracy\n0,2.3,0.1\n{wrong}\n")
    with pytest.raises(FormatError, match="not a table with one row of numbers per epoch"):
        curves(path)
