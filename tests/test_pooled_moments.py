"""The means and variances that a pooled convolution computes for a batch norm after it."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import BN, conv_pool

from minicnn.backends import native
from minicnn.contracts import CONTRACTS

core = pytest.importorskip("minicnn._core")

UNIT = 2.0**-24
# (images, h, w, channels), filters, attributes
CASES = {
    "direct": ((3, 21, 18, 3), 32, conv_pool("relu", (21, 18))),
    "direct, one image, one filter": ((1, 5, 4, 1), 1, conv_pool("linear", (5, 4))),
    "direct, windows that overlap": (
        (2, 25, 24, 3), 37, conv_pool("linear", (25, 24), "same", 3, 2),
    ),
    "direct, groups of channels": ((2, 12, 13, 4), 70, conv_pool("relu", (12, 13))),
    "winograd": ((4, 36, 35, 20), 64, conv_pool("relu", (36, 35)) | {"algorithm": "winograd"}),
    "winograd, tiles that reach beyond": (
        (3, 17, 13, 17), 37, conv_pool("linear", (17, 13)) | {"algorithm": "winograd"},
    ),
    "winograd, one window": (
        (1, 4, 4, 3), 5, conv_pool("relu", (4, 4)) | {"algorithm": "winograd"},
    ),
}  # fmt: skip
every_case = pytest.mark.parametrize(("image", "filters", "attributes"), CASES.values(), ids=CASES)


def drawn(image, filters, offset=0.0):
    rng = np.random.default_rng([filters, *image])
    x, w = rng.standard_normal(image), rng.standard_normal((3, 3, image[3], filters))
    return [a.astype(np.float32) for a in (x, w, offset + rng.standard_normal(filters))]


def pooled(arrays, attributes):
    """Return y, argmax and moments, written to arrays that held other values before."""
    contract = CONTRACTS["conv2d_max_pool2d_moments_forward"]
    writes = [np.empty(*spec) for spec in contract.specs(*arrays, **attributes)]
    for array in writes:
        array.view(np.uint8)[...] = 0xFF
    core.run("conv2d_max_pool2d_moments_forward", arrays, writes, attributes)
    return writes


def exact_moments(y):
    rows = y.reshape(-1, y.shape[-1]).astype(np.float64)
    return rows.mean(0), rows.var(0)


@every_case
def test_moments_are_those_of_y(image, filters, attributes):
    y, argmax, (mean, variance) = pooled(drawn(image, filters), attributes)
    want, want_variance = exact_moments(y)
    np.testing.assert_allclose(mean, want, rtol=0, atol=2 * UNIT * np.abs(y).max())
    np.testing.assert_allclose(variance, want_variance, rtol=8 * UNIT, atol=1e-30)
    plain = native.KERNELS["conv2d_max_pool2d_forward"](*drawn(image, filters), **attributes)
    assert [y.tobytes(), argmax.tobytes()] == [a.tobytes() for a in plain]


@every_case
def test_a_small_variance_survives_a_large_mean(image, filters, attributes):
    y, _, (mean, variance) = pooled(drawn(image, filters, offset=1e4), attributes)
    want, want_variance = exact_moments(y)
    np.testing.assert_allclose(mean, want, rtol=2 * UNIT)
    np.testing.assert_allclose(variance, want_variance, rtol=8 * UNIT, atol=1e-30)


@every_case
def test_bits_do_not_depend_on_threads(image, filters, attributes):
    arrays, before = drawn(image, filters), core.num_threads()
    found = set()
    for count in (1, 2, 3):
        core.set_num_threads(count)
        found.add(pooled(arrays, attributes)[2].tobytes())
    core.set_num_threads(before)
    assert len(found) == 1


def test_no_images_have_mean_and_variance_0():
    image, filters, attributes = CASES["direct"]
    x, w, b = drawn(image, filters)
    assert not pooled([x[:0], w, b], attributes)[2].any()


def statistics(x, moments):
    """Return y, mean, inverse_std and moving statistics of a batch norm."""
    one, zero = np.ones(x.shape[-1], np.float32), np.zeros(x.shape[-1], np.float32)
    return native.KERNELS["batch_norm_training_forward"](x, one, zero, zero, one, moments, **BN)


@every_case
def test_batch_norm_of_known_moments(image, filters, attributes):
    y, _, moments = pooled(drawn(image, filters), attributes)
    for known, own in zip(statistics(y, moments), statistics(y, None), strict=True):
        np.testing.assert_allclose(known, own, rtol=1e-5, atol=1e-5)


def test_batch_norm_computes_moments_that_overflowed():
    image, filters, attributes = CASES["direct"]
    x, w, b = drawn(image, filters)
    y, _, moments = pooled([1e18 * x, 1e5 * w, b], attributes)
    assert np.isfinite(y).all() and not np.isfinite(moments).all()
    for known, own in zip(statistics(y, moments), statistics(y, None), strict=True):
        assert known.tobytes() == own.tobytes()


def test_nan_stays_in_its_channel():
    image, filters, attributes = CASES["winograd"]
    x, w, b = drawn(image, filters)
    b[7] = np.nan
    moments = pooled([x, w, b], attributes)[2]
    assert np.isnan(moments[:, 7]).all() and np.isfinite(np.delete(moments, 7, axis=1)).all()
