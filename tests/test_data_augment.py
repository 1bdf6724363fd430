"""The augmentation kernel, compared with the formula, SciPy and the other engines."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.backends import kernel
from minicnn.backends import numpy as reference
from minicnn.data.affine import (
    FILL_MODES,
    IDENTITY,
    affine_images,
    centered,
    flipped,
    rotation,
    shear,
    shift,
    zoom,
)
from minicnn.errors import ArgumentError, DTypeError, ShapeError

ndimage = pytest.importorskip("scipy.ndimage")
# SciPy's "wrap" counts the first and the last pixel as one.
SCIPY = {"constant": "constant", "nearest": "nearest", "reflect": "reflect", "wrap": "grid-wrap"}


def images(shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape).astype(dtype)


def random_matrices(n, height, width, seed=0):
    rng = np.random.default_rng(seed)
    one = [
        rotation(rng.uniform(-180, 180))
        @ shift(*rng.uniform(-height, height, 2))
        @ shear(rng.uniform(-40, 40))
        @ zoom(*rng.uniform(0.3, 3, 2))
        for _ in range(n)
    ]
    return np.stack([centered(matrix, height, width) for matrix in one])


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("shape", [(3, 13, 9, 3), (2, 1, 7, 1), (2, 6, 1, 5), (1, 8, 8, 4)])
def test_it_is_scipy_s_affine_transform(backend, shape, fill_mode):
    x, matrices = images(shape), random_matrices(*shape[:3])
    y = affine_images(x, matrices, fill_mode=fill_mode, cval=17, scale=0.5)
    assert y.dtype == np.float32
    for n, c in np.ndindex(shape[0], shape[3]):
        expected = ndimage.affine_transform(
            x[n, ..., c].astype(np.float64), matrices[n], order=1, mode=SCIPY[fill_mode], cval=17
        )
        # A coordinate has 24 bits, of which 6 are before the point; pixels differ by up to 255.
        close = np.isclose(y[n, ..., c], 0.5 * expected, rtol=0, atol=255 * 2.0**-16)
        # Where it falls on the border itself, rounding may decide between inside and outside.
        assert close.mean() > (0.97 if fill_mode == "constant" else 0.9999)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_every_engine_has_the_bits_of_the_reference(
    backend, channels, fill_mode, interpolation, dtype
):
    x = images((4, 23, 17, channels), dtype)
    matrices = random_matrices(4, 23, 17)[:, :2].reshape(4, 6).astype(np.float32)
    rule = {"fill_mode": fill_mode, "interpolation": interpolation, "cval": 3.5, "scale": 1 / 255}
    (expected,) = reference.KERNELS["augment_forward"](x, matrices, **rule)
    (y,) = kernel("augment_forward")(x, matrices, **rule)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e30, -1e30, 2.0**24, 3e9])
@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_no_matrix_reads_outside_of_the_image(backend, fill_mode, wrong):
    x = images((1, 5, 4, 3))
    for place in range(6):
        matrix = np.array([[1, 0, 0, 0, 1, 0]], np.float32)
        matrix[0, place] = wrong
        rule = {"fill_mode": fill_mode, "interpolation": "bilinear", "cval": 0.0, "scale": 1.0}
        (y,) = kernel("augment_forward")(x, matrix, **rule)
        with np.errstate(all="ignore"):
            (expected,) = reference.KERNELS["augment_forward"](x, matrix, **rule)
        np.testing.assert_array_equal(y, expected)
        assert y.min() >= 0 and y.max() <= 255


PATTERNS = {
    "nearest": "aaaaabcddddd",
    "reflect": "dcbaabcddcba",
    "wrap": "abcdabcdabcd",
    "constant": "....abcd....",
}


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("by", [-4, 4])
def test_the_patterns_of_keras_s_manual(backend, fill_mode, by):
    x = np.frombuffer(b"abcd", np.uint8).reshape(1, 1, 4, 1)
    y = affine_images(x, shift(0, by), fill_mode=fill_mode, cval=ord("."))
    start = 4 + by
    assert bytes(y.astype(np.uint8)).decode() == PATTERNS[fill_mode][start : start + 4]


def test_flips_and_whole_shifts_are_exact(backend):
    x = images((1, 6, 5, 3))
    both = flipped(IDENTITY, 6, 5, rows=True, columns=True)
    np.testing.assert_array_equal(affine_images(x, both)[0], x[0, ::-1, ::-1])
    mirrored = affine_images(x, flipped(IDENTITY, 6, 5, columns=True))
    np.testing.assert_array_equal(mirrored[0], x[0, :, ::-1])
    np.testing.assert_array_equal(affine_images(x, shift(2, 1))[0, :4, :4], x[0, 2:, 1:])
    np.testing.assert_array_equal(affine_images(x, IDENTITY), x)


def test_no_image_is_no_special_case(backend):
    assert affine_images(images((0, 4, 5, 3)), IDENTITY).shape == (0, 4, 5, 3)


def test_wrong_arguments():
    x = images((2, 4, 5, 3))
    with pytest.raises(DTypeError):
        affine_images(x.astype(np.float64), IDENTITY)
    with pytest.raises(ShapeError):
        affine_images(x[0], IDENTITY)
    with pytest.raises(ShapeError):
        affine_images(x, np.zeros((3, 3, 3)))
    with pytest.raises(ArgumentError):
        affine_images(x, IDENTITY, fill_mode="mirror")
    with pytest.raises(ArgumentError):
        affine_images(x, IDENTITY, interpolation="cubic")


def test_the_middle_stays_where_it_is():
    for matrix in (rotation(30), zoom(0.5, 2), shear(20)):
        np.testing.assert_allclose(centered(matrix, 7, 5) @ [3, 2, 1], [3, 2, 1])
