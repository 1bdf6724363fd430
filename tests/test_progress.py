"""Progress on a terminal and in a log, with a clock that the tests control."""

import io
import re
import sys

import pytest

from minicnn.errors import ArgumentError
from minicnn.support import progress
from minicnn.support.progress import Progress
from minicnn.support.text import format_seconds


class Screen(io.StringIO):
    """A terminal's file, with an encoding of its own."""

    def __init__(self, encoding="utf-8", terminal=True):
        super().__init__()
        self._encoding, self._terminal = encoding, terminal

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._terminal

    def lines(self):
        """What was written, without colors and cursor movements."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())
        return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def _a_wide_colorless_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")


def run(shown, clock, seconds=1.0, batches=4, first=0, epoch=2):
    shown.begin_epoch(epoch, 16, batches)
    for batch in range(first + 1, batches + 1):
        clock.now += seconds
        shown.update(batch, {"loss": 1 / batch})
    shown.end_epoch({"val_loss": 0.5, "loss": 0.25, "accuracy": 0.70124, "learning_rate": 1e-4})
    shown.close()


NUMBERS = "accuracy: 0.7012 - learning_rate: 1.0000e-04 - loss: 0.2500 - val_loss: 0.5000"


def test_terminal():
    screen, clock = Screen(), Clock()
    run(Progress("auto", screen, clock), clock)
    lines = screen.lines()
    assert lines[0] == "Epoch 3/16"
    assert "1/4 ━━━━━━━━━━━━━━━━━━━━ 3s left 1s/step - loss: 1.0000" in lines
    assert lines[-1] == f"4/4 ━━━━━━━━━━━━━━━━━━━━ 4s 1s/step - {NUMBERS}"
    assert "\x1b[?25h" in screen.getvalue()  # the cursor is back


def test_ascii_terminal():
    screen, clock = Screen("ascii"), Clock()
    run(Progress(1, screen, clock), clock)
    assert screen.getvalue().isascii()
    assert "2/4 [=========>..........] 2s left 1s/step - loss: 0.5000" in screen.lines()
    assert screen.lines()[-1].startswith("4/4 [====================] 4s 1s/step - ")


@pytest.mark.parametrize(
    ("verbose", "terminal", "environment"),
    [
        ("auto", False, {}),
        (1, False, {}),
        (1, False, {"FORCE_COLOR": "1"}),
        (2, False, {}),
        (2, True, {}),
        (1, True, {"TERM": "dumb"}),
    ],
)
def test_a_log_gets_one_line_per_epoch(monkeypatch, verbose, terminal, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    screen, clock = Screen(terminal=terminal), Clock()
    shown = Progress(verbose, screen, clock)
    run(shown, clock)
    run(shown, clock, epoch=3)
    assert screen.lines() == [
        f"Epoch 3/16 - 4/4 - 4s 1s/step - {NUMBERS}",
        f"Epoch 4/16 - 4/4 - 4s 1s/step - {NUMBERS}",
    ]
    assert screen.getvalue().count("\n") == 2


def test_silence():
    screen, clock = Screen(), Clock()
    shown = Progress(0, screen, clock)
    run(shown, clock)
    shown.message("nothing")
    assert screen.getvalue() == ""


def test_messages_are_printed_as_they_are():
    screen = Screen(terminal=False)
    Progress("auto", screen).message("[bold]3 of 10 images wrong")
    assert screen.getvalue() == "[bold]3 of 10 images wrong\n"


def test_evaluation_has_no_epoch():
    screen, clock = Screen(terminal=False), Clock()
    run(Progress(1, screen, clock), clock, epoch=None)
    assert screen.lines() == [f"4/4 - 4s 1s/step - {NUMBERS}"]


def test_unknown_number_of_batches():
    screen, clock = Screen(), Clock()
    shown = Progress(1, screen, clock)
    shown.begin_epoch(0, 1, None)
    for batch in (1, 2):
        clock.now += 40
        shown.update(batch, {})
    shown.end_epoch({})
    assert "1/Unknown 40s 40s/step" in screen.lines()
    assert screen.lines()[-1] == "2/Unknown 1:20 40s/step"


def test_a_resumed_epoch_counts_its_own_batches_only():
    screen, clock = Screen(terminal=False), Clock()
    run(Progress(1, screen, clock), clock, batches=10, first=6)
    assert screen.lines()[0].startswith("Epoch 3/16 - 10/10 - 4s 1s/step")


def test_drawing_is_throttled():
    screen, clock = Screen(), Clock()
    run(Progress(1, screen, clock), clock, seconds=0.005, batches=1000)
    drawn = len([line for line in screen.lines() if " left " in line])
    assert 0.8 * 5 / progress.REDRAW_SECONDS <= drawn <= 5 / progress.REDRAW_SECONDS + 1


def test_a_step_that_draws_nothing_makes_two_calls():
    """The update itself, and a look at the clock."""
    calls = []
    with Progress(1, Screen(), Clock()) as shown:
        shown.begin_epoch(0, 1, 1000)
        sys.setprofile(lambda frame, event, _: calls.append(event))
        for batch in range(1000):
            shown.update(batch, {"loss": 0.5})
        sys.setprofile(None)
    assert calls.count("call") == 2 * 1000
    assert calls.count("c_call") == 1  # setprofile


def test_other_prints_appear_above_the_line(monkeypatch):
    screen, clock = Screen(), Clock()
    monkeypatch.setattr("sys.stdout", screen)
    with Progress(1, clock=clock) as shown:
        shown.begin_epoch(0, 1, 10)
        clock.now += 1
        shown.update(1, {})
        print("Batch 0: something")
        shown.update(2, {})
    assert "Batch 0: something" in screen.lines()


def test_the_terminal_is_left_whole_when_a_run_fails():
    screen = Screen()

    def fails():
        with Progress(1, screen) as shown:
            shown.begin_epoch(0, 1, 10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert screen.getvalue().rstrip().endswith("\x1b[?25h")


@pytest.mark.parametrize("verbose", [3, "loud", None])
def test_verbose_is_checked(verbose):
    with pytest.raises(ArgumentError, match="verbose must be"):
        Progress(verbose)


def test_texts():
    assert [format_seconds(s, "clock") for s in (0.4, 59.4, 59.6, 3599, 3600)] == [
        "0s",
        "59s",
        "1:00",
        "59:59",
        "1:00:00",
    ]
    assert progress.step_time(0.0209) == "21ms"
    assert [progress.number(v) for v in (1e-3, -5e-4, float("nan"), float("inf"), 12)] == [
        "0.0010",
        "-5.0000e-04",
        "nan",
        "inf",
        "12.0000",
    ]
    assert ["".join(progress.bar(f, plain=True)) for f in (0, 0.05, 1, 2)] == [
        "[....................]",
        "[>...................]",
        "[====================]",
        "[====================]",
    ]
