"""Which pages this server has: those of a library, those of the explorer, or both."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from minicnn.apps.web import answers, service
from minicnn.apps.web.explore import state
from minicnn.apps.web.refusals import Refused

EXPLORER = "/explore/"


def secret() -> str | None:
    """Return the secret without which no request is answered; None: all are."""
    library = service.current().token if service.is_started() else None
    return library or state.token()


def pages(_request: HttpRequest) -> dict[str, bool]:
    """Return what templates must know to lead only to pages that exist."""
    return {"has_library": service.is_started(), "has_explorer": state.is_started()}


def elsewhere(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a request for a page that this server does not have; None: it has it."""
    explorer = request.path.startswith(EXPLORER)
    if state.is_started() if explorer else service.is_started():
        return None
    if request.path == "/" and state.is_started():
        return HttpResponseRedirect(reverse("explore"))
    return answers.refusal(request, Refused(404, answers.NOT_FOUND, "not_found"))
