"""What `compile` is given: losses, their weights and metrics, of one output or of several.

Lists go by the order of the outputs, dicts by their names. A network may learn its outputs only
when it sees its first batch, so what was given is kept, checked as far as possible, and `resolved`
when the outputs are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from minicnn import losses
from minicnn.checks import check_number, quoted, warn_caller
from minicnn.errors import ArgumentError
from minicnn.losses import Loss
from minicnn.metrics import Metric, as_metrics
from minicnn.models.training.measures import Reported


class Compiled(NamedTuple):
    """The arguments of `compile`, with losses as objects; lists and dicts as they were given."""

    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any


class Resolved(NamedTuple):
    """What a network with known outputs computes and reports."""

    losses: Loss | list[Loss | None] | None
    weights: list[float] | None
    reported: list[Reported]
    loss_order: list[int]  # the outputs that have a loss, in the order of their losses' values


def compiled(loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any) -> Compiled:
    """Return the arguments of `compile` after the checks that need no outputs."""
    if _are_metrics(loss_weights) and metrics is None:
        warn_caller(
            "compile(optimizer, loss, metrics) is the order of Keras 2; the third argument is "
            "loss_weights today: write metrics=[...]"
        )
        metrics, loss_weights = loss_weights, None
    return Compiled(
        _each(loss, _trainable_loss),
        _each(loss_weights, lambda weight: check_number(weight, "loss_weights")),
        _checked_metrics(metrics, "metrics"),
        _checked_metrics(weighted_metrics, "weighted_metrics"),
    )


def _trainable_loss(identifier: Any) -> Loss:
    """Return a loss from its name, a function or the object."""
    loss = losses.get(identifier)
    loss.check_trainable()
    return loss


def resolved(given: Compiled, names: Sequence[str], *, named: bool) -> Resolved:
    """Return the losses and metrics of each output.

    Parameters
    ----------
    names : the names of the outputs, in order
    named : whether the outputs were given as a dict, so that lists have no order to go by

    Raises
    ------
    ArgumentError : names or numbers do not fit the outputs
    """
    if len(names) == 1:
        return _of_one_output(given, names[0])
    for what in given._fields:
        _check_structure(getattr(given, what), what, names, named=named)
    loss, weights = given.loss, given.loss_weights
    each = [loss] * len(names) if isinstance(loss, Loss) else _by_output(loss, names)
    order = list(loss) if named and isinstance(loss, Mapping) else list(names)
    reported = [
        Reported(metric, names.index(name), weighted)
        for weighted, what in ((False, given.metrics), (True, given.weighted_metrics))
        for name, metrics in _metrics_by_output(what, names, named=named)
        for metric in metrics
    ]
    if loss is not None and not any(one is not None for one in each):
        raise ArgumentError(f"no output has a loss; the outputs are {list(names)}")
    _check_have_losses(reported, each, names)
    loss_order = [i for i in map(names.index, order) if each[i] is not None]
    return Resolved(each, _weights_by_output(weights, names), reported, loss_order)


def _of_one_output(given: Compiled, name: str) -> Resolved:
    """Return the loss and the metrics of a network with one output; lists and dicts of one fit."""
    loss, weight = (_only(one, name) for one in (given.loss, given.loss_weights))
    if isinstance(loss, (list, tuple, Mapping)) or isinstance(weight, (list, tuple, Mapping)):
        raise ArgumentError(
            f"the model has one output, {name!r}, so compile needs one loss and one of "
            f"loss_weights; got loss={quoted(given.loss)}, loss_weights={quoted(weight)}"
        )
    reported = [
        Reported(metric, 0, weighted)
        for weighted, what in ((False, given.metrics), (True, given.weighted_metrics))
        for metric in _flat_metrics(what, name)
    ]
    return Resolved(loss, None if weight is None else [weight], reported, [0])


def _only(given: Any, name: str) -> Any:
    """Return the only value of a list or a dict with one value."""
    if isinstance(given, Mapping):
        return given[name] if set(given) == {name} else given
    return given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given


def _flat_metrics(given: Any, name: str) -> list[Any]:
    """Return the metrics of a network's only output."""
    if isinstance(given, Mapping):
        if set(given) - {name}:
            raise ArgumentError(f"metrics has the keys {list(given)}; the output is {name!r}")
        given = given.get(name)
    several = given if isinstance(given, (list, tuple)) else [given]
    return as_metrics([metric for one in several for metric in _listed(one)])


def _check_structure(given: Any, what: str, names: Sequence[str], *, named: bool) -> None:
    """Raise ArgumentError if a dict has other keys than the outputs, or a list another length."""
    if isinstance(given, Mapping):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ArgumentError(f"{what} has the keys {unknown}; the outputs are {list(names)}")
    elif isinstance(given, (list, tuple)) and what in ("loss", "loss_weights"):
        if named:
            raise ArgumentError(
                f"the outputs are a dict, so {what} must be a dict, too, with the keys "
                f"{list(names)}; got a list"
            )
        if len(given) != len(names):
            raise ArgumentError(
                f"{what} has {len(given)} values, but there are {len(names)} outputs: {list(names)}"
            )


def _by_output(given: Any, names: Sequence[str]) -> list[Any]:
    """Return one value per output, None where there is none."""
    if isinstance(given, Mapping):
        return [given.get(name) for name in names]
    return [None] * len(names) if given is None else list(given)


def _weights_by_output(given: Any, names: Sequence[str]) -> list[float] | None:
    if given is None:
        return None
    if isinstance(given, (int, float)):
        return [float(given)] * len(names)
    return [1.0 if weight is None else weight for weight in _by_output(given, names)]


def _metrics_by_output(
    given: Any, names: Sequence[str], *, named: bool
) -> list[tuple[str, list[Any]]]:
    """Return the metrics of each output; a flat list of another length is for every output."""
    if isinstance(given, Mapping):
        each = [given.get(name) for name in names]
    elif given is not None and not named and len(given) == len(names):
        each = list(given)
    else:
        each = [given] * len(names)
    return [(name, as_metrics(_listed(one))) for name, one in zip(names, each, strict=True)]


def _check_have_losses(
    reported: Sequence[Reported], each: Sequence[Loss | None], names: Sequence[str]
) -> None:
    for one in reported:
        if each[one.output] is None:
            raise ArgumentError(
                f"output {names[one.output]!r} has no loss, so its labels are not used and it can "
                "have no metrics; give it a loss, perhaps with loss_weights 0"
            )


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _each(given: Any, function: Any) -> Any:
    """Return the lists and dicts with function(value) for each value that is not None."""
    if given is None:
        return None
    if isinstance(given, Mapping) and "config" not in given:  # else it is one serialized loss
        return {key: _each(value, function) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_each(value, function) for value in given]
    return function(given)


def _checked_metrics(given: Any, what: str) -> Any:
    """Return metrics after a check of their names; lists and dicts stay."""
    if given is None or (isinstance(given, (list, tuple)) and not given):
        return None
    if isinstance(given, Mapping):
        return {key: _listed(value) and as_metrics(_listed(value)) for key, value in given.items()}
    if not isinstance(given, (list, tuple)):
        return as_metrics(given)
    nested = any(one is None or isinstance(one, (list, tuple)) for one in given)
    each = [as_metrics(_listed(one)) for one in given]
    return each if nested else [metric for metrics in each for metric in metrics]


def _are_metrics(given: Any) -> bool:
    """Return whether this is a list of metrics, and so no list of numbers."""
    return (
        isinstance(given, (list, tuple))
        and bool(given)
        and all(isinstance(one, (str, Metric)) or callable(one) for one in given)
    )
