"""The networks that benchmarks compare are the zoo's, written as data; the roofline is drawn."""

import importlib.util
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
