"""Metrics that are read from a curve: outcomes at many thresholds.

Scores are counted in bins between the thresholds, so the state stays small however many samples
there are. Scores within a bin count as equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_int, check_list, check_number
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.base import Metric, probabilities, ratios
from minicnn.metrics.positives import check_class_id, one_row_each, scores_and_labels
from minicnn.support.arrays import Number

CURVES = {"ROC": "ROC", "roc": "ROC", "PR": "PR", "pr": "PR", "PRGAIN": "PRGAIN"}
CURVES["prgain"] = "PRGAIN"
SUMMATIONS = ("interpolation", "minoring", "majoring")


class Curve(Metric):
    """Base class of the metrics that count scores in bins between thresholds.

    As in Keras, a score that equals a threshold is not above it: a bin holds the scores in
    (threshold, next threshold], and the first bin the score 0 as well.

    Parameters
    ----------
    num_thresholds : number of thresholds of equal distances from 0 to 1, both included
    inner : the thresholds between 0 and 1 instead, in ascending order
    """

    class_id: int | None = None
    labels: int | None = None  # the number of columns that are counted separately

    def __init__(
        self, num_thresholds: int, inner: list[float] | None, name: str | None, dtype: str | None
    ) -> None:
        self.num_thresholds, self.inner = num_thresholds, inner
        super().__init__(dtype, name)

    @property
    def needs_probabilities(self) -> bool:
        """True: scores must be probabilities."""
        return True

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights of positives and of negatives per bin."""
        shape: tuple[int, ...] = (self.num_thresholds - 1,)
        if self.labels is not None:
            shape = (*shape, self.labels)
        return {"positives": shape, "negatives": shape}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add each score's weight to its bin."""
        scores, positive = scores_and_labels(y_true, y_pred)
        within = (scores >= 0) & (scores <= 1)
        if not within.all():
            raise ArgumentError(
                f"{self.name} needs scores within 0...1; got {scores[~within][0]:g}. Logits need "
                "a sigmoid or softmax"
            )
        if self.class_id is not None:
            check_class_id(self.class_id, scores.shape[-1])
            scores, positive = scores[..., [self.class_id]], positive[..., [self.class_id]]
        self._count(one_row_each(scores), one_row_each(positive), weights)

    def _count(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> None:
        """Add (N, columns) of scores to the bins."""
        rows = np.broadcast_to(weights[:, None], scores.shape)
        self._add_to_bins(self._bins(scores), positive, rows, ...)

    def _add_to_bins(
        self, bin_of: np.ndarray, positive: np.ndarray, weights: np.ndarray, where: Any
    ) -> None:
        for name, chosen in (("positives", positive), ("negatives", ~positive)):
            counts = np.bincount(bin_of[chosen], weights[chosen], self.num_thresholds - 1)
            self._sums[name][where] += counts

    def _bins(self, scores: np.ndarray) -> np.ndarray:
        """Return the number of each score's bin."""
        if self.inner is not None:  # both float32, as Keras compares them
            inner = np.array(self.inner, np.float32)
            return np.searchsorted(inner, scores.astype(np.float32), "left")
        bins = self.num_thresholds - 1
        upper = np.ceil(scores.astype(np.float64) * bins).astype(np.int64)
        return np.clip(upper - 1, 0, bins - 1)

    def _outcomes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return TP, FP, TN and FN at each threshold, the lowest first."""
        positives, negatives = self.sum("positives"), self.sum("negatives")
        hits, false_alarms = _above(positives), _above(negatives)
        return hits, false_alarms, negatives.sum(0) - false_alarms, positives.sum(0) - hits


def _above(bins: np.ndarray) -> np.ndarray:
    """Return the weight of all bins above each threshold, which is 0 for the last one."""
    return np.concatenate([bins[::-1].cumsum(0)[::-1], np.zeros_like(bins[:1])])


class AUC(Curve):
    """Area under the ROC curve: the probability that a positive scores higher than a negative.

    Scores lie in [0, 1]. Two scores in the same bin count as equal; the error is at most half the
    probability that a positive and a negative share a bin. Several outputs are counted together
    unless they are `multi_label`.

    Parameters
    ----------
    num_thresholds : number of thresholds, which bound the bins; default 200
    curve : "ROC", "PR" for precision over recall, or "PRGAIN"; default "ROC"
    summation_method : "interpolation", or "minoring" and "majoring" for bounds; default the first
    name, dtype : see `Metric`
    thresholds : the thresholds between 0 and 1; default None: of equal distances
    multi_label : True for the mean of the outputs' areas; default False
    num_labels : number of outputs if `multi_label`; default: that of the first predictions
    label_weights : how much each output counts; default: all the same
    from_logits : True if predictions need a sigmoid; default False

    >>> auc = AUC(num_thresholds=3)
    >>> auc.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> auc.result()
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        self.curve = CURVES[check_choice(curve, "curve", tuple(CURVES))]
        method = summation_method.lower() if isinstance(summation_method, str) else ""
        self.summation_method = check_choice(method, "summation_method", SUMMATIONS)
        self.multi_label, self.from_logits = bool(multi_label), bool(from_logits)
        self.num_labels = None if num_labels is None else check_int(num_labels, "num_labels")
        if self.num_labels is not None and not multi_label:
            raise ArgumentError("num_labels is for multi_label=True")
        self.label_weights = None if label_weights is None else _weights(label_weights)
        inner = None if thresholds is None else _inner(thresholds)
        count = num_thresholds if inner is None else len(inner) + 2
        self.labels = (num_labels or 0) if multi_label else None
        super().__init__(check_int(count, "num_thresholds", 2), inner, name, dtype)

    @property
    def needs_probabilities(self) -> bool:
        """True, unless the metric itself makes probabilities of logits."""
        return not self.from_logits

    @property
    def thresholds(self) -> list[float]:
        """All thresholds; the first is below 0 and the last above 1."""
        bins = self.num_thresholds - 1
        inner = [i / bins for i in range(1, bins)] if self.inner is None else self.inner
        return [-1e-7, *inner, 1 + 1e-7]

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add each score's weight to its bin."""
        super().add(
            y_true, probabilities(y_pred, "sigmoid") if self.from_logits else y_pred, weights
        )

    def _count(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> None:
        label_weights = self._label_weights(scores.shape[1])
        if not self.multi_label:
            rows = weights[:, None] * label_weights
            self._add_to_bins(self._bins(scores), positive, rows, ...)
            return
        if not self.labels:
            self.labels = scores.shape[1]
            self.make_sums()
        if scores.shape[1] != self.labels:
            raise ShapeError(f"{self.name} has {self.labels} labels; got {scores.shape[1]}")
        for i, bin_of in enumerate(self._bins(scores).T):
            self._add_to_bins(bin_of, positive[:, i], weights, (slice(None), i))

    def _label_weights(self, labels: int) -> np.ndarray:
        weights = np.ones(labels) if self.label_weights is None else np.array(self.label_weights)
        if len(weights) != labels:
            raise ShapeError(f"label_weights must be {labels} numbers; got {len(weights)}")
        return weights

    def result(self) -> Number:
        """Return the area; with `multi_label` the mean of the labels' areas."""
        hits, false_alarms, rejected, missed = self._outcomes()
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr(hits, false_alarms, missed)
        else:
            x, y = _points(self.curve, hits, false_alarms, rejected, missed)
            low, high = y[:-1], y[1:]
            heights = {
                "interpolation": (low + high) / 2,
                "minoring": np.minimum(low, high),
                "majoring": np.maximum(low, high),
            }[self.summation_method]
            areas = ((x[:-1] - x[1:]) * heights).sum(0)
        if not self.multi_label:
            return Number(areas)
        weights = self._label_weights(self.labels or 0)
        return Number(ratios(np.asarray(areas @ weights), weights.sum()))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ["num_thresholds", "curve", "summation_method", "multi_label", "num_labels"]
        names += ["label_weights", "from_logits"]
        own = {name: getattr(self, name) for name in names}
        return {**own, "thresholds": self.inner, **super().get_config()}


def _weights(label_weights: Sequence[float]) -> list[float]:
    listed = check_list(label_weights, "label_weights")
    return [check_number(one, "each of label_weights") for one in listed]


def _inner(thresholds: Sequence[float]) -> list[float]:
    listed = check_list(thresholds, "thresholds")
    found = sorted(check_number(one, "each threshold", 0.0) for one in listed)
    if found and found[-1] > 1:
        raise ArgumentError(f"each threshold must be within 0...1; got {found[-1]:g}")
    return found


def _points(
    curve: str, hits: np.ndarray, false_alarms: np.ndarray, rejected: np.ndarray, missed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve's x and y at each threshold."""
    recall = ratios(hits, hits + missed)
    if curve == "ROC":
        return ratios(false_alarms, false_alarms + rejected), recall
    if curve == "PR":
        return recall, ratios(hits, hits + false_alarms)
    scale = ratios(hits + missed, rejected + false_alarms)
    recall_gain = np.where(hits == 0, 0.0, 1 - scale * ratios(missed, hits))
    precision_gain = np.where(hits == 0, 1.0, 1 - scale * ratios(false_alarms, hits))
    return np.maximum(recall_gain, 0.0), precision_gain


def _interpolated_pr(hits: np.ndarray, false_alarms: np.ndarray, missed: np.ndarray) -> Any:
    """Return the area under precision over recall, along which TP and FP change linearly.

    Between two thresholds TP = slope * P + intercept, where P = TP + FP is the number of predicted
    positives. The integral of precision TP / P over TP is slope * (dTP + intercept * log(P ratio)).
    """
    found = hits + false_alarms
    upper, lower = found[:-1], found[1:]
    steps = hits[:-1] - hits[1:]
    slope = ratios(steps, np.maximum(upper - lower, 0))
    intercept = hits[1:] - slope * lower
    quotient = np.where((upper > 0) & (lower > 0), ratios(upper, lower), 1.0)
    areas = slope * (steps + intercept * np.log(quotient))
    return ratios(areas, np.maximum(hits[1:] + missed[1:], 0)).sum(0)
