"""The benchmarks' networks equal those of the zoo, and missing packages are left out."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import minicnn as mc

PATH = Path(__file__).parents[1] / "benchmarks" / "peers" / "networks.py"
_spec = importlib.util.spec_from_file_location("benchmark_networks", PATH)
networks = importlib.util.module_from_spec(_spec)
sys.modules["benchmark_networks"] = networks
_spec.loader.exec_module(networks)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_weights_are_those_of_the_zoo(name):
    model = getattr(mc.zoo, name)()
    listed = [(w.shape, w.learned) for w in networks.weights_of(networks.NETWORKS[name])]
    assert listed == [(p.shape, p.trainable) for p in model.parameters]


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_dropouts_are_those_of_the_zoo(name):
    rates = [layer.rate for layer in networks.NETWORKS[name].layers if hasattr(layer, "rate")]
    layers = getattr(mc.zoo, name)().layers
    assert rates == [layer.rate for layer in layers if isinstance(layer, mc.layers.Dropout)]
    plain = networks.without_dropout(networks.NETWORKS[name])
    assert not any(hasattr(layer, "rate") for layer in plain.layers)


@pytest.mark.slow
def test_the_roofline_is_measured_and_drawn(tmp_path):
    script = PATH.parents[1] / "roofline.py"
    command = [sys.executable, script, "--network", "lenet", "--rounds", "1", "--out", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "roofline-lenet.png").stat().st_size > 0


HIDE = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in {hidden} else find(name, path, target)
PathFinder.find_spec = find_spec
"""


@pytest.mark.slow
def test_without_peers_and_figures_the_engines_that_are_here_are_compared(tmp_path):
    peers = ["matplotlib", "tensorflow", "keras", "torch", "jax", "onnxruntime", "openvino"]
    (tmp_path / "sitecustomize.py").write_text(HIDE.format(hidden=peers))
    script = PATH.parents[1] / "compare.py"
    done = subprocess.run(
        [sys.executable, script, "--measure", "training", "--blocks", "1", "--seconds", "0.01"],
        capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "torch is absent; to compare with it:" in said
    assert '-m pip install "' in said and '[bench]"' in said
    assert "no compare-lenet.png: plotting needs matplotlib. Install it with:" in done.stdout
    (written,) = (tmp_path / "runs" / "benchmarks").iterdir()
    timed = {row["engine"] for row in json.loads(written.read_text())["results"]}
    assert "native" in timed
