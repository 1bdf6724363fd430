"""Refusals as responses: JSON for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template

from minicnn.apps.web.refusals import RETRY_SECONDS, Refused

API = "/api/"  # where the addresses of the interface for programs begin
PAGE = "web/problem.html"
OLD_FORM = "This form is too old, or it came from another site. Reload the page and try again."


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Return the response to a request that is refused."""
    if request.path.startswith(API):
        content = {"code": refused.code, "message": refused.message}
        response: HttpResponse = JsonResponse(content, status=refused.status)
    else:
        response = HttpResponse(_page(request, refused), status=refused.status)
    if refused.status in (429, 503):
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form without the secret of its page; Django calls this."""
    return refusal(request, Refused(403, OLD_FORM, "csrf"))


def _page(request: HttpRequest, refused: Refused) -> str:
    title = HTTPStatus(refused.status).phrase
    context = {"title": title, "message": refused.message, "status": refused.status}
    return get_template(PAGE).render(context, request)
