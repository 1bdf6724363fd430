"""Give all processes what rank 0 has at the beginning of a training."""

from __future__ import annotations

from typing import Any

from minicnn.distributed.communicator import Communicator
from minicnn.models.compiled_network import CompiledNetwork


def broadcast_training(communicator: Communicator, model: CompiledNetwork) -> None:
    """Give every rank the weights, the optimizer's state and the progress that rank 0 has."""
    if communicator.size == 1:
        return
    state = communicator.broadcast(_state_of(model) if communicator.rank == 0 else None)
    if communicator.rank != 0:
        _take(model, state)


def _state_of(model: CompiledNetwork) -> dict[str, Any]:
    optimizer, _ = model.need_compiled()
    return {
        "weights": model.get_weights(),
        "parameters": list(model.named_parameters()),
        "slots": model.slots,
        "optimizer": optimizer.get_state(),
        "progress": _progress(model) if model.in_training else None,
        "callbacks": [(one.get_state(), one.get_arrays()) for one in model.session.callbacks],
        "stop": model.stop_training,
    }


def _progress(model: CompiledNetwork) -> dict[str, Any]:
    """Return how far the training has come; a checkpoint may just have been loaded."""
    state = model.session.state
    return {**state.get_state(), "totals": state.resumed}


def _take(model: CompiledNetwork, state: dict[str, Any]) -> None:
    optimizer, _ = model.need_compiled()
    model.set_weights(state["weights"])
    # By their order: a layer that has no name of its own may have another one here.
    parameters = dict(zip(state["parameters"], model.parameters, strict=True))
    for (path, name), array in state["slots"].items():
        model.slot(parameters[path], name)[...] = array
    optimizer.set_state(state["optimizer"])
    if state["progress"] is not None:
        model.session.state.set_state(state["progress"])
    for callback, (values, arrays) in zip(model.session.callbacks, state["callbacks"], strict=True):
        callback.set_state(values)
        callback.set_arrays(arrays)
    model.stop_training = state["stop"]
