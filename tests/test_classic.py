"""Hand-made features: compared with values worked out by hand, and used for classification."""

import re
import sys

import numpy as np
import pytest

from minicnn import classic
from minicnn.apps.cli.classic import training_seconds
from minicnn.apps.runs.folder import RunFolder
from minicnn.classic.compare import HEADINGS
from minicnn.errors import ArgumentError, DTypeError, FormatError, MissingExtraError, ShapeError
from minicnn.installed import install_command

SIDE = 32


def stripes(count, seed=0):
    """Noisy images (N, 32, 32, 3) with bars that lie (class 0), stand (1) or lean (2)."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:SIDE, :SIDE]
    directions = np.stack([row, column, row + column])
    labels = rng.integers(0, 3, count)
    bright = 90 * ((directions[labels] + rng.integers(0, 8, (count, 1, 1))) // 4 % 2)
    noise = rng.integers(0, 100, (count, SIDE, SIDE, 3))
    return (60 + bright[..., None] + noise).astype(np.uint8), labels


def test_colors_are_counted():
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 0] = 255, 0, 0  # the highest of four reds, the lowest of all others
    image[0, 0, 1] = 0, 64, 0
    shares = classic.features("color", image)[0]
    assert {i: v for i, v in enumerate(shares) if v} == {0: 0.5, 3: 0.25, 4: 0.25}


def test_lbp_of_a_flat_image_is_one_pattern():
    pytest.importorskip("skimage")
    shares = classic.features("lbp", np.full((1, 16, 16, 1), 77, np.uint8))
    # No neighbor is darker: pattern 8 of 0...9, in each of the 16 fields.
    assert (shares.reshape(16, 10).argmax(1) == 8).all()
    assert shares.sum() == 16


def test_hog_sees_the_direction_of_edges():
    pytest.importorskip("skimage")
    x, y = stripes(3)
    one = {int(label): x[y == label][0] for label in set(y)}
    for label, image in one.items():
        directions = classic.features("hog", image[None]).reshape(-1, 9).mean(0)
        # Bars that lie have gradients that stand: 90 degrees are the middle of nine bins.
        assert directions.argmax() == {0: 4, 1: 0, 2: 2}[label]


@pytest.mark.parametrize(
    ("kinds", "wide"), [("hog", 7 * 7 * 36), ("lbp", 160), ("color", 64), ("lbp+color", 224)]
)
def test_features_have_a_row_per_image(kinds, wide):
    pytest.importorskip("skimage")
    x = stripes(4)[0]
    found = classic.features(kinds, x)
    assert found.shape == (4, wide) and found.dtype == np.float32
    # An image's features do not depend on the others.
    np.testing.assert_array_equal(classic.features(kinds, x[2:3])[0], found[2])
    assert classic.features(kinds, x[:0]).shape == (0, wide)


@pytest.mark.parametrize("shape", [(1, 33, 47, 3), (1, 40, 16, 1)], ids=str)
def test_odd_sizes_and_grays(shape):
    pytest.importorskip("skimage")
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    found = classic.features("hog+lbp+color", image)
    assert np.isfinite(found).all() and found.any()


@pytest.mark.parametrize(
    ("kinds", "images", "error", "text"),
    [
        ("hogg", np.zeros((1, 32, 32, 3), np.uint8), ArgumentError, r"did you mean hog\?"),
        ("hog", np.zeros((1, 32, 32, 3)), DTypeError, "must be uint8"),
        ("hog", np.zeros((32, 32, 3), np.uint8), ShapeError, r"got \(32, 32, 3\)"),
        ("hog", np.zeros((1, 15, 32, 3), np.uint8), ShapeError, "at least 16 pixels"),
        ("lbp", np.zeros((1, 3, 32, 3), np.uint8), ShapeError, "at least 4 pixels"),
    ],
)
def test_arrays_that_are_not_image_batches_are_refused(kinds, images, error, text):
    pytest.importorskip("skimage")
    with pytest.raises(error, match=text):
        classic.features(kinds, images)


@pytest.mark.parametrize("name", classic.CLASSIFIERS)
def test_every_classifier_learns(name):
    pytest.importorskip("sklearn")
    pytest.importorskip("skimage")
    train, test = stripes(120), stripes(60, seed=1)
    (row,) = classic.compare(train, test, ["hog"], [name])
    assert row.accuracy > 0.8, row  # by chance it would be a third
    assert row[:2] == ("hog", classic.CLASSIFIERS[name])
    again = classic.compare(train, test, ["hog"], [name])[0]
    assert again.right == row.right  # seeded


def test_a_network_joins_the_table():
    pytest.importorskip("sklearn")
    pytest.importorskip("skimage")
    train, test = stripes(60), stripes(30, seed=1)
    said = []
    rows = classic.compare(train, test, ["lbp", "color"], ["tree"], say=said.append)
    right = np.eye(3)[test[1]]
    right[0] = np.roll(right[0], 1)  # one mistake
    rows.append(classic.network_row("cnn", lambda images: right, test, 12.5))
    cells = classic.table(rows)
    assert cells[0][:5] == ["learned", "cnn", "96.7%", "1 of 30", "12.5"]
    assert [float(row[2][:-1]) for row in cells] == sorted(
        (float(row[2][:-1]) for row in cells), reverse=True
    )
    assert all(len(row) == len(HEADINGS) for row in cells)
    assert said == [
        line
        for row in rows[:2]
        for line in (
            f"{row.features}: extracting features of 90 images ...",
            f"{row.features}, decision tree: training ...",
            f"{row.features}, decision tree: {row.accuracy:.1%}",
        )
    ]


def test_images_and_labels_belong_together():
    x, y = stripes(4)
    with pytest.raises(ArgumentError, match="train must have as many images as labels"):
        classic.compare((x, y[:3]), (x, y))
    with pytest.raises(ArgumentError, match="test must have as many"):
        classic.compare((x, y), (x[:0], y[:0]))
    with pytest.raises(ArgumentError, match=r"did you mean forest\?"):
        classic.classifier("forrest")


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("skimage", lambda: classic.features("hog", stripes(1)[0])),
        ("sklearn", lambda: classic.classifier("svm")),
    ],
)
def test_missing_packages_are_named(monkeypatch, package, use):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("classic"))):
        use()


@pytest.mark.parametrize("text", ["", "[1]", '{"seconds": 3}', '{"seconds": {}}', "[" * 100_000])
def test_a_report_without_a_training_time_is_named(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(FormatError, match="has no training time"):
        training_seconds(RunFolder(tmp_path))
