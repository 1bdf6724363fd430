"""Small parts of layers in Keras's style: InputSpec, Variable, Pipeline, random arrays."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError, ShapeError


def test_input_spec_refuses_what_does_not_fit():
    class Needs(mc.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.input_spec = mc.InputSpec(min_ndim=3, axes={-1: 2})

        def call(self, x):
            return x * 2.0

    assert Needs()(np.ones((1, 3, 2), np.float32)).sum() == 12
    with pytest.raises(ShapeError, match=r"needs: axis -1 of the input must have length 2"):
        Needs(name="needs")(mc.Input((3, 3)))
    with pytest.raises(ShapeError, match=r"3 to more axes; got shape \(None, 2\)"):
        Needs()(mc.Input((2,)))
    with pytest.raises(ShapeError, match="must have 2 axes"):
        mc.InputSpec(shape=(None, 3)).check((None, 3, 3))


class Shifted(mc.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.shift = mc.Variable([1.0, 2.0], name="shift")
        self.frozen = mc.Variable("ones", (2,), trainable=False)

    def call(self, x):
        return x + self.shift * self.frozen


def test_a_variable_becomes_a_weight_of_its_layer(backend):
    inputs = mc.Input((2,))
    model = mc.Model(inputs, Shifted()(inputs))
    assert [w.shape for w in model.get_weights()] == [(2,), (2,)]
    assert len(model.trainable_weights) == 1
    model.compile(mc.optimizers.SGD(1.0), "mean_squared_error")
    model.fit(np.zeros((1, 2)), np.zeros((1, 2)), verbose=0)
    assert model.get_weights()[0].tolist() == [0, 0]
    other = mc.Model(inputs, layers.Dense(2)(inputs))
    other.layers[1].also = model.layers[1].shift  # of another layer, so it stays that one's
    assert len(other.weights) == 2


def test_wrong_variables():
    with pytest.raises(ArgumentError, match="needs the shape"):
        mc.Variable("zeros")
    with pytest.raises(ArgumentError, match="float32"):
        mc.Variable(1.0, dtype="float16")


def test_pipeline(tmp_path):
    inputs = mc.Input((4, 4, 1))
    parts = [layers.Rescaling(2.0), layers.Dropout(0.5), layers.Flatten()]
    model = mc.Model(inputs, layers.Pipeline(parts)(inputs))
    x = np.ones((2, 4, 4, 1), np.float32)
    assert model.predict(x, verbose=0).tolist() == np.full((2, 16), 2).tolist()
    assert set(np.unique(model(x, training=True))) == {0, 4}
    model.save(tmp_path / "m.mcnn")
    assert mc.load_model(tmp_path / "m.mcnn").predict(x, verbose=0).sum() == 64
    with pytest.raises(ArgumentError, match="at least one layer"):
        layers.Pipeline([])


def test_serialize():
    layer = layers.deserialize(layers.serialize(layers.Dense(3, activation="relu", name="d")))
    assert (layer.units, layer.name) == (3, "d")


def test_random_arrays():
    for draw in (mc.random.uniform, mc.random.normal):
        mc.utils.set_random_seed(1)
        first, second = draw((1000,)), draw((1000,))
        assert first.dtype == np.float32 and not np.array_equal(first, second)
        mc.utils.set_random_seed(1)
        assert np.array_equal(first, draw((1000,)))
        assert np.array_equal(draw((3,), seed=5), draw((3,), seed=5))
    assert abs(mc.random.uniform((10_000,), -1, 3, seed=0).mean() - 1) < 0.05
    assert abs(mc.random.normal((10_000,), 5, 2, seed=0).std() - 2) < 0.05
    assert set(mc.random.randint((100,), 2, 4, seed=0)) == {2, 3}
    assert sorted(mc.random.shuffle(np.arange(9), seed=0)) == list(range(9))


def test_auto_contrast(backend):
    """The values are those of Keras 3.15.1."""
    x = np.array([[[[10, 20], [30, 20]], [[50, 20], [60, 20]]]], np.float32)
    wanted = [[[[0, 20], [102, 20]], [[204, 20], [255, 20]]]]
    layer = layers.AutoContrast()
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-6)
    np.testing.assert_allclose(layer(x[0].astype(np.uint8)), wanted[0], rtol=1e-6)
    inputs = mc.Input((2, 2, 2))
    model = mc.Model(inputs, layer(inputs))
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-6)


def test_device():
    with mc.device("cpu:0"):
        assert mc.current_backend() in ("native", "numpy")
    for wrong in ("tpu:0", "cpu:1", "", None, 3):
        with (
            pytest.raises(ArgumentError, match='name must be "cpu:0" or "gpu:0"'),
            mc.device(wrong),
        ):
            pass
