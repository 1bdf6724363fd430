"""Keras's modules backend, config and mixed_precision."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import backend as K
from minicnn.errors import ArgumentError


def test_the_settings_that_there_are():
    for module in (K, mc.config):
        assert (module.floatx(), module.epsilon()) == ("float32", 1e-7)
        assert module.image_data_format() == "channels_last"
        module.set_floatx("float32")
        module.set_epsilon(1e-7)
        module.set_image_data_format("channels_last")
        for change, wrong in (
            (module.set_floatx, "float64"),
            (module.set_epsilon, 1e-3),
            (module.set_image_data_format, "channels_first"),
        ):
            with pytest.raises(ArgumentError, match="got"):
                change(wrong)
    assert K.backend() == mc.config.backend() == mc.current_backend()


def test_functions_are_those_of_ops():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert float(K.sum(x)) == 15 and K.mean(x, axis=1).tolist() == [1, 4]
    assert K.pow(x, 2)[1, 2] == 25 and K.permute_dimensions(x, (1, 0)).shape == (3, 2)
    assert K.dot(x, x.T).shape == (2, 2) and K.gather(x, [1]).tolist() == [[3, 4, 5]]
    assert K.argmax(x).tolist() == [2, 2] and K.argmin(x, 0).tolist() == [0, 0, 0]
    assert K.concatenate([x, x]).shape == (2, 6) and K.expand_dims(x).shape == (2, 3, 1)
    assert K.flatten(x).shape == (6,) and K.batch_flatten(x[..., None]).shape == (2, 3)
    assert K.reverse(x, 1)[0].tolist() == [2, 1, 0]
    np.testing.assert_allclose(K.sum(K.square(K.l2_normalize(x, axis=1)), axis=1), 1, rtol=1e-6)
    assert K.equal is mc.ops.equal
    with pytest.raises(
        AttributeError, match=r"no 'nothing'; functions of tensors are in minicnn\.ops"
    ):
        _ = K.nothing


def test_losses_of_old_scripts_train():
    def rms(y_true, y_pred):
        return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))

    model = mc.Sequential([mc.Input((3,)), mc.layers.Dense(2)])
    model.compile("sgd", rms)
    x, y = np.ones((8, 3), np.float32), np.zeros((8, 2), np.float32)
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]


def test_weights_and_shapes():
    layer = mc.layers.Dense(2)
    tensor = layer(mc.Input((3,)))
    assert K.int_shape(tensor) == (None, 2) and K.ndim(tensor) == 2 and K.is_keras_tensor(tensor)
    kernel = layer.weights[0]
    K.set_value(kernel, np.ones((3, 2)))
    K.batch_set_value([(kernel, 2 * K.get_value(kernel))])
    assert K.eval(kernel).sum() == 12 and K.batch_get_value([kernel])[0].shape == (3, 2)
    assert K.count_params(kernel) == 6 and K.dtype(kernel) == "float32" and K.get_value(0.5) == 0.5
    with pytest.raises(ArgumentError, match=r"model\.optimizer\.learning_rate = value"):
        K.set_value(0.1, 0.2)


def test_arrays():
    assert K.zeros((2, 1)).dtype == K.ones(3).dtype == K.cast_to_floatx([1]).dtype == np.float32
    assert K.constant(2, shape=(2,)).numpy().tolist() == [2, 2] and K.variable([1, 2]).shape == (2,)
    assert K.get_uid("some prefix") == 1 and K.get_uid("some prefix") == 2
    K.clear_session()


def test_policies():
    mc.mixed_precision.set_global_policy("float32")
    with pytest.warns(
        UserWarning, match=r"mixed_float16: networks compute in float32.*set_precision"
    ):
        mc.mixed_precision.set_global_policy("mixed_float16")
    policy = mc.mixed_precision.global_policy()
    assert (policy.name, policy.compute_dtype) == ("mixed_float16", "float32")
    with pytest.raises(ArgumentError, match="a policy is"):
        mc.mixed_precision.set_global_policy("float64")
    mc.mixed_precision.set_dtype_policy(mc.mixed_precision.Policy("float32"))
    assert repr(mc.mixed_precision.dtype_policy()) == '<Policy "float32">'
