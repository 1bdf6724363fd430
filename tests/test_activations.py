"""The argument `activation`: names, functions and layers; what a network and its file make of it.

The values are compared with Keras's in test_keras_layers.py.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import minicnn as mc
from minicnn import activations, layers
from minicnn.errors import ArgumentError
from minicnn.layers import Activation, Conv2D, Dense, Input, LeakyReLU

# The names that Keras 3.15.1 knows; sparsemax alone is missing here.
NAMES = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

X = np.linspace(-3, 3, 12, dtype=np.float32).reshape(2, 6)


def cubed(x):
    return x * x * x


def model_with(activation, **options):
    return mc.Sequential([Input((6,)), Dense(4, activation=activation, **options)])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_its_function_and_its_config_are_one(name):
    function = getattr(activations, name)
    assert activations.get(name) is activations.get(function) is function
    assert activations.get(activations.serialize(function)) is function
    assert activations.deserialize(activations.serialize(function)) is function


@pytest.mark.parametrize("name", [name for name in NAMES if name != "threshold"])
def test_a_layer_is_the_function(name, backend):
    np.testing.assert_array_equal(Activation(name)(X), getattr(activations, name)(X))
    model = mc.Model(x := Input((6,)), getattr(activations, name)(x))
    np.testing.assert_allclose(model.predict(X, verbose=0), Activation(name)(X), rtol=1e-6)


def test_lists_and_integers_become_floats():
    assert activations.relu([-1, 2]).tolist() == [0.0, 2.0]
    assert activations.hard_sigmoid(np.array([0, 9])).dtype == np.float32


def test_functions_in_a_network_have_names_and_are_saved(tmp_path):
    x = Input((6,))
    y = activations.gelu(activations.softmax(x, axis=1), approximate=True)
    model = mc.Model(x, y)
    assert y.layer.name.startswith("gelu")
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize(
    "activation", ["relu", activations.relu, layers.ReLU()], ids=["name", "function", "layer"]
)
def test_a_relu_is_fused_with_its_convolution(activation):
    model = mc.Sequential([Input((8, 8, 3)), Conv2D(4, 3, activation=activation)])
    assert [step.kernel for step in model.program().steps] == ["conv2d_relu_forward"]


def test_a_function_of_ones_own(tmp_path, backend):
    model = model_with(cubed)
    kernel = model.layers[-1].kernel.value
    np.testing.assert_allclose(model.predict(X, verbose=0), (X @ kernel) ** 3, rtol=1e-4)
    assert model.layers[-1].get_config()["activation"] == {"function": "cubed"}
    model.compile("sgd", "mse")
    model.train_on_batch(X, np.zeros((2, 4)))
    assert not np.array_equal(model.layers[-1].kernel.value, kernel)


def test_a_function_of_ones_own_in_a_file(tmp_path):
    model = model_with(cubed)
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(ArgumentError, match="unknown activation 'cubed'"):
        mc.load_model(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn", custom_objects={"cubed": cubed})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_lambda_has_no_name_in_a_file(tmp_path):
    model = model_with(lambda x: x * 2)
    copy = Dense.from_config(model.layers[-1].get_config())
    assert copy.activation is model.layers[-1].activation
    with pytest.raises(ArgumentError, match="cannot be saved.*unknown activation '<lambda>'"):
        model.save(tmp_path / "m.mcnn")


def test_a_lambda_layer_is_saved_by_its_functions_name(tmp_path):
    model = mc.Sequential([Input((6,)), layers.Lambda(cubed)])
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(ArgumentError, match="unknown function 'cubed' of a Lambda"):
        mc.load_model(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn", custom_objects={"cubed": cubed})
    np.testing.assert_allclose(again.predict(X, verbose=0), X**3, rtol=1e-6)
    nameless = mc.Sequential([Input((6,)), layers.Lambda(lambda x: x + 1)])
    np.testing.assert_allclose(nameless.predict(X, verbose=0), X + 1, rtol=1e-6)
    with pytest.raises(ArgumentError, match="cannot be saved.*unknown function '<lambda>'"):
        nameless.save(tmp_path / "n.mcnn")


def test_a_layer_as_activation(tmp_path, backend):
    model = model_with(LeakyReLU(0.1))
    z = X @ model.layers[-1].kernel.value
    expected = np.where(z > 0, z, 0.1 * z)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.layers[-1].activation.negative_slope == 0.1


def test_the_weights_of_a_layer_as_activation_are_the_networks(tmp_path):
    model = model_with(layers.PReLU("ones"))
    assert model.count_params() == 6 * 4 + 4 + 4
    model.compile("sgd", "mse")
    model.train_on_batch(X, np.ones((2, 4)))
    assert not np.array_equal(model.layers[-1].activation.alpha.value, np.ones(4))
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_description_by_keras_is_understood():
    found = activations.deserialize(
        {"module": "keras.layers", "class_name": "ReLU", "config": {"max_value": 2.0}}
    )
    assert found.max_value == 2.0
    function = {"class_name": "function", "config": "cubed", "registered_name": "cubed"}
    assert activations.deserialize(function, {"cubed": cubed}) is cubed


def test_the_activation_may_be_changed_after_training_began():
    model = model_with("softmax")
    z = model_with(None)
    z.set_weights(model.get_weights())
    assert not np.allclose(model.predict(X, verbose=0), z.predict(X, verbose=0))
    model.layers[-1].activation = activations.linear
    np.testing.assert_array_equal(model.predict(X, verbose=0), z.predict(X, verbose=0))


def test_configs_are_json():
    for name in NAMES:
        json.dumps(Dense(2, activation=name).get_config())


ALIASES = {
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "Convolution1D": "Conv1D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "SeparableConvolution2D": "SeparableConv2D",
}


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_aliases_are_the_same_classes(alias, name):
    assert getattr(layers, alias) is getattr(layers, name)


def test_merging_by_functions():
    a, b = np.full((1, 2), 6, np.float32), np.full((1, 2), 2, np.float32)
    results = {
        "add": 8, "subtract": 4, "multiply": 12, "average": 4, "maximum": 6, "minimum": 2,
    }  # fmt: skip
    for name, value in results.items():
        assert getattr(layers, name)([a, b]).tolist() == [[value] * 2], name
    assert layers.concatenate([a, b], axis=1).shape == (1, 4)
    assert layers.dot([a, b], axes=1).tolist() == [[24]]
    x = Input((4, 5, 3))
    assert layers.add([x, Input((3,))], name="sum").layer.name == "sum"


def test_padding_in_any_case():
    for layer in (Conv2D(1, 3, padding="SAME"), layers.MaxPool2D(2, padding="Same")):
        assert layer.padding == "same"


def test_rules_of_weights_reach_the_parameters():
    layer = layers.SeparableConv2D(
        3, 3, depthwise_regularizer="l2", pointwise_constraint="non_neg", bias_regularizer="l1"
    )
    layer(np.zeros((1, 5, 5, 2), np.float32))
    regularizers = [type(p.regularizer).__name__ for p in layer.parameters]
    assert regularizers == ["L2", "NoneType", "L1"]
    constraints = [type(p.constraint).__name__ for p in layer.parameters]
    assert constraints == ["NoneType", "NonNeg", "NoneType"]


def test_activity_regularization_is_in_the_loss():
    """As Keras 3.15.1: (0.1 * sum |x| + 0.2 * sum x^2) / N."""
    model = mc.Sequential([Input((6,)), layers.ActivityRegularization(0.1, 0.2)])
    model.compile("sgd", "mse")
    penalty = (0.1 * np.abs(X).sum() + 0.2 * (X**2).sum()) / len(X)
    found = model.evaluate(X, X, verbose=0)
    np.testing.assert_allclose(found, penalty, rtol=1e-5)
