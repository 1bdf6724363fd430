"""The uploads of the last hour: files in a folder that only this user can read."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from minicnn.apps.web.decoding import Decoded
from minicnn.support.atomic_files import write_atomically

PREFIX = "minicnn-uploads-"  # of the folder's name
SECONDS = 3600.0  # that an upload is kept
SWEEP_SECONDS = 60.0  # between two looks for uploads that are older
MAX_BYTES = 1_000_000_000  # of all uploads; beyond it the oldest ones go earlier
ID = re.compile("[0-9a-f]{32}", re.ASCII)  # 128 random bits


class UploadStore:
    """Keeps images by ids that cannot be guessed, each for an hour."""

    def __init__(self, parent: Path | None = None) -> None:
        """Make the folder, below the system's folder for temporary files by default."""
        self.parent = Path(tempfile.gettempdir() if parent is None else parent)
        self._remove_leftovers()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self.parent))  # mode 0700
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_always, name=PREFIX[:-1], daemon=True)
        self._sweeper.start()

    def add(self, image: Decoded) -> str:
        """Keep an image; return its id."""
        upload = secrets.token_hex(16)
        write_atomically(self._path(upload), [image.content])
        return upload

    def find(self, upload: str) -> Path | None:
        """Return the file of an id; None if there is none, or if it is older than an hour."""
        if not ID.fullmatch(upload):
            return None
        path = self._path(upload)
        return path if _age(path) < SECONDS else None

    def sweep(self) -> None:
        """Remove uploads that are older than an hour, and the oldest if all are too large."""
        files = sorted(self._files(), reverse=True)  # the youngest first
        total = 0
        for modified, size, path in files:
            total += size
            if time.time() - modified >= SECONDS or total > MAX_BYTES:
                with suppress(OSError):
                    path.unlink()

    def close(self) -> None:
        """Remove all uploads."""
        self._closing.set()
        self._sweeper.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, upload: str) -> Path:
        return self.folder / f"{upload}.jpg"

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return (time, bytes, path) of all uploads."""
        found = []
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime, status.st_size, Path(entry.path)))
        return found

    def _sweep_always(self) -> None:
        while not self._closing.wait(SWEEP_SECONDS):
            self.sweep()

    def _remove_leftovers(self) -> None:
        """Remove the folders of servers that were killed, an hour after their last upload."""
        for folder in self.parent.glob(f"{PREFIX}*"):
            if not folder.is_symlink() and _age(folder) >= SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _age(path: Path) -> float:
    """Return the seconds since a file was changed; infinite if there is none."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
