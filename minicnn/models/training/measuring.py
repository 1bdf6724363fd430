"""The metrics of a network with their names in the logs, and where their arrays are."""

from __future__ import annotations

from collections.abc import Iterable

from minicnn.metrics import Metric
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.training.measures import LossOf, Measure, Measures


def new_measures(model: CompiledNetwork) -> Measures:
    """Return what is reported, with no samples counted."""
    return _measures(model, model.new_metrics())


def step_measures(model: CompiledNetwork) -> Measures:
    """Return what is reported, with the model's own metrics, reset: the same at each call."""
    metrics = model.step_metrics()
    if model.step_measures is None:
        model.step_measures = _measures(model, metrics)
    return model.step_measures


def _measures(model: CompiledNetwork, metrics: Iterable[Metric]) -> Measures:
    names, place = model.output_names, {t.output: i for i, t in enumerate(model.targets)}
    several = len(names) > 1
    taken: set[str] = set()
    found = []
    for reported, metric in zip(model.compiled_metrics, metrics, strict=True):
        prefix = f"{names[reported.output]}_" if several else ""
        name = _free_name(prefix, metric.name, taken, weighted=reported.weighted)
        output = reported.output if several else None
        target = place[reported.output] if len(place) > 1 else None
        found.append(Measure(name, metric, output, target, reported.weighted))
    if several:  # as Keras orders what `evaluate` returns
        found.sort(key=lambda measure: measure.name)
    order = model.loss_order or list(place)
    losses = [LossOf(f"{names[i]}_loss", place[i]) for i in order] if len(place) > 1 else []
    return Measures(losses, found)


def _free_name(prefix: str, name: str, taken: set[str], *, weighted: bool) -> str:
    """Return a name that is not taken, and take it: of two, the weighted one says that it is."""
    new = f"{prefix}{name}"
    if new in taken and weighted:
        new = f"{prefix}weighted_{name}"
    first, number = new, 0
    while new in taken:
        number += 1
        new = f"{first}_{number}"
    taken.add(new)
    return new
