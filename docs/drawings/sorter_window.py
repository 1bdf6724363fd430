"""The pictures of the sorter's window in docs/images, of each of its states, light and dark.

    python docs/drawings/sorter_window.py [--data FOLDER/photos] [--model FILE] [--out FOLDER]

Needs no screen. The window sorts a copy of some photographs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from minicnn.apps.cli.model_file import load_sorter_model
from minicnn.apps.window.main_window import MainWindow
from minicnn.support.atomic_files import write_atomically

IMAGES = Path(__file__).parent.parent / "images"
SIZES = {"window": (480, 560), "preview": (1000, 560)}
COUNT = 96
Role, Group = QPalette.ColorRole, QPalette.ColorGroup
DARK = {
    Role.Window: "#202124", Role.WindowText: "#e8eaed", Role.Base: "#17181a",
    Role.AlternateBase: "#202124", Role.Text: "#e8eaed", Role.Button: "#2d2f33",
    Role.ButtonText: "#e8eaed", Role.Highlight: "#4c8bf5", Role.HighlightedText: "#ffffff",
    Role.ToolTipBase: "#2d2f33", Role.ToolTipText: "#e8eaed", Role.PlaceholderText: "#9aa0a6",
}  # fmt: skip


def dark_palette() -> QPalette:
    """Return colors as those of a dark desktop, from which Qt takes them without a script."""
    palette = QPalette()
    for role, color in DARK.items():
        palette.setColor(role, QColor(color))
    for role in (Role.Text, Role.ButtonText, Role.WindowText):
        palette.setColor(Group.Disabled, role, QColor("#80868b"))
    return palette


def copied(data: Path, folder: Path) -> Path:
    """Copy photographs, evenly from all classes, under names as those of a camera."""
    files = sorted(data.rglob("*.jpg"))
    chosen = [files[i * len(files) // COUNT] for i in range(COUNT)]
    for i, source in enumerate(chosen):
        shutil.copyfile(source, folder / f"IMG_{2000 + i * 37 % COUNT}.jpg")
    return folder


def until(condition: Callable[[], bool], least_ms: int = 0) -> None:
    """Let the window work until the condition is true, and for some time."""
    loop, timer = QEventLoop(), QTimer(interval=5)
    timer.timeout.connect(lambda: loop.quit() if condition() else None)
    QTimer.singleShot(least_ms, timer.start)
    loop.exec()
    timer.stop()


class Photographer:
    """Brings the window into its states, and saves a picture of each."""

    def __init__(self, model: Path | None, out: Path, theme: str) -> None:
        self._out, self._theme = out, theme
        stored = QSettings(tempfile.mktemp(suffix=".ini"), QSettings.Format.IniFormat)
        self.window = MainWindow(stored, lambda _: load_sorter_model(model))
        self.window.resize(*SIZES["window"])
        self.window.show()

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Save a picture of the window, or of another one."""
        target = self._out / f"sorter-{name}-{self._theme}.png"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "a.png"
            (widget or self.window).grab().save(str(file))
            write_atomically(target, [file.read_bytes()])
        print(target)

    def take_all(self, folder: Path) -> None:
        """Go through all states, and undo in the end."""
        window, flow = self.window, self.window.workflow
        self.take("start")
        shown = window.linePath.setText
        flow.folder.disconnect(shown)
        window.open_folder(folder)
        window.linePath.setText("/home/ada/Pictures/2024")
        until(lambda: not flow.is_busy, 1500)
        self.take("found")
        window.classification()
        until(lambda: window.processBar.value() > 20)
        self.take("classifying")
        until(lambda: not flow.is_busy)
        self.take("done")
        window.actionUndo.trigger()
        until(lambda: not flow.is_busy)
        window.actionPreview.trigger()
        window.classification()
        until(lambda: window.preview is not None)
        window.preview.resize(*SIZES["preview"])
        until(lambda: True, 2500)
        self.take("preview", window.preview)
        window.menuOptions.show()
        self.take("options", window.menuOptions)
        window.menuCertainty.show()
        self.take("certainty", window.menuCertainty)
        window.close()


def main() -> None:
    """Take all pictures, light and dark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    data = os.environ.get("MINICNN_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data) / "photos")
    parser.add_argument("--model", type=Path, help="default: the model that comes with minicnn")
    parser.add_argument("--out", type=Path, default=IMAGES)
    options = parser.parse_args()
    if options.data is None:
        parser.error("say where the photographs are: --data FOLDER, or set MINICNN_DATA")
    app = QApplication([])
    for theme, palette in (("light", QPalette()), ("dark", dark_palette())):
        app.setPalette(palette)
        with tempfile.TemporaryDirectory() as name:
            Photographer(options.model, options.out, theme).take_all(
                copied(options.data, Path(name))
            )


if __name__ == "__main__":
    main()
