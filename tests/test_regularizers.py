"""Regularizers and constraints against numbers that Keras 3.15.1 computed, and own ones."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from test_keras_numbers import ONE_HOT, fingerprint, wave

import minicnn as mc
from minicnn import constraints, layers, optimizers, regularizers
from minicnn.errors import ArgumentError, MiniCNNError, ShapeError

MATRIX, KERNEL = wave(5, 4) * 2, wave(3, 3, 2, 4) * 2

PENALTIES = [
    ("L1()", 0.2409258),
    ("L1(0.3)", 7.227776),
    ("L2()", 0.3771576),
    ("L2(0.3)", 11.31473),
    ("L1L2()", 0),
    ("L1L2(0.1, 0.2)", 9.952412),
    ("L1L2(l2=0.2)", 7.543153),
    ("OrthogonalRegularizer()", 0.006968643),
    ('OrthogonalRegularizer(0.5, "columns")', 0.2764092),
]

# What the constraint makes of MATRIX, or of KERNEL if there are three axes: the fingerprint.
CONSTRAINED = [
    ("MaxNorm()", 1.412114),
    ("MaxNorm(1.5, 1)", 1.127043),
    ("MaxNorm(0.5, [0, 1, 2])", 0.546037),
    ("NonNeg()", 0.05510763),
    ("UnitNorm()", 0.7060572),
    ("UnitNorm([0, 1, 2])", 1.092074),
    ("MinMaxNorm()", 0.7060571),
    ("MinMaxNorm(0.5, 0.8, 0.3, 1)", 1.87157),
    ("MinMaxNorm(3.5, 4.5, axis=[0, 1, 2])", 4.914334),
]

# Ten steps of SGD(0.1, 0.9) on a softmax regression: the loss before the first step and after the
# last, penalties included, and the weights' fingerprint.
TRAININGS = [
    ({"kernel_regularizer": "l2"}, (1.180732, 0.8711841, 2.376414)),
    ({"kernel_regularizer": "L1"}, (1.203371, 0.8887123, 2.416501)),
    (
        {
            "kernel_regularizer": regularizers.L1L2(0.1, 0.2),
            "bias_regularizer": regularizers.L2(0.3),
        },
        (3.427982, 1.629205, -0.5229025),
    ),
    ({"kernel_regularizer": "orthogonal_regularizer"}, (1.12984, 0.8111666, 2.513955)),
    ({"kernel_constraint": "max_norm"}, (1.124135, 0.8050612, 2.518243)),
    (
        {
            "kernel_constraint": constraints.MinMaxNorm(0.5, 0.8, 0.3),
            "bias_constraint": "non_neg",
        },
        (1.124135, 0.8034962, 1.53171),
    ),
    (
        {
            "kernel_constraint": constraints.UnitNorm(1),
            "kernel_regularizer": regularizers.L2(0.1),
        },
        (1.690101, 1.361079, 1.902547),
    ),
    ({"kernel_constraint": "non_neg"}, (1.124135, 0.8126848, 0.7353922)),
]

SIGNATURES = {  # of Keras 3.15.1
    regularizers.L1: "l1=0.01",
    regularizers.L2: "l2=0.01",
    regularizers.L1L2: "l1=0.0, l2=0.0",
    regularizers.OrthogonalRegularizer: "factor=0.01, mode='rows'",
    constraints.MaxNorm: "max_value=2, axis=0",
    constraints.MinMaxNorm: "min_value=0.0, max_value=1.0, rate=1.0, axis=0",
    constraints.NonNeg: "",
    constraints.UnitNorm: "axis=0",
}


@pytest.mark.parametrize(("text", "penalty"), PENALTIES)
def test_penalties_are_those_of_keras(backend, text, penalty):
    found = eval(text, vars(regularizers))(MATRIX)
    assert np.shape(found) == ()
    assert float(found) == pytest.approx(penalty, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("text", "expected"), CONSTRAINED)
def test_constrained_weights_are_those_of_keras(backend, text, expected):
    weights = KERNEL if "[" in text else MATRIX
    found = eval(text, vars(constraints))(weights)
    assert found.shape == weights.shape
    assert found.dtype == np.float32
    assert fingerprint([found]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("options", "numbers"), TRAININGS, ids=lambda x: repr(x)[:40])
def test_trainings_are_those_of_keras(backend, options, numbers):
    model = mc.Sequential([mc.Input((5,)), layers.Dense(3, activation="softmax", **options)])
    model.compile(optimizers.SGD(0.1, 0.9), "categorical_crossentropy")
    for parameter in model.parameters:
        parameter.assign(wave(*parameter.shape, step=0.9) * 0.9)
    before, *_ = [model.train_on_batch(wave(6, 5), ONE_HOT) for _ in range(10)]
    after = model.test_on_batch(wave(6, 5), ONE_HOT)
    found = (before, after, fingerprint(model.get_weights()))
    assert found == pytest.approx(numbers, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("kind", SIGNATURES, ids=lambda kind: kind.__name__)
def test_signatures_names_and_configs(kind):
    parameters = inspect.signature(kind).parameters.values()
    plain = [str(p.replace(annotation=inspect.Parameter.empty)) for p in parameters]
    assert ", ".join(plain) == SIGNATURES[kind]
    module = regularizers if issubclass(kind, regularizers.Regularizer) else constraints
    snakes = {name for name, value in vars(module).items() if value is kind}
    assert len(snakes) == 2  # L1 and l1
    for identifier in (*snakes, kind, kind(), {"class_name": kind.__name__, "config": {}}):
        assert type(module.get(identifier)) is kind
    saved = module.serialize(kind())
    assert module.deserialize(saved).get_config() == kind().get_config()
    assert kind.from_config(kind().get_config()).get_config() == kind().get_config()


def quartic(w):
    return 0.5 * mc.ops.sum(w**4)


class Quartic(regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, w):
        return self.factor * mc.ops.sum(mc.ops.square(mc.ops.square(w)))

    def get_config(self):
        return {"factor": self.factor}


def bounded(w):
    return mc.ops.clip(w, -0.25, 0.25)


def trained(**options):
    layer = layers.Dense(1, use_bias=False, kernel_initializer="ones", **options)
    model = mc.Sequential([mc.Input((4,)), layer])
    model.compile(optimizers.SGD(0.125), "mse")
    loss = model.train_on_batch(np.zeros((2, 4), np.float32), np.zeros((2, 1), np.float32))
    return model, loss


def test_own_regularizers_are_in_the_loss_and_the_gradient():
    for own in (quartic, Quartic(0.5)):
        model, loss = trained(kernel_regularizer=own)
        assert loss == pytest.approx(2.0)
        np.testing.assert_allclose(model.get_weights()[0], 1 - 0.125 * 2.0)


def test_own_constraints_replace_the_weights():
    model, _ = trained(kernel_constraint=bounded)
    np.testing.assert_array_equal(model.get_weights()[0], np.float32(0.25))


def test_a_network_with_own_ones_is_saved_and_loaded(tmp_path):
    model, _ = trained(kernel_regularizer=quartic, kernel_constraint=bounded)
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(MiniCNNError, match=r"quartic|bounded"):
        mc.load_model(tmp_path / "m.mcnn")
    own = {"quartic": quartic, "bounded": bounded}
    again = mc.load_model(tmp_path / "m.mcnn", custom_objects=own)
    assert again.layers[-1].kernel_regularizer is quartic
    model, _ = trained(kernel_regularizer=Quartic(0.25), kernel_constraint="max_norm")
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn", custom_objects={"Quartic": Quartic})
    assert again.layers[-1].kernel_regularizer.factor == 0.25
    assert again.layers[-1].kernel_constraint.get_config() == {"max_value": 2.0, "axis": 0}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: regularizers.L2(-1.0), "l2 must be a number"),
        (lambda: regularizers.L1("much"), "l1 must be a number"),
        (lambda: regularizers.OrthogonalRegularizer(mode="all"), "mode must be one of"),
        (lambda: regularizers.OrthogonalRegularizer()(KERNEL), "takes a matrix; got the shape"),
        (lambda: regularizers.get("l3"), "unknown regularizer 'l3'"),
        (lambda: regularizers.get(3), "unknown regularizer 3"),
        (lambda: constraints.MaxNorm(-1.0), "max_value must be a number"),
        (lambda: constraints.UnitNorm(0.5), "axis must be an integer"),
        (lambda: constraints.get("max_nrom"), "did you mean 'MaxNorm'"),
        (lambda: regularizers.deserialize({"class": "L2"}), "a saved regularizer is"),
    ],
)
def test_wrong_arguments_are_refused(call, says):
    with pytest.raises((ArgumentError, ShapeError), match=says):
        call()
