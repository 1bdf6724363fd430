"""The GPU benchmark runs in the simulator, reports failures, and says when there is no GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minicnn.backends import device

FOLDER = Path(__file__).parents[1] / "benchmarks"

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)


def run(*arguments, **environment):
    command = [sys.executable, str(FOLDER / "gpu.py"), *arguments]
    env = {**os.environ, "PYTHONPATH": str(FOLDER.parent), "COLUMNS": "200", **environment}
    env = {name: value for name, value in env.items() if value is not None}
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_kernels_are_compared_in_the_simulator():
    done = run(
        "--simulate",
        "--minutes",
        "999",
        "--kernels",
        "relu6",
        "softmax_forward",
        "conv2d_max_pool2d_forward",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("relu6_backward", "softmax_forward", "conv2d_max_pool2d_forward"):
        assert name in done.stdout
    assert "WRONG" not in done.stdout and "numba" in done.stdout


@pytest.mark.skipif(device.has_driver(), reason="there may be a GPU")
def test_without_a_gpu_one_line_says_so():
    done = run(**{device.SIMULATOR: None})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("no GPU to measure: no NVIDIA driver was found")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def parts(monkeypatch):
    """The modules of the parts, imported as in `gpu.py`."""
    monkeypatch.syspath_prepend(str(FOLDER))
    from gpu_parts import cases, child, parent, report

    yield cases, child, parent, report
    for name in [name for name in sys.modules if name.startswith("gpu_parts")]:
        del sys.modules[name]


def test_every_kernel_has_a_case(parts):
    from minicnn.contracts import CONTRACTS
    from minicnn.tensor_contracts import TENSOR_CONTRACTS

    cases, _, _, _ = parts
    on_device = {name for name, contract in CONTRACTS.items() if not contract.on_host}
    on_device -= TENSOR_CONTRACTS.keys()  # CUDA leaves these to the reference
    assert {call.kernel for call in cases.calls(cases.TINY[0])} == on_device


def test_an_item_that_fails_ends_neither_its_part_nor_the_run(parts, monkeypatch, tmp_path):
    _, child, _, _ = parts

    class Items:
        @staticmethod
        def items(_options):
            return [
                child.Item("first", lambda: {"x": 1}),
                child.Item("broken", lambda: 1 / 0),
                child.Item("last", lambda: {"x": 3}),
            ]

    monkeypatch.setitem(sys.modules, "gpu_parts.broken", Items)
    monkeypatch.setattr(sys, "argv", ["child", "broken", "0", str(tmp_path / "told"), "{}"])
    assert child.main() == 0
    rows = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [row["name"] for row in rows if "start" in row] == ["first", "broken", "last"]
    assert [row.get("error") for row in rows if "x" not in row and "start" not in row] == [
        "ZeroDivisionError: division by zero"
    ]


def test_a_part_continues_after_an_item_that_killed_its_process(parts, monkeypatch):
    _, _, parent, _ = parts
    item = {"took_seconds": 0.1}
    told = {
        0: ([{"start": 0, "name": "a", "of": 3}, {"name": "a", **item},
             {"start": 1, "name": "b", "of": 3}], "-11"),
        2: ([{"start": 2, "name": "c", "of": 3}, {"name": "c", **item}], "0"),
    }  # fmt: skip
    monkeypatch.setattr(parent, "_start", lambda _part, first, *_: told[first])
    outcome = parent.run_part("part", 10, None)
    assert [row["name"] for row in outcome.rows] == ["a", "b", "c"]
    assert [row["error"] for row in outcome.failed] == ["the process ended: -11"]
    assert outcome.not_reached == 0


def test_a_part_that_is_out_of_time_says_how_much_is_left(parts, monkeypatch):
    _, _, parent, _ = parts
    told = [{"start": 0, "name": "a", "of": 5}]
    monkeypatch.setattr(parent, "_start", lambda *_: (told, "out of time"))
    outcome = parent.run_part("part", 0, None)
    assert outcome.failed == [{"name": "a", "error": "the process ended: out of time"}]
    assert outcome.not_reached == 4


def test_a_part_whose_package_is_missing_is_absent(parts, monkeypatch):
    _, _, parent, _ = parts
    monkeypatch.setattr(parent, "_start", lambda *_: ([{"absent": "torch"}], "0"))
    assert parent.run_part("part", 10, None).absent == "torch"


def test_results_become_json_and_a_figure(parts, tmp_path):
    _, _, parent, report = parts
    row = {"name": "a", "network": "lenet", "mode": "fit", "precision": "tf32", "engine": "minicnn"}
    rows = [{**row, "seconds": 0.1, "images_per_second": 640.0}, {"name": "b", "error": "no"}]
    path = report.write(tmp_path, "NVIDIA H200", [parent.PartResult("networks", 1.0, rows, 2)])
    assert path.name.startswith("gpu-nvidia-h200-")
    found = json.loads(path.read_text())["parts"]["networks"]
    assert found["not_reached"] == 2 and len(found["rows"]) == 2
    assert path.with_suffix(".png").stat().st_size > 0
