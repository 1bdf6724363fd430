"""Compare random networks with ONNX Runtime, and with themselves after a file.

python tools/check_onnx_writer.py 300          # networks number 0 to 299
python tools/check_onnx_writer.py 300 --first 1000
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np
import onnx
import onnxruntime
from onnx_networks import (
    OBJECTS,
    condition,
    differences,
    predicted,
    random_inputs,
    random_network,
)

from minicnn.interop.onnx.reader import network_of
from minicnn.interop.onnx.writer import to_bytes
from minicnn.interop.onnx.writer_rebuild import own_network

NEAR, CONDITION = 1e-5, 16


def main() -> None:
    """Print what was right, and the numbers of the networks for which something was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    found: Counter[str] = Counter()
    operators: Counter[str] = Counter()
    worst = 0.0
    for seed in range(options.first, options.first + options.count):
        worst = max(worst, compare(seed, found, operators))
    for what, count in found.items():
        print(f"{count:6,} of {options.count:,} {what}")
    print(f"largest difference of a well-conditioned network: {worst:.1e} of its largest output")
    print(f"{sum(operators.values()):,} nodes of {len(operators)} operators")


def compare(seed: int, found: Counter[str], operators: Counter[str]) -> float:
    """Count what is right for one network; return ONNX Runtime's difference."""
    rng = np.random.default_rng(seed)
    model = random_network(rng)
    content = to_bytes(model, "a.onnx")
    document = onnx.load_from_string(content)
    operators.update(node.op_type for node in document.graph.node)
    onnx.checker.check_model(document, full_check=True)
    found["pass ONNX's checker"] += 1
    xs = random_inputs(model, rng, 1 + seed % 3)
    ours = predicted(model, xs)

    def is_near(theirs: list[np.ndarray], what: str) -> float:
        difference = differences(theirs, ours)
        if difference <= NEAR or difference <= CONDITION * condition(model, xs, rng):
            found[what] += 1
        else:
            print(f"network {seed}: not {what}: {difference:.1e}")
        return difference if difference <= NEAR else 0.0

    worst = is_near(_run(content, xs), "agree with ONNX Runtime")
    again = own_network(document, "a.onnx", OBJECTS)
    if again is not None and to_bytes(again, "a.onnx") == content:
        found["give the same bytes after write, read, write"] += 1
    else:
        print(f"network {seed}: other bytes after write, read, write")
    if not any("time_distributed" in node.name for node in document.graph.node):
        is_near(predicted(network_of(document, "a.onnx"), xs), "agree if their graph alone is read")
    return worst


def _run(content: bytes, xs: list[np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, xs, strict=True)))


if __name__ == "__main__":
    main()
