"""The helpers of `minicnn.utils`."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.errors import ArgumentError, SizeLimitError
from minicnn.utils import balanced_class_weight, to_categorical


def test_one_hot_rows():
    rows = to_categorical(np.array([[2], [0]]), 4)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert to_categorical([1, 2]).shape == (2, 3)


@pytest.mark.parametrize(
    ("labels", "classes", "error", "text"),
    [
        ([0, 3], 3, ArgumentError, r"x\[1\] = 3, but there are 3 classes"),
        ([-1], None, ArgumentError, r"x\[0\] = -1"),
        ([0.5], None, ArgumentError, "integers .* got float64"),
        (["a"], None, ArgumentError, "integers .* got <U1"),
        ([10**12], None, SizeLimitError, r"one-hot rows of shape .* 4,000\.0 GB"),
        ([2**62], None, SizeLimitError, "one-hot rows"),
    ],
)
def test_wrong_labels_are_refused(labels, classes, error, text):
    with pytest.raises(error, match=text):
        to_categorical(labels, classes)


def test_balanced_weights_make_classes_count_alike():
    y = np.array([0] * 6 + [1] * 3 + [4])
    weight = balanced_class_weight(y)
    totals = [weight[c] * (y == c).sum() for c in (0, 1, 4)]
    np.testing.assert_allclose(totals, 10 / 3)
    assert balanced_class_weight(np.eye(5)[y]) == weight
    assert balanced_class_weight(y[:, None]) == weight


@pytest.mark.parametrize("y", [[], [0.5], [[[1]]]])
def test_balanced_weights_are_of_class_indices(y):
    with pytest.raises(ArgumentError, match="class indices"):
        balanced_class_weight(y)
