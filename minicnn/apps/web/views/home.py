"""The first page: the form that takes a picture, and some pictures of the library."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from minicnn.apps.web import service
from minicnn.apps.web.browsing import readable
from minicnn.apps.web.cards import file_name, labels_of
from minicnn.apps.web.query_parameters import Asked
from minicnn.apps.web.refusals import Refused
from minicnn.apps.web.service import Service
from minicnn.apps.web.uploads import receive

SAMPLES = 12  # they fill rows of 4, 6 and 12


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the form."""
    return render(request, "web/home.html", _context())


def upload(request: HttpRequest) -> HttpResponse:
    """Take a picture and lead to what is similar; or show the form again, and what is wrong."""
    try:
        received = receive(request)
    except Refused as refused:
        words = {"message": refused.message, "address": request.POST.get("address", "").strip()}
        return render(request, "web/home.html", _context() | words, status=refused.status)
    address = Asked(upload=received.id).address
    return HttpResponseRedirect(f"{reverse('search')}?{address}", status=303)


def _context() -> dict[str, Any]:
    current = service.current()
    pictures = readable(current.library)
    return {
        "page_name": "search",
        "allow_urls": current.allow_urls,
        "count": pictures.count(),
        "samples": _samples(current, pictures),
    }


def _samples(current: Service, pictures: QuerySet[Any]) -> list[Any]:
    """Return some pictures from all over the library, with their names and classes."""
    ends = pictures.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    step = (ends["last"] - ends["first"] + 1) / SAMPLES
    starts = [ends["first"] + round(step * k) for k in range(SAMPLES)]
    rows = [pictures.filter(pk__gte=start).order_by("pk").first() for start in starts]
    found = {row.pk: row for row in rows if row is not None}
    labels = labels_of(current, found)
    for number, row in found.items():
        row.name, row.label = file_name(row), labels.get(number, "")
    return list(found.values())
