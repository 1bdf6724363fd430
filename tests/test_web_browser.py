"""The pages of `minicnn serve` in a real browser, Chromium."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import library_tools
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("playwright", reason="pip install -e '.[dev]'")
from fetch_server import Internet, answer, internet
from library_pages import make_library
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from served_library import COLORS, Served, image_bytes, serving

from minicnn.data.tools.fetch import FetchLimits

AXE = Path(__file__).parent / "axe" / "axe.min.js"
OPTIONS = ["--no-sandbox", "--disable-background-networking"]
NAMES = {f"{color}.jpg" for color in COLORS}
READABLE = len(COLORS) + 1
WIDTHS = {"a phone": 320, "a desktop": 1280}
SCHEMES = ["light", "dark"]


class Site(NamedTuple):
    """The server, and what replaces the web for it."""

    served: Served
    web: Internet

    @property
    def url(self) -> str:
        return self.served.url

    @property
    def blue(self) -> str:
        """The address of a picture."""
        return f"http://127.0.0.1:{self.web.port}/blue.jpg"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    library = make_library(tmp_path_factory.mktemp("library"))
    limits = FetchLimits(allow_private=True)
    with (
        internet({"/blue.jpg": answer(image_bytes("blue"))}) as web,
        serving(library, allow_urls=True, limits=limits) as served,
    ):
        yield Site(served, web)


@pytest.fixture(scope="module")
def chromium(site) -> Iterator[Browser]:
    """The browser; it ends before the server, whose library refuses to be closed by its thread."""
    if library_tools.chromium() is None:
        pytest.skip("there is no browser: apt install chromium")
    with sync_playwright() as playwright:
        yield launched(playwright)


def launched(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=library_tools.chromium(), args=OPTIONS)


@pytest.fixture
def open_page(chromium, site):
    """A function that opens an address in a window of its own.

    All its requests must go to the server, and nothing may fail in its scripts.
    """
    requests: list[str] = []
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def opened(address: str = "/", **options) -> Page:
            context = stack.enter_context(contextlib.closing(chromium.new_context(**options)))
            context.set_default_timeout(30_000)
            page = context.new_page()
            page.on("request", lambda request: requests.append(request.url))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: errors.append(message.text))
            page.goto(site.url + address)
            return page

        yield opened
    assert requests
    own = (f"{site.url}/", f"blob:{site.url}/", "data:image/svg+xml")  # arrows of Bootstrap's CSS
    assert [one for one in requests if not one.startswith(own)] == []
    # A response of 4xx is a message of the console, too.
    assert [one for one in errors if "responded with a status of 4" not in one] == []


@pytest.fixture
def file(tmp_path) -> Path:
    """A picture of a color that the library has."""
    path = tmp_path / "my picture.jpg"
    path.write_bytes(image_bytes("green"))
    return path


def upload(page: Page, file: Path) -> None:
    page.get_by_label("Choose an image file").set_input_files(file)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?upload=*")


def names(page: Page) -> list[str]:
    """The files that were found, in their order."""
    texts = page.locator(".hit-name").all_text_contents()
    return [text.rpartition(", ")[2] for text in texts]


def is_loaded(page: Page, selector: str) -> None:
    """Check that the images are really shown."""
    for one in page.locator(selector).all():
        one.scroll_into_view_if_needed()
        expect(one).not_to_have_js_property("naturalWidth", 0)


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
    expect(texture.locator("output")).to_have_text("100 %")
    page.reload()  # the address says it all
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
    labels = [one.partition(",")[0] for one in page.locator(".hit-name").all_text_contents()]
    assert set(labels) == {label}
    expect(page.locator(".hits-count")).to_contain_text(f"that show {label}")


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
