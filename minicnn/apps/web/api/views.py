"""What the interface for programs answers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from minicnn.apps.library.models import Features, Picture
from minicnn.apps.web import service, uploads
from minicnn.apps.web.answers import refusal
from minicnn.apps.web.api import description, fields
from minicnn.apps.web.pictures import find_picture
from minicnn.apps.web.refusals import Refused
from minicnn.version import __version__

View = Callable[..., HttpResponse]
Json = dict[str, Any]


def endpoint(method: str) -> Callable[[Callable[..., Json]], View]:
    """Return a decorator: the view answers this method only, with the function's result as JSON.

    A program has no form, and so no secret of Django's against forged ones. Requests of other sites
    are refused by `middleware.same_origin`.
    """

    def decorate(function: Callable[..., Json]) -> View:
        @csrf_exempt
        @functools.wraps(function)
        def view(request: HttpRequest, **parts: Any) -> HttpResponse:
            if request.method == method or (request.method, method) == ("HEAD", "GET"):
                return JsonResponse(function(request, **parts))
            message = f"Use {method} for this address."
            response = refusal(request, Refused(405, message, "wrong_method"))
            response["Allow"] = method if method == "POST" else "GET, HEAD"
            return response

        return view

    return decorate


@endpoint("GET")
def health(_request: HttpRequest) -> Json:
    """Say that the server works, and what it knows."""
    current = service.current()
    count = Picture.objects.using(current.library.alias).count()
    names = [extractor.name for extractor in current.extractors]
    return {"status": "ok", "version": __version__, "pictures": count, "extractors": names}


@endpoint("POST")
def classify(request: HttpRequest) -> Json:
    """Say what is on an image."""
    top = fields.top_of(request, fields.CLASSES)
    image = uploads.received(request)
    network = service.current().network
    return {
        "width": image.width,
        "height": image.height,
        "model": None if network is None else network.name,
        "classes": _classes(service.current().classify(image.content)[:top]),
    }


@endpoint("POST")
def search(request: HttpRequest) -> Json:
    """Find the pictures that are most similar to an image, or to pictures of the library."""
    current = service.current()
    weights, top = fields.weights_of(request), fields.top_of(request)
    like, unlike = (fields.numbers_of(request, name) for name in ("like", "unlike"))
    if like:
        for number in {*like, *unlike}:
            find_picture(number)
        query = current.query_of_pictures(like, unlike)
    else:
        query = current.query(uploads.received(request).content)
    label = request.POST.get("label") or None
    return {"hits": _hits(current.search(query, weights, top, label))}


@endpoint("GET")
def picture(_request: HttpRequest, number: str) -> Json:
    """Say what the library knows of a picture."""
    row = find_picture(int(number))
    found = Features.objects.using(service.current().library.alias).filter(picture=row)
    return {
        **_picture(row),
        "size": row.size,
        "sha256": row.sha256,
        "orientation": row.orientation,
        "taken": None if row.taken is None else row.taken.isoformat(),
        "failure": row.failure,
        "classes": {
            one.extractor.name: _classes((share, name) for name, share in one.top)
            for one in found.select_related("extractor").order_by("pk")
            if one.top
        },
    }


@endpoint("GET")
def openapi(_request: HttpRequest) -> Json:
    """Describe this interface."""
    return description.description(service.current().parts)


@endpoint("GET")
def unknown(_request: HttpRequest, **_parts: str) -> Json:
    """Refuse an address that is not part of the interface."""
    raise Refused(404, "There is nothing at this address; see /api/v1/openapi.json.", "not_found")


def _classes(classes: Iterable[tuple[float, str]]) -> list[Json]:
    return [{"name": name, "probability": share} for share, name in classes]


def _hits(hits: Sequence[Any]) -> list[Json]:
    rows = Picture.objects.using(service.current().library.alias)
    pictures = rows.in_bulk([hit.picture for hit in hits])
    return [
        {**_picture(pictures[hit.picture]), "score": hit.score, "parts": dict(hit.parts)}
        for hit in hits
        if hit.picture in pictures  # it may have been removed from the library in the meantime
    ]


def _picture(row: Picture) -> Json:
    return {"id": row.pk, "path": row.path, "width": row.width, "height": row.height}
