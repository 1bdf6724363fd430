"""A checkpoint that is refused changes nothing: everything is checked before it is assigned."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import minicnn as mc
from minicnn import random
from minicnn.errors import ArgumentError, DTypeError, FormatError, MiniCNNError, ShapeError
from minicnn.layers import BatchNormalization, Dense, Input
from minicnn.models.saving.archive import read_archive, write_archive

X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 24)


class Fragile(mc.callbacks.Callback):
    """A callback that restores half of its state before the other half turns out to be missing."""

    def __init__(self):
        self.first, self.second = 0, 0

    def on_epoch_end(self, epoch, logs=None):
        self.first, self.second = epoch + 1, epoch + 1

    def get_state(self):
        return {"first": self.first, "second": self.second}

    def set_state(self, state):
        self.first = state["first"]
        self.second = state["second"]


def trained(epochs):
    model = mc.Sequential([Input((4,)), Dense(6), BatchNormalization(), Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    patient = mc.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=[Fragile(), patient])
    return model


def state_of(model):
    """Return everything that loading a checkpoint may change."""
    return copy.deepcopy(
        {
            "weights": [w.tobytes() for w in model.get_weights()],
            "slots": {k: a.tobytes() for k, a in model.slots.items()},
            "optimizer": model.optimizer.get_state(),
            "seed": random.seed(),
            "training": vars(model.session.state),
            "stop": model.stop_training,
            "callbacks": [
                (c.get_state(), {k: a.tobytes() for k, a in c.get_arrays().items()})
                for c in model.session.callbacks
            ],
        }
    )


def callback(number):
    return lambda d, a: d["training"]["progress"]["callbacks"][number]["state"]


def progress(**changes):
    return lambda d, a: d["training"]["progress"].update(changes)


DAMAGES = {
    "a slot's shape": lambda d, a: a.update({"slot/first/dense/kernel": np.zeros(3, "f")}),
    "a slot's dtype": lambda d, a: a.update({"slot/first/dense/kernel": np.zeros((4, 6))}),
    "an unknown slot": lambda d, a: a.update({"slot/third/dense/kernel": np.zeros((4, 6), "f")}),
    "a slot of no parameter": lambda d, a: a.update(
        {"slot/first/evil/kernel": np.zeros((4, 6), "f")}
    ),
    "iterations": lambda d, a: d["training"]["optimizer_state"].update(iterations="many"),
    "no iterations": lambda d, a: d["training"]["optimizer_state"].pop("iterations"),
    "learning rate": lambda d, a: d["training"]["optimizer_state"].update(learning_rate="fast"),
    "no optimizer state": lambda d, a: d["training"].pop("optimizer_state"),
    "seed": progress(seed=-1),
    "epoch": progress(epoch="x"),
    "batch": progress(batch=-1),
    "totals": progress(totals={"loss_sum": 1.0, "samples": 8, "metrics": [{"evil": 1}]}),
    "totals of fewer metrics": progress(totals={"loss_sum": 1.0, "samples": 8, "metrics": []}),
    "no callbacks": progress(callbacks=[]),
    "half a callback": lambda d, a: callback(1)(d, a).pop("second"),
    "the last callback": lambda d, a: callback(2)(d, a).pop("best"),
    "history": lambda d, a: callback(0)(d, a).update(rows=[{}, {}, {}]),
    "no parameters": lambda d, a: d["training"].pop("parameters"),
    "fewer parameters": lambda d, a: d["training"]["parameters"].pop(),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_changes_nothing(tmp_path, name):
    random.set_random_seed(5)
    trained(2).save_checkpoint(tmp_path / "c.mcnn")
    archive = read_archive(tmp_path / "c.mcnn")
    documents = {k: v for k, v in archive.documents.items() if k != "metadata"}
    arrays = dict(archive.arrays)
    DAMAGES[name](documents, arrays)
    write_archive(tmp_path / "bad.mcnn", archive.weights, documents, arrays)
    random.set_random_seed(6)
    model = trained(3)
    before = state_of(model)
    with pytest.raises(MiniCNNError):
        model.load_checkpoint(tmp_path / "bad.mcnn")
    assert state_of(model) == before
    model.load_checkpoint(tmp_path / "c.mcnn")
    assert (model.optimizer.iterations, model.session.state.seed) == (6, 5)
    assert model.session.callbacks[1].second == 2


def test_a_checkpoint_with_another_learning_rate_resumes_with_that_rate(tmp_path):
    model = trained(1)
    model.optimizer.learning_rate = 0.5
    model.save_checkpoint(tmp_path / "c.mcnn")
    other = trained(1)
    other.load_checkpoint(tmp_path / "c.mcnn")
    assert other.optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda w: w[:-1], ArgumentError),
        (lambda w: [*w[:-1], w[-1][:2]], ShapeError),
        (lambda w: [*w[:-1], w[-1].astype(complex)], DTypeError),
        (lambda w: [*w[:-1], np.array(["a", "b", "c"])], DTypeError),
    ],
)
def test_wrong_weights_change_nothing(change, error):
    model = trained(1)
    before = state_of(model)
    with pytest.raises(error):
        model.set_weights(change([w + 1 for w in model.get_weights()]))
    assert state_of(model) == before


def test_weights_of_a_damaged_file_change_nothing(tmp_path):
    model = trained(1)
    model.save(tmp_path / "m.mcnn")
    archive = read_archive(tmp_path / "m.mcnn")
    documents = {k: v for k, v in archive.documents.items() if k != "metadata"}
    weights = {**archive.weights, "dense_1/bias": np.zeros(5, np.float32)}
    write_archive(tmp_path / "bad.mcnn", weights, documents, archive.arrays)
    other = trained(2)
    before = state_of(other)
    with pytest.raises((MiniCNNError, OSError), match="of another network"):
        other.load_weights(tmp_path / "bad.mcnn")
    assert state_of(other) == before
    with pytest.raises(FormatError):
        mc.load_model(tmp_path / "bad.mcnn")
