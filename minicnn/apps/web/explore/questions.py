"""What a request asks for: the words of its address, checked; and problems as refusals."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, QueryDict

from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.places import place_of
from minicnn.apps.explorer.problems import GONE, NO_LABEL, UNKNOWN, Problem
from minicnn.apps.explorer.recording import INPUT
from minicnn.apps.web.explore import state
from minicnn.apps.web.refusals import Refused
from minicnn.contracts import Shape
from minicnn.errors import ImageReadError, MiniCNNError
from minicnn.support.text import quoted

View = Callable[..., HttpResponse]

STATUS = {UNKNOWN: 404, GONE: 404, NO_LABEL: 409}  # of HTTP; 400 for all others
VALUE, GRADIENT = "value", "gradient"


def explains_problems(view: View) -> View:
    """Answer with the words of a problem, instead of a failure."""

    @functools.wraps(view)
    def answered(request: HttpRequest, **parts: Any) -> HttpResponse:
        try:
            with np.errstate(all="ignore"):  # NaN and infinity are answers like others
                return view(request, **parts)
        except Problem as problem:
            raise Refused(STATUS.get(problem.code, 400), str(problem), problem.code) from problem
        except ImageReadError as error:
            raise Refused(422, str(error), "unreadable") from error
        except MiniCNNError as error:
            raise Refused(400, str(error), "wrong") from error

    return answered


def the_network(words: QueryDict) -> OpenNetwork:
    """Return the network that is asked for; without a name, the first one."""
    explorer = state.current()
    name = words.get("network", "")
    return explorer.network(name or next(iter(explorer.networks)))


def the_pass(words: QueryDict, name: str = "pass") -> Pass:
    """Return the pass that is asked for; raise Problem if it is not kept any more."""
    return state.current().passes.get(words.get(name, ""))


def whole(words: QueryDict, name: str, usual: int, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`; `usual`, if the address has none."""
    text = words.get(name, "")
    digits = text.removeprefix("-")
    if not text:
        return usual
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Problem(f"{name} is a whole number; got {quoted(text)}")
    if not least <= int(text) <= most:
        raise Problem(f"{name} must be from {least} to {most}; got {text}")
    return int(text)


def the_step(words: QueryDict, one: Pass, *, with_loss: bool = False) -> int:
    """Return the number of a step, -1 for the input."""
    if not words.get("step"):
        raise Problem("say which step: step=0 is the first one, step=-1 the input")
    return whole(words, "step", 0, INPUT, one.loss_step - (not with_loss))


def the_label(words: QueryDict, network: OpenNetwork) -> int | None:
    """Return the number of the true class; None if the address has none."""
    if not words.get("label"):
        return None
    return whole(words, "label", 0, 0, len(network.class_names) - 1)


def the_parameter(words: QueryDict, one: Pass) -> str:
    """Return the name of a parameter that the network has."""
    name = words.get("parameter", "")
    one.parameter(name)
    return name


def the_place(words: QueryDict, shape: Shape, what: str) -> Shape:
    """Return the place that is asked for, in an array of this shape."""
    return place_of(words.get("at", ""), shape, what)


def of_gradient(words: QueryDict) -> bool:
    """Return whether gradients are asked for, not values."""
    of = words.get("of", VALUE)
    if of not in (VALUE, GRADIENT):
        raise Problem(f'of must be "value" or "gradient"; got {quoted(of)}')
    return of == GRADIENT
