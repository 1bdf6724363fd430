"""The conformance tests of the package onnx: which of them minicnn's reader passes.

    python benchmarks/onnx_node_tests.py                # tiers T0 and T1, and both PyTorch suites
    python benchmarks/onnx_node_tests.py --all          # every node test, by operator
    python benchmarks/onnx_node_tests.py --operator Conv
    python benchmarks/onnx_node_tests.py --networks     # built as networks, not computed on arrays

`cases` and `outcome` are used by tests/test_onnx_node_tests.py, too.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import FormatError, MiniCNNError, UnsupportedError
from minicnn.interop.onnx.evaluate import run
from minicnn.interop.onnx.inputs import comes_last
from minicnn.interop.onnx.operators import OPERATORS
from minicnn.interop.onnx.parsing import nodes_of
from minicnn.interop.onnx.reader import network_of

# Operators of a CNN (tier T0), and around one (T1).
T0 = {
    "Add", "AveragePool", "BatchNormalization", "Concat", "Conv", "ConvTranspose", "Dropout",
    "Flatten", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "LRN", "MaxPool", "Relu", "Softmax",
}  # fmt: skip
T1 = {
    "Abs", "ArgMax", "Clip", "Constant", "ConstantOfShape", "DepthToSpace", "Div", "Elu", "Exp",
    "Expand", "Gather", "Gelu", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity",
    "InstanceNormalization", "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax",
    "LpNormalization", "LpPool", "MatMul", "Max", "MaxUnpool", "Mean", "Min", "Mish", "Mul", "Neg",
    "PRelu", "Pad", "Pow", "ReduceMax", "ReduceMean", "ReduceSum", "Reshape", "Resize", "Selu",
    "Shape", "Sigmoid", "Slice", "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze",
    "Sub", "Sum", "Swish", "Tanh", "Transpose", "Unsqueeze", "Upsample",
}  # fmt: skip


class Case(NamedTuple):
    """One test: a model, and inputs with the outputs that are expected."""

    name: str
    operator: str
    model: Any
    data: list[tuple[list[Any], list[Any]]]
    rtol: float
    atol: float


def cases(kind: str = "node") -> Iterator[Case]:
    """Yield the tests of one kind: "node", "pytorch-converted", "pytorch-operator" or "simple"."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = load_model_tests(kind=kind)
    for case in found:
        model, data = case.model, case.data_sets
        if model is None:
            model, data = _read(Path(case.model_dir))
        operator = model.graph.node[0].op_type if len(model.graph.node) == 1 else ""
        yield Case(case.name, operator, model, data, case.rtol, case.atol)


def plain(kind: str = "node") -> Iterator[Case]:
    """Yield the tests of one operator each, not those of the formulas that make it up."""
    for case in cases(kind):
        if case.operator and "_expanded" not in case.name:
            yield case


def _read(folder: Path) -> tuple[Any, list[Any]]:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(folder / "model.onnx")
    sets = []
    for one in sorted(folder.glob("test_data_set_*")):
        pair: list[list[Any]] = []
        for what in ("input", "output"):
            arrays = []
            for i in range(len(list(one.glob(f"{what}_*.pb")))):
                tensor = onnx.TensorProto()
                tensor.ParseFromString((one / f"{what}_{i}.pb").read_bytes())
                arrays.append(numpy_helper.to_array(tensor))
            pair.append(arrays)
        sets.append((pair[0], pair[1]))
    return model, sets


def outcome(case: Case) -> str:
    """Return "passed", "wrong: ..." or the reason for which the test cannot be run."""
    for inputs, expected in case.data:
        try:
            found = run(case.model, [_plain(one) for one in inputs], case.name)
        except UnsupportedError as error:
            return f"not ours: {error.reason}"
        except (FormatError, MiniCNNError) as error:
            return f"refused: {error}"
        for mine, theirs in zip(found, expected, strict=True):
            difference = _difference(mine, _plain(theirs), case)
            if difference:
                return f"wrong: {difference}"
    return "passed"


def network_outcome(case: Case) -> str:
    """Return the outcome of the same test with a network, whose first input is its only one.

    The other inputs become constants, as weights are in files. The network takes channels last.
    """
    for inputs, expected in case.data:
        model, rest = _with_constants(case.model, inputs[1:])
        if not _in_float32(expected):
            return "not ours: values beyond float32"
        if rest:
            return "not ours: inputs that are no arrays"
        try:
            network = network_of(model, case.name)
        except UnsupportedError as error:
            return f"not ours: {error.reason}"
        except (FormatError, MiniCNNError) as error:
            return f"refused: {error}"
        try:
            found = network(_as_the_network_takes_it(model, np.asarray(inputs[0])))
        except ValueError as error:
            return f"cannot be called: {error}"
        pairs = zip(found if isinstance(found, list) else [found], expected, strict=False)
        for mine, theirs in pairs:
            mine = np.asarray(mine).astype(theirs.dtype)
            turned = [mine, *([np.moveaxis(mine, -1, 1)] if mine.ndim > 2 else [])]
            differences = [_difference(one, theirs, case) for one in turned]
            if all(differences):
                return f"wrong: {differences[0]}"
    return "passed"


def _in_float32(arrays: list[Any]) -> bool:
    """Return whether float32 holds the values, of which some files have uninitialized memory."""
    doubles = [one for one in arrays if np.asarray(one).dtype == np.float64]
    sizes = [np.abs(one[np.isfinite(one)]) for one in doubles]
    return all(one.max(initial=0) < 1e38 for one in sizes)


def _with_constants(model: Any, arrays: list[Any]) -> tuple[Any, list[Any]]:
    """Return the model with these inputs, after the first one, made initializers."""
    from onnx import ModelProto, numpy_helper

    copy, left = ModelProto(), []
    copy.CopyFrom(model)
    known = {one.name for one in copy.graph.initializer}
    names = [one.name for one in copy.graph.input if one.name not in known]
    for name, array in zip(names[1:], arrays, strict=True):
        if isinstance(array, np.ndarray):
            copy.graph.initializer.append(numpy_helper.from_array(array, name))
        else:
            left.append(array)
    return copy, left


def _as_the_network_takes_it(model: Any, x: np.ndarray) -> np.ndarray:
    nodes = nodes_of(model, "model", OPERATORS)
    known = {one.name for one in model.graph.initializer}
    name = next(one.name for one in model.graph.input if one.name not in known)
    x = np.moveaxis(x, 1, -1) if comes_last(name, x.ndim, nodes) else x
    return np.ascontiguousarray(x if x.dtype == np.uint8 else x.astype(np.float32))


def _plain(given: Any) -> Any:
    """Return an array where the tests of Cast have a TensorProto."""
    if not hasattr(given, "data_type"):
        return given
    from onnx import numpy_helper

    return numpy_helper.to_array(given)


def _difference(mine: Any, theirs: Any, case: Case) -> str:
    if isinstance(theirs, list) or theirs is None:
        if theirs is None or len(mine) != len(theirs):
            return "" if mine is theirs else "another list"
        both = zip(mine, theirs, strict=True)
        return next(filter(None, (_difference(a, b, case) for a, b in both)), "")
    mine, theirs = np.asarray(mine), np.asarray(theirs)
    if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
        return f"{mine.dtype} {mine.shape}, not {theirs.dtype} {theirs.shape}"
    if theirs.dtype.kind not in "biufc":
        return "" if np.array_equal(mine, theirs) else "other values"
    with np.errstate(all="ignore"):
        if np.allclose(mine, theirs, case.rtol, case.atol, equal_nan=True):
            return ""
        return f"off by {np.nanmax(np.abs(mine.astype(float) - theirs.astype(float))):.3g}"


def report(title: str, found: dict[str, str]) -> Counter[str]:
    """Print what was passed, and each other test with its reason; return the counts."""
    counts = Counter(text.split(":")[0] for text in found.values())
    print(f"{title}: {counts['passed']} of {len(found)} passed, {counts['wrong']} wrong")
    for name, text in found.items():
        if text != "passed":
            print(f"    {name}: {text}")
    return counts


def main() -> int:
    """Print the tables; return 1 if a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every node test, by operator")
    parser.add_argument("--networks", action="store_true", help="with networks, as files give them")
    parser.add_argument("--operator", help="the node tests of one operator")
    arguments = parser.parse_args()
    nodes, wrong = list(plain()), 0
    check = network_outcome if arguments.networks else outcome
    if arguments.operator:
        found = {c.name: check(c) for c in nodes if c.operator == arguments.operator}
        return int(report(arguments.operator, found)["wrong"] > 0)
    if arguments.all:
        return _print_all(nodes)
    for title, operators in (("T0", T0), ("T1", T1)):
        found = {c.name: check(c) for c in nodes if c.operator in operators}
        wrong += report(title, found)["wrong"]
    for kind in ("pytorch-converted", "pytorch-operator"):
        wrong += report(kind, {c.name: check(c) for c in cases(kind)})["wrong"]
    return int(wrong > 0)


def _print_all(nodes: list[Case]) -> int:
    table: dict[str, Counter[str]] = {}
    for case in nodes:
        table.setdefault(case.operator, Counter())[outcome(case).split(":")[0]] += 1
    for operator, counts in sorted(table.items()):
        print(f"{operator:32} " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    total = sum(table.values(), Counter())
    print(f"all {total.total()}: {dict(total)}")
    return int(total["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
