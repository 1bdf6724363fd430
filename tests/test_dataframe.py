"""Batches of the files that a table names; what Keras answers is in test_keras_data.py."""

from __future__ import annotations

import numpy as np
import pytest
from image_folders import make_ramps

import minicnn as mc
from minicnn.data import ImageDataGenerator
from minicnn.errors import ArgumentError, DTypeError

QUIET = {"target_size": (6, 5), "verbose": False}


class Frame:
    """Columns by name, as a data frame of pandas has them."""

    def __init__(self, **columns):
        self.table, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return self.table[name]


@pytest.fixture
def folder(tmp_path):
    return make_ramps(tmp_path, 4)


@pytest.fixture
def frame():
    files = [f"{name}/{i}.png" for name in ("cats", "dogs") for i in range(4)]
    age = np.arange(8.0)
    return Frame(file=files, kind=["cat"] * 4 + ["dog"] * 4, age=age, n=2 * age, size=[1] * 8)


def flow(frame, folder, *args, **options):
    generator = ImageDataGenerator(validation_split=options.pop("split", 0.0))
    return generator.flow_from_dataframe(frame, folder, "file", *args, **{**QUIET, **options})


def test_classes_and_training(folder, frame, capsys):
    batches = flow(frame, folder, "kind", batch_size=3, verbose=True)
    said = "Found 8 validated image filenames belonging to 2 classes.\n"
    assert capsys.readouterr().out == said
    assert batches.class_indices == {"cat": 0, "dog": 1}
    model = mc.Sequential([mc.Input((6, 5, 3)), mc.layers.Flatten(), mc.layers.Dense(2)])
    model.compile("sgd", mc.losses.CategoricalCrossentropy(from_logits=True))
    assert len(model.fit(batches, epochs=2, verbose=0).history["loss"]) == 2
    for x, y in batches.for_epoch(1):
        shades = x[:, 0, 0, 0]
        np.testing.assert_array_equal(y.argmax(1), shades >= 70)


def test_several_classes_per_image(folder, frame):
    frame.table["kind"] = [["old", "red"], ["red"], ("old",), "red", "old", [], "red", "old"]
    batches = flow(frame, folder, "kind", shuffle=False, batch_size=8)
    _, y = next(batches)
    assert y.tolist()[:3] == [[1, 1], [0, 1], [1, 0]] and y.sum() == 8
    kept = flow(frame, folder, "kind", classes=["red"], shuffle=False, batch_size=8)
    assert kept.n == 4 and next(kept)[1].tolist() == [[1]] * 4
    with pytest.raises(DTypeError, match="needs one class per image"):
        flow(frame, folder, "kind", class_mode="sparse")


def test_raw_values_weights_and_several_outputs(folder, frame):
    options = {"shuffle": False, "batch_size": 5}
    x, y, w = next(flow(frame, folder, "age", "n", class_mode="raw", **options))
    assert (x.shape, y.tolist(), w.tolist()) == ((5, 6, 5, 3), [0, 1, 2, 3, 4], [0, 2, 4, 6, 8])
    y = next(flow(frame, folder, ["age", "n"], class_mode="raw", **options))[1]
    assert y.tolist()[:2] == [[0, 0], [1, 2]]
    several = flow(frame, folder, ["age", "n"], class_mode="multi_output", **options)
    y = next(several)[1]
    assert [one.tolist()[:2] for one in y] == [[0, 1], [0, 2]] and len(several.labels) == 2


def test_subsets_and_missing_files(folder, frame):
    parts = [flow(frame, folder, "kind", subset=s, split=0.25) for s in ("validation", "training")]
    assert [part.n for part in parts] == [2, 6]
    assert [part.split for part in parts] == [(0.0, 0.25), (0.25, 1.0)]
    frame.table["file"][3] = "cats/none.png"
    with pytest.warns(UserWarning, match=r"1 of 8 files in the column 'file' .*none\.png"):
        batches = flow(frame, folder, "kind", class_mode="sparse", shuffle=False)
    assert batches.n == 7 and next(batches)[1].tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_a_damaged_file_takes_its_row_with_it(folder, frame):
    (folder / "cats/1.png").write_bytes(b"no image")
    batches = flow(frame, folder, "age", class_mode="raw", shuffle=False, allow_unreadable=1)
    assert next(batches)[1].tolist() == [0, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"y_col": "none"}, ArgumentError, "no column 'none'; it has: file, kind, age"),
        ({"y_col": "kind", "class_mode": "other"}, ArgumentError, "class_mode must be one of"),
        ({"y_col": "size", "class_mode": "sparse"}, DTypeError, r"astype\(str\)"),
        ({"y_col": "kind", "class_mode": "multi_output"}, DTypeError, "needs a list of columns"),
        ({"y_col": ["kind", "age"]}, DTypeError, "needs one column"),
        ({"y_col": "kind", "weight_col": "kind"}, DTypeError, "must hold numbers"),
        ({"y_col": "kind", "x_col": "age"}, DTypeError, "must hold file names"),
        ({"y_col": "kind", "subset": "test"}, ArgumentError, "subset must be one of"),
        ({"y_col": "kind", "colour": 1}, DTypeError, "no argument 'colour'"),
    ],
)
def test_wrong_arguments(folder, frame, options, error, text):
    options = {"x_col": "file", **QUIET, **options}
    with pytest.raises(error, match=text):
        ImageDataGenerator(validation_split=0.5).flow_from_dataframe(frame, folder, **options)


def test_old_options_and_useless_classes_are_said(folder, frame):
    with pytest.warns(UserWarning, match="drop_duplicates have no effect"):
        flow(frame, folder, "kind", drop_duplicates=True)
    with pytest.warns(UserWarning, match="has no classes; they are ignored"):
        flow(frame, folder, "age", class_mode="raw", classes=["a"])
