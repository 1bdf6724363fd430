"""Refusals as responses: JSON for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template

from minicnn.apps.web.refusals import RETRY_SECONDS, Refused

API = ("/api/", "/explore/api/")  # where the addresses for programs begin
PAGE = "web/problem.html"
OLD_FORM = "This form is too old, or it came from another site. Reload the page and try again."

WRONG_FORM = "This form cannot be read: it is damaged, or it has too many fields or too long ones."
NOT_FOUND = "There is nothing at this address."
FAILED = "Something went wrong here; the messages of the server say what."


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


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse a form that cannot be read, or that has too much in it; `handler400` of the addresses.

    It is about the form's fields: the limit of a whole request is `middleware.limits`.
    """
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return refusal(request, Refused(status, WRONG_FORM, "wrong_form"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse an address that does not exist; `handler404` of the addresses."""
    return refusal(request, Refused(404, NOT_FOUND, "not_found"))


def failed(request: HttpRequest) -> HttpResponse:
    """Say that the server has a bug, without its details; `handler500` of the addresses."""
    return refusal(request, Refused(500, FAILED, "failed"))


def _page(request: HttpRequest, refused: Refused) -> str:
    title = HTTPStatus(refused.status).phrase
    context = {"title": title, "message": refused.message, "status": refused.status}
    return get_template(PAGE).render(context, request)
