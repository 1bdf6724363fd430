"""Messages: never longer than a screen, whatever a file holds or an argument is."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import minicnn as mc
from minicnn import errors
from minicnn.checks import check_choice, check_flag, check_int, check_number, check_one_shape
from minicnn.data.tools.split import parse_shares
from minicnn.errors import ArgumentError, FormatError, ImageReadError, MiniCNNError
from minicnn.shapes import conv_window
from minicnn.support.text import quoted

HUGE = {
    "a text": "x" * 3_300_000,
    "an integer that Python cannot write": 10**5000,
    "a list": list(range(10**5)),
    "bytes": b"y" * 10**6,
    "an object that cannot be shown": type("Odd", (), {"__repr__": lambda self: 1 / 0})(),
}
CHECKS = {
    "int": lambda value: check_int(value, "n"),
    "number": lambda value: check_number(value, "n"),
    "flag": lambda value: check_flag(value, "n"),
    "choice": lambda value: check_choice(value, "n", ("a", "b")),
    "shape": lambda value: check_one_shape(value, "n"),
    "window": lambda value: conv_window(value, 1, "valid", 1, (9, 9)),
    "layer": lambda value: mc.layers.Conv2D(value, 3),
    "padding": lambda value: mc.layers.Conv2D(1, 3, padding=value),
    "optimizer": lambda value: mc.optimizers.get(value),
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("value", HUGE.values(), ids=HUGE)
def test_an_argument_of_any_size_gives_a_short_message_of_the_family(check, value):
    with pytest.raises(MiniCNNError) as caught:
        check(value)
    assert len(str(caught.value)) <= 300


FAMILY = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, MiniCNNError) and "__init__" not in vars(kind)
]


@pytest.mark.parametrize("kind", [MiniCNNError, *FAMILY])
def test_every_error_of_the_family_keeps_the_beginning_and_the_end(kind):
    text = "what came: " + "z" * 5000 + ". What to do"
    message = str(kind("f", text) if issubclass(kind, FormatError) else kind(text))
    assert len(message) == 300
    assert "what came: zzz" in message and " ... " in message
    assert message.endswith("zzz. What to do")


def test_the_path_that_programs_read_is_not_shortened():
    path, reason = "p" * 4000, "r" * 4000
    for error in (FormatError(path, reason, 7), ImageReadError(path, reason)):
        assert error.path == path and error.reason.startswith("rrr")
        assert len(str(error)) == 300


OWN = [
    FormatError("a.mcnn", "is cut", 7),
    ImageReadError("a.jpg", "no picture"),
    errors.UnreadableImagesError("a.jpg", "no picture", "2 of 9 cannot be read"),
    errors.FetchRefused("took too long"),
    errors.FolderInUseError("runs/a", 12),
    errors.DeviceMemoryError("weights", 10**9, 10**6),
    *(kind("a", "b") if issubclass(kind, FormatError) else kind("what came") for kind in FAMILY),
]


@pytest.mark.parametrize("error", OWN, ids=[type(error).__name__ for error in OWN])
@pytest.mark.parametrize("through", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_error_goes_from_one_process_to_another(error, through):
    other = through(error)
    assert type(other) is type(error)
    assert str(other) == str(error) and other.args == error.args and vars(other) == vars(error)


def test_short_messages_stay_as_they_are():
    assert str(ArgumentError("n must be 1")) == "n must be 1"
    assert str(ImageReadError("a.jpg", "no picture")) == "cannot read a.jpg (no picture)"
    assert ArgumentError("a", 2).args == ("a", 2)


def test_parts_of_a_split_of_any_length():
    with pytest.raises(ArgumentError, match=r"got '1111.* \.\.\. ") as caught:
        parse_shares("1" * 10**6)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), ("a", "'a'"), (np.float32(2), repr(np.float32(2))), (10**5000, "an int")],
    ids=["integer", "text", "float", "huge"],
)
def test_values_are_shown_as_python_writes_them(value, text):
    assert quoted(value) == text


def test_a_long_value_keeps_its_ends():
    assert quoted("a" * 99 + "b") == "'" + "a" * 49 + " ... " + "a" * 23 + "b'"
    assert len(quoted("a" * 10**6)) == 80
