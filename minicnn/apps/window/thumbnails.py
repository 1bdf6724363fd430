"""Small square pictures of image files, read in the background."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from pathlib import Path

from PySide6.QtCore import QObject, QRectF, Qt, QThread, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPixmap

from minicnn.data import load_img

KEPT = 1000  # thumbnails in memory
WAITING = 200  # files that wait to be read; those that were scrolled past are forgotten first
CORNER = 0.12  # radius of the rounded corners, as a fraction of the side
UNREAD = QColor(128, 128, 128, 60)  # visible on light and on dark


class Thumbnails(QObject):
    """Gives thumbnails at once if they are in memory, and reads the others in a thread.

    Parameters
    ----------
    side : width and height in points
    scale : pixels per point of the screen
    """

    ready = Signal()  # there is one more in memory
    _read = Signal(object, QImage)

    def __init__(self, side: int, scale: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.side, self.scale = side, scale
        self._kept: OrderedDict[Path, QPixmap] = OrderedDict()
        self._blank = self._pixmap(rounded(None, self._pixels))
        self._reader = _Reader(self)
        self._read.connect(self._keep)

    @property
    def _pixels(self) -> int:
        return round(self.side * self.scale)

    def of(self, path: Path) -> QPixmap:
        """Return a file's thumbnail; a blank one, if it is still to be read."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        self._reader.want(path)
        return self._blank

    def close(self) -> None:
        """End the thread."""
        self._reader.close()

    def make(self, path: Path) -> None:
        """Read a file and send its thumbnail to the window's thread; called by the reader."""
        self._read.emit(path, rounded(read(path, self._pixels), self._pixels))

    def _keep(self, path: Path, image: QImage) -> None:
        self._kept[path] = self._pixmap(image)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.ready.emit()

    def _pixmap(self, image: QImage) -> QPixmap:
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(self.scale)
        return pixmap


class _Reader(QThread):
    """Reads the files that are wanted, the latest first: they are what the user looks at."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(thumbnails)
        self._thumbnails = thumbnails
        self._wanted: deque[Path] = deque(maxlen=WAITING)
        self._changed = threading.Condition()
        self._closed = False

    def want(self, path: Path) -> None:
        """Put a file in front of the others that wait."""
        with self._changed:
            if path in self._wanted:
                self._wanted.remove(path)
            self._wanted.append(path)
            self._changed.notify()
        if not self.isRunning():
            self.start()

    def close(self) -> None:
        """Forget what waits, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        """Read one file after the other."""
        while (path := self._next()) is not None:
            self._thumbnails.make(path)

    def _next(self) -> Path | None:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._closed)
            return None if self._closed else self._wanted.pop()


def read(path: Path, pixels: int) -> QImage | None:
    """Read the square in the center of an image; None if it cannot be read."""
    try:
        image = load_img(path, "rgb", pixels, "bilinear", keep_aspect_ratio=True)
    except OSError:
        return None
    return QImage(image.tobytes(), pixels, pixels, 3 * pixels, QImage.Format.Format_RGB888).copy()


def rounded(image: QImage | None, pixels: int) -> QImage:
    """Return a square with rounded corners, filled with the image or with gray."""
    canvas = QImage(pixels, pixels, QImage.Format.Format_ARGB32_Premultiplied)
    canvas.fill(Qt.GlobalColor.transparent)
    shape = QPainterPath()
    shape.addRoundedRect(QRectF(0, 0, pixels, pixels), CORNER * pixels, CORNER * pixels)
    with QPainter(canvas) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(shape, QBrush(UNREAD if image is None else image))
    return canvas
