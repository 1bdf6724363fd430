"""Keras 1's and 2's spellings work, with one warning each that says today's word."""

from __future__ import annotations

import importlib
import inspect
import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks, layers, optimizers
from minicnn.compat import keras2
from minicnn.errors import ArgumentError, UnknownArgumentError


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(keras2, "said", set())


def says(words):
    return pytest.warns(UserWarning, match=words)


def quiet(function, *args, **kwargs):
    """Call a function whose warnings are not the question."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


LAYERS = [
    ("Dense", {"output_dim": 3, "init": "one"}, {"units": 3, "kernel_initializer": "ones"}),
    ("Dropout", {"p": 0.3}, {"rate": 0.3}),
    ("MaxPooling2D", {"border_mode": "same"}, {"padding": "same"}),
    (
        "Conv2D",
        {"nb_filter": 4, "nb_row": 3, "nb_col": 2, "subsample": (2, 1), "bias": False},
        {"filters": 4, "kernel_size": (3, 2), "strides": (2, 1), "use_bias": False},
    ),
    ("Conv2D", {"nb_filter": 4, "nb_row": 3}, {"filters": 4, "kernel_size": (3, 3)}),
    ("LeakyReLU", {"alpha": 0.2}, {"negative_slope": 0.2}),
    ("BatchNormalization", {"mode": 0}, {}),
]


@pytest.mark.parametrize(("name", "old", "today"), LAYERS)
def test_layers(name, old, today):
    kind = getattr(layers, name)
    layer = quiet(kind, **old, name="same")
    assert layer.get_config() == kind(**today, name="same").get_config()


def test_todays_arguments_keep_their_meaning():
    assert layers.ELU(alpha=0.3).get_config()["alpha"] == 0.3


def test_one_warning_with_todays_word_at_the_callers_line():
    with says(r"Dense\(output_dim=...\) is a word of Keras 2; write units=") as seen:
        layers.Dense(output_dim=3)
        layers.Dense(output_dim=4)
    assert len(seen) == 1
    assert seen[0].filename == __file__


def test_old_and_new_together_are_refused():
    with pytest.raises(ArgumentError, match="units= and output_dim=, which mean the same"):
        layers.Dense(3, output_dim=3)


def test_an_old_word_where_it_means_nothing():
    with pytest.raises(UnknownArgumentError, match="Flatten has no argument 'border_mode'"):
        layers.Flatten(border_mode="same")
    with pytest.raises(ArgumentError, match="statistics are those of a channel"):
        layers.BatchNormalization(mode=2)


def test_convolution2d_with_rows_and_columns():
    with says(r"write Conv2D\(8, \(3, 2\)\)"):
        layers.Convolution2D(8, 3, 2)
    layer = quiet(layers.Convolution2D, 8, 3, 2, border_mode="same")
    assert (layer.get_config()["kernel_size"], layer.get_config()["padding"]) == ((3, 2), "same")
    assert layers.Convolution2D(8, 3, 2, padding="same").get_config()["strides"] == (2, 2)
    assert layers.Convolution2D(8, (3, 3)).get_config()["kernel_size"] == (3, 3)


def test_learning_rate_and_decay():
    with says("write learning_rate="):
        assert optimizers.SGD(lr=0.5).learning_rate == 0.5
    sgd = quiet(optimizers.SGD, lr=0.5, momentum=0.9, decay=0.1)
    sgd.iterations = 5
    assert sgd.learning_rate == pytest.approx(0.5 / (1 + 0.1 * 5))
    assert not quiet(optimizers.SGD, 0.5, decay=0.0).has_schedule
    assert quiet(optimizers.Adam, decay=0.1).learning_rate == 0.001


def network():
    model = mc.Sequential([mc.Input((6,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


X = np.linspace(0, 1, 48, dtype=np.float32).reshape(8, 6)
Y = np.eye(3, dtype=np.float32)[np.arange(8) % 3]


def batches():
    while True:
        yield X[:4], Y[:4]
        yield X[4:], Y[4:]


def test_training_on_generators():
    model = network()
    with says("fit_generator is a method of Keras 2; write fit"):
        history = model.fit_generator(batches(), 1.5, 2, 0, workers=2, max_queue_size=10)
    assert len(history.history["loss"]) == 2
    assert model.optimizer.iterations == 4
    loss, accuracy = quiet(model.evaluate_generator, batches(), 2, use_multiprocessing=True)
    assert [loss, accuracy] == pytest.approx(model.evaluate(X, Y, verbose=0))
    assert quiet(model.predict_generator, batches(), steps=2).shape == (8, 3)


def test_samples_per_epoch():
    model = network()
    with pytest.raises(ArgumentError, match="give steps_per_epoch=, a number of batches"):
        model.fit(batches(), samples_per_epoch=8, verbose=0)
    images = np.zeros((8, 4, 4, 1), np.float32)
    flow = mc.preprocessing.image.ImageDataGenerator().flow(images, Y, batch_size=3)
    model = mc.Sequential([layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", "mse")
    quiet(model.fit_generator, flow, samples_per_epoch=8, nb_epoch=1, verbose=0)
    assert model.optimizer.iterations == 3


def test_arguments_of_fit():
    with says("write nothing: minicnn prepares batches in threads of its own"):
        network().fit(X, Y, verbose=0, workers=4)
    assert len(quiet(network().fit, X, Y, nb_epoch=2, verbose=0).history["loss"]) == 2


def test_classes_and_probabilities():
    model = network()
    scores = model.predict(X, verbose=0)
    with says("argmax"):
        assert (model.predict_classes(X) == scores.argmax(axis=-1)).all()
    assert (quiet(model.predict_proba, X) == scores).all()
    yes = mc.Sequential([mc.Input((6,)), layers.Dense(1, activation="sigmoid")])
    assert quiet(yes.predict_classes, X).tolist() == (yes.predict(X, verbose=0) > 0.5).tolist()


def test_model_of_input_and_output():
    x = mc.Input((6,))
    with says("write inputs="):
        model = mc.Model(input=x, outputs=layers.Dense(2)(x))
    assert quiet(mc.Model, input=x, output=layers.Dense(2)(x)).output_shape == (None, 2)
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize(
    ("module", "name", "today"),
    [
        ("layers.core", "Dense", layers.Dense),
        ("layers.convolutional", "MaxPooling2D", layers.MaxPooling2D),
        ("layers.pooling", "GlobalAveragePooling2D", layers.GlobalAveragePooling2D),
        ("layers.normalization", "BatchNormalization", layers.BatchNormalization),
        ("layers.advanced_activations", "LeakyReLU", layers.LeakyReLU),
        ("layers.merge", "Concatenate", layers.Concatenate),
        ("engine", "Model", mc.Model),
        ("engine.topology", "Input", mc.Input),
        ("utils.np_utils", "to_categorical", mc.utils.to_categorical),
        ("objectives", "MeanSquaredError", mc.losses.MeanSquaredError),
    ],
)
def test_modules(module, name, today):
    assert quiet(getattr, importlib.import_module(f"minicnn.{module}"), name) is today


def test_np_utils():
    from minicnn.utils import np_utils

    with says("from minicnn.utils import to_categorical"):
        rows = np_utils.to_categorical([0, 1], 3)
    assert rows.shape == (2, 3)
    assert quiet(mc.utils.to_categorical, [0, 1], nb_classes=4).shape == (2, 4)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = np_utils.nothing


def test_merge():
    x = mc.Input((6,))
    parts = [layers.Dense(3)(x), layers.Dense(3)(x)]
    with says("write layers.concatenate"):
        assert layers.merge(parts, mode="concat").shape == (None, 6)
    assert quiet(layers.merge, parts, mode="sum").shape == (None, 3)
    with pytest.raises(ArgumentError, match="merge takes mode= one of"):
        layers.merge(parts, mode="cos")


def test_val_acc(tmp_path):
    path = str(tmp_path / "{epoch:02d}-{val_acc:.2f}.mcnn")
    saver = callbacks.ModelCheckpoint(path, monitor="val_acc", save_best_only=True)
    with says(r"\{val_acc\} is a word of Keras 2; write \{val_accuracy\}"):
        network().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[saver])
    assert [p.name[:3] for p in tmp_path.iterdir()] == ["01-"]


def test_callbacks_and_generators():
    with says("write min_delta="):
        callbacks.ReduceLROnPlateau(epsilon=0.01)
    quiet(callbacks.ModelCheckpoint, "x.mcnn", period=1)
    with pytest.raises(ArgumentError, match="save_freq= says how often"):
        callbacks.ModelCheckpoint("x.mcnn", period=5)


def test_dim_ordering():
    with says("write image_data_format"):
        assert mc.backend.image_dim_ordering() == "tf"
    mc.backend.set_image_dim_ordering("tf")
    with pytest.raises(ArgumentError, match="images are"):
        mc.backend.set_image_dim_ordering("th")
    assert quiet(layers.Conv2D, 2, 3, dim_ordering="tf").get_config()["name"]


def test_signatures_stay_todays():
    assert list(inspect.signature(layers.Conv2D).parameters)[:2] == ["filters", "kernel_size"]
    assert layers.Dense.__init__.__module__ == layers.Dense.__module__
