"""The start of the program: Qt, the user's language, the window."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QSettings, QTranslator
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


def translate(app: QCoreApplication, locale: QLocale) -> None:
    """Show the texts of the program and of Qt's own dialogs in a language, if there is one."""
    places = (("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
              ("minicnn", str(TRANSLATIONS)))  # fmt: skip
    for name, place in places:
        translator = QTranslator(app)
        if translator.load(locale, name, "_", place):
            app.installTranslator(translator)
