"""Decoding images of strangers in processes of their own, so that none of them harms the server."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

from minicnn.apps.web import refusals
from minicnn.apps.web.decoding_child import (
    DECODED,
    NOT_AN_IMAGE,
    READY,
    REPLY,
    REQUEST,
    TOO_MANY_PIXELS,
)
from minicnn.apps.web.refusals import Refused
from minicnn.installed import PACKAGE
from minicnn.support.memory_limits import pixel_limit

SIDE = 1600  # pixels of the larger side of what is kept
SECONDS = 10.0  # for one image
START_SECONDS = 60.0  # for a process to start, on a busy machine too
WAIT_SECONDS = 5.0  # for a process that decodes somebody else's image
MAX_REPLY = 64 << 20  # bytes; the process may be somebody's who took it over
DAMAGED = "This image is damaged, or decoding it takes too much memory or time."
REFUSALS = {
    NOT_AN_IMAGE: (415, refusals.NOT_AN_IMAGE, "not_an_image"),
    TOO_MANY_PIXELS: (413, "This image has too many pixels; at most {:,} are read.", "too_large"),
}
COMMAND = [sys.executable, "-P", "-m", "minicnn.apps.web.decoding_child"]
# One thread: each has memory of its own, and the limit counts address space.
ONE_THREAD = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MINICNN_NUM_THREADS"], "1")


class Decoded(NamedTuple):
    """An image as it is kept: upright, without metadata."""

    content: bytes  # JPEG
    width: int
    height: int


class DecoderDied(Exception):
    """The process ended, or was ended because it took too long."""


class Decoder:
    """A process that decodes one image after the other."""

    def __init__(self) -> None:
        """Start the process, which is ready some tenths of a second later."""
        path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            COMMAND,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path.rstrip(os.pathsep)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the server, which ends it
        )
        self._ready = False

    def decode(self, content: bytes, side: int) -> tuple[int, Decoded]:
        """Return the outcome, one of `decoding_child`, and the image.

        Raises
        ------
        DecoderDied : the image killed it, or it took too long and was killed
        """
        if not self._ready:
            with self._killed_after(START_SECONDS):
                self._ready = self._reply()[0] == READY
        with self._killed_after(SECONDS):
            self._send(REQUEST.pack(side, len(content)), content)
            return self._reply()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in self._pipes():
            with suppress(OSError):  # a part of a request may be left in it
                pipe.close()

    def _pipes(self) -> tuple[BinaryIO, BinaryIO]:
        if self.process.stdin is None or self.process.stdout is None:
            raise DecoderDied
        return self.process.stdin, self.process.stdout  # type: ignore[return-value]

    @contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        """Kill the process if the block takes too long; the block then ends with its pipes."""
        timer = threading.Timer(seconds, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _send(self, *parts: bytes) -> None:
        try:
            for part in parts:
                self._pipes()[0].write(part)
            self._pipes()[0].flush()
        except OSError as error:
            raise DecoderDied from error

    def _reply(self) -> tuple[int, Decoded]:
        outcome, width, height, size = REPLY.unpack(self._read(REPLY.size))
        if size > MAX_REPLY:
            raise DecoderDied
        return outcome, Decoded(self._read(size), width, height)

    def _read(self, size: int) -> bytes:
        content = self._pipes()[1].read(size)
        if len(content) < size:
            raise DecoderDied
        return content


class Decoders:
    """A few processes that decode images; one that died is replaced."""

    def __init__(self, count: int) -> None:
        """Start `count` processes; that many images are decoded at a time."""
        self._idle: queue.LifoQueue[Decoder] = queue.LifoQueue()
        self._all = [Decoder() for _ in range(count)]
        for decoder in self._all:
            self._idle.put(decoder)

    def decode(self, content: bytes, side: int = SIDE) -> Decoded:
        """Return an image file as an upright JPEG without metadata.

        Parameters
        ----------
        content : of a file of any kind; it is taken for what it is, whatever its name was
        side : pixels; a larger image is made smaller, so that its larger side has this length

        Raises
        ------
        Refused
            415: not an image; 413: too many pixels; 422: damaged, or it takes too much memory or
            time; 503: all processes are busy
        """
        with self._one() as decoder:
            outcome, image = decoder.decode(content, side)
        if outcome == DECODED:
            return image
        status, message, code = REFUSALS.get(outcome, (422, DAMAGED, "damaged"))
        raise Refused(status, message.format(pixel_limit()), code)

    @property
    def processes(self) -> list[int]:
        """The ids of the processes."""
        return [decoder.process.pid for decoder in self._all]

    def close(self) -> None:
        """End all processes."""
        for decoder in self._all:
            decoder.close()

    @contextmanager
    def _one(self) -> Iterator[Decoder]:
        """Lend a decoder that nobody uses; if it dies, put another one in its place."""
        try:
            decoder = self._idle.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            raise refusals.busy() from None
        try:
            if decoder.process.poll() is not None:  # it ended while it had nothing to do
                decoder = self._replaced(decoder)
            yield decoder
        except DecoderDied:
            decoder = self._replaced(decoder)
            raise Refused(422, DAMAGED, "damaged") from None
        except BaseException:  # its next reply could be that to this request
            decoder = self._replaced(decoder)
            raise
        finally:
            self._idle.put(decoder)

    def _replaced(self, dead: Decoder) -> Decoder:
        dead.close()
        decoder = Decoder()
        self._all[self._all.index(dead)] = decoder
        return decoder
