"""The papers' scripts, each run from the command line with --quick on a few made images."""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from image_folders import make_colored

import minicnn as mc
from minicnn.datasets.cifar10 import CLASS_NAMES

EXAMPLES = Path(__file__).parent.parent / "examples"
COLORS = {"cats": (200, 30, 20), "dogs": (20, 40, 190)}
TEN = {name: (25 * i, 250 - 25 * i, 100) for i, name in enumerate(CLASS_NAMES)}
LUNGS = {"NORMAL": (60, 60, 60), "PNEUMONIA": (160, 160, 160)}
EPOCH = r"Epoch 1/2 - \d+/\d+ - .*accuracy: 0\.\d+ - loss: \d\.\d+"
LIST = r"^\[\d+\.\d+, [01]\.\d+\]$"  # [loss, accuracy]

# Each script: its data set, the model it writes, and the figures.
SCRIPTS = {
    "scene_classifier": (
        "scenes", "project_model.h7", ("curves.png", "network.png", "random.png"),
    ),
    "photo_classifier": (
        "photos", "photos.h5", ("curves.png", "network.png", "one_photograph.png"),
    ),
    "xray_classifier": (
        "xray", "xray.mcnn",
        ("confusion.png", "first_10_epochs.png", "network.png", "samples.png"),
    ),
    "cifar10": (
        "cifar10", "cifar10.mcnn",
        ("confusion.png", "curves.png", "network.png", "predictions.png"),
    ),
    "cats_and_dogs": (
        "catdog", "cats_and_dogs.mcnn",
        ("confusion.png", "curves.png", "network.png", "predictions.png"),
    ),
}  # fmt: skip
scripts = pytest.mark.parametrize("name", SCRIPTS)

# What each paper prints, as lines of the output.
LINES = {
    "scene_classifier": [
        "^buildings\nAverage Height: 24.0\nMax Height: 24\nMin Height: 24\n\nAverage Width: 24.0$",
        "^Found 24 images belonging to 3 classes.$",
        "^Found 12 images belonging to 3 classes.$",
        '^Model: "sequential"$',
        r"^batch_normalization \(BatchNo \(None, 29, 29, 32\)        128",
        "^Non-trainable params: 960$",
        "^name: CPU:0$",
        r"^dict_keys\(\['accuracy', 'loss', 'val_accuracy', 'val_loss'\]\)$",
        LIST,
        r"^\(12, 60, 60, 3\); files that cannot be read: 1$",
        r"^The Randomly selected Images are:\n\[(\d+, ){9}\d+\]$",
    ],
    "photo_classifier": [
        "^Found 14 images belonging to 2 classes.$",
        "^Found 4 images belonging to 2 classes.$",
        "^Found 2 images belonging to 2 classes.$",
        LIST,
        "^(food|people)$",
    ],
    "xray_classifier": [
        "^For study, not for diagnosis.$",
        LIST,
        r"^.*(NORMAL|PNEUMONIA) \d\.png: (NORMAL|PNEUMONIA) \(\d+\.\d%\)$",
    ],
    "cifar10": [
        r"^\(40, 32, 32, 3\) \(40, 1\) \(40, 32, 32, 3\) \(40, 1\)$",
        "^Total params: 169,578$",
        LIST,
        r"^airplane +\d of +4 right: \d+\.\d%$",
    ],
    "cats_and_dogs": ["^Found 16 images belonging to 2 classes.$", LIST],
}  # fmt: skip
PARAMETERS = {  # of the networks for images as the papers have them
    "scene_classifier": "2,046,019",  # three classes less than the paper's 2,046,406
    "photo_classifier": "15,891,778",  # four less than 15,892,806
    "xray_classifier": "29,556,898",
    "cats_and_dogs": "693,602",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of all data sets, with a few images each."""
    root = tmp_path_factory.mktemp("data")
    scenes = {"buildings": (90, 90, 90), "forest": (20, 90, 30), "sea": (30, 60, 200)}
    for split, count in (("train", 8), ("test", 4)):
        make_colored(root / f"scenes/seg_{split}/seg_{split}", count, scenes)
        make_colored(root / "catdog" / split, count, COLORS)
        make_colored(root / "xray" / split, count, LUNGS)
        make_colored(root / "cifar10" / split, count, TEN)
    unlabeled = make_colored(root / "scenes/seg_pred", 12, {"seg_pred": (30, 60, 200)})
    (unlabeled / "seg_pred/broken.jpg").write_bytes(b"\xff\xd8\xff")
    make_colored(root / "photos", 10, {"food": (200, 150, 30), "people": (170, 120, 110)})
    return root


def run(name, data, out, *options):
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--out", str(out), *options]
    return subprocess.run(
        command, capture_output=True, text=True, check=False,
        env=os.environ | {"MINICNN_DATA": str(data)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A function that returns the folder and the output of a script, which is run only once."""
    done = {}

    def of(name):
        if name not in done:
            out = tmp_path_factory.mktemp("runs") / name
            result = run(name, data, out, "--quick", "--epochs", "2")
            assert result.returncode == 0, result.stdout + result.stderr
            done[name] = out, result.stdout
        return done[name]

    return of


@scripts
def test_it_prints_what_the_paper_prints(finished, name):
    _, text = finished(name)
    for line in (*LINES[name], EPOCH):
        assert re.search(line, text, re.MULTILINE), f"{line!r} is not in\n{text}"


@scripts
def test_it_says_first_what_to_expect(finished, name):
    _, text = finished(name)
    before = text[: text.index("Epoch 1/2")]
    measured = r"On 2 [\w ]+ cores \(20\d\d-\d\d-\d\d\), \d+ epochs of .*, and \d\d %"
    assert re.search(measured, before)


@scripts
def test_it_writes_a_model_and_figures_and_names_them(finished, name):
    from matplotlib.image import imread

    out, text = finished(name)
    _, model, figures = SCRIPTS[name]
    files = sorted(path.name for path in out.iterdir())
    assert text.splitlines()[-1] == f"In {out}: {', '.join(files)}"
    assert {model, *figures} <= {*files}
    for figure in figures:
        assert imread(out / figure)[..., :3].std() > 0.01, figure


@scripts
def test_the_model_knows_its_classes(finished, data, name):
    """`minicnn predict` needs nothing else; a file of Keras has no place for names."""
    out, _ = finished(name)
    folder, file, _ = SCRIPTS[name]
    model = mc.load_model(out / file)
    if not file.endswith(".h5"):
        (answer,) = model.predict_images(next((data / folder).rglob("*0.png")))
        assert answer.label in model.class_names


def test_photographs_are_copied_by_70_20_and_10_percent(finished, data):
    out, text = finished("photo_classifier")
    assert f"The photographs are those in {out / 'sets-777'}" in text
    for split, count in (("train", 7), ("val", 2), ("test", 1)):
        for kind in ("food", "people"):
            copies = list((out / "sets-777" / split / kind).iterdir())
            assert len(copies) == count
            originals = data / "photos" / kind
            assert all(one.read_bytes() == (originals / one.name).read_bytes() for one in copies)


def test_the_same_seed_gives_the_same_network(finished, data, tmp_path):
    out, _ = finished("cats_and_dogs")
    again = run("cats_and_dogs", data, tmp_path / "again", "--quick", "--epochs", "2")
    assert again.returncode == 0
    models = [mc.load_model(one / "cats_and_dogs.mcnn") for one in (out, tmp_path / "again")]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        assert (one == other).all()


def test_without_seg_pred_the_test_images_are_classified(data, tmp_path):
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    for split in ("train", "test"):
        (scenes / split).symlink_to(data / f"scenes/seg_{split}/seg_{split}")
    result = run("scene_classifier", tmp_path, tmp_path / "out", "--quick", "--epochs", "1")
    assert result.returncode == 0, result.stderr
    assert "no seg_pred, so the test images are taken for images without labels" in result.stdout
    assert "(12, 60, 60, 3); files that cannot be read: 0" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
def test_networks_have_the_papers_sizes(data, tmp_path, name):
    result = run(name, data, tmp_path / "out", "--epochs", "1")
    assert result.returncode == 0, result.stderr
    assert f"Total params: {PARAMETERS[name]}\n" in result.stdout


# --- what is wrong is said in a line -------------------------------------------------------------


def refused(monkeypatch, capsys, name, *arguments):
    """Return what a script writes about a mistake before it exits with code 2."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert caught.value.code == 2
    written = capsys.readouterr().err
    assert "Traceback" not in written
    return written


SOURCES = {
    "scene_classifier": "Intel Image Classification",
    "photo_classifier": "minicnn data fetch people.csv",
    "xray_classifier": "Kermany",
    "cifar10": "www.cs.toronto.edu/~kriz/cifar.html",
    "cats_and_dogs": "Dogs vs. Cats",
}


@scripts
def test_without_data_it_says_what_is_needed(monkeypatch, capsys, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MINICNN_DATA", raising=False)
    written = refused(monkeypatch, capsys, name)
    assert SOURCES[name] in written and "othing is downloaded" in written
    assert "MINICNN_DATA" in written
    assert list(tmp_path.iterdir()) == []


@scripts
def test_a_folder_of_something_else_is_refused(monkeypatch, capsys, tmp_path, name):
    (tmp_path / "letters").mkdir()
    written = refused(monkeypatch, capsys, name, "--data", tmp_path, "--out", tmp_path / "out")
    assert written.startswith(f"Error: {tmp_path}")
    assert "two or more folders" in written if name == "photo_classifier" else "train" in written
    assert not (tmp_path / "out/network.png").exists()


@scripts
def test_broken_images_are_named(monkeypatch, capsys, tmp_path, name):
    colors = TEN if name == "cifar10" else COLORS
    folders = [tmp_path] if name == "photo_classifier" else [tmp_path / "train", tmp_path / "test"]
    for folder in folders:
        make_colored(folder, 10, colors)
        (folder / min(colors) / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    out = tmp_path.with_name("out")
    options = ("--quick", "--epochs", 1, "--data", tmp_path, "--out", out)
    with pytest.warns(UserWarning, match="shear") if "scene" in name else contextlib.nullcontext():
        written = refused(monkeypatch, capsys, name, *options)
    assert "broken.png" in written and "cannot be read" in written


@scripts
def test_wrong_options_are_refused(monkeypatch, capsys, name):
    assert "0 is not in the range" in refused(monkeypatch, capsys, name, "--epochs", "0")
    assert "No such option" in refused(monkeypatch, capsys, name, "--fast")


@scripts
def test_a_script_can_be_held_beside_its_paper(name):
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 120
