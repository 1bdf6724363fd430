"""What pages ask about one number: how it was made, its gradient, and what changes it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from minicnn.apps.explorer.explaining import explain_gradient, explain_value, explain_weight
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.web.explore.binary import binary
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


def _shape(one: Pass, step: int) -> Shape:
    return LOSS_SHAPE if step == one.loss_step else one.recording.shape_of(step)
