"""Explanations show what a network computes: tape, Grad-CAM, occlusion, kernels and maps."""

from __future__ import annotations

import numpy as np
import pytest
from test_figures import size

import minicnn as mc
from minicnn import explain
from minicnn.errors import ArgumentError, ShapeError
from minicnn.explain.feature_maps import strongest
from minicnn.explain.gradcam import enlarged
from minicnn.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(3, 8, 6, 2)).astype(np.float32)
LABELS = np.array([0, 2, 1])


def branched(classes=3):
    """A network with two branches and layers that behave differently in training."""
    x = mc.Input((8, 6, 2))
    a = BatchNormalization()(Conv2D(4, 3, padding="same", activation="relu", name="first")(x))
    b = Dropout(0.5)(Add()([a, Conv2D(4, 1, activation="tanh", name="second")(a)]))
    ends = "softmax" if classes > 1 else "sigmoid"
    return mc.Model(x, Dense(classes, activation=ends)(Flatten()(MaxPooling2D(2, name="pool")(b))))


@pytest.mark.parametrize("training", [False, True])
def test_tape_has_the_gradients_of_a_training_step(backend, training):
    model = branched()
    for layer in model.layers:
        if not training and isinstance(layer, (BatchNormalization, Dropout)):
            layer.trainable, layer.rate = False, 0.0  # inference mode
    frozen = {id(p) for layer in model.layers if not layer.trainable for p in layer.parameters}
    tape = explain.Tape(model, IMAGES, training=training)
    p = tape.output
    by_scores = (p - np.eye(3, dtype=np.float32)[LABELS]) / 3  # of the mean crossentropy
    found = tape.gradient(tape.scores, by_scores)
    before = model.get_weights()
    model.compile(mc.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    model.train_on_batch(IMAGES, LABELS)
    for parameter, old in zip(model.parameters, before, strict=True):
        if parameter.trainable and id(parameter) not in frozen:
            np.testing.assert_allclose(old - parameter.value, found.of(parameter), atol=2e-6)


def test_tape_has_the_outputs_that_a_prediction_has(backend):
    model = branched()
    tape = explain.Tape(model, IMAGES)
    np.testing.assert_allclose(tape.output, model.predict_on_batch(IMAGES), atol=1e-6)
    maps = explain.feature_maps(model, IMAGES)
    assert list(maps)[:2] == ["first", "batch_normalization"] and list(maps)[-1] == "pool"
    for name, found in maps.items():
        np.testing.assert_allclose(found, tape[name], atol=1e-6)


def test_chosen_feature_maps_only():
    maps = explain.feature_maps(branched(), IMAGES, ["second"])
    assert {name: m.shape for name, m in maps.items()} == {"second": (3, 8, 6, 4)}


def looker():
    """A network whose maps are its input's channels; each class depends on one of them."""
    model = mc.Sequential(
        [
            mc.Input((8, 6, 2)),
            Conv2D(2, 1, name="eye"),
            GlobalAveragePooling2D(),
            Dense(2, activation="softmax", name="judge"),
        ]
    )
    eye, judge = model.get_layer("eye"), model.get_layer("judge")
    eye.kernel.assign(np.eye(2).reshape(1, 1, 2, 2))
    judge.kernel.assign(np.array([[3.0, -1.0], [-1.0, 2.0]]))
    return model


@pytest.mark.parametrize("number", [0, 1])
def test_gradcam_is_the_formula(backend, number):
    cams = explain.gradcam(looker(), IMAGES, number)
    weights = [(3.0, -1.0), (-1.0, 2.0)][number]
    wanted = np.maximum(IMAGES @ np.float32(weights), 0)
    wanted /= wanted.max((1, 2), keepdims=True)
    np.testing.assert_allclose(cams, wanted, atol=1e-6)


def test_gradcam_shows_the_predicted_class_by_default_and_one_for_each_image():
    model = looker()
    said = model.predict_on_batch(IMAGES).argmax(1)
    np.testing.assert_array_equal(
        explain.gradcam(model, IMAGES), explain.gradcam(model, IMAGES, said)
    )


def test_gradcam_of_one_sigmoid_has_two_sides():
    model = mc.Sequential(
        [
            mc.Input((8, 6, 2)),
            Conv2D(2, 1, kernel_initializer="ones"),
            GlobalAveragePooling2D(),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.layers[0].kernel.assign(np.eye(2).reshape(1, 1, 2, 2))
    model.layers[-1].kernel.assign(np.array([[3.0], [-3.0]]))
    against, in_favor = (explain.gradcam(model, IMAGES, number) for number in (0, 1))
    first_is_brighter = IMAGES[..., 0] > IMAGES[..., 1]
    np.testing.assert_array_equal(in_favor > 0, first_is_brighter)
    np.testing.assert_array_equal(against > 0, ~first_is_brighter)


def test_gradcam_of_a_network_with_two_inputs():
    """Scores are sums of means, so the gradient by each map is a known constant."""
    left, right = mc.Input((16, 20, 3)), mc.Input((8, 6, 2))
    a = Conv2D(2, 3, padding="same", activation="relu", name="of_left")(left)
    b = Conv2D(2, 1, activation="relu", name="of_right")(right)
    means = mc.layers.Concatenate()([GlobalAveragePooling2D()(a), GlobalAveragePooling2D()(b)])
    model = mc.Model([left, right], Dense(2, name="scores")(means))
    x = [RNG.uniform(size=(5, *one.shape[1:])).astype(np.float32) for one in (left, right)]
    weights = model.get_layer("scores").parameters[0].value  # (4, 2)
    tape = explain.Tape(model, x)
    for name, rows, shape in (("of_left", [0, 1], (5, 16, 20)), ("of_right", [2, 3], (5, 8, 6))):
        cams = explain.gradcam(model, x, 1, layer=name)
        expected = np.maximum(tape[name] @ weights[rows, 1], 0)
        largest = expected.max((1, 2), keepdims=True)
        assert cams.shape == shape
        np.testing.assert_allclose(cams, expected / np.where(largest > 0, largest, 1), atol=1e-5)
    assert explain.gradcam(model, x).shape == (5, 8, 6)  # of the last convolution


def test_gradcam_of_maps_without_an_image_input_has_their_size():
    x = mc.Input((12,))
    maps = Conv2D(2, 1, name="maps")(mc.layers.Reshape((2, 3, 2))(x))
    model = mc.Model(x, Dense(2)(GlobalAveragePooling2D()(maps)))
    assert explain.gradcam(model, np.ones((4, 12), np.float32)).shape == (4, 2, 3)


def test_gradcam_of_an_image_without_evidence_is_zero():
    assert (explain.gradcam(looker(), 0 * IMAGES) == 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: explain.gradcam(m, IMAGES, 2), r"class 2 is not among the model's 2 classes, 0"),
        (lambda m: explain.gradcam(m, IMAGES, layer="judge"), r"has no maps .* have: eye"),
        (lambda m: explain.gradcam(m, IMAGES, layer="ear"), "no layer 'ear'"),
        (lambda m: explain.feature_maps(m, IMAGES, ["judge"]), "has no maps"),
        (lambda m: explain.kernels_of(m, "judge"), "not a convolution; the convolutions are"),
        (lambda m: explain.occlusion_map(m, IMAGES[0], patch=9), "patch=9 must fit"),
    ],
)
def test_wrong_names_and_numbers_are_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call(looker())


def test_a_network_without_convolutions_has_no_gradcam():
    model = mc.Sequential([mc.Input((8, 6, 2)), Flatten(), Dense(2)])
    with pytest.raises(ArgumentError, match="has no convolution"):
        explain.gradcam(model, IMAGES)


def test_enlarging_keeps_constants_corners_and_size():
    assert (enlarged(np.full((1, 3, 5), 2.0), (7, 20)) == 2).all()
    small = RNG.uniform(size=(2, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(enlarged(small, (4, 3)), small)
    large = enlarged(small, (16, 15))
    assert (large[:, 0, 0] == small[:, 0, 0]).all() and (large[:, -1, -1] == small[:, -1, -1]).all()


def corner_watcher(activation):
    """A network that depends on the upper left quarter of the image alone."""
    model = mc.Sequential(
        [mc.Input((12, 12, 1)), Flatten(), Dense(2 if activation == "softmax" else 1, activation)]
    )
    weights = np.zeros((12, 12))
    weights[:6, :6] = 0.2
    columns = [-weights, weights] if activation == "softmax" else [weights]
    model.layers[-1].kernel.assign(np.stack([c.ravel() for c in columns], 1))
    return model


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_occlusion_finds_what_a_network_looks_at(activation):
    image = np.zeros((12, 12, 1), np.float32)
    image[:6, :6] = 1
    model = corner_watcher(activation)
    lost = explain.occlusion_map(model, image, 1, patch=3, stride=3, fill=0.0)
    assert (lost[:6, :6] > 0).all() and (lost[6:] == 0).all() and (lost[:, 6:] == 0).all()
    np.testing.assert_allclose(
        lost, -explain.occlusion_map(model, image, 0, patch=3, stride=3, fill=0.0), atol=1e-6
    )


def test_occlusion_reaches_the_borders_of_any_image():
    image = RNG.uniform(size=(12, 12, 1)).astype(np.float32)
    lost = explain.occlusion_map(corner_watcher("softmax"), image, patch=5, stride=4)
    assert np.isfinite(lost).all()


def test_occlusion_takes_one_image():
    with pytest.raises(ShapeError, match="one image"):
        explain.occlusion_map(looker(), IMAGES)


def test_kernel_tiles_show_colors_and_gray_for_zero_on_one_scale():
    kernels = np.zeros((2, 2, 3, 2), np.float32)
    kernels[0, 0, :, 0] = 2, 0, -2
    tiles = explain.kernel_tiles(kernels)
    assert tiles[0, 0, 0].tolist() == [1, 0.5, 0] and (tiles[1] == 0.5).all()
    kernels[1, 1, 0, 1] = 1
    assert explain.kernel_tiles(kernels)[1, 1, 1].tolist() == [0.75, 0.5, 0.5]
    assert (explain.kernel_tiles(np.zeros((2, 2, 3, 1))) == 0.5).all()
    with pytest.raises(ShapeError, match="with three colors; got"):
        explain.kernel_tiles(np.zeros((3, 3, 5, 4)))


def legends(figure):
    """The labels of the color bars and the titles of the axes."""
    return [text for axes in figure.findobj(match=lambda one: hasattr(one, "get_ylabel"))
            for text in (axes.get_ylabel(), axes.get_title()) if text]  # fmt: skip


@pytest.mark.parametrize(
    ("channels", "legend"), [(1, "weight"), (5, "mean weight"), (3, "gray: weight 0; ")]
)
def test_kernels_are_shown_in_one_style_wherever_they_are(channels, legend):
    kernels = RNG.normal(size=(3, 3, channels, 4)).astype(np.float32)
    alone = explain.kernels_figure(kernels, "conv1")
    with_maps = explain.first_layer_figure(kernels, np.zeros((4, 4, 4)), np.ones((6, 6)))
    assert legends(alone)[0].startswith(legend)
    assert legends(with_maps)[0].startswith(legend) and "value" in legends(with_maps)
    tiles = [image for axes in (alone.axes[0], with_maps.axes[1]) for image in axes.images]
    assert len(tiles) == 8
    for one, other in zip(tiles[:4], tiles[4:], strict=True):
        np.testing.assert_array_equal(one.get_array(), other.get_array())
        assert one.get_clim() == other.get_clim()


def test_a_grad_cam_that_shows_nothing_says_so():
    image = np.zeros((8, 8, 3), np.uint8)
    blank, spot = np.zeros((8, 8), np.float32), np.eye(8, dtype=np.float32)
    assert "no region is evidence for the class" in legends(explain.gradcam_figure(image, blank))
    assert legends(explain.gradcam_figure(image, spot)) == ["evidence for the class"]


def test_strongest_maps_are_those_that_vary():
    maps = np.zeros((2, 2, 4))
    maps[0, 0] = 1, 9, 0, 5
    maps[:, :, 2] = 7  # bright, but the same everywhere
    assert strongest(maps, 2).tolist() == [1, 3]


def test_figures_have_their_tiles_and_words():
    image = RNG.integers(0, 256, (8, 6, 3), dtype=np.uint8)
    figure = explain.kernels_figure(RNG.normal(size=(5, 5, 3, 20)).astype(np.float32), "conv1")
    assert len(figure.axes[0].images) == 20
    assert figure.get_suptitle() == "conv1: 20 kernels, 5 x 5"
    maps = {"a": RNG.normal(size=(4, 4, 30)), "b": RNG.normal(size=(2, 3, 5))}
    figure = explain.maps_figure(maps, image, most=14)
    assert [len(axes.images) for axes in figure.axes] == [1, 14, 0, 5, 0]  # with scales
    for figure in (
        explain.gradcam_figure(image, RNG.uniform(size=(8, 6)), "cat 93 %"),
        explain.occlusion_figure(image[..., :1], RNG.normal(size=(8, 6)), "cat 93 %"),
    ):
        assert figure.get_suptitle() == "cat 93 %" and len(figure.axes) == 3
        assert min(size(figure)) > 300
    with pytest.raises(ArgumentError, match="at least one layer"):
        explain.maps_figure({}, image)


@pytest.mark.parametrize("draw", [explain.gradcam_figure, explain.occlusion_figure])
def test_the_two_images_are_at_the_same_height(draw, tmp_path):
    """Long tick labels of the color bar must not move one of them down."""
    figure = draw(np.zeros((40, 40, 3), np.uint8), 1e-3 * RNG.uniform(size=(40, 40)), "cat 93 %")
    figure.savefig(tmp_path / "side.png")
    left, right = (axes.get_window_extent() for axes in figure.axes[:2])
    np.testing.assert_allclose((right.y0, right.y1), (left.y0, left.y1), atol=0.5)
