"""Networks inside networks: nested, shared, frozen as a whole, saved; and copies of networks."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
Y = np.arange(16) % 3


def base(name=None):
    return mc.Sequential(
        [
            mc.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
        ],
        name=name,
    )


def with_base(inner, **call):
    inputs = mc.Input((8, 8, 1))
    model = mc.Model(inputs, layers.Dense(3, activation="softmax")(inner(inputs, **call)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def flat_twin(inner, head):
    """The same layers, one after the other."""
    return mc.Sequential([mc.Input((8, 8, 1)), *inner.layers, head])


def test_a_nested_model_computes_what_its_layers_compute(backend):
    inner = base()
    model = with_base(inner)
    twin = flat_twin(inner, model.layers[-1])
    assert np.array_equal(model.predict(X, verbose=0), twin.predict(X, verbose=0))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Sequential", "Dense"]
    assert model.count_params() == twin.count_params()
    assert inner.count_params() == 40 + 16


def test_it_trains_to_the_bits_of_the_flat_model(backend):
    results = []
    for nested in (True, False):
        mc.utils.set_random_seed(3)
        inner = base()
        if nested:
            model = with_base(inner)
        else:
            head = layers.Dense(3, activation="softmax")
            model = mc.Sequential([mc.Input((8, 8, 1)), *inner.layers, head])
            model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)


def test_a_frozen_base_stays_as_it_is(backend):
    inner = base()
    inner.trainable = False
    assert not any(layer.trainable for layer in inner.layers)
    model = with_base(inner)
    before = inner.get_weights()
    head = model.layers[-1].get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(before, inner.get_weights(), strict=True):
        assert np.array_equal(a, b)  # the moving statistics too
    assert not np.array_equal(head[0], model.layers[-1].get_weights()[0])
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 6


def test_training_false_holds_for_this_call_alone(backend):
    inner = base()
    model = with_base(inner, training=False)
    mean = inner.layers[1].moving_mean.value.copy()
    kernel = inner.layers[0].kernel.value.copy()
    model.fit(X, Y, epochs=1, verbose=0)
    assert np.array_equal(mean, inner.layers[1].moving_mean.value)
    assert not np.array_equal(kernel, inner.layers[0].kernel.value)


def test_training_false_is_saved(tmp_path):
    model = with_base(base(), training=False)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.graph.tensors[1].call.training is False
    assert np.array_equal(model.predict(X, verbose=0), again.predict(X, verbose=0))


def test_a_shared_model_has_its_weights_once(backend):
    inner = base()
    a, b = mc.Input((8, 8, 1)), mc.Input((8, 8, 1))
    model = mc.Model([a, b], layers.Subtract()([inner(a), inner(b)]))
    assert model.count_params() == inner.count_params()
    assert np.abs(model.predict([X, X], verbose=0)).max() == 0


def test_inner_names_may_be_those_of_outer_layers(tmp_path):
    inner = mc.Sequential([mc.Input((4,)), layers.Dense(4, name="dense")], name="inner")
    inputs = mc.Input((4,))
    model = mc.Model(inputs, layers.Dense(4, name="dense")(inner(inputs)))
    assert list(model.named_parameters()) == [
        "inner/dense/kernel", "inner/dense/bias", "dense/kernel", "dense/bias",
    ]  # fmt: skip
    assert not np.array_equal(*[w for w in model.get_weights() if w.ndim == 2])
    model.save(tmp_path / "m.mcnn")
    for a, b in zip(
        model.get_weights(), mc.load_model(tmp_path / "m.mcnn").get_weights(), strict=True
    ):
        assert np.array_equal(a, b)


def test_a_training_of_a_nested_model_is_saved_and_goes_on(tmp_path):
    model = with_base(base())
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    for one in (model, again):
        one.fit(X, Y, epochs=1, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_features_of_a_middle_layer(backend):
    flat = base()
    half = mc.Model(inputs=flat.input, outputs=flat.layers[0].output)
    assert half.predict(X, verbose=0).shape == (16, 6, 6, 4)
    assert half.predict(X, verbose=0).min() == 0


def test_a_call_on_arrays(backend):
    model = with_base(base())
    y = model(X)
    assert np.allclose(y, model.predict(X, verbose=0), atol=1e-6)
    assert y.numpy().shape == (16, 3)
    doubled = model(X.astype(np.float64))
    assert doubled.dtype == np.float32 and np.array_equal(doubled, y)
    before = model.layers[1].layers[1].moving_mean.value.copy()
    model(X, training=True)
    assert not np.array_equal(before, model.layers[1].layers[1].moving_mean.value)


def test_uint8_stays_if_a_nested_model_rescales_it():
    inner = mc.Sequential([mc.Input((8, 8, 1)), layers.Rescaling(1 / 255), layers.Flatten()])
    inputs = mc.Input((8, 8, 1))
    model = mc.Model(inputs, layers.Dense(2)(inner(inputs)))
    assert model.rescales(0)
    pixels = np.full((2, 8, 8, 1), 255, np.uint8)
    ones = model.layers[-1](np.ones((2, 64), np.float32))
    assert np.allclose(model.predict(pixels, verbose=0), ones, atol=1e-5)


def test_augmentation_on_arrays_happens_by_default():
    augmentation = mc.Sequential([layers.RandomFlip("horizontal", seed=1), layers.Rescaling(0.5)])
    x = np.arange(8 * 8 * 16, dtype=np.float32).reshape(16, 8, 8, 1)
    assert not np.array_equal(augmentation(x), 0.5 * x)
    assert np.array_equal(augmentation(x, training=False), 0.5 * x)
    inputs = mc.Input((8, 8, 1))
    model = mc.Model(inputs, layers.Flatten()(augmentation(inputs)))
    assert np.array_equal(model.predict(x, verbose=0), 0.5 * x.reshape(16, 64))


def test_wrong_inputs_are_named():
    inner = base(name="inner")
    with pytest.raises(
        ShapeError, match=r"inner: .*\(None, 9, 9, 1\), needed is \(None, 8, 8, 1\)"
    ):
        inner(mc.Input((9, 9, 1)))
    with pytest.raises(ArgumentError, match="inner: takes 1 inputs; got 2"):
        inner([mc.Input((8, 8, 1)), mc.Input((8, 8, 1))])


def test_a_sequential_begins_with_a_model():
    model = mc.Sequential([base(), layers.Dense(2)])
    assert model.is_built and model.output_shape == (None, 2)
    assert [type(layer).__name__ for layer in model.layers] == ["Sequential", "Dense"]


def test_summary_of_nested_models(capsys):
    model = with_base(base(name="inner"))
    model.summary()
    assert "global_average" not in capsys.readouterr().out
    lines = []
    model.summary(expand_nested=True, show_trainable=True, print_fn=lines.append)
    assert "\n  global_average_pooling2d (GlobalAveragePooling2D)" in lines[0]
    assert "Total params: 71" in lines[0] and "Trainable params: 63" in lines[0]


# --- before a Sequential is built, and after ---------------------------------------------------


def test_layers_before_building():
    model = mc.Sequential([layers.Flatten(), layers.Dense(3), layers.Dense(2)])
    assert len(model.layers) == 3
    assert type(model.pop()).__name__ == "Dense" and len(model.layers) == 2
    model.summary()
    model.build((None, 8, 8, 1))
    assert model.count_params() == 64 * 3 + 3
    model.build((None, 8, 8, 1))
    assert model.pop() is not None and model.output_shape == (None, 64)
    with pytest.raises(ArgumentError, match="no layer to remove"):
        mc.Sequential([]).pop()


def test_an_unbuilt_sequential_has_a_config():
    model = mc.Sequential([layers.Dense(3, name="a"), layers.Dense(2)])
    again = mc.Sequential.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


# --- copies ------------------------------------------------------------------------------------


def test_clone_model():
    model = with_base(base())
    copy = mc.models.clone_model(model)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert not set(map(id, copy.layers)) & set(map(id, model.layers))
    copy.set_weights(model.get_weights())
    assert np.array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))
    linear = mc.models.clone_model(
        mc.Sequential([mc.Input((4,)), layers.Dense(3, activation="relu")]),
        clone_function=lambda layer: layers.Dense(3, name="linear"),
    )
    assert linear.layers[0].name == "linear"


def test_clone_model_on_another_input():
    model = mc.Sequential([mc.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    larger = mc.models.clone_model(model, input_tensors=mc.Input((10, 10, 1)))
    assert larger.output_shape == (None, 128)


def test_json_of_a_network():
    model = with_base(base())
    again = mc.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for wrong in ("", "[]", "{}", '{"class": 3, "config": {}}', None, "[" * 100_000):
        with pytest.raises(ArgumentError):
            mc.models.model_from_json(wrong)


def test_get_config_of_inputs_and_outputs_by_name():
    a, b = mc.Input((3,), name="a"), mc.Input((3,), name="b")
    model = mc.Model({"left": a, "right": b}, {"sum": layers.Add()([a, b])})
    again = mc.Model.from_config(model.get_config())
    found = again.predict({"right": np.ones((1, 3)), "left": np.zeros((1, 3))}, verbose=0)
    assert found["sum"].tolist() == [[1, 1, 1]]


def test_a_network_of_functions_of_tensors_is_a_layer():
    """Their shapes are found for batches of known sizes, also inside a network."""
    inner_input = mc.Input((4,))
    inner = mc.Model(inner_input, inner_input * 2.0 + inner_input[:, :1])
    x = mc.Input((4,))
    model = mc.Model(x, inner(x))
    assert model.output_shape == (None, 4)
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.testing.assert_array_equal(model.predict(values, verbose=0), 2 * values + values[:, :1])


def test_a_base_that_was_called_for_inference_stays_so_when_it_is_trained():
    """Transfer learning: Keras's guide says so, and Keras 3.15 does otherwise."""
    base = mc.Sequential([mc.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.BatchNormalization()])
    x = mc.Input((4, 4, 1))
    y = layers.Dense(2)(layers.Flatten()(base(x, training=False)))
    model = mc.Model(x, y)
    model.compile("sgd", "mse")
    before = [np.array(w) for w in base.get_weights()]
    model.fit(np.ones((8, 4, 4, 1), np.float32), np.ones((8, 2), np.float32), verbose=0)
    kernel, *_, mean, variance = base.get_weights()
    assert not np.array_equal(kernel, before[0])
    np.testing.assert_array_equal([mean, variance], before[-2:])
