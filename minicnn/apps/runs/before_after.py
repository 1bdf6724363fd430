"""The accuracy before and after continual learning, class by class, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.apps.runs.earlier_run import EarlierRun
from minicnn.apps.runs.image_splits import Split, relabeled
from minicnn.apps.runs.predictions import Predictions, evaluate

HEADINGS = ("class", "test images", "before", "after", "change in points")
KNOWN, MORE, NEW = "known", "more", "new"
NONE = "-"  # where there is no accuracy before


class Change(NamedTuple):
    """The accuracy for some test images before and after, shares 0...1."""

    name: str  # of the class, or of a group of classes
    kind: str  # "known": the earlier run's test images; "more": new ones of its classes; "new"
    images: int
    before: float | None  # None for a class that the network did not know
    after: float

    @property
    def points(self) -> float | None:
        """The rise of the accuracy in percentage points."""
        return None if self.before is None else 100 * (self.after - self.before)

    @property
    def cells(self) -> list[str]:
        """The row of the table, as text."""
        label = {KNOWN: self.name, MORE: f"{self.name}, new images", NEW: f"{self.name}, new class"}
        before = NONE if self.before is None else f"{self.before:.1%}"
        change = NONE if self.points is None else f"{self.points:+.1f}"
        return [label[self.kind], f"{self.images:,}", before, f"{self.after:.1%}", change]


class BeforeAfter(NamedTuple):
    """The accuracy of a network before and after it was trained further."""

    start: str  # the name of the earlier run
    earlier_tests: int  # how many of the test images are that run's; they are the first
    classes: list[Change]
    known: Change | None  # all test images of the classes that it knew; None if there are none
    everything: Change  # all test images

    @property
    def rows(self) -> list[list[str]]:
        """The rows of the table, as text, the totals last."""
        totals = [] if self.known is None else [self.known.cells]
        return [*(one.cells for one in self.classes), *totals, self.everything.cells]


def compare(run: EarlierRun, test: Split, earlier_tests: int, after: Predictions) -> BeforeAfter:
    """Return how the accuracy of the run's network has changed.

    Parameters
    ----------
    run : the earlier run
    test : the test images, with labels that count the classes of `after`
    earlier_tests : the first test images are those of the earlier run
    after : the predictions of the network that was trained further
    """
    names, labels = after.class_names, test.labels
    is_known = np.isin(labels, [names.index(name) for name in run.class_names])
    right_before = np.zeros(test.total, bool)
    right_before[is_known] = _right_before(run, test, names)
    right_after = after.predicted == labels

    def change(name: str, kind: str, chosen: np.ndarray) -> Change:
        before = None if kind == NEW else float(right_before[chosen].mean())
        return Change(name, kind, int(chosen.sum()), before, float(right_after[chosen].mean()))

    is_more = np.arange(test.total) >= earlier_tests
    kinds = np.where(is_known, np.where(is_more, MORE, KNOWN), NEW)
    classes = [
        change(name, kind, chosen)
        for kind in (KNOWN, MORE, NEW)
        for i, name in enumerate(names)
        if (chosen := (kinds == kind) & (labels == i)).any()
    ]
    known = change("known classes", KNOWN, is_known) if is_known.any() else None
    everything = Change("all classes", KNOWN, test.total, None, float(right_after.mean()))
    return BeforeAfter(run.name, earlier_tests, classes, known, everything)


def _right_before(run: EarlierRun, test: Split, names: Sequence[str]) -> np.ndarray:
    """Return which test images of the known classes the run's network got right, bool."""
    known = relabeled(test, names, run.class_names)
    if not len(known.labels):
        return np.zeros(0, bool)
    predictions, _ = evaluate(run.model, run.preprocess, known, run.class_names)
    return np.asarray(predictions.predicted == predictions.labels)
