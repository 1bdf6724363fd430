"""Dropout and its random numbers: published vectors, then the promises of the mask."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.backends.numpy import KERNELS
from minicnn.backends.numpy.philox import philox4x32, random_words

ONES = 0xFFFFFFFF
RNG_KEY = np.array([11, 22, 33, 44], np.uint32)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0, 0, 0, 0], (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ONES] * 4, (ONES, ONES), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ],
)
def test_known_answers(counter, key, words):
    got = philox4x32(np.array(counter, np.uint32)[:, None], key)
    assert (got.dtype, got.ravel().tolist()) == (np.uint32, words)


def test_every_word_of_the_stream_has_its_place():
    """Element 6 is word 2 of block 1."""
    counter = np.array([1, 0, 5, 33], np.uint32)[:, None]  # block low and high, purpose, step low
    assert random_words(10, 5, RNG_KEY)[6] == philox4x32(counter, (11, 22 ^ 44))[2, 0]


def test_words_are_a_function_of_the_element():
    whole = random_words(101, 1, RNG_KEY)
    for count in (0, 1, 4, 6, 100):
        np.testing.assert_array_equal(random_words(count, 1, RNG_KEY), whole[:count])


def mask(shape=(50, 40), rate=0.3, purpose=0, rng_key=RNG_KEY):
    ones = np.ones(shape, np.float32)
    return KERNELS["dropout_forward"](ones, rng_key, rate=rate, purpose=purpose)[0]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_fraction_dropped_is_the_rate(rate):
    y = mask((400, 500), rate)
    kept = np.float32(1 / (1 - rate))
    assert set(np.unique(y).tolist()) == {0.0, float(kept)}
    # Five standard deviations of the mean of 200,000 decisions.
    assert abs((y == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / y.size)
    assert abs(y.mean(dtype=np.float64) - 1) < 5 * np.sqrt(rate / (1 - rate) / y.size)


def test_rate_0_keeps_everything():
    assert (mask(rate=0.0) == 1).all()


def test_kept_are_the_elements_whose_number_is_not_below_the_rate():
    numbers = (random_words(2000, 0, RNG_KEY) >> 8) / 2**24
    np.testing.assert_array_equal(mask().ravel() > 0, numbers >= 0.3)


def test_forward_and_backward_have_the_same_mask():
    dy = np.random.default_rng(0).standard_normal((50, 40))
    (dx,) = KERNELS["dropout_backward"](dy, RNG_KEY, rate=0.3, purpose=0)
    np.testing.assert_allclose(dx, dy * mask().astype(np.float64), rtol=1e-7)


def test_a_sample_keeps_its_mask_in_a_shorter_batch():
    np.testing.assert_array_equal(mask()[:7], mask((7, 40)))


@pytest.mark.parametrize("word", range(4))
def test_another_seed_or_step_is_another_mask(word):
    other = RNG_KEY.copy()
    other[word] += 1
    different = (mask() > 0) != (mask(rng_key=other) > 0)
    assert 0.35 < different.mean() < 0.49  # 2 * 0.3 * 0.7 = 0.42 for independent masks


def test_another_purpose_is_another_mask():
    different = (mask() > 0) != (mask(purpose=1) > 0)
    assert 0.35 < different.mean() < 0.49


def test_what_is_dropped_is_0_even_if_it_was_nan():
    x = np.full((50, 40), np.nan)
    (y,) = KERNELS["dropout_forward"](x, RNG_KEY, rate=0.3, purpose=0)
    np.testing.assert_array_equal(np.isnan(y), mask() > 0)
    assert (y[~np.isnan(y)] == 0).all()
