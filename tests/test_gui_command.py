"""`minicnn gui` where the window cannot start: the error says what is missing and how to get it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from minicnn.apps.cli import gui, main


@pytest.fixture
def importing(monkeypatch):
    """A function that lets the import of the window's program return or raise something."""

    def make(result):
        def import_module(name):
            assert name == "minicnn.apps.window.program"
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(gui, "importlib", SimpleNamespace(import_module=import_module))

    return make


def run(capsys, *words):
    code = main.run(["gui", *words])
    return code, capsys.readouterr().err


def test_without_the_extra(importing, capsys):
    importing(ModuleNotFoundError("No module named 'PySide6'", name="PySide6.QtCore"))
    code, said = run(capsys)
    assert code == 1 and "the window needs PySide6" in said and "[gui]" in said


def test_without_a_library_of_the_system(importing, capsys):
    importing(ImportError("libEGL.so.1: cannot open shared object file"))
    code, said = run(capsys)
    assert code == 1 and "libEGL.so.1" in said and "apt install libegl1 " in said


def test_a_bug_is_not_taken_for_a_missing_package(importing, capsys):
    importing(ModuleNotFoundError("No module named 'minicnn.gone'", name="minicnn.gone"))
    with pytest.raises(ModuleNotFoundError, match=r"minicnn\.gone"):
        run(capsys)


@pytest.fixture
def screenless(monkeypatch):
    for name in gui.SCREENS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gui.sys, "platform", "linux")


def test_without_a_screen(importing, screenless, capsys):
    importing(SimpleNamespace(run=None))
    code, said = run(capsys)
    assert code == 1 and "there is no screen" in said and "minicnn sort" in said


@pytest.mark.parametrize("words", [[], ["photos", "--model", "a.mcnn"]])
def test_the_folder_and_the_model_are_passed_on(importing, screenless, monkeypatch, words):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    asked = []

    def program(load, folder, model):
        asked.append((load, folder, model))
        return 7

    importing(SimpleNamespace(run=program))
    assert main.run(["gui", *words]) == 7
    folder, model = (Path("photos"), Path("a.mcnn")) if words else (None, None)
    assert asked == [(gui.load_sorter_model, folder, model)]


def test_the_packages_of_debian_are_those_of_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"apt install {gui.DEBIAN_PACKAGES}" in readme
