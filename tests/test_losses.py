"""Losses: values computed by hand, the kernels they name, and the errors for wrong labels."""

import json
import math
import re

import numpy as np
import pytest

import minicnn as mc
from minicnn import losses
from minicnn.contracts import CONTRACTS, Spec
from minicnn.errors import ArgumentError, DTypeError, MiniCNNError, ShapeError
from minicnn.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)

ROWS = np.array([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]], np.float32)
EVERY_KIND = {
    "categorical": CategoricalCrossentropy(label_smoothing=0.1),
    "sparse": SparseCategoricalCrossentropy(from_logits=True),
    "binary": BinaryCrossentropy(True, 0.2),
    "squared": MeanSquaredError(),
}


def mean_log(*probabilities):
    return -sum(map(math.log, probabilities)) / len(probabilities)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "expected"),
    [
        (CategoricalCrossentropy(), [[1, 0, 0], [0, 0, 1]], ROWS, mean_log(0.7, 0.5)),
        (SparseCategoricalCrossentropy(), [0, 2], ROWS, mean_log(0.7, 0.5)),
        (SparseCategoricalCrossentropy(True), [0, 2], np.log(ROWS), mean_log(0.7, 0.5)),
        (CategoricalCrossentropy(True), [[0, 1], [1, 0]], [[0.0, 0.0]] * 2, math.log(2)),
        # Labels become 0.9 + 0.1 / 2 and 0.1 / 2.
        (
            CategoricalCrossentropy(label_smoothing=0.1),
            [[1, 0]],
            [[0.8, 0.2]],
            -0.95 * math.log(0.8) - 0.05 * math.log(0.2),
        ),
        (BinaryCrossentropy(), [1, 0], [[0.8], [0.4]], mean_log(0.8, 0.6)),
        (BinaryCrossentropy(), [[1, 0]], [[0.8, 0.4]], mean_log(0.8, 0.6)),
        (BinaryCrossentropy(True), [1, 0], [[0.0], [0.0]], math.log(2)),
        (MeanSquaredError(), [[1, 2], [3, 4]], [[1, 4], [3, 3]], (4 / 2 + 1 / 2) / 2),
        (MeanSquaredError(), [1, 2], [[1.5], [2]], 0.125),
    ],
)
def test_values_by_hand(backend, loss, y_true, y_pred, expected):
    y_true, y_pred = np.array(y_true), np.array(y_pred, np.float32)
    assert loss(y_true, y_pred) == pytest.approx(expected, rel=1e-5)


def test_sample_weights_count(backend):
    loss = SparseCategoricalCrossentropy()
    both = loss([0, 2], ROWS, sample_weight=[3.0, 0.0])
    assert both == pytest.approx(3 * -math.log(0.7) / 2, rel=1e-5)
    with pytest.raises(ShapeError, match=r"sample_weight must be \(2,\); got \(3,\)"):
        loss([0, 2], ROWS, sample_weight=[1, 1, 1])


def test_no_samples_no_loss(backend):
    empty = np.zeros((0, 3), np.float32)
    assert SparseCategoricalCrossentropy()(np.zeros(0, np.int32), empty) == 0.0


@pytest.mark.parametrize("loss", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_named_operation_has_kernels_that_take_the_attributes(loss):
    names = {loss.operation, *loss.fused_with.values()}
    for name in names:
        operation = loss.operation_named(name)
        assert {operation.forward, *operation.backward} <= set(CONTRACTS)
        spec = loss.label_spec((4, 3))
        y_true = np.zeros(spec.shape, spec.dtype)
        attributes = operation.resolve(np.ones((4, 3), np.float32), y_true, **loss.attributes)
        assert attributes == loss.attributes


def test_fusion_is_offered_for_probabilities_only():
    assert SparseCategoricalCrossentropy().fused_with == {
        "softmax": "softmax_sparse_categorical_crossentropy"
    }
    assert BinaryCrossentropy().fused_with == {"sigmoid": "sigmoid_binary_crossentropy"}
    # The loss includes a softmax, so one at the network's end is a second one, which must stay.
    assert SparseCategoricalCrossentropy(from_logits=True).fused_with == {}
    assert MeanSquaredError().fused_with == {}


def test_logits_do_not_overflow(backend):
    logits = np.array([[1000.0, -1000.0]], np.float32)
    assert SparseCategoricalCrossentropy(True)([1], logits) == pytest.approx(2000)
    assert BinaryCrossentropy(True)([[0, 1]], logits) == pytest.approx(1000)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", ">i4", "bool"])
def test_class_indices_of_any_integer_type(dtype):
    y = SparseCategoricalCrossentropy().prepare(np.array([[1], [0]], dtype), (2, 3))
    assert y.dtype == np.int32
    assert y.tolist() == [1, 0]


def test_prepared_labels_are_not_copied_again():
    for loss, y in (
        (SparseCategoricalCrossentropy(), np.array([1, 0], np.int32)),
        (CategoricalCrossentropy(), np.eye(3, dtype=np.float32)[:2]),
    ):
        prepared = loss.prepare(y, (2, 3))
        assert np.shares_memory(prepared, y)
        assert Spec(prepared.shape, str(prepared.dtype)) == loss.label_spec((2, 3))


SPARSE, ONE_HOT = SparseCategoricalCrossentropy(), CategoricalCrossentropy()
BINARY, SQUARED = BinaryCrossentropy(), MeanSquaredError()
NAN = float("nan")


@pytest.mark.parametrize(
    ("loss", "y", "shape", "says"),
    [
        (
            SPARSE,
            [1] * 17 + [12],
            (18, 10),
            "y[17] = 12, but the model has 10 classes, 0...9; labels are 1...12: Dense(13)",
        ),
        (SPARSE, [0, -1], (2, 10), "y[1] = -1, but the model has 10 classes, 0...9: class indices"),
        (SPARSE, [0.0, 1.5], (2, 10), "must be whole numbers; y[1] is 1.5 (float64)"),
        (
            SPARSE,
            np.eye(10),
            (10, 10),
            "wants class indices (None,) and got (None, 10). Use 'categorical_crossentropy'",
        ),
        (
            ONE_HOT,
            [3, 1],
            (2, 10),
            "loss 'categorical_crossentropy' wants one-hot labels (None, 10) and got integers "
            "(None,). Use 'sparse_categorical_crossentropy' or to_categorical(y, 10)",
        ),
        (ONE_HOT, [[3], [1]], (2, 10), "got integers (None, 1)"),
        (ONE_HOT, np.eye(6), (6, 10), "y is (None, 6), but the model's output is (None, 10)"),
        (ONE_HOT, [[1, 0], [1, 1]], (2, 2), "y[1] adds up to 2, but a one-hot row adds up to 1"),
        (ONE_HOT, [[1, 0], [0, 0]], (2, 2), "y[1] adds up to 0"),
        (ONE_HOT, [[1, 0], [-1, 2]], (2, 2), "y[1] has -1, but the values of a one-hot row"),
        (ONE_HOT, [[1, 0], [NAN, 1]], (2, 2), "y[1] has a value that is NaN"),
        (BINARY, [0, 1, 2], (3, 1), "y[2] has 2, but the values of a binary label"),
        (BINARY, [NAN, 1], (2, 1), "y[0] is NaN"),
        (BINARY, [[1, 0]], (1, 3), "y is (None, 2), but the model's output is (None, 3)"),
        (SQUARED, [1.0, 2.0], (2, 3), "y is (None,), but the model's output is (None, 3)"),
        (SPARSE, [1, 2, 3], (2, 10), "one label for each of 2 samples; got 3 labels"),
        (SPARSE, 1, (2, 10), "got a single number"),
        (SQUARED, [1j, 2], (2, 1), "y must be real numbers; got complex128"),
        (SPARSE, ["cat", "dog"], (2, 10), "y must be real numbers; got <U3"),
        (SPARSE, [None, 1], (2, 10), "y must be real numbers; got object"),
    ],
)
def test_wrong_labels_are_refused(loss, y, shape, says):
    with pytest.raises(MiniCNNError, match=re.escape(says)) as caught:
        loss.prepare(y, shape)
    assert isinstance(caught.value, (ArgumentError, ShapeError, DTypeError))
    assert len(str(caught.value)) <= 300


def test_soft_labels_are_welcome():
    rows = [[0.5, 0.5], [0.3333, 0.6666]]
    assert ONE_HOT.prepare(rows, (2, 2)).dtype == np.float32
    assert BINARY.prepare([[0.25]], (1, 1))[0, 0] == 0.25


def test_predictions_become_floats():
    assert SPARSE([0, 1], [[1, 0], [0, 1]]) == pytest.approx(0, abs=1e-6)
    with pytest.raises(ShapeError):
        SPARSE([0], np.float32([0.5]))


@pytest.mark.parametrize("loss", EVERY_KIND.values(), ids=EVERY_KIND)
def test_a_loss_survives_json(loss):
    again = losses.get(json.loads(json.dumps(losses.serialize(loss))))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mse", MeanSquaredError),
        ("mean_squared_error", MeanSquaredError),
        ("categorical_crossentropy", CategoricalCrossentropy),
        ("sparse_categorical_crossentropy", SparseCategoricalCrossentropy),
        ("BinaryCrossentropy", BinaryCrossentropy),
    ],
)
def test_names(name, kind):
    assert type(losses.get(name)) is kind
    assert type(mc.losses.get(kind())) is kind


def test_unknown_names_and_arguments():
    with pytest.raises(ArgumentError, match="did you mean 'CategoricalCrossentropy'"):
        losses.get("categorical_crossentropi")
    with pytest.raises(ArgumentError, match="label_smoothing must be a number in"):
        CategoricalCrossentropy(label_smoothing=1.0)
