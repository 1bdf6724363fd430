"""Runs: from folders of images to a model and a report."""

import json
import re
import shutil
import tomllib
import warnings

import numpy as np
import pytest
from image_folders import COLORS, make_colored, save_colored

from minicnn import random
from minicnn.apps.cli import main
from minicnn.apps.cli.reproduce import find_data
from minicnn.apps.recipes import RECIPES
from minicnn.apps.runs import folder as folders
from minicnn.apps.runs.batches import training_batches
from minicnn.apps.runs.gallery import GalleryImage
from minicnn.apps.runs.load_images import load_images
from minicnn.apps.runs.networks import NETWORKS, build, input_preprocess
from minicnn.apps.runs.optimizer import make_optimizer
from minicnn.apps.runs.predictions import Predictions, per_class
from minicnn.apps.runs.report import write_mistakes
from minicnn.apps.runs.settings import Settings, from_table, from_toml, to_toml
from minicnn.apps.runs.split_files import split_at_random, split_files
from minicnn.apps.runs.train_test_overlap import accuracy_of_new_images, repeated_images
from minicnn.data.folders import list_folder
from minicnn.errors import ArgumentError, FormatError
from minicnn.models import load_model


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """train/ with 3 x 16 images and test/ with 3 x 4."""
    root = tmp_path_factory.mktemp("colors")
    make_colored(root / "train", 16)
    make_colored(root / "test", 4)
    return root


@pytest.fixture(scope="module")
def settings(data):
    return Settings(
        model="cifar", data=str(data), name="colors", epochs=3, batch_size=16,
        image_size=(24, 24),
        optimizer={"name": "adam", "learning_rate": 0.003, "schedule": "cosine", "warm_up": 0.1},
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory):
    """The folder of one run from the command line."""
    runs = tmp_path_factory.mktemp("runs")
    config = runs / "colors.toml"
    config.write_text(to_toml(settings))
    assert main.run(["train", str(config), "--runs", str(runs), "--quiet"]) == 0
    return runs / "colors-1"


# Settings


def test_settings_survive_a_file(tmp_path, settings):
    odd = settings.changed(name='a "name"\\ with\ttabs', classes=("red", "blue"), balance=True)
    path = tmp_path / "config.toml"
    path.write_text(to_toml(odd, "two\nlines"), encoding="utf-8")
    assert from_toml(path) == odd


@pytest.mark.parametrize(
    ("table", "words"),
    {
        "typing error": ({"model": "cifar", "data": "x", "epoch": 3}, "did you mean epochs"),
        "nothing": ({"epochs": 3}, "model and data must be set"),
        "a text": ({"model": "cifar", "data": "x", "epochs": "3"}, "epochs must be an integer"),
        "zero": ({"model": "cifar", "data": "x", "batch_size": 0}, "batch_size must be"),
        "one number": ({"model": "cifar", "data": "x", "image_size": [150]}, "2 integers"),
        "no table": ({"model": "cifar", "data": "x", "optimizer": "adam"}, "a table"),
    }.values(),
)
def test_wrong_settings_are_named(table, words):
    with pytest.raises(ArgumentError, match=re.escape(words)):
        from_table(table)


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "a.toml").write_text("epochs: 3")
    with pytest.raises(FormatError, match=r"a\.toml: cannot be read as TOML"):
        from_toml(tmp_path / "a.toml")


def test_cosine_rises_and_falls_to_nothing():
    optimizer = make_optimizer({"learning_rate": 0.01, "schedule": "cosine", "warm_up": 0.1}, 100)
    rates = [float(optimizer.rates(step)[0]) for step in (0, 10, 55, 100)]
    assert rates == pytest.approx([0.0, 0.01, 0.005, 0.0], abs=1e-8)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_fit_their_images(name):
    preprocess = input_preprocess(Settings(model=name, data=""))
    if name in ("xray", "photo"):  # their dense layers are large
        preprocess = preprocess._replace(size=(64, 64))
    model = build(name, preprocess, 10, {})
    assert model.input_shape[1:] == preprocess.image_shape and model.output_shape[1] == 10


def test_a_network_of_one_size_refuses_others():
    with pytest.raises(ArgumentError, match="lenet needs classes 10; got 3"):
        build("lenet", NETWORKS["lenet"].preprocess, 3, {})


# Splits


def test_splits_on_the_disk_are_used(data, settings):
    found = split_files(data, settings)
    assert [len(found.train.paths), len(found.test.paths)] == [48, 12]
    assert found.validation is None and found.train.class_names == ["blue", "green", "red"]


def test_nested_splits_are_found(tmp_path, settings):
    make_colored(tmp_path / "seg_train" / "seg_train", 2)
    make_colored(tmp_path / "seg_test" / "seg_test", 1)
    make_colored(tmp_path / "val", 1)
    found = split_files(tmp_path, settings)
    assert [len(one.paths) for one in found] == [6, 3, 3]


def test_lists_of_files_are_used(data, tmp_path, settings):
    for split in ("train", "test"):
        files = sorted((data / split).rglob("*.png"))
        lines = (f"{path} {path.parent.name}\n" for path in files)
        (tmp_path / f"{split}.txt").write_text("".join(lines))
    found = split_files(tmp_path, settings)
    assert [len(found.train.paths), len(found.test.paths)] == [48, 12]


def test_a_split_keeps_every_class_and_loses_nothing(data, settings):
    whole = list_folder(data / "train")
    splits = split_at_random(whole, settings)
    counts = [np.bincount(one.labels).tolist() for one in splits]
    assert counts == [[11] * 3, [3] * 3, [2] * 3]  # of 16: 11.2, 3.2, 1.6
    everything = [path for one in splits for path in one.paths]
    assert sorted(everything) == sorted(whole.paths)


def test_a_split_follows_the_seed(data, settings):
    whole = list_folder(data / "train")
    first = split_at_random(whole, settings).test.paths
    assert split_at_random(whole, settings).test.paths == first
    before = random.seed()
    try:
        random.set_random_seed(12345)
        assert split_at_random(whole, settings).test.paths != first
    finally:
        random.set_random_seed(before)


def test_a_damaged_file_is_skipped_and_named(tmp_path, settings):
    make_colored(tmp_path, 10)
    (tmp_path / "red" / "bad.png").write_bytes(b"no image")
    said = []
    images = load_images(
        settings.changed(data=str(tmp_path), allow_unreadable=0.2),
        input_preprocess(settings),
        said.append,
    )
    assert [path for path, _ in images.skipped] == ["red/bad.png"]
    assert any("red/bad.png" in line for line in said)
    assert sum(one.total for one in images[:3]) == 30


def damage(folder, count):
    """Damage the last `count` images of every class."""
    for name in COLORS:
        for path in sorted((folder / name).iterdir())[-count:]:
            path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize("memory_mb", [4000, 0])
def test_a_training_with_a_third_of_the_images_unreadable_is_refused(
    data, settings, tmp_path, capsys, memory_mb
):
    shutil.copytree(data, tmp_path / "data")
    damage(tmp_path / "data/train", 6)
    (tmp_path / "c.toml").write_text(
        to_toml(settings.changed(data=str(tmp_path / "data"), memory_mb=memory_mb, epochs=1))
    )
    arguments = ["train", str(tmp_path / "c.toml"), "--runs", str(tmp_path / "runs")]
    assert main.run(arguments) == 3
    errors = capsys.readouterr().err
    assert re.search(r"of 48 images cannot be read: \w+/\w+ \d+\.png \(", errors)
    assert "At most 1% may be" in errors and "--allow-unreadable" in errors
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each is named as it is found
        assert main.run([*arguments, "--allow-unreadable", "--quiet"]) == 0
    assert len(list(tmp_path.glob("runs/*/best.mcnn"))) == 1


def test_a_measurement_without_many_of_the_images_is_refused(finished, data, tmp_path, capsys):
    shutil.copytree(data / "test", tmp_path / "test")
    damage(tmp_path / "test", 1)
    arguments = ["test", str(finished), str(tmp_path / "test"), "--json"]
    assert main.run(arguments) == 3
    out, err = capsys.readouterr()
    assert "3 of 12 images cannot be read" in err and "--allow-unreadable" in err and not out
    assert main.run([*arguments, "--allow-unreadable"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 9


@pytest.mark.parametrize("wrong", [-0.1, 1.5, "much", True])
def test_the_share_of_unreadable_images_is_checked(wrong):
    with pytest.raises(ArgumentError, match="allow_unreadable must be a"):
        from_table({"model": "scene", "data": "d", "allow_unreadable": wrong})


def idx(array):
    """The bytes of an IDX file of unsigned bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


def test_digits_in_idx_files(tmp_path):
    """Digits are read as they are, and a network for other images is refused."""
    for split, count in (("train", 30), ("t10k", 10)):
        images, labels = np.zeros((count, 28, 28)), np.arange(count) % 10
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(idx(labels))
    settings = Settings(model="lenet", data=str(tmp_path))
    images = load_images(settings, input_preprocess(settings), print)
    assert images.train.images.shape == (30, 28, 28, 1) and images.test.total == 10
    assert images.shared and images.class_names == list("0123456789")
    other = settings.changed(model="cifar")
    with pytest.raises(ArgumentError, match=r"--image-size 28 28"):
        load_images(other, input_preprocess(other), print)


def test_data_are_found_under_their_usual_names(tmp_path, monkeypatch):
    (tmp_path / "cifar-10-batches-py").mkdir()
    found = str(tmp_path / "cifar-10-batches-py")
    assert find_data("cifar", "cifar10", tmp_path) == found
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path))
    assert find_data("cifar", "cifar10", None) == found


@pytest.mark.parametrize(
    ("system", "name", "source"),
    [
        ("scene", "scenes", '"Intel Image Classification" on Kaggle'),
        ("photo", "photos", "minicnn data fetch"),
        ("xray", "xray", '"Chest X-Ray Images (Pneumonia)"'),
        ("catdog", "catdog", '"Dogs vs. Cats" on Kaggle'),
        ("cifar", "cifar10", "www.cs.toronto.edu/~kriz/cifar.html"),
    ],
)
def test_the_error_for_missing_images_names_their_source(
    tmp_path, monkeypatch, system, name, source
):
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path))
    for given in (None, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match=re.escape(source)) as error:
            find_data(system, name, given)
        assert f"minicnn reproduce {system} --data DIR" in str(error.value)
        assert "there is no such folder" in str(error.value)


def missing(root):
    return root / "nowhere"


def empty(root):
    return root


def one_class(root):
    make_colored(root, 3, {"red": COLORS["red"]})
    return root


def no_images(root):
    for name in COLORS:
        (root / name).mkdir()
        (root / name / "notes.txt").write_text("no image")
    return root


def only_train(root):
    make_colored(root / "train", 2)
    return root


def a_text_file(root):
    (root / "data.txt").write_text("?")
    return root / "data.txt"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing, "--data DIR"),
        (empty, "no class folders"),
        (one_class, "one class, 'red'; a classifier needs two or more"),
        (no_images, "Found 0 of 3 files with a known image type"),
        (only_train, "has train/ but no test/"),
        (a_text_file, "--data DIR"),
    ],
)
@pytest.mark.parametrize("command", [["train", "--model", "scene"], ["reproduce", "scene"]])
def test_wrong_data_say_what_to_do(make, words, command, tmp_path, capsys):
    """One line, exit code 1, and the folder's name in it."""
    where = tmp_path / "data"
    where.mkdir()
    where = make(where)
    arguments = [*command, "--data", str(where), "--runs", str(tmp_path / "runs")]
    assert main.run(arguments) == 1
    error = capsys.readouterr().err
    assert str(where) in error
    assert words in error or "with train/ and test/" in error
    assert "Traceback" not in error


# Predictions


def test_test_images_that_were_trained_on_are_counted(settings, tmp_path):
    make_colored(tmp_path / "train", 4)
    for number, (name, color) in enumerate(COLORS.items()):
        save_colored(tmp_path / "test" / name / "new.png", color, seed=1000 + number)
    shutil.copy(tmp_path / "train/red/red 3.png", tmp_path / "test/red/again.png")
    settings = settings.changed(data=str(tmp_path))
    images = load_images(settings, input_preprocess(settings), lambda _: None)
    repeated = repeated_images(images.train, images.test)
    assert [images.test.files[i] for i in np.flatnonzero(repeated)] == ["red/again.png"]
    called = np.where(repeated, 0, images.test.labels)  # that one is taken for blue
    predictions = Predictions(np.eye(3)[called], images.test.labels, images.class_names)
    assert predictions.accuracy == 0.75 and accuracy_of_new_images(predictions, repeated) == 1
    assert accuracy_of_new_images(predictions, np.ones(4, bool)) is None


def test_a_class_table_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    rows = per_class(Predictions(probabilities, np.array([0, 1, 1, 1]), ["cat", "dog"]))
    assert rows[0] == ("cat", 1, 1, 1 / 2, 1.0, 2 / 3, "")
    assert rows[1] == ("dog", 3, 2, 1.0, 2 / 3, 4 / 5, "cat (1)")


def test_the_surest_mistakes_come_first():
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.9, 0.1], [0.2, 0.8]])
    predictions = Predictions(probabilities, np.array([1, 1, 1, 0]), ["cat", "dog"])
    assert predictions.mistakes == [2, 3, 0] and predictions.wrong == 3


def test_one_sigmoid_is_two_classes():
    predictions = Predictions(np.array([[0.75], [0.25]]), np.array([1, 1]), ["cat", "dog"])
    assert predictions.predicted.tolist() == [1, 0]
    assert predictions.probabilities.tolist() == [[0.25, 0.75], [0.75, 0.25]]


def test_random_images_are_drawn_once_each():
    predictions = Predictions(np.ones((12, 2)), np.zeros(12, int), ["a", "b"])
    drawn = predictions.random_indices()
    assert len(set(drawn)) == 10 and drawn == predictions.random_indices()
    assert len(predictions.random_indices(100)) == 12


# Folders


def test_folders_are_numbered(tmp_path):
    first, second = (folders.new_folder(tmp_path, "a run!") for _ in range(2))
    assert [first.path.name, second.path.name] == ["a-run-1", "a-run-2"]
    assert folders.unfinished(tmp_path, "a-run") is None  # nothing has begun
    first.config.write_text("")
    assert folders.unfinished(tmp_path, "a-run").path == first.path
    first.report.write_text("{}")
    assert folders.unfinished(tmp_path, "a-run") is None
    with pytest.raises(ArgumentError, match=r"a-run-1, a-run-2 are complete.*without --resume"):
        folders.to_resume(tmp_path, "a-run")


@pytest.mark.parametrize("title", ["cats & dogs", "-a", "x" * 100, "..."])
def test_an_interrupted_run_is_found_by_the_name_that_it_was_given(tmp_path, title):
    folder = folders.new_folder(tmp_path, title)
    folder.config.write_text("")
    assert folders.to_resume(tmp_path, title).path == folder.path
    folder.report.write_text("{}")
    with pytest.raises(ArgumentError, match="-1 is complete"):
        folders.to_resume(tmp_path, title)


def test_mistakes_of_classes_with_long_names_are_written(tmp_path):
    names = ["\U00020000" * 60, "b" * 200]
    worst = [GalleryImage(np.zeros((4, 4, 3), np.uint8), names[0], 0.9, names[1])] * 2
    write_mistakes(tmp_path / "mistakes", worst)
    assert len(list((tmp_path / "mistakes").glob("0?-bbb*-called-*-0.90.png"))) == 2


# A whole run

FILES = [
    "best.mcnn", "checkpoints/last.mcnn", "config.toml", "confusion.csv", "confusion.png",
    "curves.png", "history.csv", "log.jsonl", "mistakes.csv", "mistakes.png", "per_class.csv",
    "predictions.csv", "random.png", "reliability.png", "report.html", "report.json",
]  # fmt: skip


def test_a_run_writes_the_promised_files(finished):
    there = {str(p.relative_to(finished)) for p in finished.rglob("*") if p.is_file()}
    assert set(FILES) == {name for name in there if not name.startswith("mistakes/")}


def test_the_report_has_the_measurements(finished, settings):
    report = json.loads((finished / "report.json").read_text())
    assert report["data"]["train"] == 48 and report["data"]["classes"] == ["blue", "green", "red"]
    assert report["test"]["images"] == 12 == np.sum(report["confusion"])
    assert report["test"]["wrong"] == 12 - np.trace(report["confusion"])
    assert report["epochs"] == 3 == len(report["history"]["loss"])
    assert report["best_val_accuracy"] == max(report["history"]["val_accuracy"])
    assert report["test"]["accuracy"] == pytest.approx(report["best_val_accuracy"])
    assert str(settings.data) not in (finished / "report.json").read_text()


def test_the_page_needs_no_other_file(finished):
    page = (finished / "report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert sources and all(source.startswith("data:image/") for source in sources)
    assert "http" not in page and "<script" not in page
    assert all(f'alt="{text}' in page for text in ("Loss and accuracy", "red, predicted as"))


def test_the_log_has_a_line_per_epoch(finished):
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows if row["event"] == "epoch"] == [0, 1, 2]
    assert [row["event"] for row in rows][0 :: len(rows) - 1] == ["begin", "end"]
    history = (finished / "history.csv").read_text().splitlines()
    assert history[0].startswith("epoch,accuracy,loss,val_accuracy,val_loss")
    assert len(history) == 4


def test_the_model_knows_its_images(finished):
    model = load_model(finished / "best.mcnn")
    assert model.class_names == ["blue", "green", "red"]
    assert model.preprocess.size == (24, 24)


def test_a_config_repeats_its_run(finished, tmp_path):
    arguments = ["train", str(finished / "config.toml"), "--runs", str(tmp_path), "--quiet"]
    assert main.run(arguments) == 0
    for name in ("best.mcnn", "checkpoints/last.mcnn"):
        ours, theirs = (load_model(run / name) for run in (tmp_path / "colors-1", finished))
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_goal_that_is_not_reached(data, tmp_path):
    arguments = ["train", "--data", data, "--model", "cifar", "--epochs", 1, "--runs", tmp_path,
                 "--learning-rate", 0, "--fail-under", 1, "--quiet"]  # fmt: skip
    assert main.run([str(a) for a in arguments]) == 4
    assert (tmp_path / "cifar-1" / "report.html").exists()


def test_the_optimizer_is_chosen_on_the_command_line(data, tmp_path):
    arguments = ["train", "--data", data, "--model", "cifar", "--epochs", 1, "--runs", tmp_path,
                 "--optimizer", "adagrad", "--quiet"]  # fmt: skip
    assert main.run([str(a) for a in arguments]) == 0
    table = tomllib.loads((tmp_path / "cifar-1" / "config.toml").read_text())["optimizer"]
    assert table["name"] == "adagrad"
    optimizer = load_model(tmp_path / "cifar-1" / "best.mcnn").optimizer
    assert type(optimizer).__name__ == "Adagrad" and optimizer.learning_rate == 0.001


NO_TRAINING = {
    "no images": (["--data", "nowhere"], 1, "does not exist. Give a folder"),
    "images too small": (["--image-size", "4", "4"], 1, "images of at least"),
    "a wrong number": (["--learning-rate", "-1"], 2, "'--learning-rate': -1.0 is not in the range"),
}


@pytest.mark.parametrize(("words", "code", "text"), NO_TRAINING.values(), ids=NO_TRAINING)
def test_a_training_that_cannot_begin_leaves_no_folder(
    data, tmp_path, capsys, words, code, text
):  # fmt: skip
    """Otherwise the next run would say that the last one is unfinished."""
    start = ["train", "--data", str(data), "--model", "scene", "--runs", str(tmp_path)]
    for _ in range(2):
        assert main.run([*start, *words]) == code
        err = capsys.readouterr().err
        assert text in err and "--resume" not in err
    assert list(tmp_path.iterdir()) == []


def test_one_sigmoid_learns_from_the_command_line(data, tmp_path):
    config = Settings(
        model="catdog", data=str(data), classes=("red", "green"), epochs=4, image_size=(24, 24),
        batch_size=8, network={"classes": 1}, balance=True,
    )  # fmt: skip
    (tmp_path / "c.toml").write_text(to_toml(config))
    assert main.run(["train", str(tmp_path / "c.toml"), "--runs", str(tmp_path), "--quiet"]) == 0
    report = json.loads((tmp_path / "catdog-1" / "report.json").read_text())
    assert report["test"]["images"] == 8 and len(report["confusion"]) == 2


@pytest.mark.parametrize("network", [{}, {"classes": 1}], ids=["softmax", "sigmoid"])
def test_labels_are_smoothed(data, tmp_path, network):
    config = Settings(
        model="catdog", data=str(data), classes=("red", "green"), epochs=1, image_size=(24, 24),
        label_smoothing=0.25, network=network,
    )  # fmt: skip
    (tmp_path / "c.toml").write_text(to_toml(config))
    assert main.run(["train", str(tmp_path / "c.toml"), "--runs", str(tmp_path), "--quiet"]) == 0
    assert load_model(tmp_path / "catdog-1" / "best.mcnn").loss.label_smoothing == 0.25


def test_images_that_do_not_fit_are_read_from_files(finished, settings, tmp_path):
    """The same batches, so the same weights."""
    config = tmp_path / "c.toml"
    config.write_text(to_toml(settings.changed(memory_mb=0)))
    assert main.run(["train", str(config), "--runs", str(tmp_path), "--quiet"]) == 0
    ours, theirs = (load_model(run / "best.mcnn") for run in (tmp_path / "colors-1", finished))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_event_files_on_request(settings, tmp_path):
    pytest.importorskip("tensorboardX")
    config = tmp_path / "c.toml"
    config.write_text(to_toml(settings.changed(tensorboard=True)))
    assert main.run(["train", str(config), "--runs", str(tmp_path), "--quiet"]) == 0
    assert list((tmp_path / "colors-1").glob("train/events.out.tfevents.*"))


def test_augmentation_and_normalized_images(settings, data, tmp_path):
    moving = {"rotation_range": 10, "horizontal_flip": True, "fill_mode": "nearest"}
    config = tmp_path / "c.toml"
    config.write_text(to_toml(settings.changed(augmentation=moving, normalize=True)))
    assert main.run(["train", str(config), "--runs", str(tmp_path), "--quiet"]) == 0
    run = tmp_path / "colors-1"
    preprocess = load_model(run / "best.mcnn").preprocess
    images = load_images(settings, preprocess, print).train.images
    x = preprocess(images)
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(x.std((0, 1, 2)), 1, atol=1e-4)
    accuracy = json.loads((run / "report.json").read_text())["test"]["accuracy"]
    assert main.run(["test", str(run), str(data), "--fail-under", str(accuracy), "--quiet"]) == 0


# Commands on a finished run


def test_test_measures_as_the_run_did(finished, data, capsys, tmp_path):
    page = tmp_path / "out.html"
    arguments = ["test", finished, data, "--json", "--report", page, "--quiet"]
    assert main.run([str(a) for a in arguments]) == 0
    result = json.loads(capsys.readouterr().out)
    report = json.loads((finished / "report.json").read_text())
    assert result["accuracy"] == report["test"]["accuracy"]
    assert result["confusion"] == report["confusion"]
    assert "<h2>Classes</h2>" in page.read_text()


def test_predict_writes_a_table(finished, data, tmp_path, capsys):
    table = tmp_path / "out.csv"
    arguments = ["predict", finished, data / "test", "--csv", table, "--top", 2, "--quiet"]
    assert main.run([str(a) for a in arguments]) == 0
    rows = table.read_bytes().decode().split("\r\n")
    assert rows[0] == "path,label,probability,top1,top1_probability,top2,top2_probability"
    assert len(rows) == 12 + 2


def test_predict_takes_patterns_and_names_what_it_cannot_read(finished, data, tmp_path, capsys):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    pattern = data / "test" / "red" / "*.png"
    arguments = ["predict", finished, pattern, tmp_path / "bad.jpg", "--json"]
    assert main.run([str(a) for a in arguments]) == 3
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 4 and {"path", "label", "probability", "top"} == set(rows[0])
    assert "bad.jpg" in err and "1 of 5 files cannot be read" in err


# Recipes


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_can_be_built(name):
    recipe = RECIPES[name]
    for settings in filter(None, (recipe.settings, recipe.printed)):
        assert from_table(tomllib.loads(to_toml(settings))) == settings
        make_optimizer(settings.optimizer, 1000)
        assert settings.model in NETWORKS


def test_reproduce_finds_its_data_and_compares_with_the_paper(tmp_path, capsys, monkeypatch):
    for number, name in enumerate(RECIPES["scene"].classes):
        for split in ("train", "test"):
            for i in range(2):
                path = tmp_path / "scenes" / split / name / f"{i}.png"
                save_colored(path, (40 * number, 100, 0), seed=number)
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path))
    arguments = ["reproduce", "scene", "--epochs", "1", "--runs", str(tmp_path / "runs")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shear_range=0.2 does almost nothing; the paper has it
        assert main.run(arguments) == 0
    out = capsys.readouterr().out
    assert re.search(r"^ +paper +here$", out, re.MULTILINE)
    page = (tmp_path / "runs" / "scene-1" / "report.html").read_text()
    assert "Paper and here" in page and "14,034" in page


@pytest.mark.parametrize("name", ["rescale", "samplewise_center", "zca_whitening"])
def test_an_augmentation_that_changes_the_scale_is_refused(name):
    """Images for validation and test would not get it."""
    settings = Settings(model="cifar", data="", augmentation={name: True})
    with pytest.raises(ArgumentError, match=f"cannot have {name}.*--normalize"):
        training_batches(None, settings, None)
