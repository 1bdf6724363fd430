"""Metrics: results against values computed by hand and by Keras."""

import json
import re

import numpy as np
import pytest

from minicnn import metrics
from minicnn.errors import ArgumentError, DTypeError, MiniCNNError, ShapeError
from minicnn.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from minicnn.metrics import (
    AUC,
    BinaryAccuracy,
    CategoricalAccuracy,
    ConfusionMatrix,
    F1Score,
    Precision,
    Recall,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    confusion_matrix,
)

# Four samples of three classes; the largest prediction is right for samples 0 and 3.
SCORES = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6]], np.float32)
LABELS = np.array([0, 1, 2, 2])
ONE_HOT = np.eye(3)[LABELS]
YES = np.array([1, 1, 0, 0, 1])
CHANCES = np.array([0.9, 0.4, 0.6, 0.1, 0.8], np.float32)


def value(metric, y_true, y_pred, weights=None):
    metric.update(y_true, y_pred, weights)
    return metric.result()


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "expected"),
    [
        (CategoricalAccuracy(), ONE_HOT, SCORES, 2 / 4),
        (SparseCategoricalAccuracy(), LABELS, SCORES, 2 / 4),
        (SparseCategoricalAccuracy(), LABELS[:, None], SCORES, 2 / 4),
        (BinaryAccuracy(), YES, CHANCES[:, None], 3 / 5),
        (BinaryAccuracy(threshold=0.3), YES, CHANCES, 4 / 5),
        (BinaryAccuracy(), [[1, 0], [1, 1]], [[0.9, 0.8], [0.9, 0.9]], 3 / 4),
        (TopKCategoricalAccuracy(2), ONE_HOT, SCORES, 1.0),
        (SparseTopKCategoricalAccuracy(1), LABELS, SCORES, 2 / 4),
        (SparseTopKCategoricalAccuracy(2), [2], [[0.5, 0.3, 0.3]], 1.0),  # a tie is in
        (SparseTopKCategoricalAccuracy(1), [0], [[np.nan, 0.1]], 0.0),
        # Predicted positives: 0.9, 0.6 and 0.8, two of which are right; positives: three.
        (Precision(), YES, CHANCES, 2 / 3),
        (Recall(), YES, CHANCES, 2 / 3),
        (Precision(0.7), YES, CHANCES, 1.0),
        (Recall(0.7), YES, CHANCES, 2 / 3),
        # The largest predictions of the samples are for classes 0, 0, 1 and 2.
        (Precision(top_k=1), LABELS, SCORES, 2 / 4),
        (Precision(top_k=1, class_id=0), LABELS, SCORES, 1 / 2),
        (Recall(top_k=1, class_id=0), ONE_HOT, SCORES, 1.0),
        (Recall(top_k=2), LABELS, SCORES, 1.0),
        # F1 of the classes: 2 / (2 + 1), 0, 2 / (2 + 1).
        (F1Score("macro"), LABELS, SCORES, (2 / 3 + 0 + 2 / 3) / 3),
        (F1Score("micro"), LABELS, SCORES, 2 / 4),
        (F1Score("weighted"), ONE_HOT, SCORES, (2 / 3 * 1 + 0 + 2 / 3 * 2) / 4),
        (F1Score(), YES, CHANCES, 2 / 3),
        # Pairs in order: both of the positive 0.9, one of 0.4, both of 0.8.
        (AUC(), YES, CHANCES, 5 / 6),
        (AUC(), [1, 0], [0.5, 0.5], 1 / 2),
        (AUC(), [1, 0], [1.0, 0.0], 1.0),
        (AUC(), [0, 1], [1.0, 0.0], 0.0),
    ],
)
def test_values_by_hand(metric, y_true, y_pred, expected):
    assert value(metric, y_true, y_pred) == pytest.approx(expected)


def test_auc_is_close_to_all_pairs():
    rng = np.random.default_rng(0)
    truth = rng.random(2000) < 0.3
    scores = np.clip(rng.normal(0.4 + 0.2 * truth, 0.15), 0, 1)
    higher = scores[truth][:, None] - scores[~truth][None]
    exact = ((higher > 0) + 0.5 * (higher == 0)).mean()
    assert value(AUC(), truth, scores) == pytest.approx(exact, abs=1e-3)


EVERY_KIND = {
    "binary": (BinaryAccuracy(), YES, CHANCES),
    "categorical": (CategoricalAccuracy(), ONE_HOT, SCORES),
    "sparse": (SparseCategoricalAccuracy("mine"), LABELS, SCORES),
    "top-k": (SparseTopKCategoricalAccuracy(2), LABELS, SCORES),
    "precision": (Precision(0.3), YES, CHANCES),
    "recall": (Recall(top_k=1, class_id=1, name="r"), LABELS, SCORES),
    "F1": (F1Score("weighted"), LABELS, SCORES),
    "AUC": (AUC(50), YES, CHANCES),
    "confusion": (ConfusionMatrix(3), LABELS, SCORES),
}


@pytest.fixture(params=EVERY_KIND.values(), ids=EVERY_KIND)
def case(request):
    metric, y_true, y_pred = request.param
    metric.reset()
    return metric, y_true, y_pred


def test_batches_add_up(case):
    metric, y_true, y_pred = case
    whole = value(metric, y_true, y_pred)
    metric.reset()
    for cut in (slice(0, 1), slice(1, 1), slice(1, 3), slice(3, None)):
        metric.update(y_true[cut], y_pred[cut])
    np.testing.assert_allclose(metric.result(), whole)


def test_a_weight_is_as_many_samples(case):
    metric, y_true, y_pred = case
    counts = np.arange(len(y_true)) % 3
    repeated = value(metric, np.repeat(y_true, counts, 0), np.repeat(y_pred, counts, 0))
    metric.reset()
    np.testing.assert_allclose(value(metric, y_true, y_pred, counts), repeated)


def test_state_survives_json_bit_for_bit(case):
    metric, y_true, y_pred = case
    metric.update(y_true, y_pred, np.full(len(y_true), 0.1))
    state = json.loads(json.dumps(metric.get_state()))
    again = metrics.get(json.loads(json.dumps(metrics.serialize(metric))))
    assert again.name == metric.name
    again.set_state(state)
    for one in (metric, again):
        one.update(y_true, y_pred, np.full(len(y_true), 0.7))
    np.testing.assert_array_equal(again.result(), metric.result())


def test_reset_and_empty(case):
    metric, y_true, y_pred = case
    metric.update(y_true, y_pred)
    metric.reset()
    assert (np.asarray(metric.result()) == 0).all()
    metric.update(y_true[:0], y_pred[:0])
    assert (np.asarray(metric.result()) == 0).all()


def test_a_wrong_state_is_refused():
    with pytest.raises(ArgumentError, match="saved sums"):
        AUC(50).set_state(AUC(60).get_state())


def test_get_makes_a_copy_that_has_counted_nothing():
    given = Precision(0.3)
    given.update(YES, CHANCES)
    made = metrics.get(given)
    assert made is not given
    assert made.result() == 0.0
    assert made.thresholds == 0.3


@pytest.mark.parametrize(
    ("loss", "shape", "kind"),
    [
        (SparseCategoricalCrossentropy(), (None, 10), SparseCategoricalAccuracy),
        (CategoricalCrossentropy(), (None, 10), CategoricalAccuracy),
        (BinaryCrossentropy(), (None, 1), BinaryAccuracy),
        (BinaryCrossentropy(), (None, 5), CategoricalAccuracy),
        (SparseCategoricalCrossentropy(), (None, 1), BinaryAccuracy),
        (MeanSquaredError(), (None, 1), BinaryAccuracy),
        (MeanSquaredError(), (None, 4), CategoricalAccuracy),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_goes_by_the_loss(name, loss, shape, kind):
    metric = metrics.get(name, loss, shape)
    assert type(metric) is kind
    assert metric.name == name


BINARY = BinaryCrossentropy(from_logits=True)
LOGITS = np.array([3.0, -0.2, 0.3, -2.0, 0.1], np.float32)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", 3 / 5),
        ("binary_accuracy", 3 / 5),
        (BinaryAccuracy(), 3 / 5),
        ("precision", 2 / 3),
        ("recall", 2 / 3),
        ("f1_score", 2 / 3),
        (F1Score("micro"), 2 / 3),
        ("auc", 4 / 6),
        # A threshold that the user gave applies to the outputs as they are.
        (BinaryAccuracy(threshold=0.0), 3 / 5),
        (Precision(thresholds=0.2), 1 / 2),
        (Recall(thresholds=0.2), 1 / 3),
        (F1Score(threshold=0.2), 2 / 5),
    ],
)
def test_with_logits_every_metric_cuts_at_the_same_place(name, expected):
    """YES is 1 1 0 0 1; the logits of samples 0, 2 and 4 are above 0, a probability of 0.5."""
    metric = metrics.get(name, BINARY, (None, 1))
    assert value(metric, YES, LOGITS[:, None]) == pytest.approx(expected)
    assert value(metrics.get(name, BINARY, (None, 1)), YES, LOGITS) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "f1_score", "auc"])
@pytest.mark.parametrize("loss", [SparseCategoricalCrossentropy, CategoricalCrossentropy])
def test_logits_of_classes_count_as_their_probabilities(name, loss):
    y_true = LABELS if loss is SparseCategoricalCrossentropy else ONE_HOT
    found = metrics.get(name, loss(from_logits=True), (None, 3))
    wanted = metrics.get(name, loss(), (None, 3))
    scores = np.where(SCORES == 0.5, 0.51, SCORES)  # not on the edge, where rounding decides
    scores /= scores.sum(1, keepdims=True)
    assert value(found, y_true, np.log(scores) + 5) == value(wanted, y_true, scores)


def test_large_logits_have_a_probability():
    found = metrics.base.probabilities(np.array([[-1e30, 0, 1e30]]), "sigmoid")
    np.testing.assert_array_equal(found, [[0, 0.5, 1]])
    found = metrics.base.probabilities(np.array([[1e30, 1e30, -1e30]], np.float32), "softmax")
    np.testing.assert_array_equal(found, [[0.5, 0.5, 0]])


def test_names():
    assert metrics.get("top_k_categorical_accuracy").name == "top_k_categorical_accuracy"
    assert metrics.get("f1_score", None, (None, 7)).classes == 7
    assert metrics.get("auc").name == "auc"
    assert metrics.serialize("accuracy") == metrics.deserialize("accuracy") == "accuracy"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: metrics.get("acuracy_"), "unknown metric 'acuracy_'"),
        (lambda: metrics.get("precison"), "did you mean 'Precision'"),
        (lambda: metrics.get("confusion_matrix"), "needs the number of classes"),
        (lambda: metrics.get("MeanIoU"), "needs the number of classes: MeanIoU(10)"),
        (
            lambda: metrics.get(ConfusionMatrix(3), SparseCategoricalCrossentropy(), (None, 3)),
            "is a table",
        ),
        (lambda: TopKCategoricalAccuracy(0), "k must be an integer >= 1"),
        (lambda: F1Score("mean"), "average must be one of"),
        (lambda: Precision(0.5, 1), "thresholds or top_k"),
        (lambda: AUC(1), "num_thresholds"),
        (lambda: value(AUC(), [1, 0], [2.0, -1.0]), "needs scores within 0...1"),
        (lambda: value(Precision(class_id=3), LABELS, SCORES), "class_id=3, but there are 3"),
        (
            lambda: value(F1Score(classes=4), LABELS, SCORES),
            "counts 4 classes; the predictions have 3",
        ),
        (lambda: value(SparseCategoricalAccuracy(), [0, 3], SCORES[:2]), "y_true[1] = 3"),
        (
            lambda: value(SparseCategoricalAccuracy(), LABELS[:2], SCORES),
            "the same number of samples",
        ),
        (lambda: value(CategoricalAccuracy(), np.eye(4), SCORES), "one value per sample"),
        (lambda: value(BinaryAccuracy(), [[1, 0]], [[0.5]]), "must have the same shape"),
        (lambda: value(Recall(), YES, CHANCES, [1, 2]), "sample_weight must be (5,)"),
        (lambda: value(AUC(), [1, 0], [np.nan, 1.0]), "within 0...1; got nan. Logits need"),
        (lambda: value(Precision(), ["a"], [0.5]), "y_true must be real numbers; got <U1"),
        (
            lambda: confusion_matrix([0.5, 1], [0, 1]),
            "y_true[0] = 0.5; class indices must be integers",
        ),
        (lambda: metrics.as_metrics({"accuracy": 1}), 'a list like ["accuracy"]'),
        (lambda: metrics.as_metrics(["auc", "auc"]), "two are called 'auc'"),
        (lambda: metrics.as_metrics([Precision(name="loss")]), "two are called 'loss'"),
        (lambda: confusion_matrix([0, 5], [0, 1], 2), "y_true[1] = 5, but there are 2"),
        (lambda: confusion_matrix([0, 1], [0, -1], 2), "y_pred[1] = -1"),
    ],
)
def test_wrong_calls_are_refused(call, says):
    with pytest.raises(MiniCNNError, match=re.escape(says)) as caught:
        call()
    assert isinstance(caught.value, (ArgumentError, DTypeError, ShapeError))


def test_confusion_matrix_has_truth_in_rows():
    table = confusion_matrix([0, 0, 1, 2, 2], [0, 1, 1, 0, 0], 4)
    assert table.dtype == np.int64
    assert table.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]]
    assert confusion_matrix(ONE_HOT, SCORES).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert confusion_matrix([], []).tolist() == [[0]]


def test_confusion_matrix_takes_labels_as_data_sets_have_them():
    labels = np.array([[0], [1], [1]], np.uint8)
    assert confusion_matrix(labels.ravel(), labels).tolist() == [[1, 0], [0, 2]]


def test_metrics_of_a_model_may_be_one_name():
    assert metrics.as_metrics("accuracy") == ["accuracy"]
    assert metrics.as_metrics(None) == []


def test_f1_counts_the_classes_itself():
    told = metrics.get(F1Score("micro"), SparseCategoricalCrossentropy(), (None, 3))
    assert told.classes == 3 and told.average == "micro"
    found = F1Score("micro")
    for metric in (told, found):
        metric.update(LABELS, SCORES)
    assert found.classes == 3 and found.result() == told.result()


def test_f1_of_an_own_class_stays_of_it():
    class Halved(F1Score):
        def result(self):
            return super().result() / 2

    halved, whole = (
        metrics.get(metric, SparseCategoricalCrossentropy(), (None, 3))
        for metric in (Halved("micro"), F1Score("micro"))
    )
    for metric in (halved, whole):
        metric.update(LABELS, SCORES)
    assert 0 < halved.result() == whole.result() / 2


def test_f1_per_class():
    metric = F1Score()
    metric.update(LABELS, SCORES)
    np.testing.assert_allclose(metric.per_class(), [2 / 3, 0, 2 / 3])


def test_a_score_that_equals_a_threshold_is_not_above_it():
    """Keras's thresholds of AUC(3) are below 0, at 0.5 and above 1; 0.5 is not above 0.5."""
    truth, scores = [0, 0, 1, 1], [0, 0.5, 0.3, 0.9]
    assert value(AUC(3), truth, scores) == 0.75
    weighted = AUC(3)
    weighted.update(truth, scores, [1, 2, 3, 4])
    assert weighted.result() == pytest.approx(16.5 / 21)  # 3 (1 + 2) / 2 + 4 (1 + 2) of 7 * 3


# Keras 3.15 on 50 scores that are multiples of 1 / 20: many of them equal a threshold.
KERAS_AUC = {
    2: (0.5, 0.5),
    3: (0.5860389471054077, 0.5790200233459473),
    6: (0.5170454382896423, 0.5324358940124512),
    11: (0.5560064911842346, 0.5422534942626953),
    200: (0.5041050910949707, 0.4704964756965637),
}


def test_auc_is_keras_s_where_scores_are_thresholds():
    rng = np.random.default_rng(0)
    for thresholds, (plain, weighted) in KERAS_AUC.items():
        truth, scores = rng.integers(0, 2, 50), rng.integers(0, 21, 50) / 20
        weights = rng.integers(1, 5, 50)
        auc = AUC(thresholds)
        auc.update(truth, scores, weights)
        assert auc.result() == pytest.approx(weighted, abs=1e-6)
        assert value(AUC(thresholds), truth, scores) == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize(
    ("top_k", "precision", "recall"),
    [(1, 1, 1 / 2), (2, 1 / 2, 1 / 2), (3, 1 / 3, 1 / 2), (9, 2 / 5, 1)],
)
def test_top_k_of_one_row_of_labels_is_of_that_row(top_k, precision, recall):
    """Expected are Keras's values; the largest scores belong to the labels 1 0 0 1 0, in order."""
    truth, scores = [0, 1, 1, 0, 0], [0.2, 0.1, 0.5, 0, 0.2]
    assert value(Precision(top_k=top_k), truth, scores) == pytest.approx(precision)
    assert value(Recall(top_k=top_k), truth, scores) == pytest.approx(recall)
    weighted = Precision(top_k=top_k)
    weighted.update(truth, scores, [1, 2, 3, 4, 5])
    assert weighted.result() == pytest.approx({1: 1, 2: 3 / 4, 3: 3 / 9, 9: 5 / 15}[top_k])
