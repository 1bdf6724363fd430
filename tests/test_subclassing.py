"""Layers and models of one's own in Keras's style: build, add_weight, call."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers, ops
from minicnn.errors import ArgumentError, MiniCNNError, ShapeError

X = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
Y = np.arange(16) % 3


class Scale(layers.Layer):
    """Multiplies each channel by a learned factor; it has no get_config of its own."""

    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        start = mc.initializers.Constant(self.start)
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer=start, name="factor")

    def call(self, x):
        return x * self.factor


class Net(mc.Model):
    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, activation="relu")
        self.pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(units, activation="relu")
        self.dropout = layers.Dropout(0.5)
        self.out = layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        x = self.hidden(self.flatten(self.pool(self.conv(inputs))))
        if training:
            x = self.dropout(x)
        return self.out(x)


def functional(units=8):
    inputs = mc.Input((8, 8, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(4, 3, activation="relu")(inputs))
    x = layers.Dense(units, activation="relu")(layers.Flatten()(x))
    return mc.Model(inputs, layers.Dense(3, activation="softmax")(layers.Dropout(0.5)(x)))


def trained(make):
    mc.utils.set_random_seed(5)
    mc.utils.clear_session()
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_data=(X, Y))
    return model, history.history


def kernels_of(model):
    """The program without the names of its values."""
    return re.findall(r"= (\w+)\(", str(model.program(8)))


def test_a_subclass_is_the_functional_model_bit_for_bit(backend):
    (own, curves), (twin, others) = trained(Net), trained(functional)
    assert curves == others
    for a, b in zip(own.get_weights(), twin.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(own.predict(X, verbose=0), twin.predict(X, verbose=0))
    assert kernels_of(own) == kernels_of(twin)  # the same fused steps, so the same speed
    assert "conv2d_max_pool2d_forward" in kernels_of(own)


def test_pixels_that_a_call_may_rescale_are_not_pointed_out():
    pixels = np.full((4, 8, 8, 1), 255, np.uint8)
    inputs = mc.Input((8, 8, 1))
    divided = mc.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs / 255)))
    divided.compile("sgd", "mse")
    divided.fit(pixels, np.zeros((4, 2)), verbose=0)  # a warning would be an error


def test_what_is_known_of_a_subclass():
    model = Net()
    assert [type(layer).__name__ for layer in model.layers] == [
        "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    assert not model.built
    model.build((None, 8, 8, 1))
    assert model.built and model.count_params() == 40 + 36 * 8 + 8 + 8 * 3 + 3
    assert model.output_shape == (None, 3)
    lines = []
    model.summary(print_fn=lines.append)
    assert "(None, 6, 6, 4)" in lines[0]


def test_a_call_on_arrays_knows_whether_it_trains(backend):
    model = Net()
    assert np.array_equal(model(X), model(X, training=False))
    assert not np.array_equal(model(X, training=True), model(X))
    assert np.allclose(model(X), model.predict(X, verbose=0), atol=1e-6)


def test_images_of_two_sizes_share_the_weights(backend):
    class Sizes(mc.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.pool = layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()
            self.out = layers.Dense(2)

        def call(self, x):
            return self.out(self.pool(self.conv(x)))

    model = Sizes()
    assert model.predict(X, verbose=0).shape == (16, 2)
    weights = model.get_weights()
    assert model.predict(np.ones((2, 12, 9, 1), np.float32), verbose=0).shape == (2, 2)
    for a, b in zip(weights, model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_saved_subclass_trains_on(tmp_path):
    model, _ = trained(Net)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn", {"Net": Net})
    for one in (model, again):
        one.fit(X, Y, batch_size=8, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_arguments_are_remembered_without_a_get_config(tmp_path):
    inputs = mc.Input((8, 8, 1))
    model = mc.Model(inputs, Scale(start=2.5, name="scale")(inputs))
    assert Scale(3.0).get_config()["start"] == 3.0
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn", {"Scale": Scale})
    assert again.get_layer("scale").start == 2.5
    assert np.array_equal(again.predict(X, verbose=0), 2.5 * X)


class Pairs(mc.Model):
    """Two inputs by name, two outputs in a dict."""

    def __init__(self):
        super().__init__()
        self.left, self.right = layers.Dense(2), layers.Dense(2)

    def call(self, inputs):
        a, b = self.left(inputs["a"]), self.right(inputs["b"])
        return {"sum": a + b, "difference": a - b}


def test_inputs_and_outputs_in_dicts(backend):
    model = Pairs()
    x = {"a": np.ones((4, 3), np.float32), "b": np.zeros((4, 3), np.float32)}
    found = model(x)
    assert np.array_equal(found["sum"], found["difference"])  # b is 0
    predicted = model.predict(x, verbose=0)
    assert np.allclose(predicted["sum"], found["sum"], atol=1e-6)


class Block(layers.Layer):
    """Layers in a list, a weight of its own, a lambda: what people write."""

    def __init__(self, widths=(4, 4), **kwargs):
        super().__init__(**kwargs)
        self.widths = widths
        self.stack = [layers.Dense(n, activation="tanh") for n in widths]

    def build(self, input_shape):
        self.gain = self.add_weight((), "ones", name="gain")
        super().build(input_shape)

    def call(self, x, training=False):
        for layer in self.stack:
            x = layer(x)
        return ops.softmax(self.gain * x if training else x)


def test_layers_in_lists_have_weights(backend):
    inputs = mc.Input((3,))
    model = mc.Model(inputs, Block()(inputs))
    assert model.count_params() == 1 + 16 + 20
    assert model.layers[1].trainable_weights[0].name.endswith("/gain")
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    model.fit(np.ones((4, 3)), np.eye(4), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_layer_with_several_inputs_and_outputs(backend):
    class Both(layers.Layer):
        def call(self, a, b, factor=1.0):
            return a + b, factor * (a - b)

    a, b = mc.Input((3,)), mc.Input((3,))
    total, difference = Both()(a, b, factor=2.0)
    model = mc.Model([a, b], [total, difference])
    x = [np.full((1, 3), 3, np.float32), np.ones((1, 3), np.float32)]
    found = model.predict(x, verbose=0)
    assert found[0].tolist() == [[4, 4, 4]] and found[1].tolist() == [[4, 4, 4]]
    again = mc.Model.from_config(model.get_config(), {"Both": Both})
    assert again.predict(x, verbose=0)[1].tolist() == [[4, 4, 4]]


def test_operators_on_symbolic_tensors(backend, tmp_path):
    inputs = mc.Input((4,))
    y = 1.0 - (inputs / 2.0 + 3.0) * inputs
    y = ops.maximum(y, -100.0) @ np.eye(4, dtype=np.float32)
    model = mc.Model(inputs, y[:, :2])
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    wanted = (1 - (x / 2 + 3) * x)[:, :2]
    assert np.allclose(model.predict(x, verbose=0), wanted)
    model.save(tmp_path / "m.mcnn")
    assert np.allclose(mc.load_model(tmp_path / "m.mcnn").predict(x, verbose=0), wanted)


# --- errors ------------------------------------------------------------------------------------


def fails(call, match, error=ArgumentError):
    class Wrong(layers.Layer):
        pass

    Wrong.call = call
    with pytest.raises(error, match=match):
        Wrong(name="wrong")(mc.Input((4,)))


def test_values_cannot_be_looked_at():
    fails(lambda self, x: x if x[0, 0] > 0 else -x, "wrong: Python's if, .* use minicnn.ops.where")
    fails(lambda self, x: np.mean(x), "wrong: NumPy cannot compute on a tensor")
    fails(lambda self, x: 3, "wrong: call must return what operations gave; got int")
    fails(lambda self, x: None, "wrong: call must return what operations gave; got NoneType")


def test_a_symbolic_tensor_has_no_values():
    x = mc.Input((4,))
    with pytest.raises(ArgumentError, match="symbolic tensor"):
        np.mean(x)
    with pytest.raises(ArgumentError, match="NumPy cannot compute"):
        np.add.reduce(x)
    with pytest.raises(ArgumentError, match="symbolic tensor"):
        bool(x)


def test_a_layer_without_call():
    with pytest.raises(NotImplementedError, match="Empty needs a method call"):
        type("Empty", (layers.Layer,), {})()(np.ones((1, 2), np.float32))


def test_a_layer_needs_known_lengths():
    with pytest.raises(ShapeError, match="known lengths"):
        Scale()(mc.Input((4, None)))


@pytest.mark.parametrize(
    "arguments", [{"dtype": "float16"}, {"dtype": 3}, {"batch_input_shape": 3}, {"units": 3}]
)
def test_wrong_options(arguments):
    with pytest.raises(MiniCNNError):
        Scale(**arguments)
