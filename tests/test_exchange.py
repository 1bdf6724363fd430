"""Arrays of other libraries are taken where they lie, and ours are handed out."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import dlpack
from minicnn.backends import device
from minicnn.errors import BackendError, DTypeError

needs_cuda = pytest.mark.skipif(
    bool(device.missing() or device.no_gpu()), reason=device.missing() or device.no_gpu()
)


class Tensor:
    """Another library's array in main memory: nothing of NumPy's but the protocol."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __iter__(self):
        return iter(self.array)


class OnGpu:
    """Another library's array on a GPU. The simulator's GPU memory is the processor's."""

    def __init__(self, array):
        self.array = array

    @property
    def __cuda_array_interface__(self):
        return {**self.array.__array_interface__, "version": 3}


class Keeps(Tensor):
    def __dlpack__(self, **_arguments):
        raise BufferError("use tensor.detach()")


@pytest.fixture
def model():
    layers = [mc.layers.Flatten(), mc.layers.Dense(3, activation="softmax")]
    model = mc.Sequential([mc.Input((4, 3, 1)), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((6, 4, 3, 1)).astype(np.float32)


y = np.array([0, 1, 2, 0, 1, 2])


def test_taken_without_a_copy(x):
    found = dlpack.as_numpy(Tensor(x))
    assert isinstance(found, np.ndarray) and np.shares_memory(found, x)
    assert dlpack.as_numpy(x) is x
    assert dlpack.as_numpy([1, 2]) == [1, 2]


def test_models_take_them_everywhere(model, x, backend):
    wanted = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(Tensor(x), verbose=0), wanted)
    np.testing.assert_array_equal(model.predict_on_batch(Tensor(x)), wanted)
    before = model.get_weights()
    losses = [model.train_on_batch(x, y)]
    model.set_weights(before)
    losses.append(model.train_on_batch(Tensor(x), Tensor(y), Tensor(np.ones(6))))
    assert losses[0] == pytest.approx(losses[1])
    model.fit(Tensor(x), Tensor(y), epochs=1, verbose=0, validation_data=(Tensor(x), Tensor(y)))
    model.fit([(Tensor(x), Tensor(y))], epochs=1, verbose=0)


def test_operations_take_them(x, backend):
    wanted, saved = mc.operations.relu(x)
    found, saved_too = mc.operations.relu(Tensor(x))
    np.testing.assert_array_equal(found, wanted)
    dx = mc.operations.relu_backward(Tensor(wanted), saved_too)
    np.testing.assert_array_equal(dx, mc.operations.relu_backward(wanted, saved))


def test_what_is_not_handed_over_is_an_error_with_the_librarys_reason(model, x):
    with pytest.raises(
        DTypeError, match=r"x \(Keeps\) cannot be converted to a NumPy array: use tensor\.detach"
    ):
        model.predict(Keeps(x), verbose=0)
    with pytest.raises(DTypeError, match=r"y \(Keeps\)"):
        model.train_on_batch(x, Keeps(y))


def test_an_array_on_a_gpu_needs_the_engine(monkeypatch, model, x):
    monkeypatch.setattr(device, "missing", lambda: "no NVIDIA driver was found")
    with pytest.raises(BackendError, match="'cuda' is not available: no NVIDIA driver was found"):
        model.predict(OnGpu(x), verbose=0)
    with pytest.raises(BackendError, match="no NVIDIA driver was found"):
        mc.utils.to_device(x)


@needs_cuda
def test_an_array_on_a_gpu_is_copied(x):
    there = mc.utils.to_device(x[:, ::2])
    found = dlpack.as_numpy(there)
    np.testing.assert_array_equal(found, x[:, ::2])
    assert not np.shares_memory(found, x)
    assert dlpack.is_foreign(there)
    assert (there.shape, there.dtype) == (found.shape, found.dtype)
    np.testing.assert_array_equal(np.asarray(there), x[:, ::2])


@needs_cuda
def test_models_take_them_from_a_gpu(model, x):
    wanted = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(mc.utils.to_device(x), verbose=0), wanted)


@pytest.mark.skipif(not device.simulated(), reason="its memory would have to be on the GPU")
def test_strides_are_followed(x):
    np.testing.assert_array_equal(dlpack.as_numpy(OnGpu(x[::2, 1:])), x[::2, 1:])


@pytest.mark.skipif(not device.simulated(), reason="a real GPU hands it over")
def test_the_simulator_has_no_dlpack(x):
    with pytest.raises(BackendError, match="needs cuda-core and a real GPU"):
        mc.utils.to_device(x).__dlpack__()


@needs_cuda
@pytest.mark.skipif(device.simulated(), reason="the simulator has no memory of a GPU")
def test_handed_over_by_dlpack(x):
    view = pytest.importorskip("cuda.core.utils").StridedMemoryView.from_dlpack(
        mc.utils.to_device(x), stream_ptr=-1
    )
    assert tuple(view.shape) == x.shape
