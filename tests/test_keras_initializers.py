"""Initializers as Keras 3.15 has them: names, signatures, seeds, fans and distributions.

The values themselves are of another generator than Keras's, so distributions are compared.
"""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import minicnn as mc
from minicnn import initializers
from minicnn.errors import ArgumentError, MiniCNNError, ShapeError

SIGNATURES = {  # of Keras 3.15.1
    "Constant": "(value=0.0)",
    "GlorotNormal": "(seed=None, input_axes=None, output_axes=None)",
    "GlorotUniform": "(seed=None, input_axes=None, output_axes=None)",
    "HeNormal": "(seed=None, input_axes=None, output_axes=None)",
    "HeUniform": "(seed=None, input_axes=None, output_axes=None)",
    "Identity": "(gain=1.0)",
    "LecunNormal": "(seed=None, input_axes=None, output_axes=None)",
    "LecunUniform": "(seed=None, input_axes=None, output_axes=None)",
    "Ones": "()",
    "Orthogonal": "(gain=1.0, seed=None)",
    "RandomNormal": "(mean=0.0, stddev=0.05, seed=None)",
    "RandomUniform": "(minval=-0.05, maxval=0.05, seed=None)",
    "TruncatedNormal": "(mean=0.0, stddev=0.05, seed=None)",
    "VarianceScaling": (
        "(scale=1.0, mode='fan_in', distribution='truncated_normal', seed=None, "
        "input_axes=None, output_axes=None)"
    ),
    "Zeros": "()",
}
RANDOM = [name for name, text in SIGNATURES.items() if "seed" in text]


def signature(thing):
    parameters = inspect.signature(thing).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(plain))


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_those_of_keras(name):
    assert signature(getattr(initializers, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_class_has_a_name_in_snake_case_too(name):
    kind = getattr(initializers, name)
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]
    assert getattr(initializers, snake) is kind
    for identifier in (name, snake, kind, kind(), {"class_name": name, "config": {}}):
        assert type(initializers.get(identifier)) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [("normal", "RandomNormal"), ("uniform", "RandomUniform"), ("zero", "Zeros"), ("one", "Ones")],
)
def test_short_names(name, kind):
    assert type(initializers.get(name)).__name__ == kind


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_gives_the_same_values_in_every_call(name):
    kind = getattr(initializers, name)
    first = kind(seed=1)
    values = first((6, 4))
    np.testing.assert_array_equal(first((6, 4)), values)
    np.testing.assert_array_equal(kind(seed=1)((6, 4)), values)
    assert (kind(seed=2)((6, 4)) != values).any()
    again = initializers.get(initializers.serialize(first))
    np.testing.assert_array_equal(again((6, 4)), values)
    before = mc.random.seed()
    mc.utils.set_random_seed(before + 1)
    np.testing.assert_array_equal(first((6, 4)), values)
    mc.utils.set_random_seed(before)


@pytest.mark.parametrize("name", RANDOM)
def test_without_a_seed_objects_differ_and_calls_do_not(name):
    kind = getattr(initializers, name)
    before = mc.random.seed()
    mc.utils.set_random_seed(11)
    one, other = kind(), kind()
    values = one((6, 4))
    np.testing.assert_array_equal(one((6, 4)), values)
    assert (other((6, 4)) != values).any()
    mc.utils.set_random_seed(11)
    np.testing.assert_array_equal(kind()((6, 4)), values)
    mc.utils.set_random_seed(before)


def test_a_seeded_layer_draws_the_same_values_wherever_it_is():
    first = mc.layers.Dense(4, kernel_initializer=initializers.HeNormal(seed=1), name="a")
    second = mc.layers.Dense(4, kernel_initializer=initializers.HeNormal(seed=1), name="b")
    third = mc.layers.Dense(4, kernel_initializer="he_normal", name="c")
    for layer in (first, second, third):
        layer(np.zeros((1, 3), np.float32))
    np.testing.assert_array_equal(first.kernel.value, second.kernel.value)
    np.testing.assert_array_equal(first.kernel.value, initializers.HeNormal(seed=1)((3, 4)))
    assert (first.kernel.value != third.kernel.value).any()


@pytest.mark.parametrize(("dtype", "name"), [(None, "float32"), ("float64", "float64")])
def test_a_call_returns_an_array_of_the_dtype(dtype, name):
    values = initializers.HeNormal(seed=3)((2, 3), dtype=dtype)
    assert values.shape == (2, 3)
    assert values.dtype == name
    assert type(values.numpy()) is np.ndarray
    assert initializers.Ones()(4).shape == (4,)


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 72), ("fan_out", 144), ("fan_avg", 108)])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
def test_variance_is_scale_by_fan(mode, fan, distribution):
    scaling = initializers.VarianceScaling(3.0, mode, distribution, seed=5)
    shape = (3, 3, 8, 16)
    values = np.stack([scaling(shape, rng=None)] + [type(scaling)(3.0, mode, distribution, s)(shape)
                                                    for s in range(20)])  # fmt: skip
    assert values.var() == pytest.approx(3.0 / fan, rel=0.04)
    deviation = math.sqrt(3.0 / fan)
    widest = {
        "truncated_normal": 2 * deviation / initializers.TRUNCATED_STD,
        "uniform": math.sqrt(3) * deviation,
    }.get(distribution)
    if widest is None:
        assert np.abs(values).max() > 3 * deviation
    else:
        assert 0.97 * widest < np.abs(values).max() <= widest * 1.0001


def test_axes_of_the_fans_can_be_given():
    assert initializers.fans((2, 3, 5), (0, 1), (2,)) == (6, 5)
    with pytest.raises(ArgumentError, match="both"):
        initializers.HeNormal(input_axes=(0,))


def test_truncated_normal_has_nothing_beyond_two_deviations():
    values = initializers.TruncatedNormal(1.0, 0.5, seed=2)((100, 100))
    assert np.abs(values - 1.0).max() <= 1.0
    assert values.std() == pytest.approx(0.5 * initializers.TRUNCATED_STD, rel=0.03)


def test_random_uniform_has_its_bounds():
    values = initializers.RandomUniform(-1.0, 3.0, seed=2)((100, 100))
    assert -1.0 <= values.min() < -0.99
    assert 2.99 < values.max() <= 3.0
    assert values.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (3, 3, 2, 5), (1, 1, 2, 6)])
def test_orthogonal_has_orthogonal_columns_or_rows(shape):
    matrix = initializers.Orthogonal(2.0, seed=1)(shape).reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-5)


def test_constants_and_arrays():
    assert initializers.Identity(2.0)((2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
    given = np.array([[1.0, 2.0]], np.float32)
    layer = mc.layers.Dense(2, kernel_initializer=given)
    assert layer(np.ones((1, 1), np.float32)).tolist() == [[1.0, 2.0]]
    again = initializers.get(initializers.serialize(initializers.get(given)))
    np.testing.assert_array_equal(again((1, 2)), given)


def test_functions_and_classes_of_ones_own():
    class Rising(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.arange(np.prod(shape)).reshape(shape).astype(dtype)

    def rising(shape, dtype=None):
        return Rising()(shape, dtype)

    for own in (Rising(), Rising, rising, lambda shape, **_: Rising()(shape, "float32")):
        layer = mc.layers.Dense(3, kernel_initializer=own)
        assert layer(np.ones((1, 1), np.float32)).tolist() == [[0.0, 1.0, 2.0]]
    assert (mc.layers.Dense(3, kernel_initializer=np.ones)(np.ones((1, 2), "f4")) == 2).all()


def test_a_network_with_functions_is_loaded_with_them(tmp_path):
    def rising(shape, dtype=None):
        return np.arange(np.prod(shape)).reshape(shape).astype(dtype)

    model = mc.Sequential([mc.Input((2,)), mc.layers.Dense(3, kernel_initializer=rising)])
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(MiniCNNError, match="rising"):
        mc.load_model(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn", custom_objects={"rising": rising})
    assert again.layers[-1].kernel_initializer is rising


def test_none_draws_by_glorot_uniform_as_in_keras():
    layer = mc.layers.Dense(40, kernel_initializer=None)
    layer(np.ones((1, 20), np.float32))
    assert 0.9 * math.sqrt(6 / 60) < np.abs(layer.kernel.value).max() <= math.sqrt(6 / 60)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: initializers.HeNormal(seed=-1), "seed must be an integer"),
        (lambda: initializers.HeNormal(seed="1"), "seed must be an integer"),
        (lambda: initializers.VarianceScaling(0.0), "scale must be a number"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode must be one of"),
        (lambda: initializers.VarianceScaling(distribution="x"), "distribution must be one of"),
        (lambda: initializers.RandomUniform(1.0, 0.0), "maxval must be a number"),
        (lambda: initializers.Constant([1.0, math.nan]), "NaN or infinite"),
        (lambda: initializers.Orthogonal()((3,)), "must have 2 axes"),
        (lambda: initializers.Identity()((3,)), "must be a matrix"),
        (lambda: initializers.Constant([1.0, 2.0])((3,)), r"shape \(2,\) does not fit"),
    ],
)
def test_wrong_arguments_are_refused(call, says):
    with pytest.raises((ArgumentError, ShapeError), match=says):
        call()


def test_a_function_with_the_wrong_shape_is_named():
    def narrow(shape, dtype=None):
        return np.zeros(shape[:1], dtype)

    layer = mc.layers.Dense(3, kernel_initializer=narrow)
    with pytest.raises(ShapeError, match=r"initializer narrow must return .* \(2, 3\); it gave"):
        layer(np.ones((1, 2), np.float32))
