"""Activations: numbers by hand, the values at kinks, and NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
from gradcheck import gradients, result

import minicnn as mc
from minicnn import operations
from minicnn.backends.numpy import KERNELS
from minicnn.errors import ArgumentError

INF, NAN = np.inf, np.nan
ATTRIBUTES = {
    "leaky_relu": {"negative_slope": 0.25},
    "elu": {"alpha": 2.0},
    "gelu": {"approximate": False},
}


@pytest.mark.parametrize(
    ("operation", "x", "y", "dx"),
    [
        ("relu", [-2, 0, 3], [0, 0, 3], [0, 0, 1]),
        ("leaky_relu", [-2, 0, 3], [-0.5, 0, 3], [0.25, 0.25, 1]),
        ("relu6", [-2, 0, 3, 6, 7], [0, 0, 3, 6, 6], [0, 0, 1, 0, 0]),
        ("elu", [-np.log(2), 0, 3], [-1, 0, 3], [1, 2, 1]),
        ("sigmoid", [-np.log(3), 0, np.log(3)], [0.25, 0.5, 0.75], [3 / 16, 1 / 4, 3 / 16]),
        ("tanh", [0, np.log(3) / 2], [0, 0.5], [1, 0.75]),
        ("silu", [0, np.log(3)], [0, 0.75 * np.log(3)], [0.5, 0.75 + 3 / 16 * np.log(3)]),
    ],
)
def test_by_hand(operation, x, y, dx):
    arrays, attributes = {"x": np.array(x, float)}, ATTRIBUTES.get(operation, {})
    np.testing.assert_allclose(result(operation, arrays, attributes), y, rtol=1e-15, atol=1e-15)
    found = gradients(operation, arrays, np.ones(len(x)), attributes)["dx"]
    np.testing.assert_allclose(found, dx, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize(
    ("operation", "at_infinities"),
    [
        ("relu", [0, INF]),
        ("leaky_relu", [-INF, INF]),
        ("relu6", [0, 6]),
        ("elu", [-2, INF]),
        ("sigmoid", [0, 1]),
        ("tanh", [-1, 1]),
        ("silu", [NAN, INF]),  # -inf * 0
        ("gelu", [NAN, INF]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_stays_and_the_ends_are_right_without_warnings(operation, at_infinities, dtype):
    x = np.array([-INF, INF, NAN, -1e30, 1e30], dtype)
    y = result(operation, {"x": x}, ATTRIBUTES.get(operation, {}))
    np.testing.assert_array_equal(y[:3], [*at_infinities, NAN])
    assert np.isfinite(y[3:]).all()


# y and its derivative at these x, from PyTorch 2 in float64.
GELU_AT = [-3, -1, -0.1, 0, 0.5, 2, 7]
# fmt: off
GELU = {
    False: (
        [-0.00404969409489, -0.158655253931, -0.0460172162723, 0, 0.345731230637, 1.9544997361,
         6.99999999999],
        [-0.0119456472042, -0.0833154705877, 0.420476907975, 0.5, 0.867495124656, 1.08523180108,
         1.00000000006],
    ),
    True: (
        [-0.00363739208177, -0.158808009392, -0.0460172489546, 0, 0.345714009825, 1.95459769409, 7],
        [-0.011584166631, -0.0829640838458, 0.420478210728, 0.5, 0.867369903535, 1.08609925662, 1],
    ),
}
# fmt: on


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_and_its_derivative_are_those_of_pytorch(approximate, backend):
    y, dx = GELU[approximate]
    x = np.array(GELU_AT, np.float64)
    found, saved = operations.gelu(x, approximate)
    tolerance = 1e-10 if backend == "numpy" else 1e-6
    np.testing.assert_allclose(found, y, rtol=tolerance)
    np.testing.assert_allclose(
        operations.gelu_backward(np.ones(len(x)), saved),
        dx,
        rtol=tolerance,
        atol=1e-7 * (backend != "numpy"),
    )


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_of_large_values_has_finite_gradients(approximate, backend):
    x = np.array([-1e30, -50, 50, 1e30], np.float32)
    y, saved = operations.gelu(x, approximate)
    assert y.tolist() == [0, 0, *x[2:]]
    assert operations.gelu_backward(np.ones(4, np.float32), saved).tolist() == [0, 0, 1, 1]


def test_gelu_is_an_activation_by_name_and_approximate_is_checked():
    x = np.array([[-1, 2]], np.float32)
    wanted = operations.gelu(x)[0]
    assert (mc.layers.Activation("gelu")(x) == wanted).all()
    dense = mc.layers.Dense(2, "gelu")
    dense.build((None, 2))
    dense.built = True
    dense.parameters[0].assign(np.eye(2))
    assert (dense(x) == wanted).all()
    with pytest.raises(ArgumentError, match="approximate must be True or False; got 'tanh'"):
        operations.gelu(x, "tanh")


def test_relu_gives_positive_zero():
    assert not np.signbit(KERNELS["relu_forward"](np.array([-0.0, -3.0]))[0]).any()


def test_softmax_by_hand():
    x = np.array([[0, np.log(2), np.log(5)], [7, 7, 7]])
    np.testing.assert_allclose(
        KERNELS["softmax_forward"](x)[0], [[1 / 8, 2 / 8, 5 / 8], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-15
    )
    # dx = y (dy - sum of dy y): with dy = (8, 0, 0) the sum is 1.
    (dx,) = KERNELS["softmax_backward"](np.array([[8.0, 0, 0]]), np.array([[1, 2, 5]]) / 8)
    np.testing.assert_allclose(dx, [[7 / 8, -2 / 8, -5 / 8]], rtol=1e-15)


def test_softmax_of_large_numbers_and_of_impossible_classes():
    x = np.array([[1e38, 1e38, -1e38], [-INF, 0, 0], [NAN, 0, 0]], np.float32)
    (y,) = KERNELS["softmax_forward"](x)
    np.testing.assert_array_equal(y, [[0.5, 0.5, 0], [0, 0.5, 0.5], [NAN, NAN, NAN]])
