"""The design and the texts of the window: compiled files are those of their sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from window_tools import QtCore, QtGui, QtWidgets, make_gallery, opened_window

import minicnn
from minicnn.apps.window import design, program
from minicnn.apps.window.reasons import reason_text
from minicnn.apps.window.status import Status

QtUiTools = pytest.importorskip("PySide6.QtUiTools")
WINDOW = Path(minicnn.__file__).parent / "apps" / "window"
TRANSLATIONS = WINDOW / "translations"
COMPILE = "python tools/compile_window.py"


# --- the design ---------------------------------------------------------------------------------


SEEN = (
    "text", "title", "shortcut", "checkable", "enabled", "iconSize", "readOnly", "wordWrap",
    "accessibleName", "uniformItemSizes", "geometry",
)  # fmt: skip


def plain(value):
    """A value of Qt as one that can be compared and printed."""
    if isinstance(value, QtGui.QKeySequence):
        return value.toString()
    return value.toTuple() if hasattr(value, "toTuple") else value


def described(window):
    """What can be seen of a window: the class, name and properties of its objects."""
    window.resize(700, 600)
    window.show()
    objects = [one for one in window.findChildren(QtCore.QObject) if one.objectName()]
    return {
        one.objectName(): [one.metaObject().className(), *(plain(one.property(p)) for p in SEEN)]
        for one in objects
        if not one.objectName().startswith("qt_")
    }


def test_the_compiled_design_is_that_of_designer(qtbot):
    compiled = QtWidgets.QMainWindow()
    design.Ui_MainWindow().setupUi(compiled)
    loaded = QtUiTools.QUiLoader().load(str(WINDOW / "design.ui"))
    for window in (compiled, loaded):
        qtbot.addWidget(window)
    assert len(described(compiled)) > 25
    assert described(compiled) == described(loaded), f"type: {COMPILE}"


# --- the translations -----------------------------------------------------------------------------


def messages(path):
    """[(context, source, translations)] of a .ts file; plural forms are several translations."""
    found = []
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation.get("type") is None, f"{message.findtext('source')}: unfinished"
            forms = [form.text for form in translation.iter("numerusform")] or [translation.text]
            found.append((context.findtext("name"), message.findtext("source"), forms))
    return found


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_compiled_translation_is_that_of_its_source(qapp, language):
    translator = QtCore.QTranslator()
    assert translator.load(str(TRANSLATIONS / f"minicnn_{language}.qm"))
    counts = {"ru": (1, 2, 5), "en": (1, 2)}[language]
    for context, source, forms in messages(TRANSLATIONS / f"minicnn_{language}.ts"):
        numbers = counts if len(forms) > 1 else (-1,)
        read = [translator.translate(context, source, "", number) for number in numbers]
        assert read == forms and all(read), f"type: {COMPILE}"


def test_every_text_of_the_program_is_translated(tmp_path):
    """`lupdate` finds the texts; one without a translation would be unfinished."""
    copy = tmp_path / "minicnn_ru.ts"
    shutil.copy(TRANSLATIONS / copy.name, copy)
    sources = [one for one in WINDOW.glob("*.py") if one.name != "design.py"]
    tool = Path(sys.executable).with_name("pyside6-lupdate")
    if not tool.exists():
        pytest.skip("pip install -e '.[gui]'")
    words = [tool, "-no-obsolete", *sources, WINDOW / "design.ui", "-ts", copy]
    subprocess.run(words, check=True, capture_output=True)
    texts = {(context, source) for context, source, _ in messages(copy)}
    assert texts == {message[:2] for message in messages(TRANSLATIONS / copy.name)}
    assert len(texts) > 60


def test_translations_keep_places_and_numbers():
    for context, source, forms in messages(TRANSLATIONS / "minicnn_ru.ts"):
        for form in forms:
            assert form.count("{}") == source.count("{}"), (context, source)
            assert form.count("%Ln") == source.count("%Ln"), (context, source)
            assert form.count("&") == source.count("&"), (context, source)


@pytest.fixture
def in_language(qapp):
    """A function that translates the program as its start does."""
    before = QtCore.QLocale()
    installed = []

    def translate(name):
        locale = QtCore.QLocale(name)
        QtCore.QLocale.setDefault(locale)
        installed.extend(program.translate(qapp, locale))

    yield translate
    QtCore.QLocale.setDefault(before)
    for translator in installed:
        qapp.removeTranslator(translator)


def test_a_window_in_russian(in_language, qtbot, tmp_path):
    in_language("ru_RU")
    with opened_window(qtbot, tmp_path / "s.ini") as screen:
        window = screen.window
        assert window.btnOpenFolder.text() == "Открыть папку"
        assert window.label.text() == "Откройте папку для классификации изображений"
        screen.open(make_gallery(tmp_path / "gallery", red=2))
        assert window.label.text() == "Найдено 2 изображения"
        window.classification()
        assert window.btnClassification.text() == "Остановить"
        screen.until_idle()
        assert window.label.text() == "Готово!"


PLURALS = {
    "en": {1: "1 image found", 2: "2 images found", 20_000: "20,000 images found"},
    "ru": {
        1: "Найдено 1 изображение",
        3: "Найдено 3 изображения",
        11: "Найдено 11 изображений",
        392: "Найдено 392 изображения",
    },
}


@pytest.mark.parametrize("language", PLURALS)
def test_numbers_have_their_plural(in_language, language):
    in_language({"en": "en_US", "ru": "ru_RU"}[language])
    assert {count: Status().found(count, {}) for count in PLURALS[language]} == PLURALS[language]


def test_another_language_is_english(in_language):
    in_language("sw_KE")
    assert Status().no_folder() == "Folder is not open"


def test_reasons_are_translated_too(in_language):
    in_language("ru_RU")
    assert reason_text("changed since it was sorted") == "файл изменён после сортировки"
    assert reason_text("the image is truncated") == "the image is truncated"
