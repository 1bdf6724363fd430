"""Arrays next to forbidden memory; run as a program, it calls kernels on them.

    python tests/guard_pages.py SEED CONFIGURATIONS

A kernel that reads or writes one byte too far ends the process with SIGSEGV, so test_guard_pages.py
runs it in a child process. The last line printed names the layer that was being computed.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from kernel_cases import COMPILED as CASES
from random_layers import FAMILIES, Layer, draw_layer, run_layer, spec, with_gradient

from minicnn import _core
from minicnn.contracts import CONTRACTS

PAGE = mmap.PAGESIZE
PROT_NONE = 0
CANARY = 0xA5
SHORT = {"rates": (2, np.float32(0.1)), "total": (1, np.float64(3))}
_DECAY = {"weight_decay": 0.01, "decoupled": False, "multiplier": 2.0}
UPDATES: dict[str, dict[str, Any]] = {
    "sgd_update": {"momentum": 0.9, "nesterov": True, **_DECAY},
    "adam_update": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, **_DECAY},
    "rmsprop_update": {"rho": 0.9, "momentum": 0.9, "epsilon": 1e-7, "centered": False, **_DECAY},
    "adagrad_update": {"epsilon": 1e-7, **_DECAY},
    "adadelta_update": {"rho": 0.95, "epsilon": 1e-7, **_DECAY},
    "adamax_update": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, **_DECAY},
    "amsgrad_update": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, **_DECAY},
    "ftrl_update": {"l1": 0.1, "l2": 0.1, "shrinkage": 0.1, "beta": 0.1, **_DECAY},
    "lion_update": {"beta_1": 0.9, "beta_2": 0.99, **_DECAY},
    "nadam_update": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, **_DECAY},
    "add_gradient": {},
    "mean_gradient": {"batches": 3},
    "moving_average": {"momentum": 0.9},
    "clip_by_value": {"limit": 0.5},
    "clip_by_norm": {"limit": 0.5},
    "squared_norm_start": {},
    "squared_norm_add": {},
    "clip_by_global_norm": {"limit": 0.5},
}
_libc = ctypes.CDLL(None, use_errno=True)


class Guarded:
    """An array between two pages that fault; it touches the one after it or the one before it."""

    def __init__(self, shape: tuple[int, ...], dtype: str, *, at_end: bool) -> None:
        count, item = int(np.prod(shape)), np.dtype(dtype).itemsize
        self.inside = max(1, -(-count * item // PAGE)) * PAGE
        self.memory = mmap.mmap(-1, self.inside + 2 * PAGE)
        self.bytes = np.frombuffer(self.memory, np.uint8)
        self.start = PAGE + (self.inside - count * item if at_end else 0)
        self.stop = self.start + count * item
        self.bytes[:] = CANARY
        self.array = np.frombuffer(self.memory, dtype, count, self.start).reshape(shape)
        for page in (0, PAGE + self.inside):
            self._forbid(page)

    def _forbid(self, offset: int) -> None:
        if _libc.mprotect(ctypes.c_void_p(self.bytes.ctypes.data + offset), PAGE, PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect")

    def demand_canaries(self) -> None:
        """Check that the rest of the page, which does not fault, has not been written either."""
        rest = self.bytes[PAGE : self.start], self.bytes[self.stop : PAGE + self.inside]
        if any((part != CANARY).any() for part in rest):
            raise SystemExit("bytes next to an array were written")


def run_guarded(
    kernel: str, reads: list[np.ndarray | None], attributes: Mapping[str, Any], *, at_end: bool
) -> tuple[np.ndarray, ...]:
    """Run a native kernel with every array at a forbidden page; return copies of its writes."""
    contract = CONTRACTS[kernel]
    guarded = [None if a is None else _copy(a, at_end=at_end) for a in reads]
    named = dict(zip((name.rstrip("?") for name in contract.reads), guarded, strict=True))
    specs = contract.specs(*map(spec, reads), **attributes)
    writes = [
        named[name] if name in contract.updates else s and _unwritten(s.shape, s.dtype, at_end)
        for name, s in zip(contract.writes, specs, strict=True)
    ]
    arrays = [[g and g.array for g in part] for part in (guarded, writes)]
    _core.run(kernel, *arrays, dict(attributes))
    for g in filter(None, [*guarded, *writes]):
        g.demand_canaries()
    results = tuple(g and g.array.copy() for g in writes)
    if any(r is not None and r.dtype.kind == "f" and np.isnan(r).any() for r in results):
        raise SystemExit(f"{kernel} left values unwritten, or read values outside its arrays")
    return results


def _copy(array: np.ndarray, *, at_end: bool) -> Guarded:
    guarded = Guarded(array.shape, str(array.dtype), at_end=at_end)
    guarded.array[...] = array
    return guarded


def _unwritten(shape: tuple[int, ...], dtype: str, at_end: bool) -> Guarded:
    """Return an array for a kernel to write, full of NaN, so that unwritten values show."""
    guarded = Guarded(shape, dtype, at_end=at_end)
    guarded.bytes[guarded.start : guarded.stop] = 0xFF  # NaN in every floating type
    return guarded


def every_operation(rng: np.random.Generator) -> list[Layer]:
    """Run a small case of every other operation, in float32."""
    layers = []
    for case in CASES.values():
        arrays = {name: _single(a) for name, a in case.draw(rng).items()}
        layer = Layer(case.operation, arrays, dict(case.attributes))
        layers.append(with_gradient(layer, rng))
    return layers


def update_calls(rng: np.random.Generator) -> list[tuple[str, list[np.ndarray], dict[str, Any]]]:
    """Run the optimizers and clipping, which change arrays in place."""
    calls = []
    for kernel, attributes in UPDATES.items():
        arrays = [rng.random(37, np.float32) for _ in CONTRACTS[kernel].reads]
        for i, name in enumerate(CONTRACTS[kernel].reads):
            if name in SHORT:
                arrays[i] = np.full(*SHORT[name])
            if name == "rates" and kernel == "nadam_update":
                arrays[i] = np.full(4, np.float32(0.1))
        calls.append((kernel, arrays, attributes))
    return calls


def augment_calls(rng: np.random.Generator) -> list[tuple[str, list[np.ndarray], dict[str, Any]]]:
    """Run the image transform with identity, rotations, far shifts and non-finite matrices."""
    calls = []
    modes = ("constant", "nearest", "reflect", "wrap")
    for i, (mode, channels) in enumerate(itertools.product(modes, (1, 3, 4, 5))):
        pixels = rng.integers(0, 256, (12, 17, 35, channels), dtype=np.uint8)
        matrix = rng.normal(size=(12, 6)) * [1, 1, 20, 1, 1, 20]
        matrix[:4] = [[1, 0, 0, 0, 1, 0], [-1, 0, 16, 0, -1, 34], [1, 0, 0.5, 0, 1, 0.5],
                      [np.inf, 0, 1e9, 0, np.nan, 0]]  # fmt: skip
        last_rows = [0, 0, 1] + rng.normal(size=(12, 3)) * [0.05, 0.03, 0]
        last_rows[4:8] = [[0, 0, 0], [0.1, np.nan, 1], [-0.1, -0.1, 2], [0, 0, 1e-30]]
        homographies = np.concatenate([matrix, last_rows], axis=1)
        rule = {"fill_mode": mode, "cval": 1.0, "scale": 0.5}
        rule["interpolation"] = "nearest" if i % 3 == 0 else "bilinear"
        for x in (pixels, pixels.astype(np.float32)):
            calls.append(("augment_forward", [x, matrix.astype(np.float32)], rule))
            calls.append(("augment_forward", [x, homographies.astype(np.float32)], rule))
    return calls


def _single(array: np.ndarray | None) -> np.ndarray | None:
    return array.astype(np.float32) if array is not None and array.dtype == np.float64 else array


def main() -> None:
    """Run random layers of every family and every other operation at both ends of memory."""
    seed, configurations = map(int, sys.argv[1:])
    rng = np.random.default_rng(seed)
    layers = [draw_layer(rng, FAMILIES[i % len(FAMILIES)]) for i in range(configurations)]
    layers += every_operation(rng)
    for at_end in (True, False):
        for layer in layers:
            print(layer, flush=True)
            run_layer(layer, partial(run_guarded, at_end=at_end))
        for kernel, reads, attributes in update_calls(rng) + augment_calls(rng):
            print(kernel, flush=True)
            run_guarded(kernel, reads, attributes, at_end=at_end)
    print(f"{configurations} random layers and {len(CASES) + len(UPDATES)} other cases, twice")


if __name__ == "__main__":
    main()
