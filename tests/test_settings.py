"""Settings of a training: every record survives its file, and damaged files are refused."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from minicnn.apps.runs.settings import Settings, from_table, from_toml, to_toml, write_toml
from minicnn.errors import ArgumentError, FormatError, MiniCNNError, SizeLimitError

HEAD = 'model = "cifar"\ndata = "x"\n'

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(1 - 2**63, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
TABLES = st.dictionaries(TEXTS, VALUES, max_size=4)


@tries(max_examples=100, deadline=None)
@given(
    texts=st.tuples(TEXTS, TEXTS, TEXTS), classes=st.lists(TEXTS, max_size=3), head=TEXTS,
    tables=st.tuples(TABLES, TABLES, TABLES), seed=st.integers(0, 2**63 - 1),
)  # fmt: skip
def test_every_record_survives_a_file(texts, classes, head, tables, seed):
    name, data, group_by = texts
    optimizer, augmentation, network = tables
    settings = Settings(
        model="cifar", data=data, name=name, group_by=group_by, classes=tuple(classes), seed=seed,
        optimizer=optimizer, augmentation=augmentation, network=network,
    )  # fmt: skip
    assert from_table(tomllib.loads(to_toml(settings, head))) == settings


@pytest.mark.parametrize(
    "table",
    [
        {"two words": 1, "dotted.name": 2, "ä": 3, "": 4},
        {"inner": {"deeper": {"x": [1, {"y": 2.5}]}}},
        {"rate": np.float32(0.25), "steps": np.int64(3), "pair": (1, 2)},
        {"big": 1e300, "small": -5e-324, "whole": 1e22},
    ],
    ids=["names", "tables", "numpy", "floats"],
)
def test_unusual_tables_can_be_read_back(tmp_path, table):
    settings = Settings(model="cifar", data="x", network=table, optimizer={})
    write_toml(tmp_path / "c.toml", settings, "a comment\twith \x00 and \x1b in it")
    back = from_toml(tmp_path / "c.toml")
    assert back.optimizer == {}
    assert back.network == {k: list(v) if isinstance(v, tuple) else v for k, v in table.items()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": {"x": None}}, "x must be a string, a number, a boolean, a list or a table"),
        ({"network": {"x": {1: 2}}}, "each name in x must be a string; got int"),
        ({"network": {"x": float("nan")}}, "x must be a finite number; got nan"),
        ({"network": {"x": [np.zeros(2)]}}, "x must be a string, a number"),
        ({"network": {"x": 2**63}}, "x must be an integer of at most 64 bits"),
        ({"data": "caf\udce9"}, "data must be valid UTF-8; got 'caf\\udce9'"),
        ({"network": {"\udce9": 1}}, "each name in network must be valid UTF-8"),
        ({"epochs": 0}, "epochs must be an integer >= 1; got 0"),
        ({"batch_size": 2.0}, "batch_size must be an integer >= 1; got 2.0"),
        ({"seed": -1}, "seed must be an integer from 0 to 2^63 - 1; got -1"),
        ({"split": (70, 30)}, "split must be a list of 3 integers"),
        ({"balance": 1}, "balance must be True or False; got 1"),
        ({"label_smoothing": 1}, "label_smoothing must be a number in [0.0, 1.0); got 1"),
        ({"classes": 5}, "classes must be a list of folder names"),
        ({"classes": "cat"}, "classes must be a list of folder names"),
        ({"name": 3}, "name must be a string; got int"),
        ({"optimizer": "adam"}, "optimizer must be a table, [optimizer]; got str"),
    ],
)
def test_values_that_could_not_be_read_back_are_refused(change, words):
    with pytest.raises(ArgumentError, match=re.escape(words)):
        Settings(**{"model": "cifar", "data": "x", **change})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("classes = 5", FormatError),
        ("classes = [5]", FormatError),
        ("epochs = " + "9" * 5000, FormatError),
        ("epochs = 99999999999999999999", FormatError),
        ("seed = 0x" + "f" * 5000, FormatError),
        ("image_size = " + "[" * 20_000, FormatError),
        ("network = " + "[" * 500 + "]" * 500, FormatError),
        ("network = " + "{a=" * 20_000, FormatError),
        ("[network]\n" + "a." * 30_000 + "a = 1", FormatError),
        ("[" + "a." * 30_000 + "a]\nb = 1", FormatError),
        ("[network]\n" + "a." * 100 + "a = 1", FormatError),
        ("[network]\na = 1979-05-27T07:32:00Z", FormatError),
        ("[network]\na = nan", FormatError),
        ("[optimizer]\nlearning_rate = -inf", FormatError),
        ('[network]\n"\\uD800" = 1', FormatError),
        ("#" + "x" * 70_000, SizeLimitError),
    ],
)
def test_malicious_files_are_refused(tmp_path, text, error):
    (tmp_path / "c.toml").write_text(HEAD + text)
    with pytest.raises(error, match=r"^\S+c\.toml") as caught:
        from_toml(tmp_path / "c.toml")
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


def test_files_with_a_former_name_are_read(tmp_path):
    (tmp_path / "c.toml").write_text(HEAD + "normalise = true\n")
    settings = from_toml(tmp_path / "c.toml")
    assert settings.normalize and "normalize = true" in to_toml(settings)


def test_the_error_for_a_file_that_is_not_utf_8_says_where(tmp_path):
    (tmp_path / "c.toml").write_bytes(HEAD.encode() + b'name = "caf\xe9"\n')
    with pytest.raises(FormatError, match="line 3 has the byte 0xe9"):
        from_toml(tmp_path / "c.toml")


@tries(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_reader_raises_only_errors_of_minicnn(tmp_path_factory, data):
    """A good file with some of its letters changed."""
    good = to_toml(
        Settings(model="cifar", data="x", classes=("a", "b"), augmentation={"zoom_range": 0.2})
    )
    letters = list(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(letters) - 1))
        letters[at] = data.draw(st.sampled_from([*"\"'[]=.\n9e{\0", ""]))
    path = tmp_path_factory.getbasetemp() / "mutated.toml"
    path.write_text("".join(letters))
    try:
        settings = from_toml(path)
    except MiniCNNError:
        return
    assert from_table(tomllib.loads(to_toml(settings))) == settings
