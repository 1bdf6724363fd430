"""The start of the program: Qt, the user's language, the window."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QSettings, QTranslator
from PySide6.QtWidgets import QApplication

from minicnn.apps.window.background_model import Load
from minicnn.apps.window.main_window import MainWindow

TRANSLATIONS = Path(__file__).parent / "translations"


def run(load: Load, folder: Path | None = None, model: Path | None = None) -> int:
    """Show the window until it is closed.

    Parameters
    ----------
    load : returns the model of a file, or for None the one that comes with minicnn
    folder : is opened
    model : classifies the images, from now on; default: the one that was chosen last

    Returns
    -------
    int : the exit code
    """
    app = QApplication([sys.argv[0]])
    app.setApplicationName("minicnn")
    translate(app, QLocale())
    window = new_window(load, QSettings("minicnn", "sorter"))
    if model is not None:
        window.options.use_model(model)
    window.show()
    if folder is not None:
        window.open_folder(folder)
    # Qt does not notice Ctrl-C in the terminal. Ending at once is safe: a journal is written ahead.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return app.exec()


def new_window(load: Load, stored: QSettings) -> MainWindow:
    """Return a window that does not pause when Python looks for garbage.

    What has been imported lives as long as the program; a search that leaves it out is short.
    """
    gc.collect()
    gc.freeze()
    return MainWindow(stored, load)


def translate(app: QCoreApplication, locale: QLocale) -> list[QTranslator]:
    """Translate the texts of the program and of Qt's dialogs; return what could be installed.

    A language without a translation gets the one for English, which has its plural forms.
    """
    qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    found = [_translator(app, locale, "qtbase", qt)]
    for language in (locale, QLocale("en")):
        found.append(_translator(app, language, "minicnn", str(TRANSLATIONS)))
        if found[-1]:
            break
    installed = [one for one in found if one is not None]
    for one in installed:
        app.installTranslator(one)
    return installed


def _translator(parent: QObject, locale: QLocale, name: str, folder: str) -> QTranslator | None:
    """Return the translations of a file such as name_ru.qm, or None if there is none."""
    translator = QTranslator(parent)
    return translator if translator.load(locale, name, "_", folder) else None
