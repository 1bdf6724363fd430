"""plot_model and model_to_dot."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.errors import ArgumentError, DTypeError, UnknownArgumentError
from minicnn.layers import Add, Conv2D, Dense, Flatten, GlobalAveragePooling2D
from minicnn.utils.graph_layout import layout
from minicnn.utils.layer_boxes import Shown, boxes_of


@pytest.fixture(autouse=True)
def _without_graphviz(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    mc.utils.clear_session()


def residual():
    x = inputs = mc.Input((8, 8, 3), name="image")
    y = Conv2D(3, 3, padding="same", activation="relu", name="left")(x)
    y = Conv2D(3, 3, padding="same", name="right")(y)
    x = GlobalAveragePooling2D(name="mean")(Add(name="sum")([x, y]))
    return mc.Model(inputs, [Dense(2, name="a")(x), Dense(3, name="b")(x)])


def nested():
    body = mc.Sequential([mc.Input((8, 8, 3)), Conv2D(4, 3, name="inner"), Flatten(name="flat")])
    inputs = mc.Input((8, 8, 3), name="image")
    return mc.Model(inputs, Dense(2, name="out")(body(inputs)))


def test_boxes_and_arrows():
    boxes, arrows = boxes_of(residual(), Shown(names=True))
    titles = [box.title.split()[0] for box in boxes]
    named = {(titles[a], titles[b]) for a, b in arrows}
    assert named == {
        ("image", "left"), ("left", "right"), ("image", "sum"), ("right", "sum"), ("sum", "mean"),
        ("mean", "a"), ("mean", "b"),
    }  # fmt: skip
    assert all(a < b for a, b in arrows)


def test_what_boxes_say():
    shown = Shown(shapes=True, dtype=True, activations=True, trainable=True)
    model = residual()
    model.get_layer("right").trainable = False
    lines = {box.kind + box.group: dict(box.lines) for box in boxes_of(model, shown).boxes}
    assert lines["Add" + model.name]["Input"] == "(None, 8, 8, 3), (None, 8, 8, 3)"
    left, right = (dict(boxes_of(model, shown).boxes[i].lines) for i in (1, 2))
    assert left == {
        "Activation": "relu",
        "Input": "(None, 8, 8, 3)",
        "Output": "(None, 8, 8, 3)",
        "Dtype": "float32",
        "Trainable": "yes",
    }
    assert right["Trainable"] == "no" and "Activation" not in right


def test_networks_in_networks():
    closed = boxes_of(nested(), Shown())
    assert [box.title for box in closed.boxes] == ["InputLayer", "Sequential", "Dense"]
    opened = boxes_of(nested(), Shown(nested=True, names=True))
    assert [box.title.split()[0] for box in opened.boxes] == ["image", "inner", "flat", "out"]
    assert opened.arrows == [(0, 1), (1, 2), (2, 3)]


def test_a_sequential_begins_with_its_first_layer():
    model = mc.Sequential([mc.Input((4,)), Dense(3), Dense(2)])
    assert boxes_of(model, Shown()).arrows == [(0, 1)]


def test_boxes_of_a_rank_do_not_overlap_and_a_chain_is_straight():
    arrows = (
        [(0, i) for i in range(1, 6)] + [(i, 6) for i in range(1, 6)] + [(0, 6), (6, 7), (7, 8)]
    )
    found = layout([2.0] * 9, arrows, 0.5, 0.2)
    middles = sorted(found.middles[1:6])
    assert all(b - a >= 2.5 - 1e-9 for a, b in itertools.pairwise(middles))
    assert found.ranks == [0, 1, 1, 1, 1, 1, 2, 3, 4] and list(map(len, found.bends.values()))
    assert np.ptp(found.middles[6:]) < 1e-3


def test_the_language_of_graphviz():
    text = mc.utils.model_to_dot(residual(), show_shapes=True, rankdir="LR", dpi=50).to_string()
    assert text.startswith('digraph "G" {\n  rankdir=LR; splines=ortho; dpi=50;')
    assert 'b1 [label="{left (Conv2D)|Input: (None, 8, 8, 3)|Output: (None, 8, 8, 3)}"];' in text
    assert text.count("->") == 7
    part = mc.utils.model_to_dot(nested(), subgraph=True, show_layer_names=False)
    assert str(part).startswith('subgraph "cluster_') and 'label="Dense"' in str(part)
    model = mc.Sequential([mc.Input((4,)), Dense(3, name='a"{b}|<c>')])
    assert r'label="a\"\{b\}\|\<c\> (Dense)"' in mc.utils.model_to_dot(model).to_string()


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_pictures(tmp_path, rankdir):
    file = tmp_path / "model.png"
    picture = mc.utils.plot_model(residual(), file, True, True, True, rankdir, dpi=40)
    with Image.open(file) as image:
        wide = image.width > image.height
        pixels = np.asarray(image.convert("RGB"))
    assert wide == (rankdir in ("LR", "RL"))
    assert (pixels == 255).all(-1).mean() > 0.3 and len(
        np.unique(pixels.reshape(-1, 3), axis=0)
    ) > 50
    assert picture._repr_png_() == file.read_bytes() and "model.png" in repr(picture)


def test_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = mc.Sequential([mc.Input((4,)), Dense(3)])
    for name in ("a.svg", "a.dot", "b"):
        mc.utils.plot_model(model, name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dot", "a.svg", "b.png"]
    assert (tmp_path / "a.dot").read_text().startswith("digraph")
    dot = mc.utils.model_to_dot(model)
    dot.write("c.dot")
    assert (tmp_path / "c.dot").read_text() == dot.to_string()
    with pytest.raises(ArgumentError, match="Graphviz is not installed"):
        dot.write_png("c.png")


def test_a_very_deep_network_keeps_within_the_pixels_of_a_picture(tmp_path):
    model = mc.Sequential([mc.Input((4,)), *(Dense(4) for _ in range(150))])
    mc.utils.plot_model(model, tmp_path / "deep.png", dpi=300)
    with Image.open(tmp_path / "deep.png") as image:
        assert image.height <= 24_000


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"model": 5}, DTypeError, "needs a Model or Sequential; got int"),
        ({"rankdir": "up"}, ArgumentError, "rankdir must be one of"),
        ({"dpi": 0}, ArgumentError, "dpi"),
        ({"layer_range": ["a", "b"]}, ArgumentError, "of the part instead"),
        ({"colour": 1}, UnknownArgumentError, "no argument 'colour'"),
    ],
)
def test_wrong_arguments(tmp_path, options, error, text):
    model = mc.Sequential([mc.Input((4,)), Dense(3)])
    with pytest.raises(error, match=text):
        mc.utils.plot_model(**{"model": model, "to_file": tmp_path / "a.png", **options})
