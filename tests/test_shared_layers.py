"""A layer that is used twice: its statistics count both uses, each use has its own mask."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

import minicnn as mc
from minicnn import backends, operations, random
from minicnn.backends import device
from minicnn.errors import NumericError
from minicnn.explain.tape import Tape
from minicnn.layers import (
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
    Multiply,
)
from minicnn.models.batches import Batch

ENGINES = [name for name in ("numpy", "native", "cuda") if name in backends.available_backends()]
if "cuda" not in ENGINES and not device.missing():
    ENGINES.append("cuda")  # simulated
engine = pytest.mark.parametrize("engine", ENGINES)
fuse = pytest.mark.parametrize("fuse", [True, False], ids=["fused", "unfused"])
# A simulated thread computes with NumPy's scalars, which warn where an array would be silent.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# Means 2 and 4, variances 1 and 4, and of the third 8 and 0.
BATCHES = tuple(np.array(b, np.float32) for b in ([1, 3, 1, 3], [2, 6, 2, 6], [8, 8, 8, 8]))


def images(batch):
    """Return images (4, 2, 2, 1), each with one value everywhere."""
    return np.broadcast_to(batch[:, None, None, None], (4, 2, 2, 1)).copy()


def shared_norm(behind=lambda norm: norm, uses=2):
    """Return a model with `uses` inputs that go through one batch norm."""
    norm = BatchNormalization(momentum=0.5, name="norm")
    use = behind(norm)
    inputs = [Input((2, 2, 1)) for _ in range(uses)]
    y = Concatenate()([Flatten()(use(x)) for x in inputs])
    return mc.Model(inputs, Dense(1)(y)), norm


def behind_pool(norm):
    conv, pool = Conv2D(1, 1, kernel_initializer="ones"), MaxPooling2D(2)
    return lambda x: norm(pool(conv(x)))


def before_dropout(norm):
    drop = Dropout(0.5)
    return lambda x: drop(norm(x))


WAYS = {"plain": lambda norm: norm, "behind a pool": behind_pool, "before dropout": before_dropout}


def statistics(norm):
    return [float(p.value[0]) for p in (norm.moving_mean, norm.moving_variance)]


@engine
@fuse
@pytest.mark.parametrize("way", WAYS)
def test_both_uses_of_a_batch_norm_count_in_order(engine, fuse, way):
    """.5 (.5 * 0 + .5 * 2) + .5 * 4 = 2.5; .5 (.5 * 1 + .5 * 1) + .5 * 4 = 2.5."""
    if engine == "cuda" and not fuse and way != "plain":
        pytest.skip("seconds in the simulator, and the kernels are those of the other cases")
    model, norm = shared_norm(WAYS[way])
    model.compile(mc.optimizers.SGD(0.0), "mse", fuse=fuse)
    with mc.use_backend(engine):
        model.train_on_batch([images(b) for b in BATCHES[:2]], np.zeros((4, 1)))
        assert statistics(norm) == [2.5, 2.5]
        model.train_on_batch([images(b) for b in BATCHES[1::-1]], np.zeros((4, 1)))
    # .25 * 2.5 + .25 * 4 + .5 * 2 = 2.625; .25 * 2.5 + .25 * 4 + .5 * 1 = 2.125
    assert statistics(norm) == [2.625, 2.125]


@engine
def test_three_uses_count(engine):
    """.125 * 0 + .125 * 2 + .25 * 4 + .5 * 8 = 5.25; .125 + .125 + .25 * 4 + .5 * 0 = 1.25."""
    model, norm = shared_norm(uses=3)
    model.compile(mc.optimizers.SGD(0.0), "mse")
    with mc.use_backend(engine):
        model.train_on_batch([images(b) for b in BATCHES], np.zeros((4, 1)))
    assert statistics(norm) == [5.25, 1.25]


@engine
def test_both_uses_count_on_arrays_alone(engine):
    norm = BatchNormalization(momentum=0.5)
    with mc.use_backend(engine):
        for batch in BATCHES[:2]:
            norm(images(batch), training=True)
    assert statistics(norm) == [2.5, 2.5]


@engine
def test_several_steps_count_both_uses_each_time(engine):
    model, norm = shared_norm()
    model.compile(mc.optimizers.SGD(0.0), "mse")
    x = [np.concatenate([images(b)] * 3) for b in BATCHES[:2]]
    with mc.use_backend(engine):
        model.fit(x, np.zeros((12, 1)), batch_size=4, epochs=1, verbose=0, shuffle=False)
    mean, variance = 0.0, 1.0
    for _ in range(3):
        mean, variance = mean / 4 + 2.5, variance / 4 + 2.25
    np.testing.assert_allclose(statistics(norm), [mean, variance], rtol=1e-6)


@fuse
def test_a_step_that_is_given_up_leaves_the_statistics(fuse):
    model, norm = shared_norm()
    model.compile(mc.optimizers.SGD(0.0), "mse", fuse=fuse)
    bad = np.full((4, 2, 2, 1), np.nan, np.float32)
    with pytest.raises(NumericError):
        model.train_on_batch([images(BATCHES[0]), bad], np.zeros((4, 1)))
    assert statistics(norm) == [0.0, 1.0]


# --- dropout -----------------------------------------------------------------------------------

ONES = np.ones((4, 6), np.float32)


def dropped_twice(layers):
    a, b = Input((6,)), Input((6,))
    model = mc.Model([a, b], Concatenate()([layers[0](a), layers[-1](b)]))
    model.compile("sgd", "mse")
    return model


def masks(model, engine="numpy", *, fuse=True):
    model.compile("sgd", "mse", fuse=fuse)
    batch = Batch((ONES, ONES), np.zeros((4, 12), np.float32))
    with mc.use_backend(engine):
        return np.split(model.train_step(model.prepare_batch(batch)).predictions.copy(), 2, axis=1)


@engine
@fuse
@pytest.mark.parametrize("count", [1, 2], ids=["shared", "two layers"])
def test_each_use_of_dropout_has_a_mask_of_its_own(engine, fuse, count):
    model = dropped_twice([Dropout(0.5) for _ in range(count)])
    first, second = masks(model, engine, fuse=fuse)
    assert set(first.ravel()) == set(second.ravel()) == {0.0, 2.0}
    assert (first != second).any()
    for mask, place in ((first, "dropout"), (second, "dropout_1")):
        purpose = zlib.crc32(place.encode()) & 0x7FFFFFFF
        expected, _ = operations.dropout(ONES, random.rng_key(0), 0.5, purpose=purpose)
        np.testing.assert_array_equal(mask, expected)


def test_the_gradient_goes_through_the_mask_of_its_use():
    """y = m1 x * m2 x, so dy/dx = 2 m1 m2 x."""
    x = Input((4,))
    drop = Dropout(0.5)
    model = mc.Model(x, Multiply()([drop(x), drop(x)]))
    tape = Tape(model, np.ones((1, 4), np.float32), training=True)
    dx = tape.gradient(tape.output, np.ones((1, 4), np.float32)).of(tape.inputs[0])
    first, second = tape.steps[0].result, tape.steps[1].result
    np.testing.assert_array_equal(dx, 2 * first * second)


def test_masks_stay_when_a_model_is_saved_and_loaded(tmp_path):
    for _ in range(3):
        Dropout(0.5)  # names continue to count
    model = dropped_twice([Dropout(0.5)])
    model.save(tmp_path / "m.mcnn")
    for a, b in zip(masks(model), masks(mc.load_model(tmp_path / "m.mcnn")), strict=True):
        np.testing.assert_array_equal(a, b)


def test_masks_change_with_the_step_and_the_seed():
    model = dropped_twice([Dropout(0.5)])
    first = masks(model)
    np.testing.assert_array_equal(masks(model), first)
    random.set_random_seed(1)
    assert (masks(model)[0] != first[0]).any()
