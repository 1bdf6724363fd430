"""What pages ask about networks: their steps, and what they compute for an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_GET, require_POST

from minicnn.apps.explorer.description import described, network_entry
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.web.explore import state
from minicnn.apps.web.explore.binary import binary, plain
from minicnn.apps.web.explore.pass_input import input_of
from minicnn.apps.web.explore.questions import (
    explains_problems,
    of_gradient,
    the_label,
    the_network,
    the_parameter,
    the_pass,
    the_step,
    whole,
)

CHANNELS, MOST_CHANNELS = 16, 4096
IMAGES, MOST_IMAGES = 24, 200


@require_GET
@explains_problems
def networks(request: HttpRequest) -> HttpResponse:
    """List the networks that can be chosen, and the sources of images."""
    explorer = state.current()
    entries = [network_entry(one) for one in explorer.all_networks()]
    return plain({"networks": entries, "sources": list(explorer.sources)})


@require_GET
@explains_problems
def network(request: HttpRequest) -> HttpResponse:
    """Describe a network: its parameters, its steps, and how the program runs them."""
    return plain(described(the_network(request.GET)))


@require_POST
@explains_problems
def compute(request: HttpRequest) -> HttpResponse:
    """Compute a pass; answer with the first channels of every step's result."""
    words = request.GET
    chosen = the_network(words)
    channels = whole(words, "channels", CHANNELS, 0, MOST_CHANNELS)
    x = input_of(request, chosen)
    label = the_label(words, chosen)
    one = state.current().compute(chosen, x, label, words.getlist("edit"))
    answer = {**_summary(one), "image_label": _image_label(words, chosen)}
    return binary(answer, _maps(one, channels))


@require_GET
@explains_problems
def values(request: HttpRequest) -> HttpResponse:
    """Answer with channels of one step's result, or of the loss's gradient by it."""
    one = the_pass(request.GET)
    step = the_step(request.GET, one)
    array = one.gradient(step) if of_gradient(request.GET) else one.value(step)
    start = whole(request.GET, "start", 0, 0, 10**9 - 1)
    count = whole(request.GET, "count", 64, 0, MOST_CHANNELS)
    answer = {**_range(array), "channels_total": _channels(array)}
    return binary(answer, {"values": _floats(array)[..., start : start + count]})


@require_GET
@explains_problems
def parameter(request: HttpRequest) -> HttpResponse:
    """Answer with a whole parameter, or with the loss's gradient by it."""
    one = the_pass(request.GET)
    name = the_parameter(request.GET, one)
    array = one.parameter_gradient(name) if of_gradient(request.GET) else one.parameter(name)
    return binary({**_range(array), "parameter": name}, {"values": array})


@require_GET
@explains_problems
def images(request: HttpRequest) -> HttpResponse:
    """List images that can be chosen, with thumbnails."""
    chosen = the_network(request.GET)
    found = state.current().images(request.GET.get("source", "mnist"))
    start = whole(request.GET, "start", 0, 0, 10**9 - 1)
    count = whole(request.GET, "count", IMAGES, 0, MOST_IMAGES)
    numbers = range(min(start, len(found)), min(start + count, len(found)))
    entries = [found.chosen(number, chosen) for number in numbers]
    answer = {
        "total": len(found),
        "images": [
            {"image": one.address, "label": one.label, "title": one.title} for one in entries
        ],
    }
    return binary(answer, {"thumbnails": found.thumbnails(numbers)})


def _image_label(words: QueryDict, network: OpenNetwork) -> int | None:
    address = words.get("image", "")
    return state.current().image_label(address, network) if address else None


def _summary(one: Pass) -> dict[str, Any]:
    names = one.network.class_names
    return {
        "id": one.id,
        "network": one.network.name,
        "label": one.label,
        "loss": None if one.loss is None else one.loss.value,
        "classes": list(zip(names, map(float, one.probabilities), strict=True)),
        "steps": [_step(one, step) for step in range(one.loss_step)],
    }


def _step(one: Pass, step: int) -> dict[str, Any]:
    array = one.value(step)
    return {"index": step, "channels_total": _channels(array), **_range(array)}


def _range(array: np.ndarray) -> dict[str, float]:
    return {"minimum": float(array.min()), "maximum": float(array.max())}


def _channels(array: np.ndarray) -> int:
    return int(array.shape[-1]) if array.ndim else 1


def _maps(one: Pass, channels: int) -> dict[str, np.ndarray]:
    """Return the first channels of each step; of rows of values all, as they are few."""
    maps = {f"step.{step}": _first(one.value(step), channels) for step in range(one.loss_step)}
    return {"input": one.value(-1), **maps, "output": one.output}


def _first(array: np.ndarray, channels: int) -> np.ndarray:
    return _floats(array)[..., :channels] if array.ndim > 1 else _floats(array)


def _floats(array: np.ndarray) -> np.ndarray:
    """Return values as float32 with at least one axis; a few operations compute integers."""
    return np.atleast_1d(array.astype(np.float32, copy=False))
