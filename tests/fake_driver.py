"""The functions of NVIDIA's driver library that minicnn calls; they write through pointers."""

from __future__ import annotations

import ctypes

import pytest

from minicnn.backends import device

ERRORS = {803: b"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"}
H200 = ("NVIDIA H200", (9, 0), 150_000_000_000)


class FakeDriver:
    def __init__(self, *gpus, version=99000, status=0):
        self.gpus, self.version, self.status, self.starts = gpus, version, status, 0

    def cuInit(self, _flags):
        self.starts += 1
        return self.status

    def cuDriverGetVersion(self, out):
        out._obj.value = self.version

    def cuDeviceGetCount(self, out):
        out._obj.value = len(self.gpus)

    def cuDeviceGet(self, out, number):
        out._obj.value = number

    def cuDeviceGetName(self, buffer, _size, handle):
        buffer.value = self.gpus[handle][0].encode()

    def cuDeviceTotalMem_v2(self, out, handle):
        assert isinstance(out._obj, ctypes.c_size_t)
        out._obj.value = self.gpus[handle][2]

    def cuDeviceGetAttribute(self, out, attribute, handle):
        out._obj.value = self.gpus[handle][1][{75: 0, 76: 1}[attribute]]

    def cuGetErrorName(self, status, out):
        out._obj.value = ERRORS.get(status)


@pytest.fixture
def install(monkeypatch):
    """install(driver or None, without=packages) changes the machine that device.py sees."""
    monkeypatch.delenv(device.SIMULATOR, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def installed(driver, without=()):
        monkeypatch.setattr(device, "_found", None)
        monkeypatch.setattr(device, "_driver", lambda: driver)
        monkeypatch.setattr(device, "find_spec", lambda name: None if name in without else name)
        return driver

    return installed
