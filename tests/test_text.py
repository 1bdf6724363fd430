"""Names with bytes that are not text, on strict terminals, in tables and on pages."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.data import Preprocess
from minicnn.errors import FormatError, ImageReadError
from minicnn.layers import Conv2D, Dense, Flatten
from minicnn.support.csv_files import plain_cell, write_csv
from minicnn.support.plots import caption
from minicnn.support.text import encodable, printable, printable_lines, say, shortened

PACKAGE = Path(mc.__file__).parent

LATIN = "caf\udce9"  # as Python reads the bytes "café" in Latin-1

ESCAPES = {
    "a lone surrogate": ("caf\udce9", r"caf\udce9"),
    "the escape character": ("\x1b[2Jx", r"\x1b[2Jx"),
    "bell, delete, C1": ("\a\x7f\x9b", r"\x07\x7f\x9b"),
    "carriage return": ("a\rb", r"a\rb"),
    "the other direction": ("a\u202eb\u2066", r"a\u202eb\u2066"),
    "line separators": ("a\u2028b", r"a\u2028b"),
    "letters and signs": ("grün 日本 ✓ 👩‍🔬", "grün 日本 ✓ 👩‍🔬"),
}


@pytest.mark.parametrize(("text", "shown"), ESCAPES.values(), ids=ESCAPES)
def test_escapes(text, shown):
    assert printable(text) == printable_lines(text) == shown
    shown.encode()


def test_lines_keep_their_ends_and_names_do_not():
    assert printable_lines("a\n\tb") == "a\n\tb"
    assert printable("a\n\tb") == r"a\n\tb"


def strict(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", write_through=True)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_say_writes_on_every_terminal(encoding):
    stream = strict(encoding)
    say(f"{LATIN} 日 é", stream)
    written = stream.buffer.getvalue().decode(encoding)
    assert written.startswith(r"caf\udce9 ") and written.endswith(("é\n", "\\xe9\n"))
    assert ("日" in written) == (encoding == "utf-8")


def test_say_takes_streams_that_have_no_encoding():
    stream = io.StringIO()
    say("日", stream)
    assert stream.getvalue() == "日\n" and encodable("日", object()) == "日"


def test_shortened_keeps_both_ends():
    assert shortened("x" * 300, 300) == "x" * 300
    text = shortened("/a/" + "x" * 5000 + "/end", 300)
    assert len(text) == 300 and text.startswith("/a/xx") and text.endswith("/end")


@pytest.mark.parametrize("error", [FormatError, ImageReadError])
def test_errors_escape_the_name_and_keep_the_path(error):
    one = error(f"{LATIN}\x1b.png", "is cut")
    assert r"caf\udce9\x1b.png" in str(one) and one.path == f"{LATIN}\x1b.png"


# What Excel, Calc and Sheets would compute, and what they would not.
CELLS = {
    "=1+2": "'=1+2",
    "+x": "'+x",
    "-rf.jpg": "'-rf.jpg",
    "@SUM(A1)": "'@SUM(A1)",
    "-0.25": "-0.25",
    "+3": "+3",
    "-": "-",
    "a=b": "a=b",
    LATIN: r"caf\udce9",
    "\t=1": r"\t=1",
    "\n=1": r"\n=1",
}  # fmt: skip


def test_cells_of_a_table_are_text(tmp_path):
    write_csv(tmp_path / "t.csv", ["name", "=head"], [[one, -1.5] for one in CELLS])
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_bytes().decode())))
    assert rows == [["name", "'=head"], *([one, "-1.5"] for one in CELLS.values())]
    assert plain_cell(None) == "" and plain_cell(np.float64(-2)) == -2


def test_an_exact_table_keeps_every_byte(tmp_path):
    write_csv(tmp_path / "t.csv", ["old"], [[f"=/{LATIN}\n"]], exact=True)
    assert (tmp_path / "t.csv").read_bytes() == b'old\r\n"=/caf\xe9\n"\r\n'


def test_a_dollar_in_a_name_is_no_formula():
    figure = mc.explain.confusion_figure(np.eye(2, dtype=int), ["a $\\bad{ $ b", "\x1b"])
    figure.savefig(io.BytesIO())
    assert caption("$x$") == r"\$x\$"


# The commands, run in a terminal that refuses what it cannot show.


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Images whose files and one folder have names that are no UTF-8, and a model for them."""
    here = tmp_path_factory.mktemp("odd")
    rng = np.random.default_rng(0)
    for number, name in enumerate((b"a", b"b\xe9")):
        folder = os.fsencode(here) + b"/photos/" + name
        os.makedirs(folder)
        for i in range(6):
            file = folder + (b"/-\xe9%d.png" % i if i else b"/\x1b[31m=1\n.png")
            pixels = (rng.integers(0, 100, (32, 32, 3)) + 150 * number).astype(np.uint8)
            with open(file, "wb") as stream:
                Image.fromarray(pixels).save(stream, "PNG")
        with open(folder + b"/cut\xe9.png", "wb") as stream:
            stream.write(b"\x89PNG\r\n\x1a\n")
    model = mc.Sequential([mc.Input((32, 32, 3)), Conv2D(2, 3), Flatten(), Dense(2, "softmax")])
    model.class_names, model.preprocess = ["a", "b\udce9"], Preprocess((32, 32))
    model.save(here / "m.mcnn")
    return here


def minicnn(here, *words, encoding="utf-8:strict", code=0):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-m", "minicnn", *words], cwd=here, env=environment,
                          capture_output=True, check=False)  # fmt: skip
    out, err = done.stdout.decode(encoding.split(":")[0]), done.stderr.decode(errors="replace")
    assert "Traceback" not in err and done.returncode == code, err
    assert "\x1b" not in out + err
    return out, err


COMMANDS = {
    "data check": (["data", "check", "photos", "--csv", "check.csv"], 3),
    "data stats": (["data", "stats", "photos"], 0),
    "data split": (["data", "split", "photos", "sets", "--parts", "50/50"], 0),
    "data rename": (["data", "rename", "photos"], 0),
    "predict": (["predict", "m.mcnn", "photos"], 3),
    "predict --csv": (["predict", "m.mcnn", "photos", "--csv", "out.csv"], 3),
    "test": (["test", "m.mcnn", "photos", "--report", "out.html", "--allow-unreadable"], 0),
    "train": (
        ["train", "--data", "photos", "--model", "cifar", "--epochs", "1", "--allow-unreadable"],
        0,
    ),
}


@pytest.mark.parametrize(("words", "code"), COMMANDS.values(), ids=COMMANDS)
def test_commands_print_any_name(odd, words, code):
    out, err = minicnn(odd, *words, code=code)
    assert "\\udce9" in out + err
    for path in odd.glob("*.csv"):
        path.read_text(encoding="utf-8")


def test_json_is_json_on_every_terminal(odd):
    for encoding in ("utf-8:strict", "ascii:strict"):
        out, _ = minicnn(odd, "predict", "m.mcnn", "photos", "--json", "--quiet",
                         encoding=encoding, code=3)  # fmt: skip
        rows = [json.loads(line) for line in out.splitlines()]
        assert any("-\udce91.png" in row["path"] for row in rows)


def test_folders_are_counted_aloud(odd):
    code = (
        "from minicnn.preprocessing.image import ImageDataGenerator;"
        "ImageDataGenerator().flow_from_directory('photos', (8, 8), allow_unreadable=1)"
    )
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict", "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=odd, env=environment,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Found 12" in done.stdout and b"\\udce9" in done.stdout


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_messages_quote_values_with_quoted(path):
    """`{value!r:.80}` makes the whole text first, and raises ValueError for 10**5000."""
    assert not re.search(r"!r:\.\d", path.read_text())
