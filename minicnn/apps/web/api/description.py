"""The description of the interface for programs, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.apps.web.api.fields import CLASSES, MAX_LIKE, MAX_NUMBER, MAX_TOP, MAX_WEIGHT, TOP
from minicnn.apps.web.refusals import MAX_UPLOAD
from minicnn.version import __version__

Json = dict[str, Any]

ROOT = "/api/v1"
TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
SIDE: Json = {"type": ["integer", "null"], "description": "pixels; null: the file is damaged"}

SOURCES = ("image", "address", "like")  # the fields of which one is needed
# What can go wrong with the image of a request.
IMAGE_REFUSALS = {
    "400": "a field is missing or wrong",
    "403": "the server does not fetch addresses, or a page of another site asked",
    "413": f"more than {MAX_UPLOAD:,} bytes, or too many pixels",
    "415": "the file is not an image",
    "422": "the image is damaged, or its address is not reachable",
    "503": "the server is busy; `Retry-After` says when to try again",
}


def description(parts: Sequence[str]) -> Json:
    """Return the whole description; `parts` are those of the similarity, which have weights."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "minicnn: search by image",
            "version": __version__,
            "description": "Classifies images, and finds similar ones in a library of pictures.",
        },
        "paths": {
            f"{ROOT}/health": {"get": _health()},
            f"{ROOT}/classify": {"post": _classify()},
            f"{ROOT}/search": {"post": _search(parts)},
            f"{ROOT}/pictures/{{number}}": {"get": _picture()},
            f"{ROOT}/openapi.json": {"get": _itself()},
        },
        "components": {"schemas": _schemas()},
    }


def _health() -> Json:
    return _operation("Whether the server works, and what it knows", "Health", {})


def _classify() -> Json:
    form = {**_image_fields(), "top": _top("classes", CLASSES)}
    return _operation("What is on an image", "Classified", IMAGE_REFUSALS, form, SOURCES[:2])


def _search(parts: Sequence[str]) -> Json:
    ids = {"type": "array", "items": NUMBER, "maxItems": MAX_LIKE, "minItems": 1}
    weight = {"type": "number", "minimum": 0, "maximum": MAX_WEIGHT}
    form = {
        **_image_fields(),
        "like": {**ids, "description": "pictures of the library, instead of an image"},
        "unlike": {**ids, "description": "pictures that the found ones should not be like"},
        "top": _top("pictures", TOP),
        "label": {**TEXT, "description": "only pictures of this class"},
        "weights": {
            "type": "object",
            "properties": dict.fromkeys(parts, weight),
            "additionalProperties": False,
            "description": "how much each part of the similarity counts, as JSON",
        },
    }
    refusals = {**IMAGE_REFUSALS, "404": "no picture has one of these ids"}
    return _operation("The most similar pictures", "Found", refusals, form, SOURCES)


def _picture() -> Json:
    operation = _operation(
        "What is known of a picture", "PictureWithClasses", {"404": "no picture has this id"}
    )
    name = {"name": "number", "in": "path", "required": True, "schema": NUMBER}
    return {**operation, "parameters": [name]}


def _itself() -> Json:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "summary": "This description",
        "responses": {"200": {"description": "it", "content": content}},
    }


def _operation(
    summary: str,
    result: str,
    refusals: Json,
    form: Json | None = None,
    sources: Sequence[str] = (),
) -> Json:
    """Return an operation; its form must have one of the `sources`."""
    responses = {"200": _response("the result", result)}
    for status, meaning in refusals.items():
        responses[status] = _response(meaning, "Refusal")
    operation: Json = {"summary": summary, "responses": responses}
    if form is not None:
        content = {
            "schema": {
                "type": "object",
                "properties": form,
                "anyOf": [{"required": [name]} for name in sources],
            },
            "encoding": {"weights": {"contentType": "application/json"}},
        }
        operation["requestBody"] = {
            "required": True,
            "content": {"multipart/form-data": content},
        }
    return operation


def _response(meaning: str, schema: str) -> Json:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": meaning, "content": {"application/json": {"schema": reference}}}


def _image_fields() -> Json:
    return {
        "image": {
            "type": "string",
            "format": "binary",
            "contentMediaType": "image/*",
            "description": "an image file, whose format is seen from its content",
        },
        "address": {
            **TEXT,
            "pattern": r"^[^\s]+$",
            "description": "instead of a file: where one is on the internet",
        },
    }


def _top(what: str, usual: int) -> Json:
    return {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_TOP,
        "default": usual,
        "description": f"the largest number of {what}",
    }


def _schemas() -> Json:
    classes = {"type": "array", "items": {"$ref": "#/components/schemas/Class"}}
    picture = {"id": NUMBER, "path": TEXT, "width": SIDE, "height": SIDE}
    parts = {"type": "object", "additionalProperties": {"type": "number"}}
    return {
        "Refusal": _object(code=TEXT, message=TEXT),
        "Class": _object(name=TEXT, probability=SHARE),
        "Health": _object(
            status={"const": "ok"},
            version=TEXT,
            pictures=COUNT,
            extractors={"type": "array", "items": TEXT},
        ),
        "Classified": _object(
            width=COUNT, height=COUNT, model={"type": ["string", "null"]}, classes=classes
        ),
        "Hit": _object(**picture, score={"type": "number"}, parts=parts),
        "Found": _object(hits={"type": "array", "items": {"$ref": "#/components/schemas/Hit"}}),
        "PictureWithClasses": _object(
            **picture,
            size=COUNT,
            sha256=TEXT,
            orientation={"type": "integer", "minimum": 1, "maximum": 8},
            taken={"type": ["string", "null"], "format": "date-time"},
            failure=TEXT,
            classes={"type": "object", "additionalProperties": classes},
        ),
    }


def _object(**properties: Json) -> Json:
    """Return the schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
