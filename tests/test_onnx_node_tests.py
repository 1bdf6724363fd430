"""The conformance tests of the package onnx, all of those for the parts of a CNN."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

import pytest

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
