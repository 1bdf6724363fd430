"""The pages of `minicnn serve`, without a browser: what they say, and what they refuse."""

from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from django.test import Client
from fetch_server import answer, internet
from library_pages import ODD, YEARS, Page, make_library
from PIL import Image
from served_library import COLORS, image_bytes

from minicnn.apps.library.models import Picture
from minicnn.apps.web import service
from minicnn.apps.web.keywords import KeywordSearch
from minicnn.data.tools.fetch import FetchLimits
from minicnn.errors import ArgumentError

READABLE = len(COLORS) + 1  # with the picture of the odd name


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return make_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def web():
    """What replaces the internet."""
    page = answer(b"<html>", kind="text/html")
    with internet({"/blue.jpg": answer(image_bytes("blue")), "/page": page}) as server:
        yield server


@pytest.fixture(scope="module")
def current(library, web):
    yield service.start(library, allow_urls=True, transport=web.transport)
    service.stop()


@pytest.fixture
def browser(current):
    return Client(SERVER_NAME="localhost")


def number_of(current, name: str) -> int:
    return Picture.objects.using(current.library.alias).get(path=name).pk


def read(browser, address: str, status: int = 200) -> Page:
    """Open a page."""
    response = browser.get(address)
    assert response.status_code == status
    return Page(response.content)


def file_of(content: bytes) -> io.BytesIO:
    """A file for a form."""
    file = io.BytesIO(content)
    file.name = "query.jpg"
    return file


def uploaded(browser, color: str = "red") -> str:
    """Search for a picture of a color; return the address of the results."""
    response = browser.post("/search", {"image": file_of(image_bytes(color))})
    assert response.status_code == 303
    return response["Location"]


def test_the_first_page_has_a_form_and_pictures(browser):
    page = read(browser, "/")
    assert f"among the {READABLE} in this library" in page.text
    form = page.all("form")[0]
    assert (form["method"], form["action"]) == ("post", "/search")
    assert form["enctype"] == "multipart/form-data"
    assert page.all("input", name="csrfmiddlewaretoken")
    assert [one["type"] for one in page.all("input", name="image")] == ["file"]
    assert len([link for link in page.links if link.startswith("/search?like=")]) == READABLE


def test_the_address_field_is_there_only_if_addresses_are_fetched(browser, current, monkeypatch):
    assert read(browser, "/").all("input", name="address")
    monkeypatch.setattr(current, "allow_urls", False)
    assert not read(browser, "/").all("input", name="address")


def test_an_upload_leads_to_its_class_and_similar_pictures(browser, current):
    page = read(browser, uploaded(browser, "green"))
    expected = current.classify(image_bytes("green"))
    assert f"Judgment: {expected[0][1]}" in page.text
    for _, name in expected[:5]:
        assert name in page.text
    assert len(page.all("svg", **{"class": "answer-bar"})) == 5
    assert page.hits[0] == number_of(current, "green.jpg")
    assert len(page.hits) == READABLE


def test_the_list_has_eight_digits_as_in_the_paper(browser):
    page = read(browser, uploaded(browser))
    numbers = re.findall(r'class="answer-number">([^<]+)<', page.source)
    assert len(numbers) == 5
    assert numbers == sorted(numbers, key=float, reverse=True)
    assert all(f"{float(number):.8g}" == number for number in numbers)


def test_the_chart_has_all_classes(browser, current):
    page = read(browser, uploaded(browser))
    assert "Probability of each of the 6 classes" in page.text
    chart = re.search(r'<svg class="distribution".*?</svg>', page.source, re.DOTALL)
    heights = [float(one) for one in re.findall(r' height="([0-9.]+)"', chart[0])]
    assert max(heights) == 96
    assert 1 <= len(heights) <= 6


def test_the_parts_of_each_score_add_up(browser):
    scores = read(browser, uploaded(browser)).scores
    assert len(scores) == READABLE
    for score, parts in scores:
        assert len(parts) == 4
        assert round(sum(parts), 3) == score  # as they are printed


def test_each_hit_can_be_viewed_downloaded_and_searched_with(browser):
    page = read(browser, uploaded(browser))
    for number in page.hits:
        for link in (f"/item/{number}/view", f"/item/{number}/download", f"/search?like={number}"):
            assert link in page.links


def test_weights_change_the_order_and_the_sliders(browser):
    address = uploaded(browser, "orange")
    color = read(browser, f"{address}&weight-color=100&weight-texture=0")
    texture = read(browser, f"{address}&weight-color=0&weight-texture=100")
    assert sorted(color.hits) == sorted(texture.hits)
    assert color.hits != texture.hits
    assert [one["value"] for one in color.all("input", name="weight-color")] == ["100"]
    assert [one["value"] for one in color.all("input", name="weight-texture")] == ["0"]


def test_weights_of_all_0_are_the_usual_ones(browser):
    address = uploaded(browser)
    zeros = "".join(f"&weight-{one}=0" for one in ("photo-small", "class", "color", "texture"))
    assert read(browser, address + zeros).hits == read(browser, address).hits


def test_a_class_may_be_asked_for(browser, current):
    address = uploaded(browser)
    everything = read(browser, address)
    counts = {
        one: len(read(browser, f"{address}&label={one}").hits)
        for one in current.network.class_names
    }
    assert sum(counts.values()) == len(everything.hits)
    assert "No picture to show that shows x" in read(browser, f"{address}&label=x").text


def test_only_the_pictures_are_sent_for_the_sliders(browser):
    address = uploaded(browser)
    page = read(browser, f"{address}&fragment=hits")
    assert page.hits == read(browser, address).hits
    assert not page.all("html")


def test_pictures_of_the_library_are_searched_with(browser, current):
    red, blue = number_of(current, "red.jpg"), number_of(current, "blue.jpg")
    alone = read(browser, f"/search?like={blue}")
    assert "Judgment" in alone.text
    assert blue not in alone.hits
    assert f"/search?like={blue}&like={red}" in alone.links
    assert f"/search?like={blue}&unlike={red}" in alone.links
    both = read(browser, f"/search?like={blue}&unlike={red}&weight-color=1")
    assert "Pictures like these" in both.text
    assert not {blue, red} & set(both.hits)
    assert both.hits != [one for one in read(browser, f"/search?like={blue}").hits if one != red]
    assert f"/search?like={blue}&weight-color=1" in both.links


def test_an_upload_may_be_refined(browser, current):
    address, red = uploaded(browser, "blue"), number_of(current, "red.jpg")
    page = read(browser, f"{address}&like={red}&weight-color=1")
    assert red not in page.hits
    both = [number_of(current, f"{color}.jpg") for color in ("purple", "blue")]
    assert set(page.hits[:2]) <= {*both, number_of(current, f"below/{ODD}")}
    assert f"{address}&weight-color=1" in page.links


REFUSED = {
    "nothing": ({}, 400, "Choose an image file or enter an image address."),
    "an empty address": ({"address": " "}, 400, "Choose an image file or enter an image address."),
    "a text": (
        {"image": b"not an image"}, 415, "This file is not an image we can read (PNG, JPEG, …)."
    ),
    "half an image": ({"image": image_bytes()[:400]}, 422, "This image is damaged"),
    "too large": ({"image": bytes(10_000_001)}, 413, "This file is too large"),
    "a page": ({"address": "http://cats.example/page"}, 422, "not reachable from here"),
    "an address inside": ({"address": "http://127.0.0.1/"}, 422, "not reachable from here"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_said_beside_the_form(browser, fields, status, message):
    sent = {k: file_of(v) if isinstance(v, bytes) else v for k, v in fields.items()}
    response = browser.post("/search", sent)
    page = Page(response.content)
    assert response.status_code == status
    assert message in page.text
    assert page.all("div", role="alert", id="message")
    assert page.all("input", name="image")
    if "address" in fields:
        assert page.all("input", name="address")[0]["value"] == fields["address"].strip()


def test_a_picture_is_fetched_from_an_address(browser, current):
    response = browser.post("/search", {"address": "http://cats.example/blue.jpg"})
    assert response.status_code == 303
    assert read(browser, response["Location"]).hits[0] == number_of(current, "blue.jpg")


WRONG_SEARCHES = {
    "nothing": ("/search", 400),
    "only what is not liked": ("/search?unlike=1", 400),
    "no number": ("/search?like=cat", 400),
    "a digit of another script": ("/search?like=٣", 400),
    "a picture that is not there": ("/search?like=987654", 404),
    "a number beyond the database's": ("/search?like=9223372036854775808", 400),
    "an upload that is gone": (f"/search?upload={'0' * 32}", 404),
    "an upload's wrong name": ("/search?upload=../../etc/passwd", 404),
    "a negative weight": ("/search?like=1&weight-color=-1", 400),
    "no weight": ("/search?like=1&weight-color=nan", 400),
    "a part that is not there": ("/search?like=1&weight-smell=1", 400),
    "too many pictures": ("/search?" + "&".join(f"like={n}" for n in range(1, 30)), 400),
    "no address": ("/nothing", 404),
    "a page of a picture that is not there": ("/item/987654/view", 404),
    "a picture beyond the database": (f"/item/{10**30}/view", 404),
    "an image of an upload that is gone": (f"/upload/{'0' * 32}/image", 404),
    "a drawing of nothing": ("/inside/maps.png", 400),
}


@pytest.mark.parametrize(("address", "status"), WRONG_SEARCHES.values(), ids=WRONG_SEARCHES)
def test_wrong_addresses_have_a_page_that_says_so(browser, address, status):
    page = read(browser, address, status)
    assert str(status) in page.text
    assert "/library" in page.links


def test_other_methods_are_refused(browser):
    for address in ("/", "/library", "/item/1/view", "/item/1/download", "/item/1/thumbnail"):
        assert browser.post(address).status_code == 405
    assert browser.get("/search/keyword").status_code == 405


def test_the_library_page_shows_all_pictures(browser):
    page = read(browser, "/library")
    assert len([link for link in page.links if link.endswith("/view")]) == READABLE
    assert f"{READABLE} pictures" in page.text
    assert "1 file cannot be read" in page.text
    failed = read(browser, "/library?failed=1")
    assert "damaged.jpg" in failed.text
    assert not [link for link in failed.links if link.endswith("/view")]


def shown(browser, words: str) -> list[int]:
    links = read(browser, f"/library?{words}").links
    return [int(link.split("/")[2]) for link in links if link.endswith("/view")]


def test_pictures_are_chosen_by_class(browser, current):
    counts = [len(shown(browser, f"label={name}")) for name in current.network.class_names]
    assert sum(counts) == READABLE
    assert shown(browser, "label=nothing") == []


def test_pictures_are_chosen_by_certainty(browser):
    unsure, sure = shown(browser, "certainty=unsure"), shown(browser, "certainty=50")
    assert len(unsure) + len(sure) == READABLE
    assert set(shown(browser, "certainty=90")) <= set(sure)
    by_certainty = shown(browser, "order=sure")
    assert by_certainty == shown(browser, "order=unsure")[::-1]
    assert set(by_certainty[: len(sure)]) == set(sure)


def test_pictures_are_chosen_by_date(browser, current):
    found = shown(browser, f"since={YEARS[2]}-06-15&until={YEARS[4]}-06-15&order=old")
    assert found == [number_of(current, f"{COLORS[k]}.jpg") for k in (2, 3, 4)]
    assert shown(browser, "since=2100-01-01") == []
    assert len(shown(browser, "since=0001-01-01&until=9999-12-31")) == READABLE
    assert len(shown(browser, "since=yesterday&certainty=no&order=no")) == READABLE


def test_the_library_has_pages(browser, monkeypatch):
    monkeypatch.setattr("minicnn.apps.web.browsing.PAGE", 4)
    pages = [shown(browser, f"order=name&page={number}") for number in (1, 2, 3)]
    assert list(map(len, pages)) == [4, 4, 1]
    first = read(browser, "/library?order=name&label=&page=1")
    assert "?order=name&page=2" in first.links
    assert shown(browser, "order=name&page=99") == pages[2]
    monkeypatch.undo()
    assert shown(browser, "order=name") == [*pages[0], *pages[1], *pages[2]]


def test_a_picture_has_a_page(browser, current):
    number = number_of(current, "red.jpg")
    page = read(browser, f"/item/{number}/view")
    assert "48 × 64 pixels" in page.text  # upright
    assert f"15 June {YEARS[0]}, 12:00" in page.text
    assert "photo-small sees" in page.text
    assert {f"/search?like={number}", f"/item/{number}/download"} <= set(page.links)


def test_names_of_files_are_text(browser, current):
    number = number_of(current, f"below/{ODD}")
    for address in (f"/item/{number}/view", "/library?order=name", "/", f"/search?like={number}"):
        page = read(browser, address)
        assert not page.all("b")
        assert "<b>bold" not in page.source
    assert ODD in read(browser, f"/item/{number}/view").text


def test_a_download_is_the_file_itself(browser, current):
    for path in ("red.jpg", f"below/{ODD}"):
        picture = Picture.objects.using(current.library.alias).get(path=path)
        response = browser.get(f"/item/{picture.pk}/download")
        content = b"".join(response.streaming_content)
        with open(f"{picture.folder.path}/{path}", "rb") as file:
            assert content == file.read()
        assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("kind", ["thumbnail", "image"])
def test_shown_pictures_are_upright_and_have_no_exif(browser, current, kind):
    response = browser.get(f"/item/{number_of(current, 'red.jpg')}/{kind}")
    assert response["Content-Type"] == "image/jpeg"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (48, 64)
        assert not image.getexif()


def test_an_upload_is_shown_upright_and_kept_nowhere_else(browser):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = image_bytes("red", size=(2000, 1000), exif=exif)
    response = browser.post("/search", {"image": file_of(content)})
    page = read(browser, response["Location"])
    source = next(str(one["src"]) for one in page.all("img") if "/upload/" in str(one["src"]))
    response = browser.get(source)
    assert response["Cache-Control"] == "no-store"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (800, 1600)
        assert not image.getexif()


def test_a_file_that_is_gone_has_no_picture(browser, current, tmp_path):
    picture = Picture.objects.using(current.library.alias).get(path="white.jpg")
    file = tmp_path / "white.jpg"
    original = f"{picture.folder.path}/white.jpg"
    os.rename(original, file)
    try:
        assert browser.get(f"/item/{picture.pk}/download").status_code == 404
        assert browser.get(f"/item/{picture.pk}/view").status_code == 200
    finally:
        os.rename(file, original)


def pixels(browser, address: str) -> np.ndarray:
    response = browser.get(address)
    assert response["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        return np.asarray(image.convert("RGBA"))


def test_inside_the_network(browser, current):
    address = uploaded(browser, "green")
    page = read(browser, f"{address}&tab=inside")
    assert len(page.all("img", **{"class": "tiles"})) == 2
    sources = [str(one["src"]) for one in page.all("img") if "/inside/" in str(one["src"])]
    assert len(sources) == 3
    for source in sources:
        drawn = pixels(browser, source)
        assert drawn[..., :3].std() > 0
    assert not page.hits


def test_the_maps_are_those_of_the_picture(browser):
    first, second = (
        pixels(browser, f"/inside/maps.png?{uploaded(browser, color).partition('?')[2]}")
        for color in ("red", "blue")
    )
    assert first.shape == second.shape
    assert (first != second).any()


def test_a_search_with_several_pictures_has_no_inside(browser, current):
    words = "&".join(f"like={number_of(current, f'{one}.jpg')}" for one in ("red", "blue"))
    assert "Inside the network" not in read(browser, f"/search?{words}").text
    assert read(browser, f"/search?{words}&tab=inside").hits
    assert browser.get(f"/inside/gradcam.png?{words}").status_code == 404


def all_pages(browser) -> list[Page]:
    address = uploaded(browser)
    found = ["/", "/library", "/library?failed=1", "/item/1/view", address]
    found += [f"{address}&tab=inside", "/nothing"]
    return [Page(browser.get(one).content) for one in found]


def test_pages_have_no_script_and_style_inside(browser):
    """The Content-Security-Policy forbids them."""
    for page in all_pages(browser):
        for tag, attributes in page.tags:
            assert tag != "style"
            assert tag != "script" or attributes.get("src")
            assert not [one for one in attributes if one == "style" or one.startswith("on")]


def test_pages_name_no_other_server(browser):
    for page in all_pages(browser):
        for _, attributes in page.tags:
            for name in ("src", "href", "action", "srcset", "poster", "data"):
                assert re.match(r"[?/#]|None$", str(attributes.get(name)))


ROOT = Path(__file__).parent.parent
STATIC = ROOT / "minicnn" / "apps" / "web" / "static"
TABLE = STATIC / "vendor" / "README.md"


def vendored() -> list[tuple[str, str]]:
    """The file and the hash of each row of the table of others' files."""
    return re.findall(r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", TABLE.read_text())


@pytest.mark.parametrize(("file", "sha256"), vendored())
def test_the_files_of_others_are_unchanged(file, sha256):
    assert hashlib.sha256((ROOT / file).read_bytes()).hexdigest() == sha256


def test_the_files_of_others_are_in_the_table():
    found = {*(STATIC / "vendor").iterdir(), *(ROOT / "tests" / "axe").iterdir()} - {TABLE}
    assert {ROOT / file for file, _ in vendored()} == found


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.*s")), ids=lambda path: path.name)
def test_styles_and_scripts_name_no_other_server(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert set(re.findall(r"https?://[^'\"\s)]*", text)) <= {"http://www.w3.org/2000/svg"}


def test_static_files_are_served(browser):
    for page in all_pages(browser)[:1]:
        files = [str(one.get("href") or one.get("src")) for one in page.all("link")]
        assert len(files) == 4
        for file in files:
            response = browser.get(file)
            assert response.status_code == 200
            response.close()


PICTURES = b"""{"pictures": [
    {"address": "https://cats.example/1.jpg", "title": "A <b>cat</b>"},
    {"address": "javascript:alert(1)", "title": "a script"},
    {"address": "http://127.0.0.1/", "title": "this machine"}
]}"""


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
