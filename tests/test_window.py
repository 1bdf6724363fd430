"""The window of the photo sorter: names, captions, texts and layout of the paper, and its work."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from window_tools import (
    QtCore,
    QtWidgets,
    color_model,
    files_in,
    make_gallery,
    opened_window,
)

from minicnn.apps import sorter
from minicnn.apps.sorter import finding

pytestmark = pytest.mark.usefixtures("no_fsync")

Qt = QtCore.Qt


@pytest.fixture
def screen(qtbot, tmp_path):
    with opened_window(qtbot, tmp_path / "settings.ini") as screen:
        yield screen


@pytest.fixture
def gallery(tmp_path):
    """A folder of 3 red, 2 green and 1 blue image."""
    return make_gallery(tmp_path / "gallery", red=3, green=2, blue=1)


SORTED = [
    "blue/blue_0.png", "green/green_0.png", "green/green_1.png",
    "red/red_0.png", "red/red_1.png", "red/red_2.png",
]  # fmt: skip
UNSORTED = [name.partition("/")[2] for name in SORTED]


# --- the screen of the paper --------------------------------------------------------------------

NAMES = {
    "btnOpenFolder": "QPushButton",
    "btnClassification": "QPushButton",
    "label": "QLabel",
    "linePath": "QLineEdit",
    "listFolder": "QListView",
    "processBar": "QProgressBar",
}


def test_objects_have_the_names_of_the_paper(screen):
    for name, kind in NAMES.items():
        assert getattr(screen.window, name).metaObject().className() == kind
        assert getattr(screen.window, name).objectName() == name


def test_captions_and_first_status(screen):
    window = screen.window
    assert window.btnOpenFolder.text() == "Open folder"
    assert window.btnClassification.text() == "Classify"
    assert window.label.text() == "Open a folder for image classification"
    assert (window.processBar.minimum(), window.processBar.value()) == (0, 0)
    assert window.processBar.maximum() == 100
    assert [box.text() for box in window.centralwidget.findChildren(QtWidgets.QPushButton)] == [
        "Open folder",
        "Classify",
    ]


@pytest.mark.parametrize("size", [(420, 400), (560, 680), (1900, 1000)])
def test_nothing_moves_out_of_place_when_the_window_is_stretched(screen, qtbot, size):
    window = screen.window
    window.resize(QtCore.QSize(*size))
    qtbot.wait(1)
    boxes = {name: getattr(window, name).geometry() for name in NAMES}
    buttons = [boxes["btnOpenFolder"], boxes["btnClassification"]]
    assert buttons[0].top() == buttons[1].top() and buttons[0].right() < buttons[1].left()
    assert abs(buttons[0].width() - buttons[1].width()) <= 1
    below = [boxes[name] for name in ("linePath", "listFolder", "label", "processBar")]
    for upper, lower in zip([buttons[0], *below], below, strict=False):
        assert upper.bottom() < lower.top()
    for box in below:
        assert (box.left(), box.right()) == (buttons[0].left(), buttons[1].right())
    assert boxes["listFolder"].height() > sum(
        boxes[name].height() for name in NAMES if name != "listFolder"
    )


def test_classify_without_a_folder(screen, qtbot):
    qtbot.mouseClick(screen.window.btnClassification, Qt.MouseButton.LeftButton)
    assert screen.window.label.text() == "Folder is not open"


def test_a_folder_without_images(screen, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    screen.open(tmp_path / "empty")
    assert screen.window.label.text() == "There are no images"
    screen.window.classification()
    assert screen.window.label.text() == "There are no images"


def test_from_the_open_button_to_done(screen, qtbot, gallery, monkeypatch):
    window = screen.window
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: str(gallery))
    percents = []
    window.workflow.progress.connect(lambda percent, _: percents.append(percent))
    qtbot.mouseClick(window.btnOpenFolder, Qt.MouseButton.LeftButton)
    screen.until_idle()
    assert window.linePath.text() == str(gallery)
    assert screen.rows() == UNSORTED
    qtbot.mouseClick(window.btnClassification, Qt.MouseButton.LeftButton)
    assert window.btnClassification.text() == "Cancel"
    screen.until_idle()
    assert screen.texts == [
        "Open a folder for image classification",
        "Looking for images…",
        "6 images found",
        "Classifying…",
        "Copying…",
        "Done!",
    ]
    assert screen.rows() == [] and window.btnClassification.text() == "Classify"
    assert percents == sorted(percents) and percents[-1] == 100 == window.processBar.value()
    assert files_in(gallery) == sorted(SORTED + UNSORTED)


def test_closing_the_folder_dialog_changes_nothing(screen, gallery, monkeypatch):
    screen.open(gallery)
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: "")
    screen.window.browse_folder()
    assert screen.texts[-1] == "6 images found" and screen.rows() == UNSORTED


def test_this_qt_counts_references_well(qtbot):
    """PySide6 6.12.0 loses one at each signal, until Python 3.11 aborts; pyproject.toml bars it."""

    class Source(QtCore.QObject):
        signal = QtCore.Signal(int)

    source, label = Source(), QtWidgets.QLabel()
    qtbot.addWidget(label)
    source.signal.connect(label.setNum)
    before = sys.getrefcount(True)
    for i in range(300):
        source.signal.emit(i)
    assert abs(sys.getrefcount(True) - before) < 100


# --- beyond the paper ---------------------------------------------------------------------------


def test_a_second_run_does_nothing(screen, gallery):
    screen.open(gallery)
    screen.window.classification()
    screen.until_idle()
    once = files_in(gallery)
    screen.open(gallery)
    screen.window.classification()
    screen.until_idle()
    assert screen.texts[-1] == "Done! 6 images were sorted already."
    assert files_in(gallery) == once


def test_moving_and_undoing(screen, gallery):
    window = screen.window
    before = {path.name: path.read_bytes() for path in gallery.iterdir()}
    window.actionMove.trigger()
    screen.open(gallery)
    assert not window.actionUndo.isEnabled()
    window.classification()
    screen.until_idle()
    assert screen.texts[-2:] == ["Moving…", "Done!"]
    assert files_in(gallery) == SORTED
    assert window.actionUndo.isEnabled()
    window.actionUndo.trigger()
    screen.until_idle()
    assert screen.texts[-1] == "Everything is as before" and screen.rows() == UNSORTED
    assert {name: (gallery / name).read_bytes() for name in files_in(gallery)} == before
    assert not window.actionUndo.isEnabled()


def test_an_unreadable_image_stays_and_is_named(screen, gallery):
    damaged = (gallery / "red_0.png").read_bytes()[:60]
    (gallery / "damaged.png").write_bytes(damaged)
    screen.window.actionMove.trigger()
    screen.open(gallery)
    screen.window.classification()
    screen.until_idle()
    assert screen.texts[-1] == "Done! 1 images cannot be read and stay where they are."
    (row,) = screen.rows()
    assert row.startswith("damaged.png\n") and "truncated" in row
    assert files_in(gallery) == sorted(["damaged.png", *SORTED])


def test_files_that_need_a_package_are_counted(screen, gallery, monkeypatch):
    (gallery / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setattr(finding, "reads_heic", lambda: False)
    screen.open(gallery)
    assert screen.texts[-1].startswith(
        "6 images found. 1 more are HEIC files, which this reads after: "
    )
    assert "heic" in screen.texts[-1].rpartition("install")[2]


def test_unsure_images_have_a_folder(qtbot, tmp_path, gallery):
    with opened_window(qtbot, tmp_path / "s.ini", lambda _: color_model(1.0)) as screen:
        screen.window.actionMove.trigger()
        screen.open(gallery)
        screen.window.classification()
        screen.until_idle()
    assert files_in(gallery) == sorted(f"unsure/{name}" for name in UNSORTED)


class Held:
    """A model that waits in the first batch until the test lets it go."""

    def __init__(self, monkeypatch, model):
        self.began, self.go = threading.Event(), threading.Event()
        self.model = model
        predict = model.predict_on_batch

        def held(x):
            self.began.set()
            self.go.wait()
            return predict(x)

        monkeypatch.setattr(model, "predict_on_batch", held)


@pytest.fixture
def held(monkeypatch):
    return Held(monkeypatch, color_model())


@pytest.mark.parametrize("how", ["the button", "Esc"])
def test_cancel_while_classifying(qtbot, tmp_path, gallery, held, how):
    with opened_window(qtbot, tmp_path / "s.ini", lambda _: held.model) as screen:
        window = screen.window
        screen.open(gallery)
        window.classification()
        screen.until(held.began.is_set)
        assert window.btnClassification.text() == "Cancel"
        assert not window.btnOpenFolder.isEnabled() and not window.menuOptions.isEnabled()
        if how == "Esc":
            qtbot.keyClick(window, Qt.Key.Key_Escape)
        else:
            qtbot.mouseClick(window.btnClassification, Qt.MouseButton.LeftButton)
        assert screen.texts[-1] == "Stopping…"
        held.go.set()
        screen.until_idle()
        assert screen.texts[-1] == "Stopped; nothing was sorted"
        assert screen.rows() == UNSORTED == files_in(gallery)
        assert window.processBar.value() == 0


def test_what_a_stopped_sorting_has_left_can_be_sorted_later(screen, tmp_path, monkeypatch):
    gallery = make_gallery(tmp_path / "many", red=40)  # more than are moved at a time
    screen.window.actionMove.trigger()
    screen.open(gallery)
    answers = iter([False, True])  # to whether it should stop

    def apply(plan, *, done, stop):
        assert not stop()
        return sorter.applying.apply(plan, done=done, stop=lambda: next(answers))

    monkeypatch.setattr(sorter, "apply", apply)
    screen.window.classification()
    screen.until_idle()
    moved = len(files_in(gallery / "red"))
    assert screen.texts[-1] == (
        f"Stopped; {moved} images are sorted. “Undo last sort” takes them back."
    )
    assert 0 < moved < 40 and len(screen.rows()) == 40 - moved
    monkeypatch.undo()
    screen.window.classification()
    screen.until_idle()
    assert screen.texts[-1] == "Done!" and len(files_in(gallery / "red")) == 40


def test_the_window_answers_while_it_works(qtbot, tmp_path, gallery, held):
    with opened_window(qtbot, tmp_path / "s.ini", lambda _: held.model) as screen:
        screen.open(gallery)
        screen.window.classification()
        screen.until(held.began.is_set)
        screen.window.open_folder(tmp_path)  # refused, because something is going on
        assert screen.window.linePath.text() == str(gallery)
        screen.window.resize(800, 500)
        qtbot.wait(1)
        assert screen.window.width() == 800
        held.go.set()
        screen.until_idle()
        assert screen.texts[-1] == "Done!"


def test_closing_the_window_stops_the_work(qtbot, tmp_path, gallery, held):
    with opened_window(qtbot, tmp_path / "s.ini", lambda _: held.model) as screen:
        screen.open(gallery)
        screen.window.classification()
        screen.until(held.began.is_set)
        held.go.set()
    assert files_in(gallery) == UNSORTED


# --- errors -------------------------------------------------------------------------------------


def test_a_model_that_cannot_be_read_is_named(qtbot, tmp_path, gallery):
    def load(_):
        raise FileNotFoundError(2, "no such file", "gone.mcnn")

    with opened_window(qtbot, tmp_path / "s.ini", load) as screen:
        screen.open(gallery)
        screen.window.classification()
        screen.until_idle()
        assert screen.texts[-1] == "gone.mcnn: no such file"
        assert screen.rows() == UNSORTED


def test_a_folder_that_is_gone(screen, tmp_path):
    screen.open(tmp_path / "gone")
    assert screen.texts[-1] == f"{tmp_path / 'gone'}: no such folder; give a folder of images"
    screen.window.classification()
    assert screen.texts[-1] == "Folder is not open"


FULL = os.strerror(28)


def test_a_full_disk_leaves_images_and_says_what_to_do(screen, gallery, monkeypatch):
    write = os.write

    def full(handle, data):
        if b"PNG" in bytes(data[:8]):
            raise OSError(28, FULL)
        return write(handle, data)

    screen.open(gallery)
    monkeypatch.setattr(os, "write", full)
    screen.window.classification()
    screen.until_idle()
    assert screen.texts[-1] == (
        "6 images stay where they are: the disk is full; free some space, then classify again."
    )
    assert [row.partition("\n")[0] for row in screen.rows()] == UNSORTED
    assert (
        screen.rows()[0].partition("\n")[2]
        == "the disk is full; free some space, then classify again"
    )
    monkeypatch.undo()
    screen.window.classification()
    screen.until_idle()
    assert screen.texts[-1] == "Done!" and screen.rows() == []


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")
def test_a_folder_that_cannot_be_written(screen, gallery, monkeypatch):
    screen.open(gallery)
    mkdir = os.mkdir

    def refused(path, *args, **kwargs):
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(os, "mkdir", refused)
    screen.window.classification()
    screen.until_idle()
    monkeypatch.setattr(os, "mkdir", mkdir)
    assert screen.texts[-1].endswith("you have no permission to change it")
    assert files_in(gallery) == UNSORTED and screen.rows() == UNSORTED
