"""Figures show what their titles say, and without matplotlib an error says what to install."""

import io
import re
import sys

import numpy as np
import pytest

from minicnn import explain
from minicnn.errors import ArgumentError, MissingExtraError, ShapeError
from minicnn.installed import install_command
from minicnn.support import plots


def words(figure):
    """Every non-empty text of a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def size(figure):
    """Width and height of the figure's PNG in pixels; it must not be blank."""
    from matplotlib.image import imread

    file = io.BytesIO()
    figure.savefig(file)
    file.seek(0)
    pixels = imread(file)
    assert pixels[..., :3].min() < 0.5 < pixels[..., :3].max()
    return pixels.shape[1], pixels.shape[0]


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 10
    predictions = labels.copy()
    predictions[[3, 13, 25]] = [5, 4, 0]  # a 3 taken for 5, a 3 for 4, a 5 for 0
    return rng.integers(0, 256, (40, 28, 28, 1), dtype=np.uint8), labels, predictions


def test_gallery_shows_every_error_and_no_other_image(digits):
    images, labels, predictions = digits
    figure = explain.error_gallery(images, labels, predictions)
    (axes,) = figure.axes
    shown = [tile.get_array() for tile in axes.images]
    assert len(shown) == 3
    for pixels, i in zip(shown, (13, 3, 25), strict=True):  # by label, then by prediction
        np.testing.assert_array_equal(pixels, images[i, :, :, 0])
    assert [t.get_text() for t in axes.texts] == ["4", "is 3", "5", "is 3", "0", "is 5"]
    assert "3 of 40 wrong (92.50% right). Red: the prediction" in words(figure)
    assert min(size(figure)) > 200


def test_gallery_puts_the_prediction_above_its_image(digits):
    (axes,) = explain.error_gallery(*digits).axes
    left, right, bottom, top = axes.images[0].get_extent()
    prediction, truth = axes.texts[:2]
    assert left < prediction.get_position()[0] < right
    assert prediction.get_position()[1] < top < bottom < truth.get_position()[1]


def test_gallery_of_a_perfect_network(digits):
    images, labels, _ = digits
    figure = explain.error_gallery(images, labels, labels)
    assert "All 40 images are right" in words(figure)
    assert not figure.axes[0].images


def test_gallery_of_a_hopeless_network_stops_at_a_page():
    images = np.zeros((700, 4, 4), np.uint8)
    figure = explain.error_gallery(images, np.zeros(700, int), np.ones(700, int))
    assert len(figure.axes[0].images) == 600
    assert any("the first 600" in text for text in words(figure))


def test_gallery_uses_names_and_color():
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 4, 3), dtype=np.uint8)
    names = ["cat", "dog"]
    figure = explain.error_gallery(images, np.array([0, 1]), np.array([1, 1]), names)
    assert {"dog", "is cat"} <= set(words(figure))
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array()[..., :3], images[0])


def test_long_names_in_a_gallery_do_not_overlap():
    images, names = np.zeros((30, 8, 8), np.uint8), ["tyrannosaurus", "a" * 60]
    figure = explain.error_gallery(images, np.zeros(30, int), np.ones(30, int), names)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for left, right in ((boxes[0], boxes[2]), (boxes[1], boxes[3])):
        assert left.x1 < right.x0
    assert any(text.endswith("…") for text in words(figure))


def test_predictions_are_above_their_images_in_rows_of_equal_length():
    images = np.random.default_rng(0).integers(0, 256, (10, 6, 4, 3), dtype=np.uint8)
    figure = explain.predictions_figure(images, np.arange(10) % 2, ["cat", "dog"], title="ten")
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.texts] == ["cat", "dog"] * 5
    assert "ten" in words(figure)
    lefts = [tile.get_extent()[0] for tile in axes.images]
    assert len(set(lefts)) == 5 and lefts[:5] == lefts[5:]
    np.testing.assert_array_equal(axes.images[3].get_array()[..., :3], images[3])


def test_wrong_predictions_are_red_and_say_what_is_right():
    images, probabilities = np.zeros((2, 8, 8)), np.array([[0.25, 0.75], [0.9, 0.1]])
    figure = explain.predictions_figure(images, probabilities, ["cat", "dog"], [[0], [0]])
    shown = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert list(shown) == ["dog 75%", "is cat", "cat 90%"]
    assert [shown["dog 75%"], shown["cat 90%"]] == [plots.WRONG, plots.RIGHT]


@pytest.mark.parametrize("shape", [(4, 8), (8, 4)])
def test_predictions_fill_their_figure(shape):
    """Images of any shape leave no wide margin, and their words stay inside."""
    figure = explain.predictions_figure(np.zeros((12, *shape)), np.zeros(12, int), ["a" * 90])
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    (axes,) = figure.axes
    tiles = axes.get_window_extent()
    assert tiles.width > 0.9 * width and tiles.height > 0.9 * height
    assert all(text.get_window_extent().y1 <= height for text in axes.texts)
    assert {text.get_text() for text in axes.texts} == {"a" * 21 + "…"}


def test_predictions_of_nothing_and_of_other_images():
    assert not explain.predictions_figure(np.zeros((0, 4, 4)), np.zeros(0, int)).axes[0].images
    with pytest.raises(ArgumentError, match="got 3, 2 and 2"):
        explain.predictions_figure(np.zeros((3, 4, 4)), np.zeros(2, int))


def test_gallery_refuses_lists_of_different_images(digits):
    images, labels, predictions = digits
    with pytest.raises(ArgumentError, match="got 40, 40 and 39"):
        explain.error_gallery(images, labels, predictions[:-1])


def test_confusion_counts_each_cell_and_each_row():
    matrix = np.array([[90, 10, 0], [0, 50, 0], [3, 0, 0]])
    figure = explain.confusion_figure(matrix, ["a", "b", "c"])
    (axes,) = figure.axes
    cells = {t.get_position(): t.get_text() for t in axes.texts}
    assert [cells[0, 0], cells[1, 0], cells[1, 1], cells[0, 2]] == ["90", "10", "50", "3"]
    assert (2, 0) not in cells  # zeros stay blank
    assert {"90.0%", "100.0%", "0.0%", "13 of 153 wrong"} <= set(words(figure))
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b", "c"]
    assert min(size(figure)) > 300


def test_confusion_of_a_class_that_never_came():
    assert "none" in words(explain.confusion_figure(np.array([[5, 0], [0, 0]])))


@pytest.mark.parametrize(("classes", "side", "letters"), [(10, 8.7, 11.0), (300, 24.0, 1.27151)])
def test_a_confusion_of_many_classes_has_a_limited_size(classes, side, letters):
    figure = explain.confusion_figure(np.eye(classes, dtype=int))
    assert figure.get_size_inches().tolist() == pytest.approx([side + 1.2, side])
    sizes = [text.get_fontsize() for text in figure.axes[0].texts if text.get_text() == "1"]
    assert sizes == pytest.approx([letters] * classes, rel=1e-4)


def test_confusion_must_be_square():
    with pytest.raises(ShapeError, match=r"must be square, .* got \(2, 3\)"):
        explain.confusion_figure(np.zeros((2, 3), int))


def test_first_layer_shows_image_kernels_and_maps():
    rng = np.random.default_rng(0)
    kernels, maps = rng.normal(size=(5, 5, 1, 20)), rng.normal(size=(24, 24, 20))
    image = rng.integers(0, 256, (28, 28, 1), dtype=np.uint8)
    figure = explain.first_layer_figure(kernels, maps, image)
    shown = [[tile.get_array() for tile in axes.images] for axes in figure.axes if axes.images]
    assert [len(tiles) for tiles in shown] == [1, 20, 20]
    np.testing.assert_array_equal(shown[0][0], image[..., 0])
    np.testing.assert_array_equal(shown[1][7], kernels[:, :, 0, 7])
    np.testing.assert_array_equal(shown[2][19], maps[:, :, 19])
    assert {"20 kernels, 5 x 5", "the image after each of them, 24 x 24"} <= set(words(figure))
    assert min(size(figure)) > 400


def test_first_layer_scale_has_zero_in_its_middle():
    figure = explain.first_layer_figure(np.ones((3, 3, 1, 2)), np.zeros((4, 4, 2)), np.ones((6, 6)))
    for axes in figure.axes[1:]:
        for tile in axes.images:
            low, high = tile.get_clim()
            assert low == -high < 0


def test_first_layer_must_fit_together():
    with pytest.raises(ShapeError, match="the same CO"):
        explain.first_layer_figure(np.ones((3, 3, 1, 2)), np.ones((4, 4, 3)), np.ones((6, 6)))


def test_without_matplotlib_the_error_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("plot"))):
        explain.confusion_figure(np.eye(2, dtype=int))


def test_names_of_classes_may_be_numbers():
    images, predicted = np.zeros((2, 4, 4)), np.array([1, 0])
    figure = explain.error_gallery(images, np.array([0, 0]), predicted, names=range(2))
    assert "1" in "".join(text.get_text() for axes in figure.axes for text in axes.texts)
