"""The pages without scripts, by keyboard, on a phone, in the dark, and what axe finds in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("playwright", reason="pip install -e '.[dev]'")
from browser_tools import is_loaded, names, running_chromium, running_site, upload, windows
from library_pages import READABLE
from playwright.sync_api import Page, expect
from served_library import image_bytes

AXE = Path(__file__).parent / "axe" / "axe.min.js"
WIDTHS = {"a phone": 320, "a desktop": 1280}
SCHEMES = ["light", "dark"]


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


def test_everything_works_without_scripts(open_page, file):
    page = open_page(java_script_enabled=False)
    expect(page.get_by_text("You can also drop")).to_be_hidden()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose an image file")
    upload(page, file)
    before = names(page)
    assert before[0] == "green.jpg"
    page.get_by_role("slider", name="Content").focus()
    page.keyboard.press("Home")  # to 0
    page.get_by_role("slider", name="Color").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**weight-color=100*")
    assert names(page) != before
    page.get_by_text("Why this one").first.click()
    expect(page.locator("table").first).to_be_visible()
    page.get_by_role("link", name="Inside the network").click()
    is_loaded(page, ".inside img")
    page.get_by_role("link", name="Library").click()
    expect(page.locator(".tile")).to_have_count(READABLE)
    page.locator(".tile").first.click()
    is_loaded(page, ".view-picture img")


def test_the_keyboard_is_enough(open_page, file):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose an image file")).to_be_focused()
    upload(page, file)
    page.get_by_role("slider", name="Content").focus()
    for _ in range(4):
        page.keyboard.press("PageDown")
    page.wait_for_url("**weight-photo-small=20*")
    page.get_by_text("Why this one").first.locator("..").focus()
    page.keyboard.press("Enter")
    expect(page.locator("table").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=re.compile("^View ")).first).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2


def addresses(page: Page, file: Path) -> list[str]:
    """One address of each page."""
    upload(page, file)
    results = page.url
    like = page.get_by_role("link", name="Search with this picture, red.jpg").get_attribute("href")
    more = page.get_by_role("link", name="More like this picture, red.jpg").get_attribute("href")
    view = page.get_by_role("link", name="View red.jpg").get_attribute("href")
    found = ["/", "/library", "/library?failed=1", "/library?label=none", like, more, view]
    return [*found, "/nothing", results, f"{results}&tab=inside", f"{results}&label=none"]


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_hinders(open_page, file, site, width, scheme):
    """Nothing is wider than the window, and axe finds nothing in any page."""
    size = {"width": width, "height": 800}
    page = open_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    for address in addresses(page, file):
        page.goto(site.url + address.removeprefix(site.url))
        if page.locator(".why").count():
            page.locator(".why summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run()")
        problems = [
            (one["id"], one["impact"], [node["html"] for node in one["nodes"]])
            for one in found["violations"]
        ]
        assert problems == [], address
        assert len(found["passes"]) > 10


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pages_are_as_dark_as_the_desktop(open_page, scheme):
    page = open_page(color_scheme=scheme)
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall("[0-9]+", color)[:3])) / 3
    assert light > 200 if scheme == "light" else light < 50
