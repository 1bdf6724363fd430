"""Programs on the GPU engine with steps that only the reference can run."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.backends import device, fallback
from minicnn.backends import numpy as reference
from minicnn.contracts import CONTRACTS, Contract, same
from minicnn.operations.operation import Operation

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda.runtime.program import KERNEL_FACTORIES

# Simulated threads compute with NumPy's scalars, which warn about overflow and NaN.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")

FALLBACK = "ignore:backend 'cuda' has no kernel"


@pytest.fixture(autouse=True)
def no_warning_was_given(monkeypatch):
    monkeypatch.setattr(fallback, "_warned", set())


@pytest.fixture
def cube(monkeypatch):
    """A kind of layer, x^3, of whose operation only the reference has kernels."""
    for table, forward, backward in (
        (CONTRACTS, Contract(("x",), ("y",), same(0)), Contract(("dy", "x"), ("dx",), same(0))),
        (reference.KERNELS, lambda x: (x**3,), lambda dy, x: (3 * dy * x**2,)),
    ):
        monkeypatch.setitem(table, "cube_forward", forward)
        monkeypatch.setitem(table, "cube_backward", backward)
    operation = Operation("cube", lambda x: {}, ("cube_backward",))

    class Cube(layers.Layer):
        def forward(self, apply, *inputs, training):
            return apply(operation, *inputs)

    return Cube


def compiled(*kinds):
    """A network with layers of these kinds between two dense ones."""
    mc.utils.clear_session()
    mc.utils.set_random_seed(3)
    inner = [kind() for kind in kinds]
    model = mc.Sequential([mc.Input((3,)), layers.Dense(4), *inner, layers.Dense(2)])
    model.compile(mc.optimizers.SGD(0.003, momentum=0.9), "mean_squared_error")
    return model


def data():
    rng = np.random.default_rng(8)
    return rng.standard_normal((5, 3)).astype("f4"), rng.standard_normal((5, 2)).astype("f4")


def trained(engine, *kinds):
    """(model, losses of two epochs, predictions); batches of 4 and 1."""
    model, (x, y) = compiled(*kinds), data()
    with mc.use_backend(engine):
        history = model.fit(x, y, 4, epochs=2, verbose=0).history
        return model, history["loss"], model.predict(x, verbose=0)


def assert_trains_as_the_reference(*kinds):
    ours, losses, outputs = trained("cuda", *kinds)
    theirs, wanted_losses, wanted = trained("numpy", *kinds)
    np.testing.assert_allclose(losses, wanted_losses, rtol=1e-5)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-4, atol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    start = compiled(*kinds).get_weights()
    assert not any(np.array_equal(a, b) for a, b in zip(ours.get_weights(), start, strict=True))


@pytest.mark.filterwarnings(FALLBACK)
def test_an_operation_of_the_reference_is_trained_through(cube):
    assert_trains_as_the_reference(cube)


@pytest.mark.filterwarnings(FALLBACK)
@pytest.mark.parametrize("missing", ["sgd_update", "assign"])
def test_steps_that_change_the_model_may_run_on_the_host(monkeypatch, missing):
    """Parameters and state are then written on the host, and are newer on the device."""
    for name in (missing, "dense_" + missing):
        monkeypatch.delitem(KERNEL_FACTORIES, name, raising=False)
    assert_trains_as_the_reference(layers.BatchNormalization)


@pytest.mark.filterwarnings(FALLBACK)
def test_constant_steps_may_run_on_the_host(monkeypatch):
    """A folded batch norm is computed again when its weights have changed."""
    monkeypatch.delitem(KERNEL_FACTORIES, "fold_batch_norm_after_conv2d")
    mc.utils.set_random_seed(3)
    inner = layers.Conv2D(2, 2, use_bias=False), layers.BatchNormalization()
    model = mc.Sequential([mc.Input((3, 3, 1)), *inner])
    x = np.random.default_rng(1).standard_normal((2, 3, 3, 1)).astype("f4")
    for factor in (1, 2):
        model.set_weights([factor * w for w in model.get_weights()])
        with mc.use_backend("cuda"):
            found = model.predict(x, verbose=0)
        with mc.use_backend("numpy"):
            wanted = model.predict(x, verbose=0)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_there_is_one_warning_for_each_kernel(cube):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            with mc.use_backend("cuda"):
                compiled(cube).train_on_batch(*data())
    texts = [str(w.message) for w in caught if "has no kernel" in str(w.message)]
    assert sum("cube_forward" in text for text in texts) == 1
    assert sum("cube_backward" in text for text in texts) == 1


@pytest.mark.filterwarnings(FALLBACK)
def test_such_a_program_takes_one_step_per_call(cube):
    x, _ = data()
    with mc.use_backend("cuda"):
        for kinds, more in (((), True), ((cube,), False)):
            runner = compiled(*kinds).execution("train", (x,)).runner
            assert (runner.max_steps_per_call > 1) == more
