"""What the training doctor says of a training that is watched."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer.training.measures import Measured, Sample
from minicnn.apps.explorer.training.record import Record
from minicnn.explain import symptoms
from minicnn.models import Model

PATIENCE = 200  # steps for which the loss may stay at that of guessing, as in `Doctor`


def problems_at_begin(model: Model, sample: Sample) -> list[str]:
    """Return what is wrong with the network and the images, whatever the training does."""
    found = [
        symptoms.label_problems(model, sample.labels),
        symptoms.contradictory_labels(sample.x, sample.y),
        symptoms.stacked_linear(model),
    ]
    return [text for text in found if text is not None]


def problems_now(
    model: Model, sample: Sample, measured: Measured, record: Record, steps_per_epoch: int
) -> list[str]:
    """Return what is wrong at this step."""
    losses = [float(one) for one in record.losses(max(0, measured.step - PATIENCE))]
    losses = losses[:PATIENCE] if measured.step >= PATIENCE else []
    curves = epoch_curves(record, measured.step, steps_per_epoch)
    # Without gradients, as when all units are dead, no learning rate is too low.
    has_gradients = any(dw.any() for dw in measured.gradients.values())
    found = [
        symptoms.dead_units(model, measured.tape),
        symptoms.constant_output(measured.tape),
        symptoms.learning_rate_problem(model, measured.gradients) if has_gradients else None,
        symptoms.stuck(losses, symptoms.guessing_loss(model, sample.labels)),
        symptoms.curve_problems(curves),
        symptoms.unsettled_statistics(model, curves),
    ]
    return [text for text in found if text is not None]


def epoch_curves(record: Record, step: int, steps_per_epoch: int) -> dict[str, list[float]]:
    """Return the curves as `fit` reports them, for the epochs that have ended at this step."""
    epochs = step // steps_per_epoch
    ends = [record.tests.get((epoch + 1) * steps_per_epoch) for epoch in range(epochs)]
    tests = [one for one in ends if one is not None]
    return {
        "loss": _means(record.losses(), epochs, steps_per_epoch),
        "accuracy": _means(record.accuracies(), epochs, steps_per_epoch),
        "val_loss": [loss for loss, _ in tests],
        "val_accuracy": [accuracy for _, accuracy in tests],
    }


def sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop.

    >>> sentence("the loss grew: use a smaller learning rate")
    'The loss grew: use a smaller learning rate.'
    """
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _means(values: np.ndarray, epochs: int, steps_per_epoch: int) -> list[float]:
    rows = values[: epochs * steps_per_epoch].reshape(epochs, steps_per_epoch)
    return [float(one) for one in rows.mean(1)]
