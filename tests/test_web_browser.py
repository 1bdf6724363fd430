"""Searching and browsing in a real browser, Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("playwright", reason="pip install -e '.[dev]'")
from browser_tools import Site, is_loaded, names, running_chromium, running_site, upload, windows
from library_pages import READABLE
from playwright.sync_api import Page, expect
from served_library import image_bytes


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("library")) as started:
        yield started


@pytest.fixture(scope="module")
def chromium(site):
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def open_page(chromium, site):
    with windows(chromium, site) as opened:
        yield opened


@pytest.fixture
def file(tmp_path) -> Path:
    """A picture of a color that the library has."""
    path = tmp_path / "my picture.jpg"
    path.write_bytes(image_bytes("green"))
    return path


def test_a_file_is_searched_for(open_page, file):
    page = open_page()
    upload(page, file)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Judgment:")
    assert names(page)[0] == "green.jpg"
    assert len(names(page)) == READABLE
    is_loaded(page, ".query-picture img")
    is_loaded(page, ".hit-picture img")


def test_a_chosen_file_is_shown_before_it_is_sent(open_page, file):
    page = open_page()
    preview = page.get_by_alt_text("The chosen picture")
    expect(preview).to_be_hidden()
    page.get_by_label("Choose an image file").set_input_files(file)
    expect(preview).to_be_visible()
    expect(preview).to_have_js_property("naturalWidth", 64)


def test_an_address_is_searched_for(open_page, site):
    page = open_page()
    page.get_by_label("or enter an image address").fill(site.blue)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?upload=*")
    assert names(page)[0] == "blue.jpg"


DATA_OF = """([bytes, name, type]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, {type}));
    return data;
}"""


def test_a_file_may_be_dropped(open_page):
    page = open_page()
    content = list(image_bytes("purple"))
    data = page.evaluate_handle(DATA_OF, [content, "p.jpg", "image/jpeg"])
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    expect(page.locator("#drop")).to_have_class(re.compile("is-over"))
    page.dispatch_event("body", "dragleave", {"dataTransfer": data})
    expect(page.locator("#drop")).not_to_have_class(re.compile("is-over"))
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    page.wait_for_url("**/search?upload=*")
    assert names(page)[0] == "purple.jpg"


PASTE = """(data) => {
    const options = {clipboardData: data, bubbles: true, cancelable: true};
    document.body.dispatchEvent(new ClipboardEvent("paste", options));
}"""


def test_a_picture_may_be_pasted(open_page):
    page = open_page()
    content = list(image_bytes("yellow", "PNG"))
    data = page.evaluate_handle(DATA_OF, [content, "image.png", "image/png"])
    page.evaluate(PASTE, data)
    page.wait_for_url("**/search?upload=*")
    assert names(page)[0] == "yellow.jpg"


def test_a_file_that_is_no_picture_may_not_be_dropped(open_page):
    page = open_page()
    data = page.evaluate_handle(DATA_OF, [[1, 2], "a.txt", "text/plain"])
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(page.get_by_role("alert")).to_contain_text("There is no image")


def test_nothing_is_not_searched_for(open_page):
    page = open_page()
    page.get_by_role("button", name="Search").click()
    text = "Choose an image file or enter an image address."
    expect(page.get_by_role("alert")).to_have_text(text)
    expect(page.get_by_label("Choose an image file")).to_be_focused()


def test_a_file_that_is_no_picture_is_refused(open_page, file):
    page = open_page()
    file.write_bytes(b"no picture")
    page.get_by_label("Choose an image file").set_input_files(file)
    page.get_by_role("button", name="Search").click()
    text = "This file is not an image we can read (PNG, JPEG, …)."
    expect(page.get_by_role("alert")).to_have_text(text)


def test_a_large_file_is_refused(open_page, file):
    page = open_page()
    file.write_bytes(bytes(10_050_000))
    page.get_by_label("Choose an image file").set_input_files(file)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("too large")


def test_an_address_without_a_picture_is_refused(open_page, site):
    page = open_page()
    address = site.blue.replace("blue", "nothing")
    page.get_by_label("or enter an image address").fill(address)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_have_text("That address is not reachable from here.")
    expect(page.get_by_label("or enter an image address")).to_have_value(address)


def test_an_upload_that_is_gone_is_explained(open_page):
    page = open_page(f"/search?upload={'0' * 32}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("not kept any more")


def move(page: Page, slider: str, value: int) -> None:
    page.get_by_role("slider", name=slider).fill(str(value))


def first_of(page: Page) -> str:
    return page.locator(".hit-name").first.text_content()


def test_sliders_change_the_order(open_page, file):
    page = open_page()
    upload(page, file)
    before = names(page)
    for slider in ("Content", "Class", "Color"):
        move(page, slider, 0)
    move(page, "Texture", 50)
    page.wait_for_url("**weight-texture=50*")
    after = names(page)
    assert after != before
    assert sorted(after) == sorted(before)
    texture = page.locator(".slider", has=page.get_by_role("slider", name="Texture"))
    expect(texture.locator(".slider-share")).to_have_text("100 %")
    expect(texture.get_by_role("slider")).to_have_attribute("aria-valuetext", "100 % of the score")
    expect(page.locator("#changed")).to_contain_text(f"The first is {first_of(page)}")
    page.reload()  # the address says it all
    assert names(page) == after
    page.get_by_role("link", name="Inside the network").click()
    page.get_by_role("link", name="Similar pictures").click()
    assert names(page) == after
    page.get_by_role("link", name="Reset").click()
    page.wait_for_url(re.compile("upload=[0-9a-f]*$"))
    assert names(page) == before


def test_a_class_may_be_chosen(open_page, file):
    page = open_page()
    upload(page, file)
    label = page.locator(".hit-name").first.text_content().partition(",")[0]
    page.get_by_label("Only").select_option(label)
    page.wait_for_url(f"**label={label}*")
    expect(page.locator(".hits-count")).to_contain_text(f"that show {label}")
    labels = [one.partition(",")[0] for one in page.locator(".hit-name").all_text_contents()]
    assert set(labels) == {label}


def test_the_score_is_explained(open_page, file):
    page = open_page()
    upload(page, file)
    first = page.locator(".hit").first
    expect(first.locator("table")).to_be_hidden()
    first.get_by_text("Why this one").click()
    expect(first.locator("table")).to_be_visible()
    cells = first.locator("tbody td:last-child").all_text_contents()
    score = first.locator("tfoot td:last-child").text_content()
    assert round(sum(map(float, cells)), 3) == float(score)


def test_a_picture_is_viewed(open_page, file):
    page = open_page()
    upload(page, file)
    page.get_by_role("link", name="View green.jpg").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("green.jpg")
    is_loaded(page, ".view-picture img")


def test_a_picture_is_downloaded(open_page, file, site):
    page = open_page()
    upload(page, file)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download green.jpg").click()
    assert waiting.value.suggested_filename == "green.jpg"
    assert Path(waiting.value.path()).read_bytes() == green_file(site).read_bytes()


def green_file(site: Site) -> Path:
    return Path(site.served.service.library.address).parent / "pictures" / "green.jpg"


def test_the_search_goes_on_from_a_hit(open_page, file):
    page = open_page()
    upload(page, file)
    page.get_by_role("link", name="Search with this picture, red.jpg").click()
    page.wait_for_url("**/search?like=*")
    assert "red.jpg" not in names(page)
    page.get_by_role("link", name="More like this picture, blue.jpg").click()
    page.get_by_role("link", name="Less like white.jpg").click()
    expect(page.locator(".query-picture")).to_have_count(3)
    assert not {"red.jpg", "blue.jpg", "white.jpg"} & set(names(page))
    page.get_by_role("link", name="leave out white.jpg").click()
    expect(page.locator(".query-picture")).to_have_count(2)


def test_a_tab_shows_what_is_inside_the_network(open_page, file):
    page = open_page()
    upload(page, file)
    page.get_by_role("link", name="Inside the network").click()
    expect(page.get_by_role("heading", name="kernels of the first convolution")).to_be_visible()
    expect(page.locator(".inside img")).to_have_count(3)
    is_loaded(page, ".inside img")
    page.get_by_role("link", name="Similar pictures").click()
    assert len(names(page)) == READABLE


def test_the_library_is_browsed(open_page):
    page = open_page("/library")
    expect(page.locator(".tile")).to_have_count(READABLE)
    is_loaded(page, ".tile img")
    chip = page.locator(".chip").nth(1)
    count = int(chip.locator(".chip-count").text_content())
    chip.click()
    expect(page.locator(".tile")).to_have_count(count)
    page.get_by_role("link", name="all", exact=True).click()
    page.get_by_label("From").fill("2019-01-01")
    page.get_by_label("To", exact=True).fill("2021-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".tile")).to_have_count(2)
