"""The helpers of `minicnn.utils`; pictures of networks are in test_model_pictures.py."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import (
    ArgumentError,
    ChecksumError,
    DTypeError,
    FormatError,
    SizeLimitError,
)
from minicnn.utils import balanced_class_weight, get_file, normalize, to_categorical

# --- labels -------------------------------------------------------------------------------------


def test_one_hot_rows():
    rows = to_categorical(np.array([[2], [0]]), 4)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert to_categorical([1, 2]).shape == (2, 3)
    assert to_categorical([[0, 1], [2, 1]]).shape == (2, 2, 3)
    assert to_categorical(np.array(["2", "0"])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert to_categorical(2).tolist() == [0, 0, 1] and to_categorical([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("labels", "classes", "error", "text"),
    [
        ([0, 3], 3, ArgumentError, r"x\[1\] = 3, but there are 3 classes"),
        ([-1], None, ArgumentError, r"x\[0\] = -1"),
        ([0.5], None, ArgumentError, "integers .* got float64"),
        ([np.nan], None, ArgumentError, "integers .* got float64"),
        (["a"], None, ArgumentError, r"got <U1 .*np\.unique"),
        ([None], None, ArgumentError, "got object"),
        ([1j], None, ArgumentError, "got complex"),
        ([10**12], None, SizeLimitError, r"one-hot rows of shape .* 4,000\.0 GB"),
        ([2**62], None, SizeLimitError, "one-hot rows"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:Casting complex")
def test_wrong_labels_are_refused(labels, classes, error, text):
    with pytest.raises(error, match=text):
        to_categorical(labels, classes)


def test_balanced_weights_make_classes_count_alike():
    y = np.array([0] * 6 + [1] * 3 + [4])
    weight = balanced_class_weight(y)
    totals = [weight[c] * (y == c).sum() for c in (0, 1, 4)]
    np.testing.assert_allclose(totals, 10 / 3)
    assert balanced_class_weight(np.eye(5)[y]) == weight
    assert balanced_class_weight(y[:, None]) == weight


@pytest.mark.parametrize("y", [[], [0.5], [[[1]]]])
def test_balanced_weights_are_of_class_indices(y):
    with pytest.raises(ArgumentError, match="class indices"):
        balanced_class_weight(y)


def test_norms_along_any_axis():
    x = np.array([[3.0, 4.0], [0.0, 3.0]])
    assert normalize(x, axis=0).tolist() == [[1, 0.8], [0, 0.6]]
    assert normalize([3.0, 4.0]).tolist() == [0.6, 0.8]
    assert normalize(x, order=1).tolist() == [[3 / 7, 4 / 7], [0, 1]]


# --- files --------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "data.csv").write_text("1,2")
    return tmp_path


def test_a_file_is_copied_into_the_cache_once(here):
    path = get_file(origin=str(here / "data.csv"))
    assert path == str(here / "home/.keras/datasets/data.csv")
    (here / "data.csv").write_text("3,4")
    assert Path(get_file("data.csv", (here / "data.csv").as_uri())).read_text() == "1,2"
    path = get_file("data.csv", (here / "data.csv").as_uri(), force_download=True)
    assert Path(path).read_text() == "3,4"
    (here / "data.csv").unlink()
    assert get_file(origin="https://example.org/sets/data.csv?x=1") == path  # it is there
    other = get_file("b", path, cache_subdir="", cache_dir=here / "cache")
    assert other == str(here / "cache/b")


def test_checksums(here):
    origin, content = str(here / "data.csv"), b"1,2"
    for kind in ("md5", "sha256"):
        digest = hashlib.new(kind, content).hexdigest()
        assert get_file(origin=origin, file_hash=digest)
        assert get_file(origin=origin, file_hash=digest, hash_algorithm=kind)
        with pytest.raises(ChecksumError, match=f"has the {kind}"):
            get_file(origin=origin, file_hash=digest[::-1])
    assert get_file(origin=origin, md5_hash=hashlib.md5(content).hexdigest())


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_archives_are_unpacked(here, kind):
    archive = here / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as opened:
            opened.write(here / "data.csv", "inner/data.csv")
    else:
        with tarfile.open(archive, "w:gz" if kind == "tar.gz" else "w") as opened:
            opened.add(here / "data.csv", "inner/data.csv")
    folder = get_file(origin=str(archive), extract=True, archive_format="auto")
    assert folder == str(here / f"home/.keras/datasets/set.{kind}")
    assert Path(f"{folder}/inner/data.csv").read_text() == "1,2"
    named = get_file(f"other.{kind}", str(archive), untar=kind != "zip", extract=True)
    assert named.endswith("datasets/other_extracted")


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "C:\\out"])
def test_archives_stay_in_their_folder(here, name):
    with zipfile.ZipFile(here / "a.zip", "w") as opened:
        opened.writestr(name, "x")
    with pytest.raises(FormatError, match="leads out of the folder"):
        get_file(origin=str(here / "a.zip"), extract=True)
    with tarfile.open(here / "a.tar", "w") as opened:
        member = tarfile.TarInfo(name)
        member.size = 1
        opened.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(FormatError):
        get_file(origin=str(here / "a.tar"), extract=True)
    assert (
        not (here / "home/.keras/out").exists() and not (here / "home/.keras/datasets/out").exists()
    )


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({}, ArgumentError, "needs origin"),
        ({"origin": "https://example.org/a.zip"}, FileNotFoundError, "downloads nothing: fetch"),
        ({"origin": "/no/such/file"}, FileNotFoundError, "no file on this machine"),
        ({"origin": "https://example.org/"}, ArgumentError, "must be the name of a file"),
        ({"fname": "a/b", "origin": "x"}, ArgumentError, "without folders"),
        ({"origin": "data.csv", "file_hash": "12"}, ArgumentError, "hash_algorithm"),
        ({"origin": "data.csv", "extract": True, "archive_format": "7z"}, ArgumentError, "7z"),
        ({"origin": "data.csv", "extract": True, "archive_format": "zip"}, FormatError, "unpacked"),
    ],
)
def test_files_that_cannot_be_got(here, monkeypatch, options, error, text):
    monkeypatch.chdir(here)
    with pytest.raises(error, match=text):
        get_file(**options)


# --- progress -----------------------------------------------------------------------------------


def test_a_progress_bar_shows_means_and_values(capsys):
    bar = mc.utils.Progbar(4, verbose=2, stateful_metrics=["rate"])
    for step in range(1, 5):
        bar.update(step, [("loss", float(step)), ("rate", step / 10)])
    out = capsys.readouterr().out
    assert out.startswith("4/4 - 0s ") and out.endswith("step - loss: 2.5000 - rate: 0.4000\n")
    bar = mc.utils.Progbar(4, stateless_metrics=["loss"], unit_name="image")
    bar.add(3, [("loss", 1.0), ("rate", 0.1)])
    bar.add(1, [("loss", 5.0), ("rate", 0.2)])
    out = capsys.readouterr().out
    assert "/image - loss: 2.0000 - rate: 0.2000\n" in out and out.count("\n") == 1
    mc.utils.Progbar(2, verbose=0).update(2)
    assert capsys.readouterr().out == ""


def test_a_moving_bar_overwrites_its_line(monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    bar = mc.utils.Progbar(None, interval=0)
    bar.update(1, [("a long name", 1.0)])
    bar.update(2, finalize=True)
    mc.utils.Progbar(2, width=4, interval=0).update(1)
    lines = stream.getvalue().split("\r")
    assert lines[1].startswith("1/Unknown") and lines[2].endswith("\n")
    assert lines[3].startswith("1/2 ━━━━")
    with pytest.raises(ArgumentError, match="not both"):
        mc.utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_a_moving_line_may_be_switched_off(capsys):
    assert mc.config.is_interactive_logging_enabled()
    mc.utils.disable_interactive_logging()
    assert not mc.utils.is_interactive_logging_enabled()
    mc.utils.enable_interactive_logging()
    assert mc.utils.is_interactive_logging_enabled()


# --- names and dicts of objects -----------------------------------------------------------------


class DoubledInTests(mc.layers.Layer):
    def call(self, x):
        return mc.ops.multiply(x, 2.0)


@pytest.fixture(autouse=True)
def registered():
    """Register the class for each test: at import, tests of other modules would find it too."""
    mc.utils.register_keras_serializable(package="tests", name="Twice")(DoubledInTests)


def test_registered_names():
    assert mc.utils.get_registered_name(DoubledInTests) == "tests>Twice"
    assert mc.utils.get_registered_object("tests>Twice") is DoubledInTests
    assert mc.utils.get_registered_name(mc.layers.Dense) == "Dense"
    assert mc.utils.get_registered_object("nothing") is None

    @mc.utils.register_keras_serializable()
    class Plain:
        def get_config(self):
            return {}

    assert mc.utils.get_registered_name(Plain) == "Custom>Plain"
    with pytest.raises(ArgumentError, match=r"give Bare a get_config\(\)"):

        @mc.utils.register_keras_serializable()
        class Bare:
            pass


def test_a_scope_of_own_names(tmp_path):
    class Shifted(mc.layers.Layer):
        def call(self, x):
            return mc.ops.add(x, 1.0)

    model = mc.Sequential([mc.Input((3,)), Shifted(), DoubledInTests()])
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(FormatError, match="Shifted"):
        mc.load_model(tmp_path / "m.mcnn")
    with mc.utils.custom_object_scope({"Shifted": Shifted}):
        again = mc.load_model(tmp_path / "m.mcnn")
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(again.predict(x, verbose=0), 4 * x)
    mc.utils.get_custom_objects()["Shifted"] = Shifted
    try:
        assert mc.load_model(tmp_path / "m.mcnn").layers
    finally:
        del mc.utils.get_custom_objects()["Shifted"]


def test_objects_become_dicts_and_objects_again():
    serialize, build = mc.utils.serialize_keras_object, mc.utils.deserialize_keras_object
    for thing in (
        mc.layers.Dense(3, activation="relu", name="d"),
        mc.optimizers.Adam(0.01),
        mc.initializers.HeNormal(),
        mc.losses.MeanSquaredError(),
        mc.metrics.MeanSquaredError(),
        DoubledInTests(name="twice"),
    ):
        data = json.loads(json.dumps(serialize(thing)))
        assert data["class_name"] == type(thing).__name__
        again = build(data)
        assert type(again) is type(thing) and serialize(again) == data
    values = {"a": [1, 2.5, None, "x"], "b": {"c": True}}
    assert serialize(values) == values == build(values)
    np.testing.assert_array_equal(build(serialize(np.arange(3))), np.arange(3))
    with pytest.raises(ArgumentError, match="no class or function 'Nothing'"):
        build({"class_name": "Nothing", "config": {}, "module": "minicnn.layers"})
    with pytest.raises(ArgumentError, match="only objects with get_config"):
        serialize(object())


def test_config():
    config = mc.utils.Config(a=1)
    config.b = mc.utils.Config(c=2)
    config["d"] = 3
    config.update({"e": 4}, f=5)
    assert config.pop("f") == 5 and "f" not in config and len(config) == 4
    assert json.loads(config.to_json()) == {"a": 1, "b": {"c": 2}, "d": 3, "e": 4}
    del config.e
    assert list(config) == ["a", "b", "d"] and config.get("x", 7) == 7
    with pytest.raises(ArgumentError, match="frozen"):
        config.freeze().a = 2
    config.unfreeze().a = 2
    with pytest.raises(AttributeError, match="no 'z'; it has: a, b, d"):
        _ = config.z


# --- data ---------------------------------------------------------------------------------------


def test_splitting():
    left, right = mc.utils.split_dataset(np.arange(10), 0.5, shuffle=True, seed=1)
    numbers = [int(one) for part in (left, right) for one in part]
    assert sorted(numbers) == list(range(10)) != numbers
    samples = [(np.zeros(2), 0), (np.ones(2), 1), (np.ones(2), 2)]
    left, right = mc.utils.split_dataset(samples, right_size=1)
    assert (len(left), [int(y) for _, y in right]) == (2, [2])
    left, right = mc.utils.split_dataset(np.arange(10), 2, 3)
    assert [int(one) for one in right] == [2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.arange(3),), ArgumentError, "give left_size or right_size"),
        ((np.arange(3), 1.5), ArgumentError, "above 0 and below 1"),
        ((np.arange(3), 0), ArgumentError, "would have 0 and 3"),
        ((np.arange(3), 2, 2), ArgumentError, "would have 2 and 2"),
        ((np.arange(3), "1"), DTypeError, "must be a number"),
        (("abc", 1), DTypeError, "takes a Dataset"),
        ((mc.data.Dataset.range(3).take(0), 1), ArgumentError, "no elements"),
    ],
)
def test_wrong_splits(arguments, error, text):
    with pytest.raises(error, match=text):
        mc.utils.split_dataset(*arguments)


def test_small_helpers():
    a, b = mc.Input((3,)), mc.Input((3,))
    total = mc.layers.Add()([mc.layers.Dense(3)(a), b])
    assert mc.utils.is_keras_tensor(total) and not mc.utils.is_keras_tensor(np.ones(3))
    assert mc.utils.get_source_inputs(total) == [a, b]
    assert mc.utils.standardize_dtype(None) == mc.utils.standardize_dtype("float32") == "float32"
    assert mc.utils.pack_x_y_sample_weight([1]) == ([1],)
    with pytest.raises(ArgumentError, match="got 4 parts"):
        mc.utils.unpack_x_y_sample_weight((1, 2, 3, 4))
    mc.utils.clear_session(free_memory=False)
