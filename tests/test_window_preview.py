"""The preview: what it shows of a plan, and moving pictures from column to column."""

from __future__ import annotations

from pathlib import Path

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

from minicnn.apps.window.picture_list import Picture
from minicnn.apps.window.preview_column import DraggedList
from minicnn.apps.window.thumbnails import Thumbnails

pytestmark = pytest.mark.usefixtures("no_fsync")
Qt = QtCore.Qt


@pytest.fixture
def gallery(tmp_path):
    return make_gallery(tmp_path / "gallery", red=3, green=1)


@pytest.fixture
def screen(qtbot, tmp_path, gallery):
    """The window with its preview open: red has 3 pictures, green 1."""
    with opened_window(qtbot, tmp_path / "s.ini", lambda _: color_model(4.0)) as screen:
        screen.window.actionMove.trigger()
        screen.window.actionPreview.trigger()
        screen.open(gallery)
        screen.window.classification()
        screen.until(lambda: screen.window.preview is not None)
        screen.until_idle()
        yield screen


def shown(preview):
    """{title: names of the pictures} of all columns."""
    return {one.title: [card.path.name for card in one.list.pictures] for one in preview.columns}


def column(preview, title):
    (found,) = (one for one in preview.columns if one.title == title)
    return found


def press(screen, text):
    """Press a button of the preview, and wait for what follows."""
    buttons = screen.window.preview.findChildren(QtWidgets.QPushButton)
    next(one for one in buttons if one.text() == text).click()
    screen.until_idle()


def test_columns_with_the_least_certain_first(screen, gallery):
    preview = screen.window.preview
    assert [one.title for one in preview.columns] == ["red", "green", "blue", "unsure"]
    assert {title: len(names) for title, names in shown(preview).items()} == {
        "red": 3, "green": 1, "blue": 0, "unsure": 0,
    }  # fmt: skip
    red = column(preview, "red")
    certainties = [int(card.text.removesuffix(" %")) for card in red.list.pictures]
    assert certainties == sorted(certainties) and all(60 <= one < 100 for one in certainties)
    assert red.list.pictures[0].tip.splitlines()[1].startswith("red ")
    assert files_in(gallery) == sorted(name for names in shown(preview).values() for name in names)


def test_nothing_happens_without_consent(screen, gallery):
    before = files_in(gallery)
    press(screen, "Back")
    assert files_in(gallery) == before
    assert screen.texts[-1] == "4 images found" and len(screen.rows()) == 4


def drag(preview, origin, rows, target):
    """Drag the pictures in these rows of a column to another column, as Qt does in the end."""
    source, destination = column(preview, origin), column(preview, target)
    indexes = [source.list.index(row) for row in rows]
    assert all(index.flags() & Qt.ItemFlag.ItemIsDragEnabled for index in indexes)
    data = source.list.mimeData(indexes)
    assert drop(destination.view, data)


def drop(view, data):
    """Drop data in the middle of a view; return whether it is accepted."""
    assert view.viewport().acceptDrops()
    where = QtCore.QPointF(view.viewport().rect().center())
    event = QtGui.QDropEvent(
        where, Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)
    )
    event.ignore()
    view.dropEvent(event)
    return event.isAccepted()


def test_dragged_pictures_go_where_they_were_put(screen, gallery):
    preview = screen.window.preview
    first, _, third = (card.path.name for card in column(preview, "red").list.pictures)
    drag(preview, "red", [0, 2], "blue")
    drag(preview, "green", [0], "unsure")
    assert shown(preview)["blue"] == [first, third]
    assert {card.text for card in column(preview, "blue").list.pictures} == {"by hand"}
    assert len(column(preview, "blue").selected()) == 2
    press(screen, "Sort 4 images")
    assert screen.texts[-1] == "Done!"
    (stays,) = shown(preview)["red"]
    assert files_in(gallery) == sorted(
        [f"blue/{first}", f"blue/{third}", f"red/{stays}", "unsure/green_0.png"]
    )


def test_a_picture_that_was_dragged_back_is_where_it_was(screen, gallery):
    preview = screen.window.preview
    drag(preview, "green", [0], "blue")
    drag(preview, "blue", [0], "green")
    drag(preview, "green", [0], "green")
    assert shown(preview)["green"] == ["green_0.png"] and shown(preview)["blue"] == []
    press(screen, "Sort 4 images")
    assert "green/green_0.png" in files_in(gallery)


def test_keys_move_what_is_selected(screen, qtbot):
    preview = screen.window.preview
    column(preview, "red").view.selectAll()
    qtbot.keyClick(preview, Qt.Key.Key_3)
    assert len(shown(preview)["blue"]) == 3 and shown(preview)["red"] == []
    qtbot.keyClick(preview, Qt.Key.Key_4)
    assert len(shown(preview)["unsure"]) == 3


def test_the_menu_moves_what_is_selected(screen):
    preview = screen.window.preview
    green = column(preview, "green")
    green.view.selectAll()
    green.view.customContextMenuRequested.emit(QtCore.QPoint(1, 1))
    (menu,) = preview.findChildren(QtWidgets.QMenu)
    texts = [action.text() for action in menu.actions()]
    assert texts == ["Move to red", "Move to blue", "Move to unsure"]
    menu.actions()[1].trigger()
    menu.close()
    assert shown(preview)["blue"] == ["green_0.png"]


def test_what_is_strange_is_not_dropped(screen):
    preview = screen.window.preview
    before = shown(preview)
    data = QtCore.QMimeData()
    data.setText("[0, 1]")
    assert not drop(column(preview, "blue").view, data)
    assert shown(preview) == before


def test_names_that_are_taken_and_unreadable_images_are_announced(qtbot, tmp_path, gallery):
    make_gallery(gallery / "red", red=1)
    (gallery / "red" / "red_0.png").write_bytes((gallery / "green_0.png").read_bytes())
    (gallery / "damaged.png").write_bytes((gallery / "red_0.png").read_bytes()[:60])
    with opened_window(qtbot, tmp_path / "s.ini") as screen:
        screen.window.actionPreview.trigger()
        screen.open(gallery)
        screen.window.classification()
        screen.until(lambda: screen.window.preview is not None)
        texts = [one.text() for one in screen.window.preview.findChildren(QtWidgets.QLabel)]
        note = next(text for text in texts if "taken" in text)
        assert "these images are saved as red_0 (1).png and so on" in note
        assert "1 images cannot be read" in note


def test_closing_the_window_closes_the_preview(screen, gallery):
    before = files_in(gallery)
    screen.window.close()
    assert not screen.window.preview.isVisible() and files_in(gallery) == before


@pytest.fixture
def small_thumbnails(qtbot):
    made = Thumbnails(16, 1.0)
    yield made
    made.close()


def test_many_pictures_at_once(qtbot, small_thumbnails):
    pictures = [Picture(i, Path(f"{i}.png"), "", "") for i in range(300)]
    view = QtWidgets.QListView()
    qtbot.addWidget(view)
    rows = DraggedList(small_thumbnails, view)
    rows.show_all(pictures)
    taken = rows.take({*range(0, 300, 2)})
    assert taken == pictures[::2] and rows.pictures == pictures[1::2]
    assert rows.take({1, 3}) == [pictures[1], pictures[3]] and rows.rowCount() == 148
    rows.add(taken)
    assert rows.pictures[:150] == taken and rows.index(0).data() == ""
