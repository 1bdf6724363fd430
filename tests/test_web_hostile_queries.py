"""Addresses of pages with wrong values in them: each is answered or refused, without an error."""

from __future__ import annotations

import itertools
import random
from urllib.parse import quote

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from served_library import serving, small_library

VALUES = {
    "nothing": "", "a space": " ", "zero": "0", "below zero": "-1", "a fraction": "1.5",
    "a word": "x", "NaN": "nan", "infinity": "inf", "2**63": str(2**63), "an exponent": "1e400",
    "10**30": "1" + "0" * 30, "5,000 digits": "9" * 5_000, "an Arabic digit": "٣",
    "a zero byte": "\0", "from right to left": "\u202e", "a lone surrogate": "\ud800",
    "SQL": "' OR 1=1 --", "a tag": "<script>alert(1)</script>", "a template": "{{ 7 * 7 }}",
    "a path": "../../etc/passwd", "a list": "1,2,3", "a long text": "a" * 10_000,
    "a line": "a\r\nSet-Cookie: a=b", "a percent": "%",
}  # fmt: skip
NAMES = ["like", "unlike", "upload", "label", "weight-color", "weight-smell", "tab", "fragment",
         "page", "order", "since", "until", "certainty", "failed", "layer", "map", "class",
         "token", "csrfmiddlewaretoken"]  # fmt: skip
PAGES = ["/search?like=1&", "/library?", "/?", "/inside/kernels.png?like=1&",
         "/inside/maps.png?like=1&", "/inside/gradcam.png?like=1&", "/item/1/view?"]  # fmt: skip
PATHS = ["/item/{}/view", "/item/{}/image", "/item/{}/thumbnail", "/item/{}/download",
         "/upload/{}/image", "/api/v1/pictures/{}", "/{}", "/static/{}", "/search?{}"]  # fmt: skip
SAMPLE = 60  # of all pairs of a name and a value, for each page
FINE = (200, 301, 302, 303, 400, 403, 404, 405, 414)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(small_library(tmp_path_factory.mktemp("library"))) as server:
        yield server


@pytest.mark.parametrize("page", PAGES)
def test_wrong_values_in_an_address(served, page):
    pairs = list(itertools.product(NAMES, VALUES.items()))
    for name, (what, value) in random.Random(page).sample(pairs, SAMPLE):
        reply = served.ask("GET", f"{page}{name}={quote(value, errors='surrogatepass')}")
        assert reply.status in FINE, (name, what)
        assert b"<script>alert" not in reply.content, (name, what)
        assert "a=b" not in (reply.headers["Set-Cookie"] or ""), (name, what)


@pytest.mark.parametrize("path", PATHS)
def test_wrong_parts_of_an_address(served, path):
    for what, value in VALUES.items():
        reply = served.ask("GET", path.format(quote(value, safe="/", errors="surrogatepass")))
        assert reply.status in FINE, what
        assert b"<script>alert" not in reply.content, what
        assert b"root:" not in reply.content, what


@pytest.mark.parametrize("address", ["/?x=%00", "/library?label=a%00b", "/item%00/1", "/%00"])
def test_zero_bytes_are_refused(served, address):
    """PostgreSQL has no texts with zero bytes; asking for one would be an error of the server."""
    assert served.ask("GET", address).status == 400


METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X"]


@pytest.mark.parametrize("method", METHODS)
def test_other_methods(served, method):
    for path in ("/", "/search", "/library", "/item/1/view", "/api/v1/search", "/nothing"):
        assert served.ask(method, path, b"" if method == "POST" else None).status < 500, path
