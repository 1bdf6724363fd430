"""Verify names each broken kernel, and no correct one."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn.backends import available_backends, device
from minicnn.backends.numpy import program as reference
from minicnn.errors import ArgumentError, BackendError
from minicnn.explain import verify
from minicnn.layers import (
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LocalResponseNormalization,
    MaxPooling2D,
)


def network():
    """A network with most kinds of layers."""
    x = mc.Input((14, 12, 3), rescale=1 / 255)
    a = MaxPooling2D(2)(Conv2D(6, 3, activation="relu", name="first")(x))
    a = Dropout(0.3)(BatchNormalization()(a))
    left = Conv2D(4, 3, padding="same", activation="tanh")(a)
    right = LocalResponseNormalization()(Conv2D(4, 1)(a))
    y = AveragePooling2D(2)(Add()([left, right]))
    y = Dense(3, activation="softmax", name="last")(Dense(5, activation="relu")(Flatten()(y)))
    model = mc.Model(x, y)
    model.compile(mc.optimizers.Adam(0.01, clipnorm=0.5), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("name", ["lenet", "lenet5", "cifar", "catdog"])
def test_engines_agree_on_the_zoos_small_networks(name):
    checks = verify(getattr(mc.zoo, name)())
    assert [check for check in checks if not check.agrees] == []
    assert {check.engine for check in checks} == set(available_backends())
    assert {check.passes for check in checks} == {"inference", "training"}


def test_engines_agree_on_a_little_of_everything():
    assert [check for check in verify(network()) if not check.agrees] == []


KERNELS = sorted({check.kernel for check in verify(network(), engines=["numpy"])})


@pytest.mark.parametrize("name", KERNELS)
def test_a_broken_kernel_is_found_by_its_name(name, monkeypatch):
    right = reference.KERNELS[name]

    def broken(*reads, **attributes):
        first, *rest = right(*reads, **attributes)
        first = first.copy()
        first.flat[np.abs(first).argmax()] *= 1.001
        return (first, *rest)

    monkeypatch.setattr(reference, "KERNELS", {**reference.KERNELS, name: broken})
    checks = verify(network(), engines=["numpy"])
    assert {check.kernel for check in checks if not check.agrees} == {name}


def test_wrong_positions_of_a_pooling_are_found(monkeypatch):
    right = reference.KERNELS["conv2d_max_pool2d_forward"]

    def broken(*reads, **attributes):
        y, argmax = right(*reads, **attributes)
        return y, np.roll(argmax, 1)

    monkeypatch.setattr(
        reference, "KERNELS", {**reference.KERNELS, "conv2d_max_pool2d_forward": broken}
    )
    checks = verify(network(), engines=["numpy"])
    assert {c.kernel for c in checks if not c.agrees} == {"conv2d_max_pool2d_forward"}


def test_nan_never_agrees(monkeypatch):
    right = reference.KERNELS["dense_forward"]
    nan = lambda *reads, **more: tuple(y * np.nan for y in right(*reads, **more))  # noqa: E731
    monkeypatch.setattr(reference, "KERNELS", {**reference.KERNELS, "dense_forward": nan})
    assert not all(check.agrees for check in verify(network(), engines=["numpy"]))


def test_the_model_stays_as_it_was():
    model = network()
    before, state = model.get_weights(), model.optimizer.get_state()
    x = np.random.default_rng(0).uniform(0, 255, (3, 14, 12, 3)).astype(np.float32)
    verify(model, x, np.array([0, 1, 2]))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.optimizer.get_state() == state


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", None])
def test_a_model_without_a_loss_gets_the_one_that_fits(activation):
    last = Dense(1 if activation == "sigmoid" else 4, activation=activation)
    model = mc.Sequential([mc.Input((8, 8, 3)), Conv2D(4, 3), GlobalAveragePooling2D(), last])
    checks = verify(model)
    assert all(check.agrees for check in checks)
    assert any("crossentropy" in c.kernel for c in checks) == (activation is not None)
    assert model.optimizer is None


def test_an_engine_that_is_not_there_is_named_before_any_work(monkeypatch):
    monkeypatch.setattr(device, "missing", lambda: "no NVIDIA driver was found")
    with pytest.raises(BackendError, match="'cuda' is not available: no NVIDIA driver was found"):
        verify(network(), engines=["numpy", "cuda"])
    with pytest.raises(ArgumentError, match=r"backend must be one of .*got 'gpu'"):
        verify(network(), engines=["gpu"])


@pytest.mark.skipif(bool(device.missing() or device.no_gpu()), reason="no GPU, no simulator")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_gpu_engine_is_verified_too():
    x = mc.Input((8, 7, 2), rescale=1 / 255)
    a = MaxPooling2D(2)(Conv2D(3, 3, activation="relu")(x))
    a = Dropout(0.3)(BatchNormalization()(a))
    a = Conv2D(2, 1, activation="relu")(a)
    model = mc.Model(x, Dense(3, activation="softmax")(Flatten()(a)))
    model.compile(mc.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    checks = verify(model, engines=("cuda",))
    assert {(check.engine, check.passes) for check in checks} == {
        ("cuda", "inference"),
        ("cuda", "training"),
    }
    assert {"conv2d_max_pool2d_forward", "adam_update"} <= {check.kernel for check in checks}
    assert [check for check in checks if not check.agrees] == []


def test_a_bias_before_a_batch_norm_is_judged_by_what_was_added(monkeypatch):
    """Its gradient is 0 up to rounding, which is relative to dy, not to the sum."""
    right = reference.KERNELS["conv2d_backward_weights"]

    def rounded(dy, *reads, **attributes):
        dw, db = right(dy, *reads, **attributes)
        return dw, (db + np.float32(1e-7) * np.abs(dy).max()).astype(db.dtype)

    layers = [Conv2D(4, 3), BatchNormalization(), Flatten(), Dense(2, activation="softmax")]
    model = mc.Sequential([mc.Input((6, 6, 2)), *layers])
    monkeypatch.setattr(
        reference, "KERNELS", {**reference.KERNELS, "conv2d_backward_weights": rounded}
    )
    assert [check for check in verify(model, engines=["numpy"]) if not check.agrees] == []
