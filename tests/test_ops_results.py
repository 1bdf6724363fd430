"""Every operation through its public function: the same numbers and gradients on every engine."""

import numpy as np
import pytest
from op_cases import CASES, in_dtype

from minicnn import backends, operations

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def test_no_operation_is_left_out():
    helpers = {"add_kernel", "run", "gradients"}
    public = {name for name in operations.__all__ if name.islower()} - helpers
    forwards = {name for name in public if not name.endswith("_backward")}
    assert forwards == {case.name for case in CASES.values()}
    assert public - forwards == {f"{name}_backward" for name in forwards}


def exact(case, arrays, dy):
    """Result and gradients of the reference in float64."""
    with backends.use_backend("numpy"):
        y, saved = case.op(*in_dtype(arrays, np.float64))
        return y, case.backward(dy.astype(np.float64), saved)


def assert_near(actual, expected):
    """Check that values agree within float32's rounding of short sums of the largest value."""
    assert actual.dtype == np.float32
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@cases
def test_result_and_gradients(case, backend):
    rng = np.random.default_rng(1)
    arrays = in_dtype(case.draw(rng), np.float32)
    y, saved = case.op(*arrays)
    dy = rng.standard_normal(y.shape).astype(np.float32)
    gradients = case.backward(dy, saved)
    y_exact, gradients_exact = exact(case, arrays, dy)
    assert_near(y, y_exact)
    assert len(gradients) == case.gradients
    for gradient, gradient_exact, array in zip(gradients, gradients_exact, arrays, strict=False):
        assert gradient.shape == array.shape
        assert_near(gradient, gradient_exact)


@cases
def test_arguments_stay_as_they_are(case, backend):
    rng = np.random.default_rng(2)
    arrays = in_dtype(case.draw(rng), np.float32)
    copies = [a.copy() for a in arrays]
    y, saved = case.op(*arrays)
    dy = np.ones_like(y)
    case.backward(dy, saved)
    for array, copy in zip(arrays, copies, strict=True):
        assert np.array_equal(array, copy)
    assert (dy == 1).all()


@cases
def test_gradient_is_the_derivative(case):
    """<dy, difference along v> = <gradient, v>, in float64 on the reference."""
    rng = np.random.default_rng(3)
    arrays = in_dtype(case.draw(rng), np.float64)
    h = 1e-6
    with backends.use_backend("numpy"):
        y, saved = case.op(*arrays)
        dy = rng.standard_normal(y.shape)
        for i, gradient in enumerate(case.backward(dy, saved)):
            v = rng.uniform(-1, 1, gradient.shape) + np.sign(gradient)

            def shifted(step, i=i, v=v):
                moved = [a + step * v if j == i else a for j, a in enumerate(arrays)]
                return case.op(*moved)[0]

            slope = np.vdot(dy, shifted(h) - shifted(-h)) / (2 * h)
            np.testing.assert_allclose(np.vdot(gradient, v), slope, rtol=1e-6)


@cases
def test_float64_stays_float64_on_the_reference(case):
    with backends.use_backend("numpy"):
        y, saved = case.op(*in_dtype(case.draw(np.random.default_rng(4)), np.float64))
        assert y.dtype == np.float64
        assert all(g.dtype == np.float64 for g in case.backward(np.ones_like(y), saved))


def test_bias_may_be_left_out(backend):
    x, w = np.ones((2, 4, 4, 3), np.float32), np.ones((3, 3, 3, 5), np.float32)
    y, saved = operations.conv2d(x, w)
    assert (y == 27).all()
    assert [g.shape for g in operations.conv2d_backward(y, saved)] == [x.shape, w.shape, (5,)]
    assert (operations.conv2d_max_pool2d(x, w)[0] == 27).all()
    assert (operations.dense(x[:, 0, 0], w[0, 0])[0] == 3).all()


def test_batch_norm_gives_new_running_statistics(backend):
    x = np.array([[1, 10], [3, 30]], np.float32)
    zero, one = np.zeros(2, np.float32), np.ones(2, np.float32)
    _, saved = operations.batch_norm_training(x, one, zero, zero, one, momentum=0.75)
    np.testing.assert_allclose(saved.updates["moving_mean"], [0.5, 5])
    np.testing.assert_allclose(saved.updates["moving_variance"], [1, 25.75])
    assert (zero == 0).all() and (one == 1).all()


def test_images_may_be_uint8_until_they_are_rescaled(backend):
    pixels = np.arange(256, dtype=np.uint8).reshape(2, 128)
    y, _ = operations.rescale(pixels, 1 / 255)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.ravel(), np.arange(256) / 255, rtol=1e-6)
    flat, _ = operations.reshape(pixels, (64, 2))
    assert flat.dtype == np.uint8
    assert np.array_equal(flat.ravel(), pixels.ravel())


def test_dropout_repeats_itself_and_only_then(backend):
    x = np.ones((4, 1000), np.float32)
    rng_key, later = np.array([[7, 0, 0, 0], [7, 0, 1, 0]], np.uint32)
    y, saved = operations.dropout(x, rng_key, 0.25, purpose=1)
    assert np.array_equal(y, operations.dropout(x, rng_key, 0.25, purpose=1)[0])
    assert np.array_equal(operations.dropout_backward(x, saved), y)
    assert not np.array_equal(y, operations.dropout(x, later, 0.25, purpose=1)[0])
    assert not np.array_equal(y, operations.dropout(x, rng_key, 0.25, purpose=2)[0])
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.03


def test_same_dropout_on_every_engine(backend):
    x = np.ones((5, 123), np.float32)
    rng_key = np.array([1, 2, 3, 4], np.uint32)
    y, _ = operations.dropout(x, rng_key, 0.4)
    with backends.use_backend("numpy"):
        assert np.array_equal(y, operations.dropout(x, rng_key, 0.4)[0])


def test_losses_keep_their_probabilities(backend):
    logits = np.array([[0, 0], [100, -100]], np.float32)
    _, saved = operations.softmax_sparse_categorical_crossentropy(
        logits, np.array([0, 1], np.int32)
    )
    np.testing.assert_allclose(saved.arrays["probabilities"], [[0.5, 0.5], [1, 0]], atol=1e-7)
