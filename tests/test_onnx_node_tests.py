"""The conformance tests of the package onnx, all of those for the parts of a CNN."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc

pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")

PATH = Path(__file__).parents[1] / "benchmarks" / "onnx_node_tests.py"
_spec = importlib.util.spec_from_file_location("onnx_node_tests", PATH)
suite = importlib.util.module_from_spec(_spec)
sys.modules["onnx_node_tests"] = suite
_spec.loader.exec_module(suite)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
EMPTY = {"test_reduce_max_empty_set", "test_reduce_max_empty_set_bool"}


@pytest.fixture(scope="module")
def nodes():
    return list(suite.plain())


def outcomes(check, cases):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return {case.name: check(case) for case in cases}


def not_passed(found):
    return {name: text for name, text in found.items() if text != "passed"}


@pytest.mark.parametrize(("operators", "count"), [(suite.T0, 126), (suite.T1, 350)])
def test_every_operator_of_a_cnn_passes(nodes, operators, count):
    found = outcomes(suite.outcome, [case for case in nodes if case.operator in operators])
    assert len(found) == count
    assert not_passed(found) == {}


@pytest.mark.parametrize(("kind", "count"), [("pytorch-converted", 82), ("pytorch-operator", 35)])
def test_the_graphs_of_pytorch_pass(kind, count):
    found = outcomes(suite.outcome, suite.cases(kind))
    assert len(found) == count
    assert not_passed(found) == {}


def test_the_formulas_of_these_operators_pass():
    """The same tests with each operator replaced by the simpler ones that define it."""
    cases = list(suite.cases())
    operators = {case.name: case.operator for case in cases}
    wanted = suite.T0 | suite.T1
    expanded = [c for c in cases if operators.get(c.name.split("_expanded")[0]) in wanted]
    expanded = [case for case in expanded if "_expanded" in case.name]
    found = outcomes(suite.outcome, expanded)
    assert len(found) == 112
    assert not_passed(found) == {}


LIGHT = ["densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet"]


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_well_known_networks_predict_the_same(name):
    """Their weights are left out of the package: most are constants, which the file repeats."""
    import onnx
    from onnx import numpy_helper

    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    tensor = onnx.TensorProto.FromString((folder / f"light_{name}_output_0.pb").read_bytes())
    expected = numpy_helper.to_array(tensor)
    model = mc.load_model(folder / f"light_{name}.onnx")
    x = np.arange(3 * 224 * 224, dtype=np.float32).reshape(1, 3, 224, 224) / (3 * 224 * 224)
    found = model.predict(np.moveaxis(x, 1, -1), verbose=0)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-3, atol=1e-7)


def test_operators_beyond_are_refused_or_right(nodes):
    others = [case for case in nodes if case.operator not in suite.T0 | suite.T1]
    found = outcomes(suite.outcome, others)
    assert len(found) > 800
    wrong = {n: t for n, t in found.items() if t.startswith("wrong") and "string" not in n}
    assert set(wrong) <= FLOAT8  # the package ml_dtypes has no infinity of that dtype
    assert sum(text == "passed" for text in found.values()) >= 280


FLOAT8 = {"test_castlike_FLOAT_to_FLOAT8E5M2", "test_castlike_FLOAT16_to_FLOAT8E5M2"}


@pytest.mark.slow
@pytest.mark.parametrize(("operators", "least"), [(suite.T0, 77), (suite.T1, 180)])
def test_networks_with_the_same_operators_give_the_same(nodes, operators, least):
    """The others need what a network cannot have: arithmetic across the batch, open sizes."""
    found = outcomes(suite.network_outcome, [c for c in nodes if c.operator in operators])
    assert {n: t for n, t in found.items() if t.startswith("wrong")} == {}
    assert {n for n, t in found.items() if t.startswith("cannot")} <= EMPTY
    assert sum(text == "passed" for text in found.values()) >= least


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "least"), [("pytorch-converted", 64), ("pytorch-operator", 18)])
def test_networks_from_the_graphs_of_pytorch_give_the_same(kind, least):
    found = outcomes(suite.network_outcome, suite.cases(kind))
    assert {n: t for n, t in found.items() if t.startswith(("wrong", "cannot"))} == {}
    assert sum(text == "passed" for text in found.values()) >= least
