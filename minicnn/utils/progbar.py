"""Keras's progress bar, for loops of one's own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.checks import check_int
from minicnn.errors import ArgumentError
from minicnn.support.progress import bar, number, step_time
from minicnn.support.text import encodable, format_seconds

Values = Iterable[tuple[str, Any]]


class Progbar:
    """A progress bar that shows running means of values.

    Parameters
    ----------
    target : the number of steps; None if it is not known
    width : of the bar, in characters
    verbose : 0 shows nothing, 1 a moving line on a terminal, 2 one line at the end
    interval : the least time between two redraws, in seconds
    stateful_metrics : names of values that are shown as they are, not as means
    stateless_metrics : names of the values that are shown as means; the others as they are
    unit_name : what is counted: "step"

    Examples
    --------
    >>> progress = Progbar(2, verbose=2)
    >>> progress.update(1, [("loss", 3.0)])
    >>> progress.add(1, [("loss", 1.0)])  # doctest: +ELLIPSIS
    2/2 - 0s ... - loss: 2.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError("give stateful_metrics or stateless_metrics, not both")
        self.target = None if target is None else check_int(target, "target", 0)
        self.width = check_int(width, "width")
        self.verbose, self.interval, self.unit_name = verbose, interval, unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, tuple[float, float]] = {}  # (sum, steps) of each value
        self._seen = 0
        self._began, self._shown = time.perf_counter(), -interval
        self._length = 0  # of the line that is shown

    def update(
        self, current: int, values: Values | None = None, finalize: bool | None = None
    ) -> None:
        """Show that `current` steps are done, with values (name, value) of the last ones.

        `finalize` says whether these were the last steps; default: if `target` is reached.
        """
        last = finalize
        if last is None:
            last = self.target is not None and current >= self.target
        for name, value in values or ():
            self._note(name, float(np.mean(value)), max(current - self._seen, 1))
        self._seen = current
        now = time.perf_counter()
        if self.verbose == 1 and (last or now - self._shown >= self.interval):
            self._shown = now
            self._draw(self._line(now, with_bar=True), last=last)
        elif self.verbose == 2 and last:
            self._draw(self._line(now, with_bar=False), last=True)

    def add(self, n: int, values: Values | None = None) -> None:
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _note(self, name: str, value: float, steps: int) -> None:
        means = self.stateless_metrics
        mean = name not in self.stateful_metrics if means is None else name in means
        total, count = self._sums.get(name, (0.0, 0.0)) if mean else (0.0, 0.0)
        self._sums[name] = (total + value * steps, count + steps)

    def _line(self, now: float, *, with_bar: bool) -> str:
        elapsed = now - self._began
        step = elapsed / max(self._seen, 1)
        count = f"{self._seen}/{'Unknown' if self.target is None else self.target}"
        if with_bar and self.target:
            plain = not (getattr(sys.stdout, "encoding", "") or "").lower().startswith("utf")
            count += " " + "".join(bar(self._seen / self.target, plain=plain, cells=self.width))
        times = f"{format_seconds(elapsed, 'clock')} {step_time(step)}/{self.unit_name}"
        shown = [f"{name}: {number(total / n)}" for name, (total, n) in self._sums.items()]
        head = [f"{count} {times}"] if with_bar else [count, times]
        return " - ".join([*head, *shown])

    def _draw(self, line: str, *, last: bool) -> None:
        """Write the line over the one before, on a terminal; else only the last one."""
        moving = self.verbose == 1 and getattr(sys.stdout, "isatty", lambda: False)()
        if not moving and not last:
            return
        rest = " " * max(self._length - len(line), 0)
        self._length = 0 if last else len(line)
        text = ("\r" if moving else "") + line + rest + ("\n" if last else "")
        sys.stdout.write(encodable(text, sys.stdout))
        sys.stdout.flush()
