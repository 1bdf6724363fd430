"""The window's menus, keys and drops, and what it remembers."""

from __future__ import annotations

import pytest
from window_tools import (
    QtCore,
    QtGui,
    QtWidgets,
    color_model,
    files_in,
    make_gallery,
    opened_window,
)

pytestmark = pytest.mark.usefixtures("no_fsync")
Qt = QtCore.Qt


@pytest.fixture
def screen(qtbot, tmp_path):
    with opened_window(qtbot, tmp_path / "settings.ini") as screen:
        yield screen


@pytest.fixture
def gallery(tmp_path):
    return make_gallery(tmp_path / "gallery", red=1, green=1)


# --- keys and drops -----------------------------------------------------------------------------


def test_ctrl_o_opens_a_folder(screen, qtbot, gallery, monkeypatch):
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: str(gallery))
    qtbot.keyClick(screen.window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    screen.until_idle()
    assert screen.texts[-1] == "2 images found"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
@pytest.mark.parametrize("focus", ["listFolder", "linePath", "btnClassification"])
def test_enter_classifies(screen, qtbot, gallery, key, focus):
    screen.open(gallery)
    widget = getattr(screen.window, focus)
    widget.setFocus()
    qtbot.keyClick(widget, key)
    screen.until_idle()
    assert screen.texts[-1] == "Done!"


def test_enter_on_the_open_button_opens(screen, qtbot, gallery, monkeypatch):
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: str(gallery))
    screen.window.btnOpenFolder.setFocus()
    qtbot.keyClick(screen.window.btnOpenFolder, Qt.Key.Key_Return)
    screen.until_idle()
    assert screen.texts[-1] == "2 images found"


def test_tab_visits_everything_in_the_order_of_the_screen(screen, qtbot):
    window = screen.window
    window.btnOpenFolder.setFocus()
    visited = []
    for _ in range(4):
        visited.append(QtWidgets.QApplication.focusWidget().objectName())
        qtbot.keyClick(QtWidgets.QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert visited == ["btnOpenFolder", "btnClassification", "linePath", "listFolder"]


def drop(window, *urls):
    """Drop files on the window; return whether it accepts them."""
    data = QtCore.QMimeData()
    data.setUrls([QtCore.QUrl(url) for url in urls])
    words = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    event = QtGui.QDropEvent(QtCore.QPointF(9, 9), *words)
    event.ignore()
    window.dragEnterEvent(event)
    if event.isAccepted():
        window.dropEvent(event)
    return event.isAccepted()


def test_a_dropped_folder_is_opened(screen, gallery):
    assert drop(screen.window, gallery.as_uri())
    screen.until_idle()
    assert screen.texts[-1] == "2 images found"


def test_a_dropped_file_opens_its_folder(screen, gallery):
    assert drop(screen.window, (gallery / "red_0.png").as_uri())
    screen.until_idle()
    assert screen.window.linePath.text() == str(gallery)


@pytest.mark.parametrize("urls", [[], ["https://example.org/photos"]])
def test_what_is_not_on_this_machine_is_not_accepted(screen, urls):
    assert not drop(screen.window, *urls)
    assert screen.texts == ["Open a folder for image classification"]


# --- options --------------------------------------------------------------------------------------


def test_subfolders_are_included_at_once(screen, gallery):
    make_gallery(gallery / "deeper", blue=2)
    screen.open(gallery)
    assert screen.texts[-1] == "2 images found"
    screen.window.actionSubfolders.trigger()
    screen.until_idle()
    assert screen.texts[-1] == "4 images found"
    assert "deeper/blue_0.png" in screen.rows()


def test_the_certainty_that_is_needed(qtbot, tmp_path, gallery):
    """This model is certain by 0.75 to 0.85, depending on the noise of the image."""
    with opened_window(qtbot, tmp_path / "s.ini", lambda _: color_model(3.0)) as screen:
        screen.window.actionMove.trigger()
        levels = {action.text(): action for action in screen.window.menuCertainty.actions()}
        levels["90 %"].trigger()
        screen.open(gallery)
        screen.window.classification()
        screen.until_idle()
        assert files_in(gallery) == ["unsure/green_0.png", "unsure/red_0.png"]
        screen.window.actionUndo.trigger()
        screen.until_idle()
        levels["50 %"].trigger()
        screen.window.classification()
        screen.until_idle()
        assert files_in(gallery) == ["green/green_0.png", "red/red_0.png"]


def test_choices_and_the_folder_are_remembered(qtbot, tmp_path, gallery, monkeypatch):
    asked = []
    with opened_window(qtbot, tmp_path / "s.ini") as screen:
        window = screen.window
        for action in (window.actionMove, window.actionSubfolders, window.actionPreview):
            action.trigger()
        window.menuCertainty.actions()[3].trigger()
        window.options.use_model(tmp_path / "own.mcnn")
        screen.open(gallery)
    with opened_window(qtbot, tmp_path / "s.ini", lambda file: asked.append(file)) as screen:
        window = screen.window
        assert window.label.text() == "Open a folder for image classification"
        assert window.actionMove.isChecked() and window.actionSubfolders.isChecked()
        assert window.actionPreview.isChecked() and window.actionOwnModel.isChecked()
        assert [one.isChecked() for one in window.menuCertainty.actions()].index(True) == 3
        assert "own.mcnn" in window.actionOwnModel.text()
        monkeypatch.setattr(
            QtWidgets.QFileDialog, "getExistingDirectory", lambda *words: asked.append(words[2])
        )
        window.browse_folder()
    assert asked == [tmp_path / "own.mcnn", str(gallery)]


DAMAGED = "[General]\nmin_confidence=many\nmove=perhaps\nfolder=@Invalid()\nmodel=@ByteArray(1)\n"


def test_damaged_settings_are_left_out(qtbot, tmp_path):
    (tmp_path / "s.ini").write_text(DAMAGED)
    with opened_window(qtbot, tmp_path / "s.ini") as screen:
        window = screen.window
        assert window.actionCopy.isChecked() and window.actionShippedModel.isChecked()
        assert window.menuCertainty.actions()[1].isChecked()  # 60 %


def test_another_model_is_used_from_now_on(qtbot, tmp_path, gallery, monkeypatch):
    def load(file):
        model = color_model()
        model.class_names = ["A", "B", "C"] if file else model.class_names
        return model

    chosen = str(tmp_path / "own.mcnn")
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
    with opened_window(qtbot, tmp_path / "s.ini", load) as screen:
        window = screen.window
        window.actionMove.trigger()
        window.actionOwnModel.trigger()
        screen.open(gallery)
        window.classification()
        screen.until_idle()
        assert files_in(gallery) == ["A/red_0.png", "B/green_0.png"]
        window.actionUndo.trigger()
        screen.until_idle()
        window.actionShippedModel.trigger()
        window.classification()
        screen.until_idle()
        assert files_in(gallery) == ["green/green_0.png", "red/red_0.png"]


def test_closing_the_model_dialog_keeps_the_model(screen, monkeypatch):
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    screen.window.actionOwnModel.trigger()
    assert screen.window.actionShippedModel.isChecked()
    assert screen.window.options.settings.model is None
