"""What a training measures beside the loss: each metric, under its name, of its output."""

from __future__ import annotations

from collections.abc import Iterable

from minicnn.metrics import Metric
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.training.measures import Measure


def new_measures(model: CompiledNetwork) -> list[Measure]:
    """Return the compiled metrics with no samples counted."""
    return measures_of(model, model.new_metrics())


def step_measures(model: CompiledNetwork) -> list[Measure]:
    """Return the model's own metrics, reset; each call returns the same objects."""
    return measures_of(model, model.step_metrics())


def measures_of(model: CompiledNetwork, metrics: Iterable[Metric]) -> list[Measure]:
    """Return the metrics with the names that they are reported under."""
    return [Measure(metric.name, metric) for metric in metrics]
