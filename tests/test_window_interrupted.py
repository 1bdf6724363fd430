"""A sorting that was killed: the window asks what to do with it before it does anything else."""

from __future__ import annotations

import pytest
from window_tools import QtWidgets, color_model, files_in, make_gallery, opened_window

from minicnn.apps import sorter

pytestmark = pytest.mark.usefixtures("no_fsync")
IMAGES = 40  # more than are moved at a time


class KilledError(BaseException):
    """Ends a sorting as a kill does: nothing is tidied up."""


@pytest.fixture
def gallery(tmp_path):
    """A folder whose sorting ended in the middle."""
    folder = make_gallery(tmp_path / "gallery", red=IMAGES)
    found = sorter.find(folder)
    answers = sorter.classify(color_model(), found.groups)

    def kill(_):
        raise KilledError

    with pytest.raises(KilledError):
        sorter.apply(sorter.make_plan(found, answers, sorter.Choices(move=True)), done=kill)
    moved = [name for name in files_in(folder) if name.startswith("red/")]
    assert 0 < len(moved) < IMAGES
    return folder


@pytest.fixture
def screen(qtbot, tmp_path, gallery):
    with opened_window(qtbot, tmp_path / "settings.ini") as screen:
        screen.open(gallery)
        yield screen


def answer(screen, text):
    """Press a button of the question."""
    (question,) = screen.window.findChildren(QtWidgets.QMessageBox)
    assert question.isVisible() and "interrupted" in question.text()
    (button,) = (one for one in question.buttons() if one.text() == text)
    button.click()
    screen.until_idle()
    screen.until(lambda: not screen.window.findChildren(QtWidgets.QMessageBox))


def test_go_on(screen, gallery):
    answer(screen, "Go on")
    assert screen.texts[-1] == "Done!" and screen.rows() == []
    assert files_in(gallery) == sorted(f"red/red_{i}.png" for i in range(IMAGES))


def test_take_it_back(screen, gallery):
    answer(screen, "Take it back")
    assert screen.texts[-1] == "Everything is as before"
    assert files_in(gallery) == sorted(f"red_{i}.png" for i in range(IMAGES))


def test_later_changes_nothing_and_classify_asks_again(screen, qtbot, gallery):
    before = files_in(gallery)
    answer(screen, "Later")
    qtbot.wait(1)
    assert files_in(gallery) == before
    screen.window.classification()
    assert files_in(gallery) == before
    answer(screen, "Go on")
    assert len(files_in(gallery / "red")) == IMAGES
