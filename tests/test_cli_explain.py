"""The commands that look inside a model: show, verify, doctor."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.apps.cli.main import run
from minicnn.backends import device
from minicnn.data import Preprocess
from minicnn.errors import MissingExtraError
from minicnn.layers import Conv2D, Dense, Flatten, MaxPooling2D


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a small trained model, images of two classes, and us in it."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number, name in enumerate(("dark", "light")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 100, (20, 16, 3)) + 150 * number
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "data" / name / f"{i}.png")
    layers = [Conv2D(4, 3, activation="relu", name="eye"), MaxPooling2D(2), Flatten()]
    model = mc.Sequential([mc.Input((10, 8, 3)), *layers, Dense(2, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.class_names, model.preprocess = ["dark", "light"], Preprocess((10, 8))
    x = rng.uniform(size=(8, 10, 8, 3)).astype(np.float32)
    model.fit(x, np.eye(2)[np.arange(8) % 2], epochs=2, verbose=0)
    model.save("m.mcnn")
    return tmp_path


@pytest.mark.parametrize("what", ["kernels", "maps", "gradcam", "occlusion"])
def test_show_writes_a_figure_and_says_where(here, capsys, what):
    assert run(["show", "m.mcnn", what, "data/dark/3.png"]) == 0
    out = capsys.readouterr().out
    assert out == f"3-{what}.png\n"
    with Image.open(here / f"3-{what}.png") as figure:
        assert min(figure.size) > 200


def test_show_kernels_needs_no_image_and_the_others_do(here, capsys):
    assert run(["show", "m.mcnn", "kernels", "--out", "k.png"]) == 0
    assert run(["show", "m.mcnn", "maps"]) == 2
    assert "maps needs an image: minicnn show m.mcnn maps IMAGE" in capsys.readouterr().err


def test_show_draws_an_architecture_twice_or_into_one_file(here, capsys):
    assert run(["show", "m.mcnn", "architecture"]) == 0
    assert capsys.readouterr().out == "m-architecture.svg\nm-architecture.png\n"
    text = (here / "m-architecture.svg").read_text()
    assert "conv 3×3, 4" in text and ">light<" in text and "m: 210 parameters" in text
    assert run(["show", "architecture", "m.mcnn"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert run(["show", "m.mcnn", "architecture", "--details", "--out", "m.pdf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == ["m.pdf"]
    assert run(["show", "m.mcnn", "architecture", "data/dark/3.png"]) == 2
    assert "architecture needs no image" in capsys.readouterr().err


def test_show_knows_the_networks_of_the_zoo(here, capsys):
    assert run(["show", "efficientnet-lite0", "architecture", "--out", "a.svg"]) == 0
    assert "efficientnet-lite0: 4,694,024 parameters" in (here / "a.svg").read_text()
    assert run(["show", "lennet", "architecture", "--out", "b.svg"]) == 1
    assert "no such file or network: did you mean lenet?" in capsys.readouterr().err


def test_show_draws_an_svg_file_without_matplotlib(here, capsys, monkeypatch):
    def missing(*_):
        raise MissingExtraError("plotting needs matplotlib")

    monkeypatch.setattr("minicnn.utils.architecture.figure.new_figure", missing)
    assert run(["show", "m.mcnn", "architecture"]) == 0
    out, err = capsys.readouterr()
    assert out == "m-architecture.svg\n" and "No PNG file: plotting needs matplotlib" in err
    assert run(["show", "m.mcnn", "architecture", "--out", "a.png"]) == 1
    assert "plotting needs matplotlib" in capsys.readouterr().err


def test_show_takes_a_class_by_name_or_number_and_a_layer(here, capsys):
    image = "data/dark/3.png"
    assert run(["show", "m.mcnn", "gradcam", image, "--class", "light", "--out", "a.png"]) == 0
    assert run(["show", "m.mcnn", "gradcam", image, "--class", "1", "--out", "b.png"]) == 0
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    assert run(["show", "m.mcnn", "maps", image, "--layer", "eye", "--out", "c.png"]) == 0
    capsys.readouterr()
    assert run(["show", "m.mcnn", "gradcam", image, "--class", "lihgt", "--out", "d.png"]) == 2
    assert "did you mean light?" in capsys.readouterr().err
    assert run(["show", "m.mcnn", "maps", image, "--layer", "ear", "--out", "d.png"]) == 2
    assert not (here / "d.png").exists()


def test_show_says_which_preprocessing_it_uses_where_the_model_has_none(here, capsys):
    model = mc.load_model("m.mcnn")
    model.preprocess = None
    model.save("n.mcnn")
    assert run(["show", "n.mcnn", "gradcam", "data/dark/3.png"]) == 0
    assert "The model has no preprocessing; using Preprocess(" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["summary", "verify", "doctor", "show", "predict", "test"])
def test_a_model_that_is_not_there(here, capsys, command):
    (here / "run-1").mkdir()
    more = {"show": ["kernels"], "predict": ["data"], "test": ["data"]}.get(command, [])
    assert run([command, "run-1", *more]) == 1
    assert "run-1: this folder has no best.mcnn; give a model file" in capsys.readouterr().err
    assert run([command, "nothing.mcnn", *more]) == 1
    error = capsys.readouterr().err
    assert "nothing.mcnn: no such file" in error and "; give a model file" in error


def test_verify_lists_every_call_and_ends_well(here, capsys):
    assert run(["verify", "m.mcnn", "data/dark/3.png"]) == 0
    out, err = capsys.readouterr()
    assert "conv2d" in out and "WRONG" not in out and "The engines agree" in err
    assert run(["verify", "m.mcnn", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agrees"] and all(row["agrees"] for row in found["checks"])
    assert {"engine", "passes", "layer", "kernel", "error", "allowed"} < set(found["checks"][0])


def test_verify_fails_where_an_engine_is_wrong(here, capsys, monkeypatch):
    from minicnn.backends.numpy import program

    right = program.KERNELS["dense_forward"]
    wrong = lambda *reads, **more: tuple(1.01 * y for y in right(*reads, **more))  # noqa: E731
    monkeypatch.setattr(program, "KERNELS", {**program.KERNELS, "dense_forward": wrong})
    assert run(["verify", "m.mcnn"]) == 1
    out, err = capsys.readouterr()
    assert "WRONG" in out and "dense_forward" in err


def test_doctor_looks_at_the_installation(capsys):
    assert run(["doctor"]) == 0
    assert "engine numpy: available" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["minicnn"] == mc.__version__ and found["findings"]


def test_doctor_looks_at_a_training_and_tries_it(here, capsys):
    assert run(["doctor", "m.mcnn"]) == 0
    assert "2 epochs of training" in capsys.readouterr().out
    assert run(["doctor", "m.mcnn", "--data", "data"]) == 0
    assert "learns 16 samples by heart" in capsys.readouterr().out
    model = mc.load_model("m.mcnn")
    model.compile(mc.optimizers.Adam(5.0), "categorical_crossentropy")
    model.save("high.mcnn")
    assert run(["doctor", "high.mcnn", "--data", "data"]) == 3
    assert "! learning rate 5 is too high for Adam (try 0.0" in capsys.readouterr().out


def test_doctor_without_images_or_model_says_what_to_type(here, capsys):
    (here / "empty" / "dark").mkdir(parents=True)
    (here / "empty" / "light").mkdir()
    assert run(["doctor", "m.mcnn", "--data", "empty"]) == 1
    assert run(["doctor", "m.mcnn", "--data", "nowhere"]) == 1
    assert run(["doctor", "--data", "data"]) == 2
    assert "minicnn doctor MODEL --data DIR" in capsys.readouterr().err


def test_verify_takes_the_names_of_engines(here, capsys):
    assert run(["verify", "m.mcnn", "--engines", "numpy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["engine"] for row in found["checks"]} == {"numpy"}
    assert run(["verify", "m.mcnn", "--engines", "numpy,gpu"]) == 2
    assert "got 'gpu'" in capsys.readouterr().err


def test_verify_says_what_an_engine_lacks(here, capsys, monkeypatch):
    monkeypatch.setattr(device, "missing", lambda: "no NVIDIA driver was found")
    assert run(["verify", "m.mcnn", "--engines", "cuda"]) == 1
    err = capsys.readouterr().err
    assert "BackendError: backend 'cuda' is not available: no NVIDIA driver was found" in err


def test_show_takes_its_words_in_either_order(here, capsys):
    assert run(["show", "kernels", "m.mcnn", "--out", "a.png"]) == 0
    assert run(["show", "m.mcnn", "kernels", "--out", "b.png"]) == 0
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    assert run(["show", "gradcam", "m.mcnn", "data/dark/3.png", "--out", "c.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["written"] == "c.png"
    assert run(["show", "m.mcnn", "kernel"]) == 2
    assert "did you mean kernels?" in capsys.readouterr().err


def test_summary_for_programs(here, capsys):
    assert run(["summary", "m.mcnn", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == mc.load_model("m.mcnn").count_params()
    assert sum(layer["parameters"] for layer in found["layers"]) == found["parameters"]
    assert {"name", "type", "output_shape", "flops", "bytes"} < set(found["layers"][0])
