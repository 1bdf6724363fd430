"""Answers with arrays: one safetensors file, with the rest as JSON in its metadata."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.http import HttpResponse
from safetensors.numpy import save

CONTENT_TYPE = "application/octet-stream"


def binary(answer: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> HttpResponse:
    """Return arrays by their names, and an answer that is fit for JSON."""
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    content = save(arrays, metadata={"answer": _json(answer)})
    return _not_kept(HttpResponse(content, content_type=CONTENT_TYPE))


def plain(answer: Mapping[str, Any]) -> HttpResponse:
    """Return an answer as JSON."""
    return _not_kept(HttpResponse(_json(answer), content_type="application/json"))


def finite(value: Any) -> Any:
    """Return a value with None for numbers that JSON does not have: NaN and infinity.

    >>> finite({"loss": float("nan"), "shape": (2, 3)})
    {'loss': None, 'shape': [2, 3]}
    """
    if isinstance(value, Mapping):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(answer: Mapping[str, Any]) -> str:
    return json.dumps(finite(answer), allow_nan=False, separators=(",", ":"))


def _not_kept(response: HttpResponse) -> HttpResponse:
    """Tell browsers to keep nothing: the same address may have another answer later."""
    response["Cache-Control"] = "no-store"
    return response
