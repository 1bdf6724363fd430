"""The pictures of the sorter's window in docs/images.

    python docs/drawings/sorter_window.py [--data FOLDER/photos] [--model FILE] [--out FOLDER --all]

Needs no screen. The window sorts a copy of some photographs. `--all` takes pictures of each state,
light and dark, and not only those that the pages show.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QBuffer, QEventLoop, QSettings, QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from minicnn.apps.cli.model_file import load_sorter_model
from minicnn.apps.window.main_window import MainWindow
from minicnn.support.atomic_files import write_atomically

IMAGES = Path(__file__).parent.parent / "images"
SIZES = {"window": (480, 560), "preview": (1160, 560)}
COUNT = 192
SHOWN = ("found-light", "classifying-dark", "preview-light", "preview-dark")
COLORS = 256  # of a picture: a third of the size, and hardly to be seen
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
    """Copy photographs, evenly from all classes, under names as those of a camera.

    Those of people are left out: no strangers' faces on the pages.
    """
    files = sorted(path for path in data.rglob("*.jpg") if path.parent.name != "people")
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

    def __init__(self, model: Path | None, out: Path, theme: str, *, everything: bool) -> None:
        self._out, self._theme, self._all = out, theme, everything
        stored = QSettings(tempfile.mktemp(suffix=".ini"), QSettings.Format.IniFormat)
        self.window = MainWindow(stored, lambda _: load_sorter_model(model))
        self.window.resize(*SIZES["window"])
        self.window.show()

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Save a picture of the window, or of another one."""
        name = f"{name}-{self._theme}"
        if name not in SHOWN and not self._all:
            return
        buffer = QBuffer()
        (widget or self.window).grab().save(buffer, "PNG")
        image = Image.open(io.BytesIO(buffer.data().data())).convert("RGB")
        image = image.quantize(palette=image.quantize(COLORS), dither=Image.Dither.FLOYDSTEINBERG)
        small = io.BytesIO()
        image.save(small, "PNG", optimize=True)
        write_atomically(self._out / f"sorter-{name}.png", [small.getvalue()])
        print(f"sorter-{name}.png: {len(small.getvalue()) / 1000:.0f} kB")

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
        until(lambda: window.processBar.value() > 15)
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
    parser.add_argument("--all", action="store_true", help="pictures of each state")
    options = parser.parse_args()
    if options.data is None:
        parser.error("say where the photographs are: --data FOLDER, or set MINICNN_DATA")
    app = QApplication([])
    for theme, palette in (("light", QPalette()), ("dark", dark_palette())):
        app.setPalette(palette)
        with tempfile.TemporaryDirectory() as name:
            with_window = Photographer(options.model, options.out, theme, everything=options.all)
            with_window.take_all(copied(options.data, Path(name)))


if __name__ == "__main__":
    main()
