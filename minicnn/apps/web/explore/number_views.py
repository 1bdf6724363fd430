"""What pages ask about one number: how it was made, its gradient, and what changes it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from minicnn.apps.explorer import finite_difference
from minicnn.apps.explorer.changes import told
from minicnn.apps.explorer.explaining import explain_value
from minicnn.apps.explorer.explaining_gradients import explain_gradient, explain_weight
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.recording import INPUT
from minicnn.apps.explorer.reruns import Target
from minicnn.apps.web.explore.binary import binary, plain
from minicnn.apps.web.explore.questions import (
    explains_problems,
    of_gradient,
    the_parameter,
    the_pass,
    the_place,
    the_step,
)
from minicnn.contracts import Shape

LOSS_SHAPE = (1,)


@require_GET
@explains_problems
def number(request: HttpRequest) -> HttpResponse:
    """Explain a value, or the gradient of the loss by it."""
    words = request.GET
    one = the_pass(words)
    wants_gradient = of_gradient(words)
    step = the_step(words, one, with_loss=not wants_gradient)
    shape = _shape(one, step)
    place = (0,) if step == one.loss_step else the_place(words, shape, f"step {step}")
    explain = explain_gradient if wants_gradient else explain_value
    return binary(*explain(one, step, place))


@require_GET
@explains_problems
def weight(request: HttpRequest) -> HttpResponse:
    """Explain the gradient of the loss by one weight or bias."""
    one = the_pass(request.GET)
    name = the_parameter(request.GET, one)
    place = the_place(request.GET, one.parameter(name).shape, name)
    return binary(*explain_weight(one, name, place))


@require_POST
@explains_problems
def check(request: HttpRequest) -> HttpResponse:
    """Check a gradient by finite differences: that by a weight, or by a value of a step."""
    words = request.GET
    one = the_pass(words)
    if words.get("parameter"):
        name = the_parameter(words, one)
        place = the_place(words, one.parameter(name).shape, name)
        return plain(finite_difference.check(one, Target(name, INPUT, place)))
    step = the_step(words, one)
    place = the_place(words, one.recording.shape_of(step), f"step {step}")
    return plain(finite_difference.check(one, Target("", step, place)))


@require_GET
@explains_problems
def change(request: HttpRequest) -> HttpResponse:
    """Say in sentences why the probabilities of two passes differ."""
    before, after = (the_pass(request.GET, name) for name in ("before", "after"))
    return plain(told(before, after))


def _shape(one: Pass, step: int) -> Shape:
    return LOSS_SHAPE if step == one.loss_step else one.recording.shape_of(step)
