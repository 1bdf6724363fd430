"""The start of the window's program."""

from __future__ import annotations

import signal

import pytest
from window_tools import QtCore, QtWidgets, color_model, make_gallery, until

from minicnn.apps.window import program


@pytest.fixture
def started(qapp, qtbot, tmp_path, monkeypatch):
    """A function that starts the program; it ends when nothing is going on in its window."""
    settings = QtCore.QSettings
    monkeypatch.setattr(
        program,
        "QSettings",
        lambda *_: settings(str(tmp_path / "s.ini"), settings.Format.IniFormat),
    )
    handler, windows, loaded = signal.getsignal(signal.SIGINT), [], []

    def exec_until_idle(_):
        (window,) = [one for one in qapp.topLevelWidgets() if one.isVisible()]
        until(qtbot, lambda: not window.workflow.is_busy and window.model.is_loaded)
        windows.append(window)
        return 0

    def start(**words):
        monkeypatch.setattr(program, "QApplication", lambda _: qapp)
        monkeypatch.setattr(QtWidgets.QApplication, "exec", exec_until_idle)
        assert program.run(lambda file: loaded.append(file) or color_model(), **words) == 0
        return windows[-1], loaded

    yield start
    signal.signal(signal.SIGINT, handler)
    for window in windows:
        window.close()


def test_the_first_status_is_shown(started):
    window, loaded = started()
    assert window.label.text() == "Open a folder for image classification"
    assert loaded == [None]


def test_a_folder_and_a_model_are_used_at_once(started, tmp_path):
    gallery = make_gallery(tmp_path / "gallery", red=2)
    window, loaded = started(folder=gallery, model=tmp_path / "own.mcnn")
    assert window.label.text() == "2 images found"
    assert loaded[-1] == tmp_path / "own.mcnn" == window.options.settings.model


def test_ctrl_c_in_the_terminal_ends_the_program(started):
    started()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
