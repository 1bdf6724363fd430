"""The library page: browse the pictures by class, date and certainty."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from minicnn.apps.library.listing import LIBRARY
from minicnn.apps.library.models import Extractor, Picture
from minicnn.apps.library.opening import Library
from minicnn.apps.web import service
from minicnn.apps.web.browsing import (
    CERTAINTIES,
    ORDERS,
    Choice,
    class_counts,
    networks,
    page_of,
    readable,
)
from minicnn.apps.web.service import Service


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Show a page of the library's pictures."""
    current = service.current()
    known = networks(current.library)
    network = _chosen(known, request.GET.get("network") or _usual(current))
    choice = Choice.of(request.GET)
    page = page_of(current.library, network, choice, request.GET.get("page", "1"))
    pictures = Picture.objects.using(current.library.alias)
    context = {
        "page_name": "library",
        "library_name": _title(current.library),
        "total": readable(current.library).count(),
        "failures": pictures.exclude(failure="").count(),
        "networks": known,
        "network": network,
        "choice": choice,
        "certainties": CERTAINTIES,
        "orders": ORDERS,
        "classes": class_counts(current.library, network),
        "page": page,
        "page_numbers": page.paginator.get_elided_page_range(
            page.number, on_each_side=1, on_ends=1
        ),
        "same": _same(request, "page"),
        "without_label": _same(request, "page", "label"),
    }
    return render(request, "web/library.html", context)


def _title(library: Library) -> str:
    """Return the folder of a library that is inside it, or what the library is called."""
    inside = library.file is not None and library.file.name.startswith(LIBRARY)
    return str(library.file.parent) if library.file and inside else library.name


def _usual(current: Service) -> str:
    return current.network.name if current.network else ""


def _chosen(known: list[Extractor], name: str) -> Extractor | None:
    """Return the network of that name, or the first one; None if there is none."""
    return next((one for one in known if one.name == name), known[0] if known else None)


def _same(request: HttpRequest, *without: str) -> str:
    """Return the words of the address that are set, without some of them."""
    return urlencode([(k, v) for k, v in request.GET.items() if v and k not in without])
