"""The pages of `minicnn serve`, without a browser: what they say, and what they refuse."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from fetch_server import answer, internet
from library_pages import (
    ODD,
    READABLE,
    Page,
    a_browser,
    file_of,
    number_of,
    read,
    serving_pages,
    uploaded,
)
from PIL import Image
from served_library import image_bytes


@pytest.fixture(scope="module")
def web():
    """What replaces the internet."""
    page = answer(b"<html>", kind="text/html")
    with internet({"/blue.jpg": answer(image_bytes("blue")), "/page": page}) as server:
        yield server


@pytest.fixture(scope="module")
def current(tmp_path_factory, web):
    folder = tmp_path_factory.mktemp("library")
    with serving_pages(folder, allow_urls=True, transport=web.transport) as started:
        yield started


@pytest.fixture
def browser(current):
    return a_browser()


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


def test_the_classes_of_a_picture_are_those_that_were_stored(browser, current):
    number = number_of(current, "purple.jpg")
    pages = [
        read(browser, address) for address in (f"/item/{number}/view", f"/search?like={number}")
    ]
    stored, computed = (
        re.findall(r'class="answer-number">([^<]+)<', page.source) for page in pages
    )
    assert list(map(float, computed)) == pytest.approx(list(map(float, stored)), rel=1e-3)
