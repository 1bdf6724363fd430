"""What a page is told about a training: words and arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.explorer.training.findings import sentence
from minicnn.apps.explorer.training.measures import LayerMeasures, first_kernels
from minicnn.apps.explorer.training.watched import FAILED, PAUSED, STOPPED, WatchedTraining


class Report(NamedTuple):
    """Words and numbers, and arrays by name."""

    answer: dict[str, Any]
    tensors: dict[str, np.ndarray]


def short_report(training: WatchedTraining) -> dict[str, Any]:
    """Return where a training is, without its curves."""
    timeline = training.timeline
    per_epoch = timeline.stepper.steps_per_epoch
    state = training.state
    still = state in (PAUSED, FAILED, STOPPED)
    return {
        "number": training.number,
        "state": state,
        "note": training.note,
        "step": timeline.step,
        "steps": len(timeline.record),
        "steps_per_epoch": per_epoch,
        "epoch": timeline.step / per_epoch,
        "learning_rate": timeline.record.rate_at(timeline.step),
        "can_undo": timeline.step > 0 and state != STOPPED,
        "generation": timeline.record.generation,
        "images_per_second": training.images_per_second,
        "fingerprint": timeline.stepper.fingerprint() if still else None,
    }


def report(training: WatchedTraining, since: int = 0) -> Report:
    """Return everything about a training; the curves of the batches from step `since` on."""
    record, measured = training.timeline.record, training.measured
    since = min(since, len(record))
    tensors = {
        "loss": record.losses(since),
        "accuracy": record.accuracies(since),
        "test": record.test_curves(),
    }
    kernels = first_kernels(training.model)
    if kernels is not None:
        tensors["kernels"] = kernels
    layers = [_layer(one, training, tensors) for one in measured.layers]
    answer = {
        **short_report(training),
        "since": since,
        "rates": record.rates,
        "findings": [{"bad": True, "text": sentence(text)} for text in training.findings],
        "measured_at": measured.step,
        "test_loss": measured.test_loss,
        "test_accuracy": measured.test_accuracy,
        "layers": layers,
    }
    return Report(answer, tensors)


def _layer(
    one: LayerMeasures, training: WatchedTraining, tensors: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Return the numbers of a layer, and add its histograms to the tensors."""
    found = {
        "name": one.name,
        "kind": one.kind,
        "dead": one.dead,
        "update_ratio": one.update_ratio,
        "has_weights": one.weights is not None,
    }
    if one.weights is None or one.gradients is None:
        return found
    tensors[f"weights.{one.name}"] = one.weights.counts
    tensors[f"gradients.{one.name}"] = one.gradients.counts
    limits = {"weights": one.weights.limit, "gradients": one.gradients.limit}
    return {**found, "limits": limits}
