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
from minicnn.data.perspective import perspective
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.operations.augment import AUGMENT
from minicnn.operations.operation import run

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


def random_homographies(n, height, width, seed=0):
    """Affine changes of images that were seen aslant, strongly; w is positive in the image."""
    rng = np.random.default_rng(seed)
    moves = rng.uniform(-0.24, 0.24, (n, 4, 2)) * (height, width)
    aslant = [centered(perspective(one, height, width), height, width) for one in moves]
    return random_matrices(n, height, width, seed) @ np.stack(aslant)


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("shape", [(3, 13, 29, 3), (2, 1, 7, 1), (2, 6, 1, 5), (1, 8, 8, 4)])
def test_perspective_is_scipy_s_map_of_the_divided_coordinates(backend, shape, fill_mode):
    x, matrices = images(shape), random_homographies(*shape[:3])
    y = affine_images(x, matrices, fill_mode=fill_mode, cval=17, scale=0.5)
    pixels = np.stack([*np.indices(shape[1:3]), np.ones(shape[1:3])])  # (3, H, W)
    for n, c in np.ndindex(shape[0], shape[3]):
        u, v, w = np.einsum("ij,jhw->ihw", matrices[n], pixels)
        expected = ndimage.map_coordinates(
            x[n, ..., c].astype(np.float64), (u / w, v / w), order=1, mode=SCIPY[fill_mode], cval=17
        )
        close = np.isclose(y[n, ..., c], 0.5 * expected, rtol=0, atol=255 * 2.0**-13)
        assert close.mean() > (0.97 if fill_mode == "constant" else 0.99)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_the_last_row_of_an_affine_matrix_changes_no_bit(backend, fill_mode, dtype):
    """Whole homographies may be affine, and need no division then."""
    x = images((3, 23, 37, 3), dtype)
    matrices = random_matrices(3, 23, 37).reshape(3, 9).astype(np.float32)
    rule = {"fill_mode": fill_mode, "interpolation": "bilinear", "cval": 3.5, "scale": 1 / 255}
    (expected,) = kernel("augment_forward")(x, np.ascontiguousarray(matrices[:, :6]), **rule)
    (y,) = kernel("augment_forward")(x, matrices, **rule)
    np.testing.assert_array_equal(y, expected)


def test_behind_the_camera_there_is_nothing(backend):
    """w = 2 - i: rows 2 and 3 are behind the camera, as is every row with all signs reversed."""
    x = images((1, 4, 5, 3))
    aslant = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 2]])
    y = affine_images(x, aslant, fill_mode="constant", cval=99)
    np.testing.assert_array_equal(y[0, 2:], np.full((2, 5, 3), 99))
    np.testing.assert_array_equal(y[0, 1], x[0, 1])
    nothing = affine_images(x, -IDENTITY, fill_mode="constant", cval=99)
    np.testing.assert_array_equal(nothing, np.full(x.shape, 99))


def test_corners_show_what_the_moved_sources_were(backend):
    """Rows of constant width: a move of one corner by hand, on a ramp that bilinear keeps."""
    x = np.broadcast_to(np.arange(9, dtype=np.float32)[:, None, None], (1, 9, 9, 1)).copy()
    moves = [(1, 0), (1, 0), (-1, 0), (-1, 0)]  # the height that is seen is 7 of 9 pixels
    y = affine_images(x, centered(perspective(moves, 9, 9), 9, 9))
    np.testing.assert_allclose(y[0, :, 4, 0], 4 + (np.arange(9) - 4) * 7 / 9, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("values", [6, 9])
def test_every_engine_has_the_bits_of_the_reference(
    backend, values, channels, fill_mode, interpolation, dtype
):
    x = images((4, 23, 37, channels), dtype)
    drawn = (random_matrices if values == 6 else random_homographies)(4, 23, 37)
    matrices = drawn.reshape(4, 9)[:, :values].astype(np.float32)
    rule = {"fill_mode": fill_mode, "interpolation": interpolation, "cval": 3.5, "scale": 1 / 255}
    (expected,) = reference.KERNELS["augment_forward"](x, matrices, **rule)
    (y,) = kernel("augment_forward")(x, matrices, **rule)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e30, -1e30, 2.0**24, 3e9])
@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_no_matrix_reads_outside_of_the_image(backend, fill_mode, wrong):
    x = images((1, 5, 4, 3))
    for values, place in [(6, k) for k in range(6)] + [(9, k) for k in range(9)]:
        matrix = np.array([[1, 0, 0, 0, 1, 0, 0.01, 0, 1][:values]], np.float32)
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
    with pytest.raises(ShapeError):
        affine_images(x, np.zeros((2, 2, 3)))
    with pytest.raises(ArgumentError):
        affine_images(x, IDENTITY, fill_mode="mirror")
    with pytest.raises(ArgumentError):
        affine_images(x, IDENTITY, interpolation="cubic")


def test_the_middle_stays_where_it_is():
    for matrix in (rotation(30), zoom(0.5, 2), shear(20)):
        np.testing.assert_allclose(centered(matrix, 7, 5) @ [3, 2, 1], [3, 2, 1])


def test_perspective_moves_each_corner_s_source_as_it_is_told():
    rng = np.random.default_rng(3)
    for height, width in ((1, 1), (5, 9), (150, 40)):
        moves = rng.uniform(-0.25, 0.25, (4, 2)) * (height, width)
        matrix = perspective(moves, height, width)
        corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * (height, width) / 2
        u, v, w = matrix @ np.array([(*corner, 1) for corner in corners]).T
        np.testing.assert_allclose(np.stack([u / w, v / w], 1), corners + moves, atol=1e-9)
        assert w.min() > 0 and matrix[2, 2] == 1


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        ([(2, 2), (0, 0), (0, 0), (0, 0)], "on the diagonal of its neighbors"),
        ([(3, 3), (0, 0), (0, 0), (0, 0)], "beyond it"),
        ([(0, 4), (0, -4), (0, 0), (0, 0)], "left and right have changed places"),
    ],
)
def test_perspective_refuses_corners_that_fold_the_image(moves, why):
    with pytest.raises(ArgumentError, match="convex"):
        perspective(moves, 4, 4)


@pytest.mark.parametrize("values", [5, 7, 10])
def test_a_matrix_of_another_length_is_refused(backend, values):
    with pytest.raises(ShapeError, match="6 or 9 values"):
        run(AUGMENT, images((2, 4, 5, 3)), np.zeros((2, values), np.float32))
