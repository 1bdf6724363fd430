"""The library page, the pages of single pictures, and their files, without a browser."""

from __future__ import annotations

import contextlib
import io
import os

import library_tools
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from library_pages import (
    ODD,
    READABLE,
    YEARS,
    a_browser,
    file_of,
    number_of,
    read,
    serving_pages,
)
from PIL import Image
from served_library import COLORS, image_bytes

from minicnn.apps.library.models import Picture


@pytest.fixture(scope="module", params=["a file", "PostgreSQL"])
def current(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    with contextlib.ExitStack() as stack:
        database = ""
        if request.param == "PostgreSQL":
            stack.enter_context(pytest.MonkeyPatch.context()).setenv("MINICNN_HOME", str(folder))
            server = request.getfixturevalue("postgres_server")
            database = stack.enter_context(library_tools.new_database(server))
        yield stack.enter_context(serving_pages(folder, database))


@pytest.fixture
def browser(current):
    return a_browser()


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


def test_a_search_in_the_library(browser, current):
    number = number_of(current, "blue.jpg")
    page = read(browser, f"/search?like={number}&weight-color=1")
    assert len(page.hits) == READABLE - 1
    assert len(read(browser, "/").all("ul", **{"class": "mosaic"})) == 1


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
