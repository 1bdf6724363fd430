"""The interface for programs: what it answers, and that its description is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from served_library import COLORS, image_bytes, serving, small_library


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(small_library(tmp_path_factory.mktemp("library"))) as server:
        yield server


def test_health_says_what_is_there(served):
    reply = served.ask("GET", "/api/v1/health")
    assert reply.status == 200
    assert reply.json["pictures"] == len(COLORS)
    assert reply.json["extractors"] == ["color", "texture", "photo-small"]


def test_an_image_is_classified_as_the_network_does(served):
    content = image_bytes("green")
    found = served.post("/api/v1/classify", ("image", content)).json
    assert (found["width"], found["height"], found["model"]) == (64, 48, "photo-small")
    stored = served.service.decoders.decode(content).content
    expected = served.service.classify(stored)[:5]
    assert [(one["probability"], one["name"]) for one in found["classes"]] == expected
    every = served.post("/api/v1/classify", ("image", content), ("top", "200")).json["classes"]
    assert len(every) == 6
    assert sum(one["probability"] for one in every) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("color", COLORS)
def test_the_most_similar_picture_is_the_one_of_that_color(served, color):
    found = served.post("/api/v1/search", ("image", image_bytes(color)), ("top", "3")).json["hits"]
    assert len(found) == 3
    assert found[0]["path"] == f"{COLORS.index(color)}.jpg"
    for hit in found:
        assert sum(hit["parts"].values()) == hit["score"]


def test_weights_choose_what_counts(served):
    fields = ("image", image_bytes("blue")), ("weights", json.dumps({"texture": 1}))
    for hit in served.post("/api/v1/search", *fields).json["hits"]:
        assert hit["parts"]["texture"] == hit["score"]


def test_pictures_of_the_library_are_searched_with(served):
    number = _number_of(served, "blue")
    reply = served.post("/api/v1/search", ("like", str(number)), ("unlike", str(number % 8 + 1)))
    assert reply.status == 200
    assert reply.json["hits"]


def test_a_picture_is_described(served):
    number = _number_of(served, "red")
    reply = served.ask("GET", f"/api/v1/pictures/{number}")
    assert reply.json["path"] == "0.jpg"
    assert (reply.json["width"], reply.json["height"]) == (64, 48)
    assert len(reply.json["classes"]["photo-small"]) == 5


WRONG = {
    "no field": ((), 400, "no_image"),
    "an empty field": ((("address", " "),), 400, "no_image"),
    "an empty file": ((("image", b""),), 400, "no_image"),
    "a text": ((("image", b"not an image"),), 415, "not_an_image"),
    "a page": ((("image", b"<!doctype html><script>alert(1)</script>"),), 415, "not_an_image"),
    "half an image": ((("image", image_bytes()[:800]),), 422, "damaged"),
    "too large": ((("image", bytes(10_000_001)),), 413, "too_large"),
    "much too large": ((("image", bytes(15_000_000)),), 413, "too_large"),
    "an address": ((("address", "http://example.com/a.jpg"),), 403, "addresses_off"),
    "top of 0": ((("image", image_bytes()), ("top", "0")), 400, "wrong_field"),
    "top in words": ((("image", image_bytes()), ("top", "ten")), 400, "wrong_field"),
    "weights in words": ((("weights", "much"), ("like", "1")), 400, "wrong_field"),
    "a weight of NaN": ((("weights", '{"color": NaN}'), ("like", "1")), 400, "wrong_field"),
    "a weight below 0": ((("weights", '{"color": -1}'), ("like", "1")), 400, "wrong_field"),
    "deep weights": ((("weights", "[" * 50_000), ("like", "1")), 400, "wrong_field"),
    "another weight": ((("weights", '{"smell": 1}'), ("like", "1")), 400, "wrong_field"),
    "no such picture": ((("like", "999999"),), 404, "no_picture"),
    "a picture of 19 digits": ((("like", "9" * 19),), 400, "wrong_field"),
    "too many pictures": (tuple(("like", "1") for _ in range(51)), 400, "wrong_field"),
    "too many fields": (tuple((f"x{i}", "1") for i in range(101)), 400, "wrong_form"),
    "too many files": (tuple((f"x{i}", b"1") for i in range(5)), 400, "wrong_form"),
    "a long field": ((("weights", " " * 200_000),), 413, "wrong_form"),
}


@pytest.mark.parametrize(("fields", "status", "code"), WRONG.values(), ids=WRONG)
def test_wrong_requests_are_refused_with_a_reason(served, fields, status, code):
    reply = served.post("/api/v1/search", *fields)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.json["message"]


def test_other_addresses_and_methods(served):
    assert served.ask("GET", "/api/v1/nothing").json["code"] == "not_found"
    assert served.ask("GET", "/api/v1/pictures/99").status == 404
    assert served.ask("GET", "/api/v1/pictures/x").status == 404
    reply = served.ask("GET", "/api/v1/search")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    assert served.ask("PUT", "/api/v1/health").status == 405
    assert served.ask("HEAD", "/api/v1/health").status == 200


def _number_of(served, color):
    fields = ("image", image_bytes(color)), ("top", "1")
    return served.post("/api/v1/search", *fields).json["hits"][0]["id"]


# A form cannot tell an empty list from none, and whether a file is an image is not in the schema.
FUZZY_CHECKS = "positive_data_acceptance,negative_data_rejection"


def test_the_description_is_true(served, tmp_path):
    """Schemathesis asks all that the description allows, and much that it does not."""
    pytest.importorskip("schemathesis", reason="pip install -e '.[dev]'")
    program = "import sys, schemathesis.cli; sys.exit(schemathesis.cli.schemathesis())"
    words = ["run", f"{served.url}/api/v1/openapi.json", "--seed=1", "--max-examples=100"]
    options = ["--no-color", "--continue-on-failure", f"--exclude-checks={FUZZY_CHECKS}"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) >= 300
