"""What every request passes: who may ask, from where, how much; and the headers of all responses.

Each function is a middleware of Django: it takes the next one, and returns the function that
answers requests. `settings.MIDDLEWARE` has their order.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from urllib.parse import urlencode

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from minicnn.apps.web import refusals, served
from minicnn.apps.web.answers import refusal
from minicnn.apps.web.refusals import MAX_UPLOAD, Refused

Answer = Callable[[HttpRequest], HttpResponse]

HEADERS = {
    # Scripts and styles come only from files of this server, so nothing that a file name or a form
    # brings into a page can run. Bootstrap's style sheet has its arrows as data: images.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not less: a form without it would have no origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # no other site can show pictures of this one
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OWN_SITES = ("same-origin", "none")  # "none": the person typed the address
MAX_REQUEST = MAX_UPLOAD + 100_000  # bytes, with the other fields of a form
AT_A_TIME = 16  # requests that are worked on; the server has more threads, to refuse the others
TOKEN_SECONDS = 7 * 24 * 3600
WRONG_HOST = "This server does not answer to that name; use the address that it printed."
ZERO_BYTE = "This address has a zero byte in it."
NO_TOKEN = "Open the address that was printed when the server started; it contains a secret."
OTHER_SITE = "Requests from other sites are not answered."


def headers(answer: Answer) -> Answer:
    """Add the headers that protect the browser to all responses."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answered


class Refusals:
    """Answers a request whose view raised Refused."""

    def __init__(self, answer: Answer) -> None:
        """Take the next middleware."""
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        return self.answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the response to a refused request; Django calls this for errors of views."""
        return refusal(request, error) if isinstance(error, Refused) else None


def known_host(answer: Answer) -> Answer:
    """Refuse requests for another name than this server's.

    A page of another site can make its own name resolve to this machine (DNS rebinding). Its
    requests then have that name.
    """

    def answered(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            return refusal(request, Refused(400, WRONG_HOST, "unknown_host"))
        return answer(request)

    return answered


def no_zero_bytes(answer: Answer) -> Answer:
    """Refuse addresses with a zero byte, which PostgreSQL has in no text."""

    def answered(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return refusal(request, Refused(400, ZERO_BYTE, "zero_byte"))
        return answer(request)

    return answered


def token(answer: Answer) -> Answer:
    """Refuse requests without the secret, if there is one.

    It is in the address that the command prints, and in a cookie after the first visit;
    programs send it as `Authorization: Bearer TOKEN`.
    """

    def answered(request: HttpRequest) -> HttpResponse:
        secret = served.secret()
        if secret is None or _is(secret, request.COOKIES.get(_cookie(secret), "")):
            return answer(request)
        if _is(f"Bearer {secret}", request.headers.get("Authorization", "")):
            return answer(request)
        if request.method == "GET" and _is(secret, request.GET.get("token", "")):
            return _with_cookie(request, secret)
        return refusal(request, Refused(401, NO_TOKEN, "no_token"))

    return answered


def same_origin(answer: Answer) -> Answer:
    """Refuse requests that a page of another site makes; it may only link to this one.

    Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`, which no page can
    change. Programs send neither.
    """

    def answered(request: HttpRequest) -> HttpResponse:
        if _from_here(request) or _is_link(request):
            return answer(request)
        return refusal(request, Refused(403, OTHER_SITE, "other_site"))

    return answered


def what_is_served(answer: Answer) -> Answer:
    """Refuse addresses that this server does not have: the library's or the explorer's."""

    def answered(request: HttpRequest) -> HttpResponse:
        found = served.elsewhere(request)
        return answer(request) if found is None else found

    return answered


def limits(answer: Answer) -> Answer:
    """Refuse requests that are too large, and those that come while too many are worked on."""
    free = threading.BoundedSemaphore(AT_A_TIME)

    def answered(request: HttpRequest) -> HttpResponse:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_REQUEST:
            return refusal(request, Refused(413, refusals.TOO_LARGE, "too_large"))
        if not free.acquire(blocking=False):
            return refusal(request, refusals.busy())
        try:
            return answer(request)
        finally:
            free.release()

    return answered


def _is(secret: str, given: str) -> bool:
    """Compare in a time that does not tell how many characters are right."""
    return hmac.compare_digest(secret.encode(), given.encode(errors="replace"))


def _cookie(secret: str) -> str:
    """Return the cookie's name; servers on other ports of this machine have other ones."""
    return f"minicnn-{hashlib.sha256(secret.encode()).hexdigest()[:16]}"


def _with_cookie(request: HttpRequest, secret: str) -> HttpResponse:
    """Set the cookie, and lead to the same address without the secret."""
    rest = [(k, v) for k, values in request.GET.lists() if k != "token" for v in values]
    path = "/" + request.path.lstrip("/")  # not "//other.site"
    response = HttpResponseRedirect(f"{path}?{urlencode(rest)}" if rest else path)
    response.set_cookie(
        _cookie(secret), secret, max_age=TOKEN_SECONDS, httponly=True, samesite="Lax"
    )
    return response


def _from_here(request: HttpRequest) -> bool:
    own = f"{request.scheme}://{request.get_host()}"
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    return (site is None or site in OWN_SITES) and (origin is None or origin == own)


def _is_link(request: HttpRequest) -> bool:
    """Return whether the request follows a link, for the browser's window and not for a frame."""
    fetch = {name: request.headers.get(f"Sec-Fetch-{name}") for name in ("Mode", "Dest")}
    return request.method in SAFE_METHODS and fetch == {"Mode": "navigate", "Dest": "document"}
