"""The search of the web by keyword: only if it is asked for, and after a click."""

from __future__ import annotations

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from fetch_server import answer, internet
from library_pages import Page, a_browser, read, serving_pages, uploaded
from served_library import image_bytes

from minicnn.apps.web.keywords import KeywordSearch
from minicnn.data.tools.fetch import FetchLimits
from minicnn.errors import ArgumentError

PICTURES = b"""{"pictures": [
    {"address": "https://cats.example/1.jpg", "title": "A <b>cat</b>"},
    {"address": "javascript:alert(1)", "title": "a script"},
    {"address": "http://127.0.0.1/", "title": "this machine"}
]}"""


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    with serving_pages(tmp_path_factory.mktemp("library")) as started:
        yield started


@pytest.fixture
def browser(current):
    return a_browser()


class Engine:
    """A search engine that replaces the one of the web."""

    def __init__(self, server) -> None:
        limits = FetchLimits(content_type="application/json")
        self.server = server
        address = "http://pictures.example/find?q={word}"
        self.search = KeywordSearch(address, limits, server.transport)


@pytest.fixture
def engine(current, monkeypatch):
    word = current.classify(image_bytes("red"))[0][1]
    found = {f"/find?q={word}": answer(PICTURES, kind="application/json")}
    with internet(found) as server:
        made = Engine(server)
        monkeypatch.setattr(current, "keywords", made.search)
        yield made


def test_there_is_no_search_by_keyword_unless_it_is_asked_for(browser):
    address = uploaded(browser)
    assert "By keyword" not in read(browser, address).text
    assert read(browser, f"{address}&tab=keyword").hits
    assert browser.post(address.replace("/search", "/search/keyword")).status_code == 404


def test_the_keyword_is_sent_only_after_a_click(browser, engine):
    address = uploaded(browser)
    page = read(browser, f"{address}&tab=keyword")
    assert "pictures.example" in page.text
    assert engine.server.requests == []
    action = next(str(one["action"]) for one in page.all("form") if "keyword" in str(one["action"]))
    found = Page(browser.post(action).content)
    assert len(engine.server.requests) == 1
    assert engine.server.requests[0].startswith("GET /find?q=")
    assert "Cookie" not in engine.server.requests[0]
    assert "https://cats.example/1.jpg" in found.links
    assert "A <b>cat</b>" in found.text
    assert not [link for link in found.links if link.startswith(("javascript", "http://127"))]


def test_a_search_engine_that_does_not_answer_is_named(browser, engine):
    engine.server.answers.clear()
    address = uploaded(browser).replace("/search", "/search/keyword")
    response = browser.post(address)
    assert response.status_code == 502
    assert "pictures.example gave no list of pictures" in Page(response.content).text


@pytest.mark.parametrize("content", [b"[]", b"{}", b"{", b'{"pictures": [1]}', b"[" * 100_000])
def test_a_list_that_is_none_is_refused(browser, engine, content):
    for path in engine.server.answers:
        engine.server.answers[path] = answer(content, kind="application/json")
    address = uploaded(browser).replace("/search", "/search/keyword")
    assert browser.post(address).status_code == 502


@pytest.mark.parametrize("address", ["http://a.example/", "ftp://a.example/{word}", "{word}"])
def test_an_address_of_a_search_engine_is_checked(address):
    with pytest.raises(ArgumentError, match="address"):
        KeywordSearch(address)
