"""The progress of fit, evaluate and predict, on the terminal or in a log.

A terminal shows one line, which is redrawn several times per second:

    Epoch 3/16
    1563/1563 ━━━━━━━━━━━━━━━━━━━━ 31s 20ms/step - accuracy: 0.7012 - loss: 0.8521

Files and pipes get one line per epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from minicnn.errors import ArgumentError
from minicnn.support.main_process import is_main
from minicnn.support.text import encodable, format_seconds, printable_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

BAR_CELLS = 20
# A redraw takes 0.4 to 0.9 ms (rich 15, one core), little compared with this interval.
REDRAW_SECONDS = 0.2
MIN_FIXED = 1e-3  # smaller values are written as 1.0000e-04

_interactive = True  # whether the line moves on a terminal where nothing else is asked for


def enable_interactive_logging() -> None:
    """Let progress be shown by a moving line on a terminal again; it is so from the start."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Let verbose="auto" show one line per epoch also on a terminal, as in a log."""
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Return whether verbose="auto" shows a moving line on a terminal."""
    return _interactive


class Progress:
    """Shows the progress of one call of fit, evaluate or predict; only the main process does.

    Parameters
    ----------
    verbose : 0 shows nothing; 1 and "auto" show a moving line on a terminal, else one line per
        epoch; 2 always shows one line per epoch
    file : the stream to write to; default: standard output
    clock : returns the time in seconds, from any origin
    """

    def __init__(
        self,
        verbose: int | str = "auto",
        file: IO[str] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if verbose not in (0, 1, 2, "auto"):
            raise ArgumentError(f'verbose must be 0, 1, 2 or "auto"; got {verbose!r}')
        self.verbose, self.clock, self._file = verbose if is_main() else 0, clock, file
        moves = self.verbose == 1 or (self.verbose == "auto" and _interactive)
        self._moving = moves and _can_redraw(self.console)
        self._live: Live | None = None
        self._title = ""
        self._batch, self._batches, self._first = 0, 0, 0
        self._began = self._drawn = 0.0

    @cached_property
    def console(self) -> Console:
        """What is written to; it is made when something is to be shown."""
        from rich.console import Console  # here, as importing rich takes 50 ms

        return Console(file=self._file, highlight=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin_epoch(self, epoch: int | None, epochs: int | None, batches: int | None) -> None:
        """Start an epoch of `batches` batches; without `epoch`, an evaluation or prediction."""
        self.close()
        self._title = "" if epoch is None else f"Epoch {epoch + 1}/{epochs}"
        self._batch, self._batches, self._first = 0, batches or 0, -1
        self._began = self._drawn = self.clock()
        if self._moving:
            from rich.live import Live

            if self._title:
                self.console.print(self._title)
            self._live = Live(console=self.console, auto_refresh=False, vertical_overflow="crop")
            self._live.start()

    def update(self, batch: int, logs: dict[str, float], since: int = 1) -> None:
        """Show that `batch` batches of the epoch are done, `since` of them since the last call."""
        self._batch = batch
        if self._first < 0:
            self._first = batch - since  # a resumed epoch does not start at 0
        if self._live is not None:
            now = self.clock()
            if now - self._drawn >= REDRAW_SECONDS:
                self._drawn = now
                self._live.update(self._line(logs, now), refresh=True)

    def end_epoch(self, logs: dict[str, float]) -> None:
        """Finish the epoch and show its results, `logs`."""
        now = self.clock()
        if self._live is not None:
            self._live.update(self._line(logs, now, done=True), refresh=True)
            self.close()
        elif self.verbose:
            parts = [self._title] if self._title else []
            parts += [self._count(), self._times(now, done=True), *_numbers(logs)]
            self.console.print(" - ".join(parts), soft_wrap=True, markup=False)

    def message(self, text: str) -> None:
        """Print a line above the moving one."""
        if self.verbose:
            shown = encodable(printable_lines(text), self.console.file)
            self.console.print(shown, soft_wrap=True, markup=False)

    def close(self) -> None:
        """Stop the moving line and restore the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, logs: dict[str, float], now: float, *, done: bool = False) -> Text:
        from rich.text import Text

        # A moving line is cut to the terminal's width; the final one may be folded.
        line = Text(f"{self._count()} ", no_wrap=not done, overflow="fold" if done else "ellipsis")
        if self._batches:
            plain = not (self.console.encoding or "").lower().startswith("utf")
            full, rest = bar(self._batch / self._batches, plain=plain)
            line.append(full, "green").append(rest, "dim").append(" ")
        return line.append(" - ".join([self._times(now, done=done), *_numbers(logs)]))

    def _count(self) -> str:
        return f"{self._batch}/{self._batches or 'Unknown'}"

    def _times(self, now: float, *, done: bool) -> str:
        """Return the elapsed time or, during the epoch, the time left: "31s 20ms/step"."""
        elapsed, batches = now - self._began, max(self._batch - max(self._first, 0), 1)
        step = elapsed / batches
        if done:
            total = format_seconds(elapsed, "clock")
        elif self._batches:
            left = step * max(self._batches - self._batch, 0)
            total = f"{format_seconds(left, 'clock')} left"
        else:
            total = format_seconds(elapsed, "clock")
        return f"{total} {step_time(step)}/step"


def bar(fraction: float, *, plain: bool, cells: int = BAR_CELLS) -> tuple[str, str]:
    """Return the filled and the empty part of a progress bar.

    >>> "".join(bar(0.5, plain=True))
    '[=========>..........]'
    """
    full = round(min(fraction, 1.0) * cells)
    if not plain:
        return "━" * full, "━" * (cells - full)
    head = "=" if full == cells else ">"
    return "[" + ("=" * (full - 1) + head if full else ""), "." * (cells - full) + "]"


def step_time(seconds: float) -> str:
    """Return the time of a step in a suitable unit.

    >>> step_time(2), step_time(0.02), step_time(0.0005)
    ('2s', '20ms', '500us')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds * 1e6:.0f}us"


def number(value: float) -> str:
    """Return a value with four decimals, in scientific notation if it is below 1e-3.

    >>> number(0.70123), number(0.0001), number(0.0)
    ('0.7012', '1.0000e-04', '0.0000')
    """
    fixed = value == 0 or abs(value) >= MIN_FIXED or value != value
    return f"{value:.4f}" if fixed else f"{value:.4e}"


def _numbers(logs: dict[str, float]) -> list[str]:
    """Return ["accuracy: 0.7012", ...], sorted by name with validation results last."""
    names = sorted(logs, key=lambda name: (name.startswith("val_"), name))
    return [f"{name}: {number(logs[name])}" for name in names]


def _can_redraw(console: Console) -> bool:
    """Return whether the console is a terminal that can redraw a line."""
    # The file itself is asked, since rich also says yes if colors are forced into a log.
    terminal: Any = getattr(console.file, "isatty", None)
    return terminal is not None and terminal() and not console.is_dumb_terminal
