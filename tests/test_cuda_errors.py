"""Errors of the GPU: each is one clear BackendError, after which the rest still works."""

from __future__ import annotations

import os
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

import minicnn as mc
from minicnn.backends import device
from minicnn.contracts import Spec
from minicnn.errors import BackendError, DeviceMemoryError

if device.missing() or device.no_gpu():
    pytest.skip(device.missing() or device.no_gpu(), allow_module_level=True)

from minicnn.backends.cuda import kernels
from minicnn.backends.cuda.runtime import graph, memory
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch
from minicnn.backends.cuda.runtime.program import KERNEL_FACTORIES

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture
def limit():
    """limit(bytes) simulates a GPU with that much memory."""
    yield memory.set_limit
    memory.set_limit(None)


@pytest.fixture
def network():
    layers = [mc.layers.Rescaling(0.5), mc.layers.Activation("tanh"), mc.layers.Flatten()]
    return mc.Sequential([mc.Input((6, 5, 2)), *layers])


class Driver:
    """A kernel whose launch fails with the driver's error of this number."""

    def __init__(self, code, text):
        self.error = RuntimeError(f"[{code}] {text}")
        self.error.code = code

    def __getitem__(self, _configuration):
        return self

    def __call__(self, *_arrays):
        raise self.error


def break_kernel(monkeypatch, name, code, text):
    launch = Launch(Driver(code, text), 1, 1, ("y", "x"))
    monkeypatch.setitem(
        KERNEL_FACTORIES, name, lambda *_specs, **_attributes: KernelPlan((launch,))
    )


def test_too_large_an_arena_names_the_largest_arrays_and_a_smaller_one_works(network, limit):
    x = np.random.default_rng(0).standard_normal((40, 6, 5, 2)).astype(np.float32)
    limit(3000)
    with mc.use_backend("cuda"):
        with pytest.raises(DeviceMemoryError) as caught:
            network.predict_on_batch(x)
        found = network.predict_on_batch(x[:4])
    assert "(40, 6, 5, 2)" in caught.value.what
    assert caught.value.size >= 40 * 60 * 4 and caught.value.free == 3000
    assert "Use a smaller batch_size" in str(caught.value)
    assert isinstance(caught.value, MemoryError) and isinstance(caught.value, BackendError)
    np.testing.assert_allclose(found, np.tanh(x[:4] / 2).reshape(4, -1), rtol=1e-6)


def test_an_eager_operation_names_the_array(limit):
    limit(100)
    with mc.use_backend("cuda"), pytest.raises(DeviceMemoryError, match="no room for x"):
        mc.operations.relu(np.zeros((2, 30), np.float32))


def test_out_of_memory_by_the_driver_is_the_same_error(monkeypatch):
    error = RuntimeError("[2] CUDA_ERROR_OUT_OF_MEMORY")
    error.code = memory.OUT_OF_MEMORY

    def refuse(*_arguments):
        raise error

    monkeypatch.setattr(memory.cuda, "device_array", refuse)
    with pytest.raises(DeviceMemoryError, match=r"no room for conv1's output: it needs 4\.0 MB"):
        memory.allocate(Spec((1000, 1000)), "conv1's output")


@pytest.mark.parametrize(
    ("code", "text", "remedy"),
    [
        (700, "CUDA_ERROR_ILLEGAL_ADDRESS", "start it again; .*BackupAndRestore"),
        (719, "CUDA_ERROR_LAUNCH_FAILED", "start it again"),
        (701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "minicnn verify MODEL"),
    ],
)
def test_a_failing_kernel_is_one_clear_error(network, monkeypatch, code, text, remedy):
    break_kernel(monkeypatch, "tanh_forward", code, text)
    x = np.ones((2, 6, 5, 2), np.float32)
    with mc.use_backend("cuda"):
        with pytest.raises(BackendError, match=rf"the GPU failed: \[{code}\] {text}.*{remedy}"):
            network.predict_on_batch(x)
        with pytest.raises(BackendError, match="the GPU failed"):
            mc.operations.tanh(x)
    assert network.predict_on_batch(x).shape == (2, 60)  # the other engines still work


def test_an_error_is_recognized_by_its_name_alone():
    driver = pytest.importorskip("cuda.bindings.driver")
    lost = driver.CUresult.CUDA_ERROR_ILLEGAL_ADDRESS
    assert memory.code_of(RuntimeError(f"{lost.name}: a load or store")) == 700
    assert memory.code_of(RuntimeError("name: nothing of the driver's")) is None
    with pytest.raises(BackendError, match="start it again"), memory.device_errors():
        raise RuntimeError(f"{lost.name}: a load or store")


class Recorder:
    """A driver that records the names of its calls; each call returns its name."""

    def __init__(self, real):
        self.called, self._real = [], real

    def __getattr__(self, name):
        if not name.startswith("cu"):
            return getattr(self._real, name)
        self.called.append(name)
        return lambda *_arguments: (self._real.CUresult.CUDA_SUCCESS, name)


@pytest.mark.parametrize("error", [None, RuntimeError("a launch fails"), KeyboardInterrupt()])
def test_a_recording_always_ends(monkeypatch, error):
    def launches(_stream):
        if error is not None:
            raise error

    recorder = Recorder(pytest.importorskip("cuda.bindings.driver"))
    monkeypatch.setattr(graph, "driver", recorder)
    stream = SimpleNamespace(handle=1)
    with nullcontext() if error is None else pytest.raises(type(error)):
        assert graph._captured(launches, stream) == "cuStreamEndCapture"
    given_up = [] if error is None else ["cuGraphDestroy"]
    assert recorder.called == ["cuStreamBeginCapture", "cuStreamEndCapture", *given_up]


def test_a_bug_in_the_engine_keeps_its_own_error(monkeypatch):
    def broken(*_arrays):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(kernels, "start", broken)
    with mc.use_backend("cuda"), pytest.raises(ZeroDivisionError):
        mc.operations.relu(np.zeros((2, 3), np.float32))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_an_error(network):
    x = np.ones((2, 6, 5, 2), np.float32)
    with mc.use_backend("cuda"):
        network.predict_on_batch(x)
        child = os.fork()
        if not child:
            os._exit(_refused(lambda: network.predict_on_batch(x)))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        network.predict_on_batch(x)  # the parent still can


def _refused(call):
    try:
        call()
    except BackendError as err:
        return 0 if "forked process" in str(err) else 2
    return 1
