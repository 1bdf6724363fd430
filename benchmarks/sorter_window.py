"""Measure the window of the photo sorter: images per second, its longest pause, its memory.

    python benchmarks/sorter_window.py [--data FOLDER/photos] [--model FILE] [--parts photos many]

    photos   392 photographs of about 256 x 256 pixels, from opening the folder to "Done!"
    large    300 JPEGs of 4000 x 3000 pixels, which this script makes, from opening to "Done!"
    many     20,000 images: until the list is shown, and while it is scrolled through

The real window runs in a process of its own, without a screen, and copies the files. A timer of the
window's thread is due every 5 ms; the longest time between two of its calls is the longest pause
of the window. A heartbeat in another process, which only sleeps, shows how long the machine itself
was away. Prints a table, and writes sorter_window.json to --out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from output import add_out
from peers import machine
from PIL import Image
from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from minicnn.apps.cli.model_file import load_sorter_model
from minicnn.apps.window import program

PHOTOS, LARGE, MANY = 392, 300, 20_000
TICK_MS = 5
LARGEST_PAUSE_MS = 100
WANTED = {"photos": "120 images/s", "large": "12 images/s", "many": "2 s, 500 MB"}
HEARTBEAT = """
import sys, threading, time
longest, ended = 0.0, threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
last = time.perf_counter()
while not ended.is_set():
    time.sleep(0.005)
    now = time.perf_counter()
    longest, last = max(longest, now - last), now
print(longest)
"""


# --- folders of images --------------------------------------------------------------------------


def make_photos(folder: Path, data: Path) -> None:
    """Copy photographs, evenly from all classes, into one folder."""
    files = sorted(data.rglob("*.jpg"))
    for i in range(PHOTOS):
        source = files[i * len(files) // PHOTOS]
        shutil.copyfile(source, folder / source.name)


def make_large(folder: Path) -> None:
    """Make JPEGs of 12 megapixels and about 4 MB, all of them different."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8)).resize((4000, 3000))
    pixels = np.asarray(smooth).astype(np.int16) + rng.integers(-12, 13, (3000, 4000, 1))
    pixels = pixels.clip(0, 255).astype(np.uint8)
    for i in range(LARGE):
        shifted = np.roll(pixels, 16 * i, axis=1)
        Image.fromarray(shifted).save(folder / f"IMG_{i:04d}.jpg", quality=88)


def make_many(folder: Path) -> None:
    """Make small images of different colors."""
    for i in range(MANY):
        Image.new("RGB", (64, 48), (i % 256, i // 256, 90)).save(folder / f"IMG_{i:05d}.jpg")


# --- the window, in a process of its own --------------------------------------------------------


class Watch:
    """Notes how long the window's thread was busy without a break, by a timer in that thread."""

    def __init__(self) -> None:
        self.longest, self.when, self.stage = 0.0, "", ""
        self._last = time.perf_counter()
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        if now - self._last > self.longest:
            self.longest, self.when = now - self._last, self.stage
        self._last = now


class Run:
    """A window, the texts that it shows, and when it shows them."""

    def __init__(self, model: Path | None) -> None:
        stored = QSettings(tempfile.mktemp(suffix=".ini"), QSettings.Format.IniFormat)
        self.window = program.new_window(lambda _: load_sorter_model(model), stored)
        self.window.show()
        self.until(lambda: self.window.model.is_loaded, 0.3)
        self.watch = Watch()
        self.texts = [self.window.label.text()]
        self.times: dict[str, float] = {}
        self._start = time.perf_counter()
        self.window.workflow.status.connect(self.note)

    def until(self, condition: Callable[[], bool], least: float = 0.0) -> None:
        """Let the window work until the condition is true, and for at least some seconds."""
        end, loop = time.perf_counter() + least, QEventLoop()
        timer = QTimer(interval=10)
        timer.timeout.connect(
            lambda: loop.quit() if time.perf_counter() >= end and condition() else None
        )
        timer.start()
        loop.exec()
        timer.stop()

    def note(self, text: str) -> None:
        """Note when something was reached."""
        self.texts.append(text)
        self.times[text] = time.perf_counter() - self._start
        self.watch.stage = text

    def results(self) -> dict[str, Any]:
        """Return what was measured."""
        return {
            "texts": self.texts,
            "times": self.times,
            "longest_pause_ms": 1e3 * self.watch.longest,
            "longest_pause_while": self.watch.when,
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def sort_all(run: Run, folder: Path) -> None:
    """Open a folder, and sort it."""
    run.window.open_folder(folder)
    run.until(lambda: not run.window.workflow.is_busy)
    run.window.btnClassification.click()
    run.until(lambda: not run.window.workflow.is_busy, 0.1)


def show_all(run: Run, folder: Path) -> None:
    """Open a folder, wait until the list is on the screen, and scroll through it."""
    run.window.open_folder(folder)
    view = run.window.listFolder
    run.until(lambda: view.verticalScrollBar().maximum() > MANY and view.model().rowCount() == MANY)
    run.note("list shown")
    for step in range(200):
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() * step // 200)
        run.until(lambda: True, 0.02)


def child(part: str, folder: Path, model: Path | None) -> None:
    """Measure one part in this process, and print the results as JSON."""
    app = QApplication([])
    run = Run(model)
    (show_all if part == "many" else sort_all)(run, folder)
    found = run.results()
    run.window.close()
    app.quit()
    print(json.dumps(found))


# --- the processes ------------------------------------------------------------------------------


def measure(part: str, folder: Path, model: Path | None) -> dict[str, Any]:
    """Run a part beside a heartbeat."""
    words = [sys.executable, __file__, "--child", part, "--folder", str(folder)]
    words += ["--model", str(model)] if model else []
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HEARTBEAT], **pipes) as heartbeat:
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        longest, _ = heartbeat.communicate()
    found = json.loads(done.stdout.splitlines()[-1])
    found["longest_pause_of_the_machine_ms"] = 1e3 * float(longest)
    return found


def row(part: str, found: dict[str, Any]) -> str:
    """Return the line of a part in the table."""
    if part == "many":
        what = f"{MANY:,} images listed in {found['times']['list shown']:.2f} s"
    else:
        count = {"photos": PHOTOS, "large": LARGE}[part]
        seconds = found["times"]["Done!"]
        what = f"{count} images in {seconds:.2f} s: {count / seconds:.0f} images/s"
    pause = f"{found['longest_pause_ms']:.0f} ms while “{found['longest_pause_while']}”"
    return (
        f"| {part} | {what} | {WANTED[part]} | {pause} | "
        f"{found['longest_pause_of_the_machine_ms']:.0f} ms | {found['peak_memory_mb']:.0f} MB |"
    )


def main() -> int:
    """Make the folders, measure, and print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    data = os.environ.get("MINICNN_DATA")
    add = parser.add_argument
    add("--data", type=Path, default=data and Path(data) / "photos", help="photographs by class")
    add("--model", type=Path, help="default: the model that comes with minicnn")
    add("--parts", nargs="+", choices=WANTED, default=list(WANTED))
    add("--child", choices=WANTED, help=argparse.SUPPRESS)
    add("--folder", type=Path, help=argparse.SUPPRESS)
    add_out(parser)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.model)
        return 0
    if options.data is None and "photos" in options.parts:
        parser.error("say where the photographs are: --data FOLDER, or set MINICNN_DATA")
    found = {}
    print("| part | result | wanted | longest pause | of the machine | memory |\n|" + "---|" * 6)
    for part in options.parts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "gallery"
            folder.mkdir()
            make = {"photos": make_photos, "large": make_large, "many": make_many}[part]
            make(folder, *[options.data] * (part == "photos"))
            found[part] = measure(part, folder, options.model)
        print(row(part, found[part]), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**machine.describe(2, []), **found}, indent=1, ensure_ascii=False)
    (options.out / "sorter_window.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
