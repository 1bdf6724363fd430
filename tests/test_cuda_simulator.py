"""The simulator runs kernels correctly, so that their tests can be trusted."""

from __future__ import annotations

import time

import numpy as np
import pytest

from minicnn.backends import device

if device.missing() or not device.simulated():
    pytest.skip(device.missing() or "there is a GPU", allow_module_level=True)

from numba.cuda.simulator import kernelapi

from minicnn.backends.cuda.runtime.api import cuda, float32, jit

THREADS = 8


@jit
def reversed_by(out):
    shared = cuda.shared.array(THREADS, float32)
    t = cuda.threadIdx.x
    shared[t] = t
    cuda.syncthreads()
    out[t] = shared[THREADS - 1 - t]


def test_all_threads_of_a_block_have_the_same_shared_array(monkeypatch):
    """Even if other threads ask for the array while it is being made."""

    class Slow:
        def __getattr__(self, name):
            return getattr(np, name)

        def empty(self, *arguments):
            time.sleep(0.02)
            return np.full(*arguments[:1], np.nan, *arguments[1:])

    monkeypatch.setattr(kernelapi, "np", Slow())
    out = cuda.device_array(THREADS, float32)
    reversed_by[1, THREADS](out)
    np.testing.assert_array_equal(out.copy_to_host(), np.arange(THREADS)[::-1])
