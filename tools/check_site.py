"""Check a built site: `python tools/check_site.py build/docs`.

Three things must hold. Every link within the site leads to a page that is there, and to a place on
it that is there. No page loads anything from another host. Every public name of minicnn has a place
in the reference.
"""

from __future__ import annotations

import argparse
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

EXTENSIONS = Path(__file__).resolve().parent.parent / "docs" / "extensions"
# What a browser loads by itself; it follows the `href` of an `a` only when it is clicked.
LOADS = {
    "audio": "src", "embed": "src", "iframe": "src", "img": "src", "input": "src", "link": "href",
    "object": "data", "script": "src", "source": "src", "track": "src", "video": "src",
}  # fmt: skip
STYLES = re.compile(r"<style.*?</style>", re.DOTALL)
IN_STYLES = re.compile(r"(?:url\(|@import (?:url\()?)\s*['\"]?([^'\")\s;]+)")


class Page(HTMLParser):
    """The links of a page, what it loads, and the places to which a link may lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = [
            address for style in STYLES.findall(text) for address in IN_STYLES.findall(style)
        ]
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADS and LOADS[tag] in given and given.get("rel") != "canonical":
            self.loaded.append(given[LOADS[tag]])


class Found(NamedTuple):
    """What was checked, and the problems as sentences."""

    pages: int
    links: int
    problems: list[str]


def is_of_another_host(address: str) -> bool:
    """Whether an address names a host; `data:` holds its contents itself."""
    return bool(urlsplit(address).netloc) or address.startswith("//")


def check(site: Path) -> Found:
    """Check all pages and style sheets of a site."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    problems, links = styles_that_load(site), 0
    for path, page in pages.items():
        name = path.relative_to(site)
        problems += [f"{name} loads {one}" for one in page.loaded if is_of_another_host(one)]
        within = [one for one in page.links + page.loaded if not urlsplit(one).scheme and one]
        links += len(within)
        lost = [one for one in within if not leads(path, one, pages)]
        problems += [f"{name}: {one} leads nowhere" for one in lost]
    return Found(len(pages), links, problems)


def styles_that_load(site: Path) -> list[str]:
    """Return what style sheets load from other hosts."""
    return [
        f"{path.relative_to(site)} loads {address}"
        for path in sorted(site.rglob("*.css"))
        for address in IN_STYLES.findall(path.read_text(encoding="utf-8"))
        if is_of_another_host(address)
    ]


def leads(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Whether a link on a page leads to a file, and to a place on it if it names one."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target not in pages:
        return target.exists() and not parts.fragment
    return not parts.fragment or unquote(parts.fragment) in pages[target].places


def names_without_a_place(site: Path) -> list[str]:
    """Return the public names that the reference does not have."""
    sys.path.insert(0, str(EXTENSIONS))
    import public_names

    wanted = {*public_names.objects(), *public_names.modules()}
    places = {place for path in (site / "api").glob("*.html") for place in places_of(path)}
    return sorted(name for name in wanted if name not in places and f"module-{name}" not in places)


def places_of(path: Path) -> set[str]:
    """Return the places on a page."""
    return Page(path.read_text(encoding="utf-8")).places


def main() -> None:
    """Print what was checked, and each problem; the exit code is 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    site = parser.parse_args().site.resolve()
    found = check(site)
    missing = [f"{name} is not in the reference" for name in names_without_a_place(site)]
    print(f"{found.pages} pages, {found.links} links within the site, {len(missing)} names missing")
    for problem in found.problems + missing:
        print(problem)
    if found.problems or missing or not found.pages:
        sys.exit(1)


if __name__ == "__main__":
    main()
