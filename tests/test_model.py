"""fit, evaluate and predict, and the errors that wrong calls raise."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks, layers
from minicnn.errors import ArgumentError, DTypeError, NumericError, ShapeError
from minicnn.models import graph
from minicnn.models.summary import summary_fields


@pytest.fixture(autouse=True)
def _fresh_names_and_seed():
    mc.utils.clear_session()
    mc.utils.set_random_seed(0)


def blobs(samples=120, classes=3, seed=0):
    """Return easy images: a bright square at a position that depends on the class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, samples)
    x = rng.random((samples, 8, 8, 1), np.float32) * 0.3
    for image, label in zip(x, y, strict=True):
        image[2 * label : 2 * label + 3, 2 * label : 2 * label + 3] += 1
    return x, y


def small(classes=3, **options):
    mc.utils.clear_session()
    model = mc.Sequential(
        [
            mc.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    options = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **options}
    model.compile(metrics=["accuracy"], **options)
    return model


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_every_optimizer_learns(backend, optimizer):
    x, y = blobs()
    model = small(optimizer=mc.optimizers.get(optimizer))
    model.optimizer.learning_rate = 0.1 if optimizer in ("sgd", "adagrad") else 0.01
    history = model.fit(x, y, batch_size=16, epochs=12, verbose=0, validation_data=blobs(seed=1))
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert history.history["val_accuracy"][-1] > 0.9
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


LOSSES = {
    "sparse_categorical_crossentropy": ("softmax", lambda y: y),
    "categorical_crossentropy": ("softmax", lambda y: mc.utils.to_categorical(y, 3)),
    "binary_crossentropy": ("sigmoid", lambda y: mc.utils.to_categorical(y, 3)),
    "mse": ("softmax", lambda y: mc.utils.to_categorical(y, 3)),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns(backend, loss):
    activation, labels = LOSSES[loss]
    x, y = blobs()
    model = small(loss=loss)
    model.layers[-1].activation = activation
    model.optimizer.learning_rate = 0.01
    first, *_, last = model.fit(x, labels(y), epochs=15, verbose=0).history["loss"]
    assert last < 0.7 * first


def test_evaluate_and_predict_agree(backend):
    x, y = blobs(50)
    model = small()
    model.fit(x, y, epochs=3, verbose=0)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    probabilities = model.predict(x, batch_size=7, verbose=0)
    assert accuracy == pytest.approx((probabilities.argmax(1) == y).mean())
    assert loss == pytest.approx(-np.log(probabilities[np.arange(50), y]).mean(), rel=1e-5)
    assert model.evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}


def test_same_seed_same_weights(backend):
    def run():
        mc.utils.clear_session()
        mc.utils.set_random_seed(7)
        model = small()
        model.fit(*blobs(), epochs=2, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_of_samples_and_classes(backend):
    x, y = blobs(40)
    by_class = small()
    start = by_class.get_weights()
    by_class.train_on_batch(x, y, class_weight={0: 1.0, 1: 0.0, 2: 3.0})
    by_sample = small()
    by_sample.set_weights(start)
    by_sample.train_on_batch(x, y, sample_weight=np.array([1.0, 0.0, 3.0])[y])
    for a, b in zip(by_class.get_weights(), by_sample.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    without = small()
    without.set_weights(start)
    keep = y != 1
    loss = without.test_on_batch(x[keep], y[keep])[0] * keep.sum() / 40
    assert without.test_on_batch(x, y, sample_weight=keep)[0] == pytest.approx(loss, rel=1e-5)


def test_validation_split_is_the_end(backend):
    x, y = blobs(40)
    model = small()
    history = model.fit(x, y, epochs=1, verbose=0, validation_split=0.25)
    want = model.evaluate(x[30:], y[30:], verbose=0)
    assert [history.history["val_loss"][0], history.history["val_accuracy"][0]] == pytest.approx(
        want
    )


def test_batches_from_iterables(backend):
    x, y = blobs(48)
    parts = [(x[i : i + 16], y[i : i + 16]) for i in (0, 16, 32)]
    from_arrays, from_list, from_generator = small(), small(), small()
    start = from_arrays.get_weights()
    for model in (from_list, from_generator):
        model.set_weights(start)
    from_arrays.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    from_list.fit(parts, epochs=2, verbose=0)

    def endless():
        while True:
            yield from parts

    from_generator.fit(endless(), epochs=2, steps_per_epoch=3, verbose=0)
    for a, b, c in zip(
        *(m.get_weights() for m in (from_arrays, from_list, from_generator)), strict=True
    ):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_initial_epoch_counts_on(backend):
    x, y = blobs(16)
    history = small().fit(x, y, initial_epoch=3, epochs=5, verbose=0)
    assert history.epoch == [3, 4]


def test_empty_batch_predicts_nothing(backend):
    assert small().predict(np.zeros((0, 8, 8, 1), np.float32), verbose=0).shape == (0, 3)


def test_odd_arrays_are_read_right(backend):
    x, _ = blobs(10)
    model = small()
    want = model.predict(x, verbose=0)
    big = np.zeros((10, 8, 8, 2), np.float32)
    big[..., :1] = x
    readonly = x.copy()
    readonly.flags.writeable = False
    for odd in (big[..., :1], x[::-1][::-1], x.astype(">f4"), x.astype(np.float64), readonly):
        np.testing.assert_array_equal(model.predict(odd, verbose=0), want)


def test_nan_stops_before_the_weights_are_touched(backend):
    x, y = blobs(32)
    x[20, 3, 3] = np.nan
    model = small()
    before = model.get_weights()
    with pytest.raises(NumericError, match=r"^x\[20\] has a NaN, .* step 1"):
        model.fit(x, y, batch_size=32, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_overflow_names_the_layer(backend):
    model = small()
    huge = [np.full_like(w, 3e38) if i == 2 else w for i, w in enumerate(model.get_weights())]
    model.set_weights(huge)
    with pytest.raises(NumericError, match=r"dense was the first layer with a NaN or infinity"):
        model.fit(*blobs(32), verbose=0)


def test_terminate_on_nan_ends_quietly(backend, capsys):
    x, y = blobs(32)
    x[:] = np.nan
    history = small().fit(x, y, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) <= 1
    assert "terminating training" in capsys.readouterr().out


WRONG_CALLS = {
    "gray-without-channel": (lambda m, x, y: m.fit(x[..., 0], y), ShapeError, r"x\[\.\.\., None\]"),
    "one-sample": (lambda m, x, y: m.predict(x[0]), ShapeError, r"x\[None\]"),
    "wrong-size": (
        lambda m, x, y: m.predict(x[:, 1:]),
        ShapeError,
        r"\(120, 7, 8, 1\).*\(None, 8, 8, 1\)",
    ),
    "label-range": (
        lambda m, x, y: m.fit(x, y + 1),
        ArgumentError,
        r"= 3, but the model has 3 classes",
    ),
    "one-hot-for-sparse": (
        lambda m, x, y: m.fit(x, mc.utils.to_categorical(y)),
        ArgumentError,
        r"categorical_crossentropy",
    ),
    "lengths": (lambda m, x, y: m.fit(x, y[:-1]), ArgumentError, r"120 samples but y has 119"),
    "nothing": (lambda m, x, y: m.fit(x[:0], y[:0]), ArgumentError, r"at least one sample"),
    "no-labels": (lambda m, x, y: m.fit(x), ArgumentError, r"labels"),
    "text": (lambda m, x, y: m.predict(np.array(["a"])), DTypeError, r"real numbers"),
    "complex": (lambda m, x, y: m.predict(x * 1j), DTypeError, r"complex"),
    "batch-size": (lambda m, x, y: m.fit(x, y, batch_size=0), ArgumentError, r"batch_size .* 0"),
    "batch-size-float": (lambda m, x, y: m.fit(x, y, batch_size=2.5), ArgumentError, r"2\.5"),
    "epochs": (lambda m, x, y: m.fit(x, y, epochs=-1), ArgumentError, r"epochs .* -1"),
    "split": (
        lambda m, x, y: m.fit(x, y, validation_split=1.0),
        ArgumentError,
        r"validation_split",
    ),
    "class-weight": (
        lambda m, x, y: m.fit(x, y, class_weight={0: 1.0, 3: 2.0}),
        ArgumentError,
        r"has the classes \[3\], but the model's are 0\.\.\.2",
    ),
    "class-weight-by-name": (
        lambda m, x, y: m.fit(x, y, class_weight={"cat": 2.0}),
        ArgumentError,
        r"must be class indices, as in .*; got 'cat'",
    ),
    "weights-count": (lambda m, x, y: m.set_weights([]), ArgumentError, r"4 parameters; got 0"),
    "weights-shape": (
        lambda m, x, y: m.set_weights([np.zeros(1)] * 4),
        ShapeError,
        r"conv2d/kernel has shape \(3, 3, 1, 4\); got \(1,\)",
    ),
    "verbose": (lambda m, x, y: m.fit(x, y, verbose=7), ArgumentError, r"verbose .* 7"),
    "labels-ragged": (lambda m, x, y: m.fit(x, [[1], [1, 2]]), ArgumentError, r"equal length"),
    "labels-of-text": (
        lambda m, x, y: m.fit(x, [["a", None]] * 120, validation_split=0.5),
        DTypeError,
        r"y must be real numbers; got object",
    ),
    "labels-single": (lambda m, x, y: m.fit(x, 3), ArgumentError, r"\(N, \.\.\.\); got 3"),
    "labels-none": (lambda m, x, y: m.train_on_batch(x, None), ArgumentError, r"need labels"),
    "batch-empty": (
        lambda m, x, y: m.train_on_batch(x[:0], y[:0]),
        ArgumentError,
        r"at least one sample",
    ),
    "batch-as-list": (lambda m, x, y: m.fit([[x, x]]), ArgumentError, r"1 inputs; got 2 .*tuple"),
    "evaluate-nothing": (
        lambda m, x, y: m.evaluate(x[:0], y[:0], verbose=0),
        ArgumentError,
        r"no sample to evaluate",
    ),
    "list-of-numbers": (lambda m, x, y: m.fit(x.tolist(), y), ArgumentError, r"np\.asarray\(x\)"),
    "path": (lambda m, x, y: m.predict("cat.png"), DTypeError, r"arrays or .* got str"),
    "steps": (lambda m, x, y: m.fit([(x, y)], steps_per_epoch=0), ArgumentError, r"steps.* 0"),
    "class-weight-list": (
        lambda m, x, y: m.fit(x, y, class_weight=[1, 2, 3]),
        ArgumentError,
        r"must be a dict like .* \[1, 2, 3\]",
    ),
    "class-weight-nan": (
        lambda m, x, y: m.fit(x, y, class_weight={0: 1, 1: np.nan, 2: 1}),
        ArgumentError,
        r"class_weight of 1 .* nan",
    ),
    "sample-weight-shape": (
        lambda m, x, y: m.test_on_batch(x, y, np.ones((120, 1))),
        ArgumentError,
        r"\(N,\); got float64 \(120, 1\)",
    ),
    "sample-weight-objects": (
        lambda m, x, y: m.fit(x, y, sample_weight=[None] * 120),
        ArgumentError,
        r"got object",
    ),
    "sample-weight-negative": (
        lambda m, x, y: m.fit(x, y, sample_weight=np.where(y == 1, -1.0, 1.0)),
        ArgumentError,
        r"sample_weight\[\d+\] = -1",
    ),
    "validation-labels": (
        lambda m, x, y: m.fit(x, y, validation_data=(x, y + 5), verbose=0),
        ArgumentError,
        r"but the model has 3 classes",
    ),
    "validation-size": (
        lambda m, x, y: m.fit(x, y, validation_data=(x[:, 1:], y), verbose=0),
        ShapeError,
        r"\(120, 7, 8, 1\)",
    ),
    "validation-parts": (
        lambda m, x, y: m.fit(x, y, validation_data=(x, y, y, y)),
        ArgumentError,
        r"\(x, y, weights\).* 4 arrays",
    ),
    "validation-array": (
        lambda m, x, y: m.fit(x, y, validation_data=x),
        ArgumentError,
        r"\(x, y\).* one array \(120, 8, 8, 1\)",
    ),
    "weights-of-text": (
        lambda m, x, y: m.set_weights([np.full(w.shape, "a") for w in m.get_weights()]),
        DTypeError,
        r"real numbers; got <U1",
    ),
    "weights-complex": (
        lambda m, x, y: m.set_weights([w * 1j for w in m.get_weights()]),
        DTypeError,
        r"real numbers; got complex",
    ),
    "weights-ragged": (
        lambda m, x, y: m.set_weights([[[1, 2], [3]]] * 4),
        ShapeError,
        r"conv2d/kernel has shape \(3, 3, 1, 4\); got rows of different lengths",
    ),
    "name": (
        lambda m, x, y: mc.Sequential(name=5),
        ArgumentError,
        r"^name must be a string of 1 to 256 characters; got 5$",
    ),
    "name-too-long": (lambda m, x, y: mc.Sequential(name="a" * 257), ArgumentError, r"^name must"),
    "metric-name": (lambda m, x, y: mc.metrics.AUC(name=b"a"), ArgumentError, r"^name .* got b'a'"),
    "callbacks-number": (
        lambda m, x, y: m.fit(x, y, callbacks=5),
        ArgumentError,
        r"callbacks must be objects like EarlyStopping\(\); got 5",
    ),
    "callback-class": (
        lambda m, x, y: m.fit(x, y, callbacks=mc.callbacks.EarlyStopping),
        ArgumentError,
        r"callbacks must be objects like EarlyStopping\(\); got <class",
    ),
    "optimizer-class": (
        lambda m, x, y: m.compile(mc.optimizers.Adam, "mse"),
        ArgumentError,
        r"^Adam is a class, and an object of it is needed: Adam\(\.\.\.\)",
    ),
    "metric-class": (
        lambda m, x, y: m.compile("adam", "mse", metrics=[mc.metrics.AUC]),
        ArgumentError,
        r"^AUC is a class, and an object",
    ),
    "layer-class": (
        lambda m, x, y: m.add(mc.layers.Flatten),
        ArgumentError,
        r"^Flatten is a class, and an object",
    ),
    "weights-none": (lambda m, x, y: m.set_weights(None), ArgumentError, r"got NoneType"),
    "metric": (
        lambda m, x, y: m.compile("sgd", "mse", metrics=["acuracy"]),
        ArgumentError,
        r"'acuracy'; did you mean 'accuracy'",
    ),
    "metric-twice": (
        lambda m, x, y: m.compile("sgd", "mse", metrics=["accuracy", "accuracy"]),
        ArgumentError,
        r"two are called 'accuracy'",
    ),
    "metric-kind": (
        lambda m, x, y: m.compile("sgd", "mse", metrics=[5]),
        ArgumentError,
        r"metric 5",
    ),
    "trainable": (lambda m, x, y: setattr(m, "trainable", "no"), ArgumentError, r"'no'"),
    "optimizer": (lambda m, x, y: m.compile("adm"), ArgumentError, r"adm"),
    "loss": (lambda m, x, y: m.compile("adam", "mean"), ArgumentError, r"mean"),
}


@pytest.mark.parametrize("call", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls_say_what_to_do_and_change_nothing(backend, call):
    wrong, error, words = call
    model = small()
    before = model.get_weights()
    with pytest.raises(error, match=words):
        wrong(model, *blobs())
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_not_compiled():
    model = mc.Sequential([mc.Input((4,)), layers.Dense(2)])
    with pytest.raises(ArgumentError, match=r"model\.compile\("):
        model.fit(np.zeros((2, 4), np.float32), np.zeros(2, int))


def test_network_that_shrinks_to_nothing_tells_the_story():
    model = mc.Sequential([mc.Input((28, 28, 1))])
    for _ in range(3):
        model.add(layers.Conv2D(4, 3))
        model.add(layers.MaxPooling2D(2))
    with pytest.raises(ShapeError, match=re.escape("28→26→13→11→5→3→1")):
        model.add(layers.Conv2D(4, 3))


def test_pixels_that_no_layer_rescales_are_pointed_out():
    x, y = blobs(8)
    with pytest.warns(UserWarning, match=r"rescale=1/255"):
        small().fit((x * 100).astype(np.uint8), y, verbose=0)


def test_sequential_can_wait_for_its_first_array():
    model = mc.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
    lines = []
    model.summary(print_fn=lines.append)
    assert "dense" in lines[0] and "?" in lines[0]
    with pytest.raises(ArgumentError, match="does not know its input's shape"):
        model.program()
    assert model.predict(np.zeros((2, 4, 4, 1), np.float32), verbose=0).shape == (2, 3)


def test_several_inputs_and_outputs(backend):
    a, b = mc.Input((3,)), mc.Input((3,))
    total = layers.Add()([a, b])
    model = mc.Model([a, b], [total, layers.Activation("relu")(total)])
    x = np.array([[1, -2, 3]], np.float32)
    total, positive = model.predict([x, -2 * x], verbose=0)
    assert total.tolist() == [[-1, 2, -3]] and positive.tolist() == [[0, 2, 0]]
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="need labels y"):
        model.fit([[x, x]], verbose=0)


def test_an_activation_that_is_set_holds_from_the_next_call_on(backend):
    """A cached program is planned again, as when a classifier's logits are inspected."""
    model = mc.Sequential([mc.Input((3,)), layers.Dense(4, activation="softmax")])
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    probabilities = model.predict(x, verbose=0)
    model.layers[-1].activation = None
    logits = model.predict(x, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(logits, x @ kernel + bias, rtol=1e-5, atol=1e-6)
    model.layers[-1].activation = "softmax"
    np.testing.assert_array_equal(model.predict(x, verbose=0), probabilities)


def test_what_only_counts_draws_no_weights():
    model = small()
    model.summary(flops=True, memory=True)
    fields = summary_fields(model.graph, model.name)
    assert fields["parameters"] == model.count_params() == 4 * 10 + 36 * 3 + 3
    assert all(parameter.initial is not None for parameter in model.parameters)


def test_a_sequential_of_many_layers_is_made_at_once(monkeypatch):
    made = []

    def counted(layers):
        made.append(len(layers))
        return check_names(layers)

    check_names = graph.check_names
    monkeypatch.setattr(graph, "check_names", counted)
    model = mc.Sequential([mc.Input((4,)), *(layers.ReLU() for _ in range(50))])
    assert made == [51] and len(model.layers) == 50
    model.add(layers.Dense(2))
    assert made == [51, 52] and model.output_shape == (None, 2)


def test_a_layer_is_found_by_its_name_or_its_index():
    model = small()
    assert [model.get_layer(index=i) for i in range(len(model.layers))] == model.layers
    assert model.get_layer(index=-1) is model.get_layer(model.layers[-1].name) is model.layers[-1]
    for wrong in (len(model.layers), -1 - len(model.layers), "conv2d", 1.0):
        with pytest.raises(ArgumentError, match="index must be an integer from 0 to"):
            model.get_layer(index=wrong)
    for both in ({}, {"name": "conv2d", "index": 0}):
        with pytest.raises(ArgumentError, match="either a name or an index"):
            model.get_layer(**both)


@pytest.mark.parametrize("wrong", ["batches", 1, None])
def test_shuffle_is_true_or_false(wrong):
    model, x = small(), np.zeros((4, 8, 8, 1), np.float32)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ArgumentError, match="shuffle must be True or False"):
        model.fit(x, np.zeros(4, int), shuffle=wrong, verbose=0)
    assert model.optimizer.iterations == 0


def test_a_callback_cannot_add_layers_to_the_network_that_is_trained():
    model = mc.Sequential([mc.Input((2,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    add = mc.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.add(layers.ReLU()))
    with pytest.raises(ArgumentError, match="add was called while fit"):
        model.fit(np.ones((4, 2), np.float32), np.ones((4, 2)), verbose=0, callbacks=[add])
    assert len(model.layers) == 1


def test_labels_of_arrays_are_checked_once_not_in_every_step(monkeypatch):
    model, (x, y) = small(), blobs(40)
    checked = []

    def prepare(labels, shape, own=model.loss.prepare):
        checked.append(len(labels))
        return own(labels, shape)

    monkeypatch.setattr(model.loss, "prepare", prepare)
    model.fit(x, y, 8, epochs=3, validation_split=0.25, verbose=0)
    assert checked == [30, 10]
    model.evaluate(x, y, 8, verbose=0)
    assert checked == [30, 10, 40]


def test_a_model_without_a_graph_says_how_to_make_one():
    with pytest.raises(
        ArgumentError, match=r"has no layers; make its graph: mc.Model\(inputs, out"
    ):
        mc.Model().predict(np.zeros((1, 2), np.float32))


@pytest.mark.parametrize("inputs", [np.zeros((2, 2)), np.zeros(0), [np.zeros(3)]])
def test_arrays_are_no_inputs_of_a_model(inputs):
    x = mc.Input((3,))
    with pytest.raises(ArgumentError, match="inputs and outputs"):
        mc.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(ArgumentError, match="inputs and outputs"):
        mc.Model(x, inputs)


def test_a_model_needs_outputs_too():
    with pytest.raises(ArgumentError, match="inputs and outputs"):
        mc.Model(mc.Input((3,)))


def test_nothing_to_evaluate_is_said_before_the_network_is_built():
    model = mc.Sequential([layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="no sample to evaluate"):
        model.evaluate(np.zeros((0, 3)), np.zeros((0, 2)), verbose=0)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_a_value_beyond_float32_is_named(backend):
    model = small()
    x = np.ones((4, *model.input_shape[1:]))
    x[2] = 1e300
    with pytest.raises(NumericError, match="beyond float32, first in sample 2"):
        model.train_on_batch(x, np.zeros(4, int))


def test_an_interrupted_slot_is_not_left_unfilled(monkeypatch):
    """Ctrl-C between the allocation and the initial values must leave no slot behind."""
    model = small()
    model.compile("adam", "sparse_categorical_crossentropy")
    slots = type(model.optimizer).slots

    def interrupted(_):
        raise KeyboardInterrupt

    x, y = np.ones((4, *model.input_shape[1:]), "float32"), np.zeros(4, int)
    monkeypatch.setattr(type(model.optimizer), "slots", property(interrupted))
    with pytest.raises(KeyboardInterrupt):
        model.train_on_batch(x, y)
    monkeypatch.setattr(type(model.optimizer), "slots", slots)
    assert model.slots == {}
