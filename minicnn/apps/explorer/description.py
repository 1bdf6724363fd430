"""A network described for a page: its parameters, its steps, and how the program runs them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.recording import INPUT, Recording, Step
from minicnn.apps.explorer.step_titles import attributes, name_of, title
from minicnn.contracts import Shape


def network_entry(network: OpenNetwork) -> dict[str, Any]:
    """Return the line of a list of networks, fit for JSON."""
    return {
        "name": network.name,
        "title": network.title or network.name,
        "input_shape": list(network.input_shape),
        "class_names": list(network.class_names),
        "epoch": network.epoch,
        "run": network.run,
    }


def described(network: OpenNetwork) -> dict[str, Any]:
    """Return all that a page must know about a network, fit for JSON."""
    shapes = {name: value.shape for name, value in network.parameters.items()}
    steps = network.recording.steps
    return {
        **network_entry(network),
        "black": _fed(network, 0),
        "white": _fed(network, 255),
        "parameters": [
            {"name": name, "shape": list(shape), "count": int(network.parameters[name].size)}
            for name, shape in shapes.items()
        ],
        "steps": [_step(step, shapes) for step in steps],
        "output": network.recording.output,
        "loss": len(steps),
        "fused": fused(network),
    }


def _fed(network: OpenNetwork, pixel: int) -> list[float]:
    """Return what the network is fed for a pixel of this brightness, in each channel."""
    image = np.full((1, 1, 1, network.input_shape[2]), pixel, np.float32)
    fed: list[float] = network.preprocess._replace(background="")(image).ravel().tolist()
    return fed


def fused(network: OpenNetwork) -> list[dict[str, Any]]:
    """Return the kernels of the program in which several steps are computed at once."""
    program = network.model.program(1, training=False)
    results = {}  # the step whose result a call of a kernel writes -> the kernel
    for call in program.steps[program.constant_steps :]:
        written = program.buffers[call.writes[0]].name if call.writes[0] is not None else ""
        match = re.fullmatch(r"\w+_(\d+)", written)
        if match:
            results[int(match[1])] = call.kernel.removesuffix("_forward")
    groups = (
        (kernel, _computed(last, results, network.recording)) for last, kernel in results.items()
    )
    return [
        {"kernel": kernel, "steps": steps, "text": _fused_text(kernel, steps, network.recording)}
        for kernel, steps in groups
        if len(steps) > 1
    ]


def _computed(last: int, results: dict[int, str], recording: Recording) -> list[int]:
    """Return the steps that one call computes: back to the results of other calls."""
    found, waiting = {last}, [last]
    while waiting:
        for source in recording.steps[waiting.pop()].reads.values():
            step = source.step
            if step is not None and step != INPUT and step not in results and step not in found:
                found.add(step)
                waiting.append(step)
    return sorted(found)


def _fused_text(kernel: str, steps: list[int], recording: Recording) -> str:
    operations = [recording.steps[step].name for step in steps]
    names = [name_of(operation) for operation in operations]
    text = (
        f"{', '.join(names[:-1])} and {names[-1]} are computed by one function of the program, "
        f"{kernel}"
    )
    if "batch_norm_inference" in operations:
        text += "; the batch normalization is multiplied into the weights beforehand"
    if "reshape" in operations:
        text += "; for the new shape nothing is copied"
    return f"{text}. The values between them are never stored; they are shown here anyway."


def _step(step: Step, shapes: dict[str, Shape]) -> dict[str, Any]:
    own = {name: shapes[parameter] for name, parameter in step.parameters.items()}
    return {
        "index": step.number,
        "operation": step.name,
        "layer": step.layer,
        "title": title(step, own),
        "shape": list(step.shape),
        "reads": _reads(step),
        "parameters": step.parameters,
        "attributes": attributes(step),
    }


def _reads(step: Step) -> list[dict[str, int]]:
    numbers = [source.step for source in step.reads.values() if source.step is not None]
    return [{"input": 0} if number == INPUT else {"step": number} for number in numbers]
