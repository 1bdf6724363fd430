"""The fields of a request, checked."""

from __future__ import annotations

import json
import re

from django.http import HttpRequest

from minicnn.apps.web.refusals import Refused
from minicnn.support.text import quoted

TOP = 20  # pictures that are found, by default
CLASSES = 5  # that are named, by default
MAX_TOP = 200
MAX_LIKE = 50  # pictures that a search begins with
MAX_WEIGHT = 1e6
MAX_NUMBER = 2**63 - 1  # ids of databases have 64 bits
DIGITS = re.compile("[0-9]{1,19}", re.ASCII)


def top_of(request: HttpRequest, usual: int = TOP) -> int:
    """Return how many pictures or classes are wanted."""
    text = request.POST.get("top", str(usual))
    if not DIGITS.fullmatch(text) or not 1 <= int(text) <= MAX_TOP:
        raise wrong("top", f"an integer in 1...{MAX_TOP}", text)
    return int(text)


def numbers_of(request: HttpRequest, name: str) -> list[int]:
    """Return the ids of pictures in a field that may be repeated."""
    texts = request.POST.getlist(name)
    if len(texts) > MAX_LIKE:
        raise Refused(400, f"{name} may be repeated {MAX_LIKE} times", "wrong_field")
    for text in texts:
        if not DIGITS.fullmatch(text) or int(text) > MAX_NUMBER:
            raise wrong(name, "the id of a picture", text)
    return [int(text) for text in texts]


def weights_of(request: HttpRequest) -> dict[str, float] | None:
    """Return {part of the similarity: weight}; None, the usual mix, if all are 0."""
    text = request.POST.get("weights", "")
    if not text:
        return None
    try:
        weights = json.loads(text)
    except (ValueError, RecursionError):
        weights = None
    if not isinstance(weights, dict) or not all(map(_is_weight, weights.values())):
        raise wrong("weights", 'a JSON object such as {"color": 0.5}', text)
    if not any(weights.values()):
        return None
    return {name: float(weight) for name, weight in weights.items()}


def wrong(name: str, needed: str, given: str) -> Refused:
    """Return the refusal of a field that has another value than is needed."""
    return Refused(400, f"{name} must be {needed}; got {quoted(given)}", "wrong_field")


def _is_weight(value: object) -> bool:
    """Return whether a value of JSON is a weight; it is not NaN or infinite, which JSON may be."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= MAX_WEIGHT  # type: ignore[operator]
