"""Hand-made features: compared with values worked out by hand, and used for classification."""

import re
import sys

import numpy as np
import pytest

from minicnn import classic
from minicnn.apps.comparison.networks import training_seconds
from minicnn.apps.runs.folder import RunFolder
from minicnn.classic import per_image, sift
from minicnn.classic.compare import HEADINGS
from minicnn.classic.histograms import color
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


def features(names, images):
    """Features that learn nothing."""
    return classic.FeatureExtractor(names).transform(images)


def corners(count, seed=0):
    """Images (N, 48, 48, 1) of bright squares on noise, in which SIFT finds some keypoints."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 40, (count, 48, 48, 1))
    for image in images:
        for y, x in rng.integers(4, 36, (4, 2)):
            image[y : y + 8, x : x + 8] += 150
    return images.clip(0, 255).astype(np.uint8)


def test_colors_are_counted():
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 0] = 255, 0, 0  # the highest of four reds, the lowest of all others
    image[0, 0, 1] = 0, 64, 0
    shares = features("color", image)[0]
    assert {i: v for i, v in enumerate(shares) if v} == {0: 0.5, 3: 0.25, 4: 0.25}


def test_grays_are_counted():
    image = np.array([[0, 3], [4, 255]], np.uint8)[None, ..., None]  # 64 grays of 4 values each
    shares = features("color", image)[0]
    assert shares.shape == (64,)
    assert {i: v for i, v in enumerate(shares) if v} == {0: 0.5, 1: 0.25, 63: 0.25}


def test_lbp_of_a_flat_image_is_one_pattern():
    pytest.importorskip("skimage")
    shares = features("lbp", np.full((1, 16, 16, 1), 77, np.uint8))
    # No neighbor is darker: pattern 8 of 0...9, in each of the 16 fields.
    assert (shares.reshape(16, 10).argmax(1) == 8).all()
    assert shares.sum() == 16


def test_hog_sees_the_direction_of_edges():
    pytest.importorskip("skimage")
    x, y = stripes(3)
    one = {int(label): x[y == label][0] for label in set(y)}
    for label, image in one.items():
        directions = features("hog", image[None]).reshape(-1, 9).mean(0)
        # Bars that lie have gradients that stand: 90 degrees are the middle of nine bins.
        assert directions.argmax() == {0: 4, 1: 0, 2: 2}[label]


@pytest.mark.parametrize(
    ("kinds", "wide"), [("hog", 7 * 7 * 36), ("lbp", 160), ("color", 64), ("lbp+color", 224)]
)
def test_features_have_a_row_per_image(kinds, wide):
    pytest.importorskip("skimage")
    x = stripes(4)[0]
    found = features(kinds, x)
    assert found.shape == (4, wide) and found.dtype == np.float32
    # An image's features do not depend on the others.
    np.testing.assert_array_equal(features(kinds, x[2:3])[0], found[2])
    assert features(kinds, x[:0]).shape == (0, wide)


@pytest.mark.parametrize("shape", [(1, 33, 47, 3), (1, 40, 16, 1)], ids=str)
def test_odd_sizes_and_grays(shape):
    pytest.importorskip("skimage")
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    found = features("hog+lbp+color", image)
    assert np.isfinite(found).all() and found.any()


@pytest.mark.parametrize(
    ("kinds", "images", "error", "text"),
    [
        ("hogg", np.zeros((1, 32, 32, 3), np.uint8), ArgumentError, r"did you mean hog\?"),
        ("hog", np.zeros((1, 32, 32, 3)), DTypeError, "must be uint8"),
        ("hog", np.zeros((32, 32, 3), np.uint8), ShapeError, r"got \(32, 32, 3\)"),
        ("hog", np.zeros((1, 15, 32, 3), np.uint8), ShapeError, "at least 16 pixels"),
        ("lbp", np.zeros((1, 3, 32, 3), np.uint8), ShapeError, "at least 4 pixels"),
        ("sift", np.zeros((1, 15, 32, 3), np.uint8), ShapeError, "at least 16 pixels"),
    ],
)
def test_arrays_that_are_not_image_batches_are_refused(kinds, images, error, text):
    pytest.importorskip("skimage")
    with pytest.raises(error, match=text):
        features(kinds, images)


def test_visual_words_are_learned_from_the_training_images():
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    train, test = corners(12), corners(5, seed=1)
    extractor = classic.FeatureExtractor("sift", seed=3)
    learned = extractor.fit_transform(train)
    found = extractor.transform(test)
    assert found.shape == (5, learned.shape[1]) and found.dtype == np.float32
    # Square roots of shares: the squares of an image sum to 1, and hold whole keypoints.
    np.testing.assert_allclose((found**2).sum(1), 1, rtol=1e-5)
    keypoints = len(sift.descriptors(test[0]))
    np.testing.assert_allclose(
        found[0] ** 2 * keypoints, np.rint(found[0] ** 2 * keypoints), atol=1e-4
    )
    # Neither the other images nor the call decide which words an image has.
    np.testing.assert_array_equal(extractor.transform(test[3:4])[0], found[3])
    np.testing.assert_array_equal(extractor.transform(train), learned)
    again = classic.FeatureExtractor("sift", seed=3)
    np.testing.assert_array_equal(again.fit_transform(train), learned)


def test_there_are_at_most_so_many_words_and_keypoints(monkeypatch):
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    monkeypatch.setattr(sift, "WORDS", 7)
    monkeypatch.setattr(sift, "MAX_KEYPOINTS", 5)
    train = corners(6)
    assert classic.FeatureExtractor("sift").fit_transform(train).shape == (6, 7)
    assert sift.descriptors(train[0]).shape == (5, 128)
    one = classic.FeatureExtractor("sift").fit_transform(train[:1])
    assert one.shape == (1, 5)  # no more words than descriptors


def test_an_image_without_keypoints_has_no_words():
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    flat = np.full((2, 48, 48, 1), 90, np.uint8)
    extractor = classic.FeatureExtractor("sift")
    learned = extractor.fit_transform(np.concatenate([corners(3), flat]))
    assert learned[:3].any(1).all() and not learned[3:].any()
    assert not extractor.transform(flat).any()
    with pytest.raises(ArgumentError, match="no keypoints in the training images; use hog, lbp"):
        classic.FeatureExtractor("sift").fit_transform(flat)
    with pytest.raises(ArgumentError, match=r"call fit_transform\(training images\)"):
        classic.FeatureExtractor("sift").transform(flat)


@pytest.mark.parametrize("side", [16, 28, 64, 110])
def test_sift_finds_the_same_square_at_every_size(side):
    """Small images are enlarged: SIFT itself finds next to nothing in 16 x 16 pixels."""
    pytest.importorskip("skimage")
    image = np.full((side, side, 3), 30, np.uint8)
    image[side // 4 : side // 2, side // 4 : side // 2] = 220
    assert len(sift.descriptors(image)) > 0


def test_many_images_are_shared_among_processes(monkeypatch):
    pytest.importorskip("joblib")
    images = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 3)).astype(np.uint8)
    here = per_image.map_images(color, images)
    monkeypatch.setattr(per_image, "FEW", 0)
    told = []
    there = per_image.map_images(color, images, lambda *done: told.append(done))
    np.testing.assert_array_equal(there, here)
    assert told == [(32, 100), (64, 100), (96, 100), (100, 100)]


def test_the_nearest_images_by_hand():
    images = np.array([[1.0, 0], [1, 1], [0, 2], [0, 0], [1, 1]])
    queries = np.array([[0.0, 5], [2, 1.9]])
    # The angles to (0, 5) are 90, 45, 0, none and 45 degrees; of the equal ones the first is first.
    assert classic.nearest_images(queries, images, 3).tolist() == [[2, 1, 4], [1, 4, 0]]
    assert classic.nearest_images(queries, images).shape == (2, 5)
    assert classic.nearest_images(queries[:0], images).shape == (0, 5)
    with pytest.raises(ShapeError, match=r"\(2, 2\) and \(5, 1\)"):
        classic.nearest_images(queries, images[:, :1])


def test_the_nearest_images_are_those_of_scikit_learn(monkeypatch):
    neighbors = pytest.importorskip("sklearn.neighbors")
    monkeypatch.setattr("minicnn.classic.retrieval.BLOCK", 7)
    rng = np.random.default_rng(0)
    queries, images = rng.normal(size=(20, 8)), rng.normal(size=(50, 8))
    theirs = neighbors.NearestNeighbors(n_neighbors=10, metric="cosine").fit(images)
    expected = theirs.kneighbors(queries, return_distance=False)
    np.testing.assert_array_equal(classic.nearest_images(queries, images), expected)


def test_precision_is_the_share_of_the_same_class():
    found = np.array([[0, 1, 2], [3, 2, 0]])
    labels = np.array([1, 1, 0, 0])
    assert classic.precision(found, labels, np.array([1, 0])) == pytest.approx(4 / 6)
    with pytest.raises(ArgumentError, match="at least one image of one query"):
        classic.precision(found[:0], labels, labels[:0])


@pytest.mark.parametrize("name", classic.CLASSIFIERS)
def test_every_classifier_learns(name):
    pytest.importorskip("sklearn")
    pytest.importorskip("skimage")
    train, test = stripes(120), stripes(60, seed=1)
    (row,) = classic.compare(train, test, ["hog"], [name])
    assert row.accuracy > 0.8, row  # by chance it would be a third
    assert row[:2] == ("hog", classic.CLASSIFIERS[name])
    again = classic.compare(train, test, ["hog"], [name], seed=2**40)[0]  # as large as seeds are
    assert again.accuracy > 0.8


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
        ("skimage", lambda: features("hog", stripes(1)[0])),
        ("skimage", lambda: classic.FeatureExtractor("sift").fit_transform(stripes(1)[0])),
        ("sklearn", lambda: classic.classifier("svm")),
        ("joblib", lambda: features("color", np.zeros((300, 4, 4, 1), np.uint8))),
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
