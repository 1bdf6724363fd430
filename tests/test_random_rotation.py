"""RandomRotation: the right pixels and angles, in training only, on every engine."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers, random
from minicnn.backends import device
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import RandomRotation
from minicnn.operations.operation import run
from minicnn.operations.rotation_matrix import ROTATION_MATRIX

FOLDS = {
    "nearest": lambda k, n: min(max(k, 0), n - 1),
    "reflect": lambda k, n: min(k % (2 * n), 2 * n - 1 - k % (2 * n)),
    "wrap": lambda k, n: k % n,
}


def wave(*shape):
    return np.sin(0.7 * np.arange(np.prod(shape))).astype(np.float32).reshape(shape)


def rotated(image, turns, fill_mode, interpolation):
    """Return one image rotated around its middle, pixel by pixel."""
    height, width, _ = image.shape
    a, b, t = (height - 1) / 2, (width - 1) / 2, 2 * math.pi * turns
    fold = FOLDS[fill_mode]

    def pixel(row, column):
        return image[fold(row, height), fold(column, width)].astype(np.float64)

    y = np.empty(image.shape)
    for i, j in np.ndindex(height, width):
        u = a + math.cos(t) * (i - a) + math.sin(t) * (j - b)
        v = b - math.sin(t) * (i - a) + math.cos(t) * (j - b)
        if interpolation == "nearest":
            y[i, j] = pixel(math.floor(u + 0.5), math.floor(v + 0.5))
            continue
        r, c = math.floor(u), math.floor(v)
        fu, fv = u - r, v - c
        upper = (1 - fv) * pixel(r, c) + fv * pixel(r, c + 1)
        lower = (1 - fv) * pixel(r + 1, c) + fv * pixel(r + 1, c + 1)
        y[i, j] = (1 - fu) * upper + fu * lower
    return y


@pytest.mark.parametrize("turns", [0.07, -0.31, 1.0])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", FOLDS)
def test_a_fixed_angle_gives_the_rotated_image(backend, fill_mode, interpolation, turns):
    x = wave(2, 6, 5, 3)
    y = RandomRotation((turns, turns), fill_mode, interpolation)(x, training=True)
    want = [rotated(image, turns, fill_mode, interpolation) for image in x]
    np.testing.assert_allclose(y, want, atol=1e-5)


# Keras 3.15.1 on TensorFlow 2.21.0: RandomRotation((0.07, 0.07))(wave(2, 6, 5, 2), training=True):
# all pixels times a cosine wave, and channel 0 of image 1 in rows 2 and 3, columns 1 to 3.
KERAS = {
    ("reflect", "bilinear"): 3.107897,
    ("nearest", "bilinear"): 3.107897,
    ("reflect", "nearest"): 7.934403,
    ("nearest", "nearest"): 7.934403,
}
KERAS_INSIDE = {
    "bilinear": [0.624027, 0.48065, -0.705776, 0.760085, 0.368863, -0.675921],
    "nearest": [0.752159, 0.777236, -0.48795, 0.999996, 0.172577, -0.941332],
}


@pytest.mark.parametrize("interpolation", KERAS_INSIDE)
@pytest.mark.parametrize("fill_mode", ["reflect", "nearest", "wrap", "constant"])
def test_keras_has_the_same_pixels(backend, fill_mode, interpolation):
    layer = RandomRotation((0.07, 0.07), fill_mode, interpolation, fill_value=0.5)
    y = layer(wave(2, 6, 5, 2), training=True)
    np.testing.assert_allclose(y[1, 2:4, 1:4, 0].ravel(), KERAS_INSIDE[interpolation], atol=2e-6)
    if (fill_mode, interpolation) in KERAS:
        flat = y.astype(np.float64).ravel()
        fingerprint = flat @ np.cos(0.3 * np.arange(flat.size))
        assert fingerprint == pytest.approx(KERAS[fill_mode, interpolation], abs=1e-5)


def test_beside_the_image_is_the_fill_value(backend):
    y = RandomRotation((0.125, 0.125), "constant", fill_value=7.0)(
        np.ones((1, 9, 9, 2), np.float32), training=True
    )
    assert (y[0, [0, 0, 8, 8], [0, 8, 0, 8]] == 7).all()
    assert (y[0, 2:7, 2:7] == 1).all()


def angles(count, step=0, bounds=(-0.25, 0.25), **arguments):
    """Return the angles of the matrices, in full turns."""
    given = {"count": count, "size": (5, 5), "bounds": bounds, **arguments}
    matrix, _ = run(ROTATION_MATRIX, random.rng_key(step), **given)
    return np.arctan2(matrix[:, 1], matrix[:, 0]) / (2 * np.pi)


def test_angles_are_spread_evenly_between_the_bounds():
    drawn = angles(20_000, bounds=(-0.1, 0.3))
    assert -0.1 <= drawn.min() < -0.0999 and 0.2999 < drawn.max() <= 0.3
    assert drawn.mean() == pytest.approx(0.1, abs=4 * 0.4 / math.sqrt(12 * 20_000))
    assert drawn.var() == pytest.approx(0.4**2 / 12, rel=0.03)


def test_an_angle_is_a_function_of_seed_step_purpose_and_image():
    first = angles(8)
    np.testing.assert_array_equal(angles(8), first)
    np.testing.assert_array_equal(angles(3), first[:3])
    assert len(set(first.tolist())) == 8
    others = [angles(8, step=1), angles(8, purpose=1)]
    random.set_random_seed(5)
    others.append(angles(8))
    for other in others:
        assert (other != first).all()


def test_layers_of_one_seed_draw_the_same_angles():
    """Then segmentation masks are rotated as their images are."""
    own = angles(8, seed=3, purpose=1)
    random.set_random_seed(77)
    np.testing.assert_array_equal(angles(8, seed=3, purpose=2), own)
    assert (angles(8, seed=2**40 + 3) != own).all()
    x = wave(2, 6, 5, 1)
    images, masks = RandomRotation(0.2, seed=4), RandomRotation(0.2, seed=4)
    np.testing.assert_array_equal(images(x, training=True), masks(x, training=True))
    assert (RandomRotation(0.2)(x, training=True) != images(x, training=True)).any()


def network(*before):
    mc.utils.set_random_seed(1)
    model = mc.Sequential(
        [
            mc.Input((6, 5, 1)), *before, RandomRotation(0.1), layers.Rescaling(1 / 255),
            layers.Flatten(), layers.Dropout(0.2), layers.Dense(3, activation="softmax"),
        ]
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def pixels(count=8):
    x = np.random.default_rng(0).integers(0, 256, (count, 6, 5, 1), np.uint8)
    return x, np.arange(count) % 3


def test_it_works_in_training_only(backend):
    x, _ = pixels()
    model = network()
    plain = mc.Sequential([mc.Input((6, 5, 1)), *model.layers[1:]])
    np.testing.assert_array_equal(model.predict(x, verbose=0), plain.predict(x, verbose=0))
    layer = RandomRotation(0.1)
    assert layer(x, training=False) is x
    assert (layer(x) != x).any()  # outside of a network the default is training, as in Keras
    assert layer(x, training=True).dtype == np.float32


def test_uint8_and_float32_images_are_trained_on_alike_and_without_a_warning(backend):
    x, y = pixels()
    ends = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for images in (x, x.astype(np.float32)):
            model = network()
            model.fit(images, y, batch_size=4, epochs=2, verbose=0)
            ends.append([w.tobytes() for w in model.get_weights()])
    assert ends[0] == ends[1]
    inputs = {buffer.spec.dtype for buffer in model.program(4).buffers if buffer.storage == "input"}
    assert "float32" in inputs


def test_every_engine_turns_the_images_alike():
    x, y = pixels()
    engines = [name for name in ("numpy", "native") if name in mc.available_backends()]
    engines += [] if device.missing() else ["cuda"]
    losses = []
    for engine in engines:
        with mc.use_backend(engine), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of the simulator's scalars
            model = network()
            losses.append([model.train_on_batch(x, y) for _ in range(2)])
    for other in losses[1:]:
        np.testing.assert_allclose(other, losses[0], rtol=1e-5)


def test_nothing_before_it_can_be_trained():
    model = network(layers.Conv2D(1, 1, name="early"))
    x, y = pixels()
    with pytest.raises(ArgumentError, match=r"random_rotation.* early/kernel cannot be trained"):
        model.train_on_batch(x.astype(np.float32), y)
    model.layers[0].trainable = False
    model.train_on_batch(x.astype(np.float32), y)


def test_a_saved_model_turns_the_same_way(tmp_path):
    x, y = pixels()
    model = network()
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.train_on_batch(x, y) == model.train_on_batch(x, y)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RandomRotation(1.5), r"factor must be one or two fractions .* got 1.5"),
        (lambda: RandomRotation((0.1, 0.2, 0.3)), "factor must be one or two"),
        (lambda: RandomRotation((0.1, -1.1)), r"within -1...1; got \(0.1, -1.1\)"),
        (lambda: RandomRotation("a quarter"), "factor must be a number"),
        (lambda: RandomRotation(0.1, "mirror"), "fill_mode must be"),
        (lambda: RandomRotation(0.1, interpolation="cubic"), "interpolation must be"),
        (lambda: RandomRotation(0.1, seed=-1), "seed must be"),
        (lambda: RandomRotation(0.1, fill_value=math.nan), "fill_value must be a number"),
    ],
)
def test_wrong_arguments_are_refused(make, says):
    with pytest.raises(ArgumentError, match=says):
        make()


def test_one_number_is_both_bounds_and_two_are_sorted():
    assert RandomRotation(-0.2).factor == RandomRotation(0.2).factor == (-0.2, 0.2)
    assert RandomRotation((0.3, -0.1)).factor == (-0.1, 0.3)


def test_only_images_can_be_turned():
    with pytest.raises(ShapeError, match="must have 4 axes"):
        RandomRotation(0.1)(mc.Input((5,)))


def test_a_wrong_rank_is_named_after_it_was_built():
    layer = RandomRotation(0.1)
    layer(np.zeros((1, 4, 4, 1), np.float32), training=True)
    with pytest.raises(ShapeError, match="x must"):
        layer(np.zeros((4, 4), np.float32), training=True)
