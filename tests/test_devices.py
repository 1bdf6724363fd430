"""Which devices there are, and what exactly is missing where the GPU cannot be used."""

from __future__ import annotations

import json
import os

import pytest
from fake_driver import H200, FakeDriver, install  # noqa: F401  (a fixture)

import minicnn as mc
from minicnn import devices
from minicnn.apps.cli.main import run
from minicnn.backends import device
from minicnn.errors import BackendError
from minicnn.installed import install_command

NUMBA = ("numba", "numba_cuda_mlir")
NUMBA_CUDA = ("numba_cuda", "numba_cuda_mlir")
GTX = ("NVIDIA GeForce GTX 1050 Ti", (6, 1), 4_231_000_000)

MISSING = {
    "numba": (FakeDriver(H200), NUMBA, "numba is not installed"),
    "numba's part for GPUs": (FakeDriver(H200), NUMBA_CUDA, r"\(numba-cuda\) is not installed"),
    "the driver": (None, (), r"no NVIDIA driver was found \(the library libcuda\)"),
    "a GPU": (FakeDriver(status=100), (), "the NVIDIA driver finds no GPU"),
    "a GPU, says the count": (FakeDriver(), (), "the NVIDIA driver finds no GPU"),
    "a driver that starts": (FakeDriver(status=803), (), r"DRIVER_MISMATCH \(803\)"),
    "a driver without trouble": (FakeDriver(status=999), (), r"an unknown error \(999\)"),
    "a process that may use it": (FakeDriver(status=3), (), "a forked process cannot use it"),
    "a newer driver": (FakeDriver(H200, version=11080), (), r"supports CUDA 11\.8, .*\[cuda12\]"),
}


@pytest.mark.parametrize(("driver", "without", "text"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_said(install, driver, without, text):  # noqa: F811
    install(driver, without)
    before = mc.current_backend()
    with pytest.raises(BackendError, match=rf"backend 'cuda' is not available: .*{text}"):
        mc.set_backend("cuda")
    assert mc.current_backend() == before
    assert "cuda" not in mc.available_backends()
    assert mc.backend_info()["cuda"] not in ("available", "")


def test_hidden_gpus_are_called_so(install, monkeypatch):  # noqa: F811
    install(FakeDriver(status=100))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(BackendError, match="CUDA_VISIBLE_DEVICES is ''"):
        mc.set_backend("cuda")


def test_a_gpu_is_available_and_the_driver_is_asked_once(install):  # noqa: F811
    driver = install(FakeDriver(H200))
    assert mc.backend_info()["cuda"] == "available"
    assert "cuda" in mc.available_backends()
    assert driver.starts == 1


def test_after_a_fork_the_parents_driver_is_of_no_use(install, monkeypatch):  # noqa: F811
    install(FakeDriver(H200))
    mc.list_devices()
    own = os.getpid()
    monkeypatch.setattr(device.os, "getpid", lambda: own + 1)
    with pytest.raises(BackendError, match="a forked process cannot use it"):
        mc.set_backend("cuda")


def test_asking_for_other_engines_starts_no_driver(install):  # noqa: F811
    driver = install(FakeDriver(H200))
    with mc.use_backend("numpy"):
        device.missing()
    assert driver.starts == 0


def test_the_processor_comes_first():
    row = mc.list_devices()[0]
    assert row["name"] == "CPU:0" and row["device_type"] == "CPU"
    assert row["memory_limit"] > 2**28
    assert 1 <= row["cores"] <= row["processors"]
    assert row["instruction_set"]


def test_every_gpu_has_a_row_also_without_numba(install, monkeypatch, tmp_path):  # noqa: F811
    install(FakeDriver(H200, GTX, version=13000), NUMBA)
    told = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n"
    (tmp_path / "version").write_text(told)
    monkeypatch.setattr(device, "DRIVER_FILE", tmp_path / "version")
    _, first, second = mc.list_devices()
    assert first == {
        "name": "GPU:0",
        "device_type": "GPU",
        "physical_device_desc": "NVIDIA H200",
        "compute_capability": "9.0",
        "driver": "CUDA 13.0, driver 580.65.06",
        "memory_limit": 150_000_000_000,
    }
    assert (second["name"], second["compute_capability"]) == ("GPU:1", "6.1")


def test_a_simulated_gpu_says_so(install, monkeypatch):  # noqa: F811
    install(None)
    monkeypatch.setenv(device.SIMULATOR, "1")
    assert "simulated" in mc.list_devices()[1]["physical_device_desc"]
    assert mc.backend_info()["cuda"].startswith("simulated")
    assert "cuda" not in mc.available_backends()


def test_cores_share_processors(monkeypatch, tmp_path):
    pairs = [(0, 0), (0, 0), (0, 1), (1, 0)]
    text = "\n".join(
        f"model name\t: A {i}\nphysical id\t: {p}\nsiblings\t: 2\ncore id\t\t: {c}\n"
        for i, (p, c) in enumerate(pairs)
    )
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "cpuinfo")
    assert devices.cores() == 3
    assert devices.processor() == "A 0"


def test_the_command_prints_engines_and_devices(install, capsys):  # noqa: F811
    install(FakeDriver(H200))
    assert run(["devices"]) == 0
    out = capsys.readouterr().out
    assert "NVIDIA H200" in out and "150,000,000,000 bytes" in out and "current" in out
    assert run(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["devices"]] == ["CPU:0", "GPU:0"]
    assert found["backends"]["cuda"] == "available"


def test_the_command_names_what_is_missing(install, capsys):  # noqa: F811
    install(FakeDriver(H200), NUMBA)
    assert run(["devices"]) == 0
    assert install_command("cuda") in capsys.readouterr().out


def test_doctor_does_not_complain_where_there_is_no_gpu(install, capsys):  # noqa: F811
    install(None)
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[0] for line in lines if "engine cuda" in line] == [" "]
    install(FakeDriver(H200), NUMBA)
    run(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[0] for line in lines if "engine cuda" in line] == ["!"]
