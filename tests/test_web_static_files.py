"""Styles and scripts: all of them are files of this server, and those of others are unchanged."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from library_pages import Page, a_browser, serving_pages, uploaded

from minicnn.apps.library.weights import DEFAULT, FEATURES

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "minicnn" / "apps" / "web" / "static"
# Names that have the form of addresses; nothing is fetched from there.
NAMESPACES = {
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/xlink",
    "http://www.w3.org/1998/Math/MathML",
}
TABLE = STATIC / "vendor" / "README.md"


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    with serving_pages(tmp_path_factory.mktemp("library")) as started:
        yield started


@pytest.fixture
def browser(current):
    return a_browser()


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
    text = re.sub(r"(^|\s)//.*", "", text)
    assert set(re.findall(r"https?://[^'\"\s)]*", text)) <= NAMESPACES


def test_static_files_are_served(browser):
    for page in all_pages(browser)[:1]:
        files = [str(one.get("href") or one.get("src")) for one in page.all("link")]
        assert len(files) == 4
        for file in files:
            response = browser.get(file)
            assert response.status_code == 200
            response.close()


def test_the_documented_weights_are_the_usual_ones():
    text = (ROOT / "docs" / "image-search.md").read_text()
    line = re.search(r"score = .*", text)[0]
    found = {name: float(weight) for weight, name in re.findall(r"([0-9.]+) × (\w+)", line)}
    assert found == {
        {FEATURES: "content"}.get(name, name): weight for name, weight in DEFAULT.items()
    }
