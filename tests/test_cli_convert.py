"""`minicnn convert`: from one format to another, with a check of the predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc
from minicnn.apps.cli.main import run
from minicnn.errors import NumericError
from minicnn.interop import converting

needs_protobuf = pytest.mark.usefixtures("protobuf")
L = mc.layers


@pytest.fixture
def protobuf():
    pytest.importorskip("google.protobuf", reason="pip install -e '.[caffe]'")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a small model in it, and us."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    layers = [L.Conv2D(3, 3, activation="relu", name="c"), L.MaxPooling2D(2, name="p"),
              L.Flatten(name="f"), L.Dense(4, name="d", activation="softmax")]  # fmt: skip
    model = mc.Sequential([L.Input((8, 6, 2)), *layers])
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    model.save("net.mcnn")
    return tmp_path


def predictions(path):
    x = np.random.default_rng(1).random((3, 8, 6, 2), np.float32)
    return mc.load_model(path).predict(x, verbose=0)


@needs_protobuf
def like_caffenet():
    """A small network with CaffeNet's input, first kernels and output."""
    rng = np.random.default_rng(0)
    layers = [L.Conv2D(96, 11, strides=36, name="conv1"), L.MaxPooling2D(7, name="pool"),
              L.Flatten(name="f"), L.Dense(1000, name="d", activation="softmax")]  # fmt: skip
    model = mc.Sequential([L.Input((227, 227, 3)), *layers])
    model.set_weights([rng.normal(0, 0.01, w.shape) for w in model.get_weights()])
    return model


@needs_protobuf
def test_caffenet_gets_what_caffes_files_leave_out(tmp_path, capsys):
    caffe = like_caffenet()
    caffe.save(tmp_path / "caffenet.caffemodel")
    assert run(["convert", str(tmp_path / "caffenet.caffemodel"), str(tmp_path / "n.mcnn")]) == 0
    assert "Caffe's network for ImageNet" in capsys.readouterr().err
    model = mc.load_model(tmp_path / "n.mcnn")
    assert model.class_names[283] == "Persian cat"
    rgb = np.random.default_rng(1).integers(0, 256, (2, 227, 227, 3), np.uint8)
    bgr = rgb[..., ::-1] - np.float32([104.00699, 116.66877, 122.67892])  # as Caffe's programs do
    found = model.predict(model.preprocess(rgb), verbose=0)
    np.testing.assert_allclose(found, caffe.predict(bgr, verbose=0), rtol=1e-4)
    assert np.ptp(found, 0).max() > 0.1  # it sees something


@needs_protobuf
def test_other_formats_of_caffenet_stay_caffes(tmp_path, capsys):
    caffe = like_caffenet()
    caffe.save(tmp_path / "caffenet.caffemodel")
    assert run(["convert", str(tmp_path / "caffenet.caffemodel"), str(tmp_path / "n.h5")]) == 0
    assert "ImageNet" not in capsys.readouterr().err
    x = np.random.default_rng(1).normal(0, 50, (2, 227, 227, 3)).astype(np.float32)
    again = mc.load_model(tmp_path / "n.h5").predict(x, verbose=0)
    np.testing.assert_allclose(again, caffe.predict(x, verbose=0), rtol=1e-4)


@needs_protobuf
def test_to_caffe_and_back(here, capsys):
    assert run(["convert", "net.mcnn", "net.caffemodel"]) == 0
    out, err = capsys.readouterr()
    size = Path("net.caffemodel").stat().st_size + Path("net.prototxt").stat().st_size
    first, second = out.splitlines()
    assert first == (
        f"net.caffemodel and net.prototxt (a file of weights of Caffe): {size:,} bytes"
    )
    assert second.startswith("largest difference of the predictions on random input: ")
    assert float(second.rpartition(" ")[2]) < 1e-6
    assert err == "net.mcnn (minicnn's own format): 4 layers, 133 parameters\n"
    assert run(["convert", "net.prototxt", "back.mcnn", "--weights", "net.caffemodel"]) == 0
    np.testing.assert_allclose(predictions("back.mcnn"), predictions("net.mcnn"), atol=1e-6)
    assert run(["convert", "net.caffemodel", "again.mcnn"]) == 0
    np.testing.assert_array_equal(predictions("back.mcnn"), predictions("again.mcnn"))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_weights_alone_go_to_pytorch_and_back_into_a_network(here, name, capsys):
    assert run(["convert", "net.mcnn", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [name] and told["largest_difference"] == 0.0
    assert (told["layers"], told["parameters"], told["bytes"]) == (
        4,
        133,
        Path(name).stat().st_size,
    )
    other = mc.load_model("net.mcnn")
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    other.save("zeros.mcnn")
    assert run(["convert", "zeros.mcnn", "back.mcnn", "--weights", name]) == 0
    np.testing.assert_array_equal(predictions("back.mcnn"), predictions("net.mcnn"))


def test_nothing_is_overwritten_unless_asked_to(here, capsys):
    Path("other.mcnn").write_bytes(b"mine")
    assert run(["convert", "net.mcnn", "other.mcnn"]) == 1
    assert "exists already; give another name, or --force" in capsys.readouterr().err
    assert Path("other.mcnn").read_bytes() == b"mine"
    Path("n.prototxt").write_bytes(b"mine")
    assert run(["convert", "net.mcnn", "n.caffemodel"]) == 1
    assert not Path("n.caffemodel").exists()
    assert run(["convert", "net.mcnn", "other.mcnn", "--force"]) == 0
    np.testing.assert_array_equal(predictions("other.mcnn"), predictions("net.mcnn"))


WRONG = {
    "no such file": (["none.mcnn", "x.mcnn"], 1, "no such file"),
    "no model": (["text", "x.mcnn"], 1, "FormatError: text"),
    "weights alone": (["w.pth", "x.mcnn"], 1, "holds weights alone"),
    "no such folder": (["net.mcnn", "none/x.mcnn"], 1, "no such folder"),
    "another network": (["net.mcnn", "x.mcnn", "--weights", "other.pth"], 1, "CheckpointError"),
    "one argument": (["net.mcnn"], 2, "Missing argument 'OUT'"),
    "an option": (["net.mcnn", "x.mcnn", "--wieghts", "w.pth"], 2, "--weights"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_one_line_and_a_code(here, name, capsys):
    words, code, text = WRONG[name]
    Path("text").write_text("nothing of a model")
    mc.load_model("net.mcnn").save_weights("w.pth")
    mc.Sequential([L.Input((3,)), L.Dense(2)]).save_weights("other.pth")
    assert run(["convert", *words]) == code
    assert text in capsys.readouterr().err
    assert not Path("x.mcnn").exists()


@needs_protobuf
def test_a_layer_that_the_format_cannot_say_is_named(here, capsys):
    mc.Sequential([L.Input((8, 6, 2)), L.UnitNormalization(name="unit")]).save("unit.mcnn")
    assert run(["convert", "unit.mcnn", "unit.caffemodel"]) == 1
    assert "Caffe has nothing for the layer 'unit' (UnitNormalization)" in capsys.readouterr().err
    assert not Path("unit.caffemodel").exists()


def test_a_file_that_predicts_something_else_is_an_error(here, monkeypatch):
    model, load = mc.load_model("net.mcnn"), converting.load_model

    def wrong(path, **options):
        other = load(path, **options)
        other.set_weights([w * 2 for w in other.get_weights()])
        return other

    monkeypatch.setattr(converting, "load_model", wrong)
    with pytest.raises(NumericError, match=r"x\.mcnn: its network predicts other values"):
        converting.write_checked(model, "x.mcnn")


def test_inputs_of_every_kind_get_random_numbers():
    x, y = L.Input((None, None, 3), dtype="uint8"), L.Input((5,))
    pooled = L.GlobalAveragePooling2D()(L.Rescaling(1 / 255)(x))
    model = mc.Model([x, y], L.Concatenate()([pooled, y]))
    first, second = converting.random_input(model, 0)
    assert first.shape == (2, 64, 64, 3) and first.dtype == np.uint8
    assert second.shape == (2, 5) and second.dtype == np.float32
