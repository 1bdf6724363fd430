"""What `compile` was given, in Keras's config and back: the optimizer, the losses, the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn import losses, metrics, optimizers
from minicnn.errors import FormatError, UnsupportedError
from minicnn.interop.keras.reading_objects import plain
from minicnn.losses import Loss
from minicnn.models.model import Model
from minicnn.models.saving.archive.container import shown

# What only Keras 2's optimizers have, and that says how it computes.
WITHOUT_EFFECT = ("jit_compile", "is_legacy_optimizer", "experimental_update_dtype")
# The names of Keras 2's metrics in an HDF5 file are those of their functions.
ACCURACY = ("accuracy", "acc")
NOT_IN_KERAS = ("InverseDecay", "Constant")  # schedules


def compile_from(network: Model, config: Mapping[str, Any], path: object) -> None:
    """Compile a network as a Keras file describes it, in the form of Keras 2 or 3.

    Raises
    ------
    FormatError : it names what minicnn does not have; `compile=False` loads the network alone
    """
    optimizer = config.get("optimizer", config.get("optimizer_config"))
    if optimizer is None:
        return
    try:
        network.compile(
            optimizer=_optimizer(optimizer, path),
            loss=_nested(config.get("loss"), path, _loss),
            loss_weights=config.get("loss_weights"),
            metrics=_nested(config.get("metrics"), path, _metric),
            weighted_metrics=_nested(config.get("weighted_metrics"), path, _metric),
        )
    except FormatError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnsupportedError(
            path, f"its training cannot be taken over: {error}. "
            "load_model(path, compile=False) loads the network alone"
        ) from error  # fmt: skip


def compile_config(network: Model, path: object) -> dict[str, Any]:
    """Return Keras's `compile_config`; {} for a network that is not compiled."""
    if network.optimizer is None or network.loss is None:
        return {}
    given = network.loss
    several = not isinstance(given, Loss)
    loss = _loss_config(given) if isinstance(given, Loss) else [_loss_config(one) for one in given]
    plain_ones, weighted = (_metrics_config(network, weighted=w) for w in (False, True))
    weights = network.loss_weights
    return {
        "optimizer": _optimizer_config(network, path),
        "loss": loss,
        "loss_weights": weights if several or weights is None else weights[0],
        "metrics": plain_ones,
        "weighted_metrics": weighted,
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": False,
    }


def legacy_training_config(network: Model, path: object) -> dict[str, Any]:
    """Return the same as an HDF5 file has it."""
    config = compile_config(network, path)
    optimizer = config.pop("optimizer", None)
    if optimizer is None:
        return {}
    names = ("class_name", "config")
    return {**config, "optimizer_config": {key: optimizer[key] for key in names}}


def short_float(value: Any) -> Any:
    """Return a number that was rounded to float32 as it was before, if it has few digits.

    >>> short_float(0.0010000000474974513), short_float(0.1)
    (0.001, 0.1)
    """
    if isinstance(value, float) and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


# --- reading ------------------------------------------------------------------------------------


def _optimizer(value: Any, path: object) -> Any:
    """Return the optimizer; Keras 2 has some arguments more, and `lr` and `decay`."""
    found = plain(value, path, "the optimizer")
    if not isinstance(found, Mapping):
        return found
    config = {k: short_float(v) for k, v in found["config"].items() if k not in WITHOUT_EFFECT}
    rate = config.pop("lr", config.get("learning_rate"))
    decay = config.pop("decay", 0.0)
    if decay:
        schedule = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        rate = {"class": "InverseTimeDecay", "config": schedule}
    if rate is not None:
        config["learning_rate"] = rate
    return optimizers.deserialize({"class": found["class"], "config": config})


def _nested(value: Any, path: object, made: Any) -> Any:
    """Return lists and dicts of losses or metrics with the objects that they describe."""
    if isinstance(value, list):
        return [_nested(one, path, made) for one in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {key: _nested(one, path, made) for key, one in value.items()}
    return None if value is None else made(value, path)


def _loss(value: Any, path: object) -> Any:
    found = plain(value, path, "the loss")
    if not isinstance(found, Mapping) or "class" not in found:
        return _by_name(found)
    config = {k: v for k, v in found["config"].items() if k != "fn"}
    if found["class"] == "LossFunctionWrapper":
        return _by_name(found["config"].get("fn"))
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return losses.deserialize({"class": found["class"], "config": config})


def _metric(value: Any, path: object) -> Any:
    found = plain(value, path, "a metric")
    if not isinstance(found, Mapping) or "class" not in found:
        return _by_name(found)
    config = {k: v for k, v in found["config"].items() if k != "fn"}
    if found["class"] == "MeanMetricWrapper":
        name = str(config.get("name") or "")
        return "accuracy" if name.endswith(ACCURACY) else _by_name(found["config"].get("fn"))
    return metrics.deserialize({"class": found["class"], "config": config})


def _by_name(value: Any) -> Any:
    """Return a name, or the name of a function of the user's own."""
    if isinstance(value, Mapping) and set(value) == {"function"}:
        return value["function"]
    if not isinstance(value, str):
        raise ValueError(f"{shown(str(value))} is no name of a loss or metric")
    return value


# --- writing ------------------------------------------------------------------------------------


def _optimizer_config(network: Model, path: object) -> dict[str, Any]:
    optimizer, _ = network.need_compiled()
    config = dict(optimizer.get_config())
    if not config.pop("decoupled", True) and config.get("weight_decay"):
        raise UnsupportedError(
            path, "Keras's optimizers have no weight decay with decoupled=False; use an L2 "
            "regularizer, or save with include_optimizer=False"
        )  # fmt: skip
    rate = config["learning_rate"]
    config["learning_rate"] = _rate_config(rate, path)
    return _described("keras.optimizers", type(optimizer).__name__, config)


def _rate_config(rate: Any, path: object) -> Any:
    """Return the learning rate, which is a float32 in Keras, or its schedule."""
    if not isinstance(rate, Mapping):
        return float(np.float32(rate))
    if rate["class"] in NOT_IN_KERAS:
        raise UnsupportedError(path, f"Keras has no schedule {rate['class']}")
    return _described("keras.optimizers.schedules", rate["class"], rate["config"])


def _loss_config(loss: Loss | None) -> Any:
    if loss is None:
        return None
    found = losses.serialize(loss)
    return _described("keras.losses", found["class"], found["config"])


def _metrics_config(network: Model, *, weighted: bool) -> Any:
    """Return the metrics: a list, or one for each of several outputs."""
    outputs = len(network.graph.outputs)
    found: list[list[Any]] = [[] for _ in range(outputs)]
    for one in network.compiled_metrics:
        if one.weighted == weighted:
            found[one.output].append(_metric_config(one.metric))
    if not any(found):
        return None
    return found[0] if outputs == 1 else found


def _metric_config(metric: Any) -> Any:
    found = metrics.serialize(metric)
    if isinstance(found, str):
        return found
    return _described("keras.metrics", found["class"], found["config"])


def _described(module: str, name: str, config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}
