"""A server for the tests in a real browser, the browser, and what a visitor does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import library_tools
import pytest
from fetch_server import Internet, answer, internet
from library_pages import make_library
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served_library import Served, image_bytes, serving

from minicnn.data.tools.fetch import FetchLimits

OPTIONS = ["--no-sandbox", "--disable-background-networking"]
SECONDS = 30  # that something on a page may take


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


@contextlib.contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Make a library, and serve it during the block."""
    library = make_library(folder)
    limits = FetchLimits(allow_private=True)
    with (
        internet({"/blue.jpg": answer(image_bytes("blue"))}) as web,
        serving(library, allow_urls=True, limits=limits) as served,
    ):
        yield Site(served, web)


@contextlib.contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the browser. It must end before the server: its thread may not close a library."""
    if library_tools.chromium() is None:
        pytest.skip("there is no browser: apt install chromium")
    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        path = library_tools.chromium()
        yield playwright.chromium.launch(executable_path=path, args=OPTIONS)


@contextlib.contextmanager
def windows(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Give a function that opens an address of the site in a window of its own.

    All requests must go to the server, and nothing may fail in the scripts of the pages.
    """
    requests: list[str] = []
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def opened(address: str = "/", **options: object) -> Page:
            context = stack.enter_context(contextlib.closing(chromium.new_context(**options)))
            context.set_default_timeout(1000 * SECONDS)
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


def upload(page: Page, file: Path) -> None:
    page.get_by_label("Choose an image file").set_input_files(file)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?upload=*")


def names(page: Page) -> list[str]:
    """The files that were found, in their order.

    A click does not wait for the page that it leads to, nor do the texts of all elements.
    """
    found = page.locator(".hit-name")
    expect(found.first).to_be_attached()
    page.wait_for_load_state()
    texts = found.all_text_contents()
    return [text.rpartition(", ")[2] for text in texts]


def is_loaded(page: Page, selector: str) -> None:
    """Check that there are images, and that they are really shown."""
    images = page.locator(selector)
    expect(images.first).to_be_attached()
    page.wait_for_load_state()
    for one in images.all():
        one.scroll_into_view_if_needed()
        expect(one).not_to_have_js_property("naturalWidth", 0)
