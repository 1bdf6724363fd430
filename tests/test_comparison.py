"""Classic methods and networks on several sets of images: results, files, tables and figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from image_folders import make_colored
from PIL import Image

import minicnn as mc
from minicnn import random
from minicnn.apps.cli import main, output
from minicnn.apps.comparison import one_set
from minicnn.apps.comparison.compare import compare_all
from minicnn.apps.comparison.figures import DPI, comparison_figure
from minicnn.apps.comparison.image_sets import image_sets
from minicnn.apps.comparison.networks import chosen_networks, learned_features, training_settings
from minicnn.apps.comparison.one_set import ComparisonPlan
from minicnn.apps.comparison.page import comparison_page
from minicnn.apps.comparison.results import Retrieval, SetResults, open_results
from minicnn.apps.comparison.retrieval import choose_queries
from minicnn.apps.comparison.tables import accuracy_table, csv_rows, precision_table
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.limit_images import limited_files, some_rows
from minicnn.apps.runs.load_images import load_in_memory
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import split_files
from minicnn.classic import Row
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, FormatError
from minicnn.layers import Conv2D, Dense, Dropout, Flatten

COLORS = {"blue": (60, 60, 160), "green": (60, 160, 60), "red": (160, 60, 60)}
TREE = "decision tree"


@pytest.fixture(autouse=True)
def as_before(no_fsync):
    seed = random.seed()
    yield
    random.set_random_seed(seed)
    output.be_quiet(False)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two sets of noisy colors, one of three classes and one of two, which is split on disk."""
    root = tmp_path_factory.mktemp("data")
    make_colored(root / "colors", 20, COLORS, noise=50)
    for name, count in (("train", 15), ("test", 5)):
        make_colored(
            root / "pairs" / name, count, {k: COLORS[k] for k in ("blue", "red")}, noise=50
        )
    return root


def plan(folder: Path | None, *kinds: str) -> ComparisonPlan:
    return ComparisonPlan(kinds or ("color",), ("tree",), (24, 24), epochs=1, folder=folder)


def both(folders):
    return image_sets([folders / "colors", folders / "pairs"], [], seed=1)


# --- which images -------------------------------------------------------------------------------


def test_a_share_of_every_class_is_chosen_with_the_seed():
    labels = np.repeat([2, 0, 1], [600, 250, 150])
    random.set_random_seed(1)
    rows = some_rows(labels, 0.1)
    assert np.bincount(labels[rows]).tolist() == [25, 15, 60]
    assert (np.diff(rows) > 0).all() and (some_rows(labels, 0.1) == rows).all()
    assert len(some_rows(labels, 0.0333)) == 33
    assert np.bincount(labels[some_rows(labels, 0)]).tolist() == [1, 1, 1]
    random.set_random_seed(2)
    assert (some_rows(labels, 0.1) != rows).any()


def test_the_number_of_images_is_limited_in_folders(folders):
    settings = Settings(model="photo", data=str(folders / "colors"), images=21)
    files = split_files(folders / "colors", settings)
    few = limited_files(files, 21)
    assert [len(one.paths) for one in few] == [21, 6, 3]  # half of 42, 12 and 6
    assert np.bincount(few.train.labels).tolist() == [7, 7, 7]
    assert set(few.train.paths) < set(files.train.paths)
    assert limited_files(files, 0) == limited_files(files, 42) == files
    assert load_in_memory(settings, Preprocess((8, 8)), lambda _: None).train.total == 21


def test_the_number_of_images_is_limited_in_published_sets():
    settings = Settings(model="lenet", data="", images=600)
    images = load_in_memory(settings, Preprocess((8, 8)), lambda _: None, any_shape=True)
    assert (images.train.total, images.test.total) == (600, 100)
    assert images.validation is images.test and images.train.images.shape == (600, 28, 28, 1)
    assert np.bincount(images.train.labels).min() >= 54  # MNIST has the fewest 5s, 5,421


def test_sets_have_names_of_their_own(folders, tmp_path):
    (tmp_path / "colors").mkdir()
    (tmp_path / "cifar10.tar.xz").touch()
    data = [folders / "colors", tmp_path / "colors", tmp_path / "cifar10.tar.xz"]
    sets = image_sets(data, [], seed=5, images=None)
    assert [one.name for one in sets] == ["colors", "colors-2", "cifar10"]
    assert sets[0].identity == {
        "data": str(folders / "colors"), "seed": 5, "split": (70, 20, 10), "group_by": "",
        "classes": (), "images": 0,
    }  # fmt: skip


def test_a_missing_set_is_named_before_the_others_are_compared(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    for name, words in (
        ("nowhere", "does not exist. Give a folder"),
        ("empty", "no class folders"),
    ):
        said: list[str] = []
        sets = image_sets([folders / "colors", tmp_path / name], [])
        with pytest.raises(OSError, match=words):
            compare_all(sets, plan(tmp_path / "out"), say=said.append)
        assert said == [] and not (tmp_path / "out").exists()


def test_queries_are_of_different_classes():
    labels = np.array([0] * 50 + [1] * 2)
    chosen = choose_queries(labels, seed=3)
    assert len(chosen) == 2 and set(labels[chosen]) == {0, 1}
    assert choose_queries(labels, seed=3) == chosen
    assert len(choose_queries(np.zeros(4, int), seed=3)) == 1


# --- networks -----------------------------------------------------------------------------------


def test_auto_names_the_networks_that_suit_the_images(tmp_path):
    for name in ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"):
        (tmp_path / name).touch()
    (tmp_path / "cifar10.tar.xz").touch()
    (tmp_path / "photos").mkdir()
    data = [tmp_path, tmp_path / "cifar10.tar.xz", tmp_path / "photos"]
    digits, small, photos = image_sets(data, [])
    assert chosen_networks(digits, ["auto"]) == ["lenet"]
    assert chosen_networks(small, ["auto", "cifar"]) == ["cifar"]
    assert chosen_networks(photos, ["catdog", "auto"]) == ["catdog", "scene", "efficientnet-lite0"]


def test_networks_are_trained_as_suits_them(tmp_path):
    (one,) = image_sets([tmp_path], [], seed=4, images=90)
    lenet, scene, base = (
        training_settings(one, name) for name in ("lenet", "scene", "efficientnet-lite0")
    )
    assert (lenet.shift, lenet.epochs, lenet.optimizer["name"]) == (1, 30, "sgd")
    assert scene.image_size == (96, 96) and scene.augmentation["horizontal_flip"]
    assert (base.base, base.image_size, base.name) == (
        "efficientnet-lite0", None, f"{tmp_path.name}-efficientnet-lite0",
    )  # fmt: skip
    assert all((s.seed, s.images, s.data) == (4, 90, str(tmp_path)) for s in (lenet, scene, base))
    assert training_settings(one, "catdog", 3).epochs == 3


def test_learned_features_are_the_input_of_the_last_layer():
    random.set_random_seed(0)
    hidden = [Conv2D(3, 3), Flatten(), Dense(5, activation="relu")]
    model = mc.Sequential([mc.Input((8, 8, 3)), *hidden, Dropout(0.5), Dense(2, "softmax")])
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype(np.uint8)
    preprocess = Preprocess((8, 8))
    split = Split(images, np.zeros(7, int), [])
    found = learned_features(model, preprocess, split, lambda _done, _total: None)
    x = preprocess(images)
    for layer in hidden:
        x = layer(x)
    np.testing.assert_allclose(found, np.asarray(x), rtol=1e-4, atol=1e-6)


# --- a whole comparison -------------------------------------------------------------------------


def test_two_sets_with_a_network(folders, tmp_path):
    pytest.importorskip("sklearn")
    said: list[str] = []
    results = compare_all(both(folders), plan(tmp_path / "out"), ["cifar"], say=said.append)
    assert [one.name for one in results] == ["colors", "pairs"]
    for one, (train, test) in zip(results, [(42, 6), (30, 10)], strict=True):
        assert (one.train, one.test) == (train, test)
        assert [row[:2] for row in one.rows] == [("color", TREE), ("learned", "cifar")]
        assert one.rows[0].accuracy == 1 and one.rows[1].images == test
        assert [found.features for found in one.retrieval] == ["color", "cifar"]
        assert one.retrieval[0].precision == 1
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "classic.csv", "classic.png", "colors.json", "pairs.json", "report.html",
        "retrieval-colors.jpg", "retrieval-pairs.jpg", "runs",
    }  # fmt: skip
    # Without validation images of its own, the network is that of the last epoch.
    report = json.loads((out / "runs" / "pairs-cifar-1" / "report.json").read_text())
    assert report["last_val_accuracy"] == pytest.approx(results[1].rows[1].accuracy)
    assert "pairs, cifar: training for 1 epochs" in said

    before = {path: path.read_bytes() for path in out.glob("*.*")}
    said.clear()
    assert compare_all(both(folders), plan(out), ["cifar"], say=said.append) == results
    assert said == []  # nothing was read or trained again
    assert {path: path.read_bytes() for path in out.glob("*.*")} == before


def test_a_comparison_goes_on_after_a_kill(folders, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    sets, whole = both(folders), ComparisonPlan(("color",), ("tree", "logistic"), (24, 24))
    expected = compare_all(sets, whole)
    trained: list[str] = []

    def classify(features, labels, test_labels, name, seed):
        trained.append(name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return real(features, labels, test_labels, name, seed)

    real = one_set.classify
    monkeypatch.setattr(one_set, "classify", classify)
    interrupted = whole._replace(folder=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        compare_all(sets, interrupted)
    results = compare_all(sets, interrupted)
    assert trained == ["tree", "logistic", "logistic", "tree", "logistic"]
    for one, other in zip(results, expected, strict=True):
        assert [row[:4] for row in one.rows] == [row[:4] for row in other.rows]
        assert one.retrieval == other.retrieval


def test_more_methods_can_be_added_later(folders, tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("skimage")
    sets = both(folders)[:1]
    compare_all(sets, plan(tmp_path))
    first = (tmp_path / "retrieval-colors.jpg").read_bytes()
    with Image.open(tmp_path / "retrieval-colors.jpg") as figure:
        assert figure.info["dpi"] == (DPI, DPI)
    (results,) = compare_all(sets, plan(tmp_path, "color", "lbp"))
    assert [row.features for row in results.rows] == ["color", "lbp"]
    assert (tmp_path / "retrieval-colors.jpg").read_bytes() != first


def test_other_images_in_the_same_folder_are_refused(folders, tmp_path):
    pytest.importorskip("sklearn")
    data = [folders / "colors"]
    compare_all(image_sets(data, [], seed=1), plan(tmp_path))
    with pytest.raises(ArgumentError, match=r"has results for seed 1, not 2; .* another --out"):
        compare_all(image_sets(data, [], seed=2), plan(tmp_path))
    with pytest.raises(ArgumentError, match=r"image_size \[24, 24\], not \[32, 32\]"):
        compare_all(image_sets(data, [], seed=1), plan(tmp_path)._replace(image_size=(32, 32)))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 2}', '{"schema": 1, "rows": 3}', "[" * 9999]
)
def test_a_damaged_file_of_results_is_named(tmp_path, text):
    (tmp_path / "photos.json").write_text(text)
    with pytest.raises(FormatError, match=r"photos\.json.* delete it to compute them again"):
        open_results("photos", {}, tmp_path)


def test_a_network_that_does_not_suit_the_images_is_left_out(folders, tmp_path):
    pytest.importorskip("sklearn")
    said: list[str] = []
    (results,) = compare_all(both(folders)[:1], plan(tmp_path), ["lenet"], say=said.append)
    assert results.networks == []
    assert any(
        text.startswith("colors, lenet is left out: lenet needs classes 10") for text in said
    )
    assert list((tmp_path / "runs").iterdir()) == []


def test_features_that_no_image_has_are_left_out_unless_they_are_all(tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("skimage")
    make_colored(tmp_path / "flat", 10, COLORS, noise=1)
    sets, said = image_sets([tmp_path / "flat"], [], seed=1), []
    (results,) = compare_all(sets, plan(None, "sift", "color"), [], say=said.append)
    assert {row.features for row in results.rows} == {"color"}
    assert any("sift is left out: sift finds no keypoints" in text for text in said)
    with pytest.raises(ArgumentError, match="sift finds no keypoints"):
        compare_all(sets, plan(None, "sift"), [], say=said.append)


# --- tables, figures and the page ---------------------------------------------------------------


@pytest.fixture
def made():
    """Results of two sets, of which the second has no network."""
    rows = [Row("hog", TREE, 5, 10, 1.5, 0.25), Row("learned", "scene", 9, 10, None, 2.0)]
    found = [Retrieval("hog", 0.25, [[0]]), Retrieval("scene", 0.125, [[1]])]
    first = SetResults("photos", {}, None, ["a", "b"], 20, 10, 0.5, rows, found)
    second = SetResults("mnist", {}, None, ["0", "1"], 30, 10, 0.5, rows[:1], found[:1])
    return [first, second]


def test_tables_mark_the_best_of_each_set(made):
    table = accuracy_table(made)
    assert table.headings == ["features", "classifier", "photos", "mnist"]
    assert table.as_text() == [
        ["hog", TREE, " 50.0%", " 50.0%*"],
        ["learned", "scene", " 90.0%*", "     -"],
    ]
    assert precision_table(made).as_text() == [
        ["hog", " 25.0%*", " 25.0%*"],
        ["scene", " 12.5%", "     -"],
    ]
    assert csv_rows(made) == [
        ["photos", "hog", TREE, 0.5, 5, 10, 1.5, 0.25, 0.25],
        ["photos", "learned", "scene", 0.9, 9, 10, None, 2.0, 0.125],
        ["mnist", "hog", TREE, 0.5, 5, 10, 1.5, 0.25, 0.25],
    ]


def test_the_figure_has_a_marker_for_each_method_and_a_bar_for_each_precision(made):
    pytest.importorskip("matplotlib")
    accuracies, precisions = np.split(np.array(comparison_figure(made).axes), 2)
    for axes, one in zip(accuracies, made, strict=True):
        assert axes.get_title() == one.name
        shown = [line.get_xdata()[0] for line in axes.lines if line.get_marker() != "None"]
        assert shown == [row.accuracy for row in one.rows]
    widths = [[bar.get_width() for bar in axes.patches] for axes in precisions]
    assert widths == [[0.25, 0.125], [0.25]]


def test_the_page_has_the_tables_in_bold_and_escapes_names(made, tmp_path):
    made[0].name = "<photos>"
    page = comparison_page(made, tmp_path)
    assert "&lt;photos&gt;" in page and "<photos>" not in page
    assert "<b>90.0%</b>" in page and "<b>50.0%</b>" in page and "<b>25.0%</b>" in page


# --- the command --------------------------------------------------------------------------------


def classic(*words):
    methods = ["--features", "color", "--classifier", "tree"]
    return main.run(["classic", *map(str, words), *methods])


def test_the_command_compares_several_sets(folders, tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    data = ["--data", folders / "colors", "--data", folders / "pairs", "--images", "12"]
    assert classic(*data, "--out", "out", "--csv", "c.csv") == 0
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert ["color", "decision", "tree", "100.0%*", "100.0%*"] in lines
    # Of 4 and 6 training images of each class, all are among the 10 nearest.
    assert ["color", "40.0%*", "60.0%*"] in lines
    assert lines[-1][-1] == "out/report.html" and "colors, reading images" in err
    assert Path("c.csv").read_bytes() == Path("out/classic.csv").read_bytes()
    assert Path("c.csv").read_text().startswith("data,features,classifier,accuracy,right,images,")

    assert classic(*data, "--out", "out", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [(row["data"], row["images"]) for row in report["rows"]] == [("colors", 3), ("pairs", 4)]
    assert report["retrieval"][1] == {"data": "pairs", "features": "color", "precision_at_10": 0.6}


def test_networks_need_a_folder(folders, capsys):
    pytest.importorskip("sklearn")
    assert classic("--data", folders / "colors", "--network", "cifar") == 2
    assert "give a folder for them: --out DIR" in capsys.readouterr().err
