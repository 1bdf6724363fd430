"""Rules that the tests themselves must follow."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

# Helper programs are not checked: some use a clock to choose when a process is killed.
FILES = sorted(Path(__file__).parent.glob("test_*.py"))
CLOCKS = re.compile(
    r"(perf_counter|monotonic|process_time|thread_time|time)(_ns)?|now|utcnow|today"
)
IN_TEXT = re.compile(r"\b(perf_counter|monotonic|process_time|thread_time|time\.time)(_ns)?\(")

CLOCK = "time.perf_counter"


def clocks(source: str) -> list[str]:
    """Return the calls that read a clock, in the code and in programs that it holds as text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(
                value=ast.Name(id="time" | "datetime" | "date") | ast.Attribute(attr="datetime"),
                attr=name,
            ) if CLOCKS.fullmatch(name):
                found.append(f"line {node.lineno}: {name}")
            case ast.ImportFrom(module="time", names=names):
                found += [f"line {node.lineno}: {n.name}" for n in names if n.name != "sleep"]
            case ast.Constant(value=str(text)) if IN_TEXT.search(text):
                found.append(f"line {node.lineno}: in a text")
    return found


def time_limits(source: str) -> list[str]:
    """Return the time limits in the code; the one in pyproject.toml is only for tests that hang."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        f"line {call.lineno}: timeout={keyword.value.value}"
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "timeout" and isinstance(keyword.value, ast.Constant)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_measured_in_seconds(path):
    """Tests count work; only benchmarks measure speed. So no test fails on a slow machine."""
    source = path.read_text(encoding="utf-8")
    assert clocks(source) + time_limits(source) == []


@pytest.mark.parametrize(
    "source",
    [
        f"import time\nassert {CLOCK}() - start < 2",
        f"import time\nstart = {CLOCK}_ns()",
        "from time import process_time",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
        f"SCRIPT = 'print({CLOCK}())'",
        "subprocess.run(command, timeout=60)",
    ],
)
def test_a_clock_is_found(source):
    assert clocks(source) + time_limits(source) != []


def test_other_names_are_not_taken_for_clocks():
    assert clocks("import time\ntime.sleep(1)\nclock.monotonic\nfrom time import sleep") == []
    assert time_limits("def connect(address, timeout): return dial(timeout=timeout)") == []
