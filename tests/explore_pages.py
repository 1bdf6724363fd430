"""The explorer in a real browser: what tests of its pages do."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

EXPLORER = "/explore/"


def of_module(page: Page, module: str, code: str, *given: Any) -> Any:
    """Return what a function of JavaScript makes of a module of the page: "(m, x) => m.f(x)"."""
    script = f"""async (given) => {{
        const module = await import("/static/explore/{module}.js");
        return await ({code})(module, ...given);
    }}"""
    return page.evaluate(script, list(given))


def is_computed(page: Page) -> None:
    """Wait until the first values are on the page."""
    expect(page.locator(".says strong").first).not_to_be_empty()


def draw(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw a stroke through points; the pad reaches from (0, 0) to (1, 1)."""
    pad = page.locator(".pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
