"""What pages ask about trainings: blocks to build with, and what a training does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from minicnn.apps.explorer.problems import UNKNOWN, Problem
from minicnn.apps.explorer.training.block_kinds import KINDS
from minicnn.apps.explorer.training.blocks import Plan, plan_network, read_blocks
from minicnn.apps.explorer.training.datasets import MNIST, data_choices, find_choice
from minicnn.apps.explorer.training.presets import PRESETS
from minicnn.apps.explorer.training.recipe import FIELDS
from minicnn.apps.explorer.training.reports import report, short_report
from minicnn.apps.explorer.training.watched import WatchedTraining
from minicnn.apps.web.explore import state
from minicnn.apps.web.explore.binary import binary, plain
from minicnn.apps.web.explore.questions import explains_problems, whole
from minicnn.apps.web.refusals import Refused
from minicnn.support.text import quoted

MOST_BYTES = 20_000  # of JSON
TOO_LONG = f"What was sent is too long; at most {MOST_BYTES:,} bytes are accepted."
Given = Mapping[str, Any]

ACTIONS: dict[str, Callable[[WatchedTraining, Given], None]] = {
    "run": lambda training, _: training.run(),
    "pause": lambda training, _: training.pause(),
    "step": lambda training, _: training.step(),
    "undo": lambda training, given: training.undo(given.get("steps", 1)),
    "seek": lambda training, given: training.seek(given.get("step")),
    "learning-rate": lambda training, given: training.change_rate(given.get("value")),
    "stop": lambda training, _: training.stop(),
}


@require_GET
@explains_problems
def blocks(request: HttpRequest) -> HttpResponse:
    """Say what a network can be built from, and what it can be trained with."""
    kinds = [
        {
            "kind": one.kind,
            "title": one.title,
            "help": one.help,
            "fields": [field.description() for field in one.fields],
        }
        for one in KINDS.values()
    ]
    choices = data_choices(state.current().trainings.folder)
    return plain(
        {
            "kinds": kinds,
            "presets": [one._asdict() for one in PRESETS.values()],
            "data": [one.description() for one in choices],
            "settings": [field.description() for field in FIELDS],
        }
    )


@require_POST
@explains_problems
def build(request: HttpRequest) -> HttpResponse:
    """Say which sizes a network of blocks has, and which block does not fit."""
    given = _object(request)
    choice = find_choice(given.get("data", MNIST), state.current().trainings.folder)
    read = read_blocks(given.get("blocks"))
    return plain(_planned(plan_network(choice.input_shape, len(choice.class_names), read)))


@require_POST
@explains_problems
def start(request: HttpRequest) -> HttpResponse:
    """Begin a training; it waits at step 0."""
    training = state.current().trainings.start(_object(request))
    return plain({"number": training.number, **training.ask(short_report)})


@require_GET
@explains_problems
def training(request: HttpRequest, number: int) -> HttpResponse:
    """Say where a training is, and what was measured."""
    since = whole(request.GET, "since", 0, 0, 10**9 - 1)
    found = state.current().trainings.find(number).ask(lambda one: report(one, since))
    return binary(found.answer, found.tensors)


@require_POST
@explains_problems
def act(request: HttpRequest, number: int, action: str) -> HttpResponse:
    """Run, pause or change a training; say where it is then."""
    if action not in ACTIONS:
        known = ", ".join(ACTIONS)
        raise Problem(f"a training can {known}; got {quoted(action, 30)}", UNKNOWN)
    found = state.current().trainings.find(number)
    ACTIONS[action](found, _object(request))
    return plain(found.ask(short_report))


def _planned(plan: Plan) -> dict[str, Any]:
    layers = [
        {
            "block": row.block,
            "title": row.title,
            "name": row.name,
            "shape": row.shape,
            "parameters": row.parameters,
            "operations": row.operations,
        }
        for row in plan.rows
    ]
    problems = [one._asdict() for one in plan.problems]
    totals = {"total": plan.parameters, "operations": plan.operations}
    return {"layers": layers, **totals, "problems": problems}


def _object(request: HttpRequest) -> Given:
    """Return the object of JSON that a request brings; without a body, an empty one."""
    content = request.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Refused(413, TOO_LONG, "too_large")
    try:
        given = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise Problem(f"what was sent is no JSON: {quoted(content[:40], 60)}") from error
    if not isinstance(given, dict):
        raise Problem(f'send an object of JSON such as {{"step": 3}}; got {quoted(given, 40)}')
    return given
