"""The page with the query, its class, and what is similar; or what is inside the network."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from minicnn.apps.library.searching import Hit, usual_weights
from minicnn.apps.web import service
from minicnn.apps.web.answers import NOT_FOUND
from minicnn.apps.web.browsing import class_counts, readable, row_of
from minicnn.apps.web.cards import answers_of_top, cards, titles
from minicnn.apps.web.charts import distribution
from minicnn.apps.web.network_drawings import first_layer
from minicnn.apps.web.query_content import classes_of, query_of, query_pictures
from minicnn.apps.web.query_parameters import TOP, Asked, asked
from minicnn.apps.web.refusals import Refused
from minicnn.apps.web.service import Service
from minicnn.apps.web.views.home import upload
from minicnn.errors import ArgumentError, FetchRefused

SIMILAR, INSIDE, KEYWORD = "similar", "inside", "keyword"  # the tabs
TOP_CLASSES = 5  # in the list


class Slider(NamedTuple):
    """How much a part of the score counts."""

    name: str
    title: str
    number: int  # of its color
    value: int  # 0...100
    share: float  # of all sliders


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Take a picture (POST); or show what is similar to the pictures in the address (GET)."""
    if request.method == "POST":
        return upload(request)
    current, wanted = service.current(), asked(request.GET)
    if request.GET.get("fragment") == "hits":
        return render(request, "web/parts/hits.html", _hits(current, wanted))
    context = _query(current, wanted)
    tab = request.GET.get("tab")
    if tab == INSIDE and context["has_inside"]:
        context |= {"tab": INSIDE} | _inside(current, wanted)
    elif tab == KEYWORD and context["keyword_host"]:
        context |= {"tab": KEYWORD, "keyword_links": None}
    else:
        context |= {"tab": SIMILAR} | _similar(current, wanted)
    return render(request, "web/results.html", context)


@require_POST
def keyword(request: HttpRequest) -> HttpResponse:
    """Ask the search engine for pictures of the class that the network sees."""
    current, wanted = service.current(), asked(request.GET)
    context = _query(current, wanted) | {"tab": KEYWORD}
    if current.keywords is None or context["judgment"] is None:
        raise Refused(404, NOT_FOUND, "no_keywords")
    try:
        context["keyword_links"] = current.keywords.search(context["judgment"].name)
    except FetchRefused:
        context["keyword_problem"] = f"{current.keywords.host} gave no list of pictures."
    status = 502 if "keyword_problem" in context else 200
    return render(request, "web/results.html", context, status=status)


def _query(current: Service, wanted: Asked) -> dict[str, Any]:
    """Return what the first card shows: the query, its classes, and their probabilities."""
    classes = classes_of(current, wanted)
    names = current.network.class_names if current.network and classes else []
    answers = answers_of_top(classes[:TOP_CLASSES], names)
    return {
        "query_pictures": query_pictures(wanted),
        "answers": answers,
        "judgment": answers[0] if answers else None,
        "several": not wanted.is_single,
        "chart": distribution([dict(classes)[one] for one in names], names) if names else None,
        "network_name": current.network.name if current.network else "",
        "has_inside": bool(answers),
        "keyword_host": current.keywords.host if current.keywords and answers else "",
        "tab_query": wanted.address,
        "page_name": "search",
    }


def _similar(current: Service, wanted: Asked) -> dict[str, Any]:
    network = row_of(current.library, current.network)
    plain = wanted._replace(weights=None, label="")
    return _hits(current, wanted) | {
        "kept": wanted.pairs,
        "sliders": _sliders(current, wanted),
        "classes": class_counts(current.library, network),
        "usual_query": plain.address,
    }


def _hits(current: Service, wanted: Asked) -> dict[str, Any]:
    hits = _found(current, wanted)
    return {
        "cards": cards(current, wanted, hits),
        "count": readable(current.library).count(),
        "label": wanted.label,
    }


def _found(current: Service, wanted: Asked) -> list[Hit]:
    try:
        query = query_of(current, wanted)
        return current.search(query, wanted.weights, TOP, label=wanted.label or None)
    except ArgumentError as error:  # an unknown part, or a picture that cannot be read
        raise Refused(400, f"There is no such search: {error}.", "no_such_search") from error


def _sliders(current: Service, wanted: Asked) -> list[Slider]:
    """Return a slider for each part of the score; those that nobody moved stand at their share."""
    names = titles(current.extractors)
    weights = wanted.weights or usual_weights([one.name for one in current.extractors])
    values = {name: weights.get(name, 0.0) for name in names}
    total = sum(values.values()) or 1.0
    scale = 100.0 if wanted.weights is None else 1.0
    return [
        Slider(name, title, number, round(scale * values[name]), values[name] / total)
        for number, (name, title) in enumerate(names.items())
    ]


def _inside(current: Service, wanted: Asked) -> dict[str, Any]:
    layer = None if current.network is None else first_layer(current.network)
    return {"picture_query": urlencode(wanted.pairs), "layer": layer}
