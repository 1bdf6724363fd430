"""Odd but lawful arrays through every operation: empty, strange layouts, strange numbers."""

import numpy as np
import pytest
from op_cases import CASES, in_dtype

from minicnn import backends

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())

# Samples do not see each other.
ALONE = {key: case for key, case in CASES.items() if not case.mixes_batch}


def non_contiguous(a):
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), 9, a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def negative_stride(a):
    return a[::-1].copy()[::-1]


def fortran_order(a):
    return np.asfortranarray(a)


def unaligned(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)[1:]
    memory[:] = np.frombuffer(a.tobytes(), np.uint8)
    return memory.view(a.dtype).reshape(a.shape)


def big_endian(a):
    return a.astype(a.dtype.newbyteorder(">"))


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = [non_contiguous, negative_stride, fortran_order, unaligned, big_endian, read_only]


def run(case, arrays):
    """Result and gradients, all in one list."""
    y, saved = case.op(*arrays)
    dy = np.linspace(-1, 1, y.size, dtype=y.dtype).reshape(y.shape)
    return [y, *case.backward(dy, saved)]


def drawn(case, seed=5):
    return in_dtype(case.draw(np.random.default_rng(seed)), np.float32)


def same_bits(a, b):
    return a.dtype == b.dtype and a.tobytes() == b.tobytes() and a.shape == b.shape


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
@cases
def test_layout_does_not_change_a_bit(case, layout, backend):
    arrays = drawn(case)
    odd = [layout(a) for a in arrays]
    assert not any(a.flags.c_contiguous and a.flags.aligned and a.flags.writeable
                   and a.dtype.isnative and a.ndim > 1 for a in odd)  # fmt: skip
    for plain, strange in zip(run(case, arrays), run(case, odd), strict=True):
        assert same_bits(plain, strange)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
@cases
def test_layout_of_the_gradient_does_not_change_a_bit(case, layout, backend):
    y, saved = case.op(*drawn(case))
    dy = np.linspace(-1, 1, y.size, dtype=y.dtype).reshape(y.shape)
    pairs = zip(case.backward(dy, saved), case.backward(layout(dy), saved), strict=True)
    assert all(same_bits(plain, strange) for plain, strange in pairs)


def batched(case, i, array):
    """Does the i-th array of the case have the batch as its first axis?"""
    alone = {"conv2d", "conv2d_max_pool2d", "conv2d_relu", "conv2d_transpose"}
    alone |= {"dense", "bias", "dropout"}
    norms = {"batch_norm_training", "batch_norm_dropout", "batch_norm_inference", "group_norm"}
    if case.name == "scale_channels":  # the factors of all images, or of each
        return array.ndim > 1
    return i == 0 or case.name not in alone | norms


@cases
def test_empty_batch(case, backend):
    arrays = drawn(case)
    empty = tuple(a[:0] if batched(case, i, a) else a for i, a in enumerate(arrays))
    y, saved = case.op(*empty)
    assert y.shape == (0, *case.op(*arrays)[0].shape[1:])
    for i, gradient in enumerate(case.backward(np.zeros_like(y), saved)):
        assert gradient.shape == empty[i].shape
        assert (gradient == 0).all()


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE.keys())
def test_batch_of_one_is_the_first_of_the_batch(case, backend):
    arrays = drawn(case)
    one = tuple(a[:1] if batched(case, i, a) else a for i, a in enumerate(arrays))
    np.testing.assert_allclose(case.op(*one)[0], case.op(*arrays)[0][:1], rtol=1e-6, atol=1e-7)


@pytest.mark.skipif("native" not in backends.available_backends(), reason="no native engine")
@cases
def test_float64_is_rounded_once_on_native(case):
    arrays = drawn(case)
    with backends.use_backend("native"):
        pairs = zip(run(case, arrays), run(case, in_dtype(arrays, np.float64)), strict=True)
        assert all(same_bits(narrow, wide) for narrow, wide in pairs)


def with_first_sample(case, value):
    """The case's arrays; the first sample of the first one holds `value` only."""
    first, *rest = drawn(case)
    first[0] = value
    return (first, *rest)


@cases
def test_nan_is_seen_in_the_result_and_only_there(case, backend):
    y, _ = case.op(*with_first_sample(case, np.nan))
    if "dropout" in case.name:
        assert np.isnan(y[0]).any()
    elif case.name in ("zero_pad2d", "concatenate"):
        assert np.isnan(y[0]).sum() == drawn(case)[0][0].size
    else:
        assert np.isnan(y[0]).all()
    if not case.mixes_batch:
        assert np.isfinite(y[1:]).all()


STRANGE = {
    "infinity": np.inf,
    "minus infinity": -np.inf,
    "largest": np.finfo(np.float32).max,
    "denormal": np.float32(1e-41),
    "minus zero": np.float32(-0.0),
}


@pytest.mark.parametrize("value", STRANGE.values(), ids=STRANGE.keys())
@cases
def test_strange_numbers_give_the_same_on_every_engine(case, value, backend):
    """Neither warnings nor errors, and infinities and NaN where the reference has them."""
    arrays = with_first_sample(case, value)
    y, _ = case.op(*arrays)
    with backends.use_backend("numpy"):
        expected, _ = case.op(*arrays)
    if not case.mixes_batch:
        assert np.isfinite(y[1:]).all()
    if value == STRANGE["largest"] and not np.isfinite(expected[0]).all():
        return  # whether a sum overflows depends on its order
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6 * largest)


EXACT = ["relu", "max_pool2d", "global_max_pool2d", "add", "reshape", "concatenate", "zero_pad2d"]


@pytest.mark.parametrize("name", EXACT)
def test_denormals_are_not_flushed_to_zero(name, backend):
    case = CASES[name]
    tiny = np.float32(1e-41)
    arrays = tuple(np.full_like(a, tiny) for a in drawn(case))
    y, _ = case.op(*arrays)
    assert set(np.unique(y)) <= {np.float32(0), tiny, np.float32(tiny + tiny)}
    assert (y != 0).any()
