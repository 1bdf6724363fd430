"""Thousands of wrong calls of every native kernel: each works or raises; none crashes.

The calls are made in a child process, `python test_native_wrong_calls.py SEED`, which logs each
call on stderr, so that a crash can be located and repeated.
"""

from __future__ import annotations

import copy
import faulthandler
import itertools
import json
import os
import resource
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from test_native_memory import KERNEL_CALLS, arrays_of, core

MEMORY = 2**30  # that a call may ask for
EDGE = 64  # bytes before and after each written array that must stay as they are
UNTOUCHED = 0xA5
RAISED = (TypeError, ValueError, MemoryError, OverflowError, IndexError)

INTEGERS = (
    0, 1, 2, 3, 5, 255, 256, 2**16, 2**31 - 1, 2**31, 2**32 + 1, 2**40, 2**62, 2**63 - 1, 2**64, -1,
    -2, -(2**31), -(2**63),
)  # fmt: skip
VALUES = (
    *INTEGERS, 0.5, 1e300, -1e300, float("nan"), float("inf"), None, True, "relu", "linear", "",
    b"", (), (1,), (0, 0), (-1, 2), (2**31 - 1, 2**31 - 1), (2**62, 2**62), ("a", "b"),
    (None, None),
    {}, object(), np.float32(2), np.int64(3), np.zeros(2), ((1, 2), (3, 4)), [[[]]],
    itertools.count(),
)  # fmt: skip
DTYPES = (
    "f2", "f4", "f8", "i1", "u1", "i2", "i4", "u4", "i8", "?", "c8", "c16", "O", "U3", "S1",
    "M8[s]", ">f4", ">i4", "f4,i4",
)  # fmt: skip
SHAPES = (
    (), (0,), (1,), (2,), (4,), (0, 2**40), (2**40, 0), (0, 2**30, 2**20, 1), (1, 1, 1, 1), (3, 0),
    (2, 0, 3, 4), (1,) * 32,
)  # fmt: skip


class Fresh:
    """A sequence that owns nothing: every access returns another array."""

    def __init__(self, arrays):
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays)

    def __getitem__(self, i):
        array = self.arrays[i]
        return array.copy() if isinstance(array, np.ndarray) else array


def unaligned(array):
    if array.dtype.hasobject:
        return array
    return np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype)


def shifted(array):
    """Return an array of the same size a few bytes further on in the same memory."""
    flat = array.reshape(-1)
    return np.concatenate([flat, flat])[1 : 1 + flat.size].reshape(array.shape)


def noise(rng, array):
    """Return random bits: invalid labels and argmax, NaN, infinities."""
    data = rng.integers(0, 256, array.nbytes, np.uint8)
    return data.view(array.dtype).reshape(array.shape) if not array.dtype.hasobject else array


def another_array(rng, array, others):
    """Return something else in place of `array`, which may be None."""
    if not isinstance(array, np.ndarray) or rng.random() < 0.25:
        shape = SHAPES[rng.integers(len(SHAPES))]
        choices = (None, 7, "x", [1.0], np.zeros(shape, np.float32), np.zeros(shape, np.int32))
        return choices[rng.integers(len(choices))]
    if rng.random() < 0.25:
        return others[rng.integers(len(others))]
    shape = list(array.shape)
    if shape:
        shape[rng.integers(len(shape))] = int(rng.choice((0, 1, 2, 3, 7, 30)))
    changes = (
        lambda: np.zeros(shape, array.dtype),
        lambda: np.zeros(array.shape, DTYPES[rng.integers(len(DTYPES))]),
        lambda: noise(rng, array),
        lambda: array[None],
        lambda: array.reshape(-1),
        lambda: array.T,
        lambda: array[::-1],
        lambda: array[..., :1],
        lambda: np.broadcast_to(array.reshape(-1)[:1], array.shape) if array.size else array,
        lambda: np.asfortranarray(array),
        lambda: unaligned(array),
        lambda: shifted(array),
        lambda: np.frombuffer(array.tobytes(), np.uint8),
        lambda: np.ma.masked_array(array),
    )
    return changes[rng.integers(len(changes))]()


def another_number(rng, value):
    """Return `value`, numbers that may be nested, with one of them changed."""
    if isinstance(value, tuple) and value and rng.random() < 0.9:
        i = rng.integers(len(value))
        changed = [*value[:i], another_number(rng, value[i]), *value[i + 1 :]]
        return type(value)(*changed) if hasattr(value, "_fields") else tuple(changed)
    if isinstance(value, int) and rng.random() < 0.6:
        return value + int(rng.choice((-2, -1, 1, 2, 7)))
    if isinstance(value, int) and rng.random() < 0.7:
        return INTEGERS[rng.integers(len(INTEGERS))]
    return VALUES[rng.integers(len(VALUES))]


def with_another_length(rng, arrays, attributes):
    """Replace one length everywhere: the call is often valid, but unusual."""
    lengths = sorted({n for a in arrays if isinstance(a, np.ndarray) for n in a.shape})
    if not lengths:
        return arrays, attributes
    old, new = rng.choice(lengths), int(rng.choice((0, 1, 2, 9, 33)))

    def changed(value):
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return tuple(changed(v) for v in value)
        return new if isinstance(value, int) and value == old else value

    resized = [
        np.resize(a, [new if n == old else n for n in a.shape]) if isinstance(a, np.ndarray) else a
        for a in arrays
    ]
    return resized, {name: changed(value) for name, value in attributes.items()}


def spoiled(rng, reads, writes, attributes):
    """Return the call with one to three changes."""
    arrays, attributes = [*reads, *writes], dict(attributes)
    for _ in range(rng.integers(1, 4)):
        what = rng.random()
        if what < 0.15:
            arrays, attributes = with_another_length(rng, arrays, attributes)
        elif what < 0.55 and attributes:
            name = list(attributes)[rng.integers(len(attributes))]
            if rng.random() < 0.1:
                del attributes[name]
            else:
                attributes[name] = another_number(rng, attributes[name])
        else:
            i = rng.integers(len(arrays))
            arrays[i] = another_array(rng, arrays[i], arrays)
    reads, writes = arrays[: len(reads)], arrays[len(reads) :]
    ends = (
        lambda: (reads, writes),
        lambda: (reads[:-1], writes),
        lambda: (reads, writes[:-1]),
        lambda: (reads + writes, writes),
        lambda: (Fresh(reads), Fresh(writes)),
        lambda: (np.zeros((len(reads), 4), np.float32), writes),
        lambda: (reads, "xyz"),
    )
    return ends[rng.integers(len(ends)) if rng.random() < 0.1 else 0](), attributes


def framed(array):
    """Return memory and a copy of `array` in its middle; other objects are returned unchanged."""
    if not isinstance(array, np.ndarray) or array.dtype.hasobject or not array.flags.c_contiguous:
        return None, array
    if type(array) is not np.ndarray or not array.flags.aligned or not array.flags.writeable:
        return None, array
    memory = np.full(array.nbytes + 2 * EDGE, UNTOUCHED, np.uint8)
    inside = memory[EDGE : EDGE + array.nbytes].view(array.dtype).reshape(array.shape)
    inside[...] = array
    return memory, inside


def call(kernel, reads, writes, attributes):
    """Return the name of the exception that the call raised, or "worked"."""
    frames = {id(a): framed(a) for a in [*reads, *writes]} if isinstance(writes, list) else {}
    if isinstance(reads, list) and frames:
        reads, writes = ([frames[id(a)][1] for a in arrays] for arrays in (reads, writes))
    try:
        core.run(kernel, reads, writes, attributes)
    except RAISED as error:
        return type(error).__name__
    finally:
        for memory, _ in frames.values():
            assert memory is None or (memory[:EDGE] == UNTOUCHED).all(), "bytes before an array"
            assert memory is None or (memory[-EDGE:] == UNTOUCHED).all(), "bytes after an array"
    return "worked"


def make_calls(seed, calls):
    """Print how often each kernel worked, and what it raised."""
    faulthandler.enable()
    if os.environ.get("ASAN_OPTIONS") is None:  # whose address space needs no limit
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        used = pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    outcomes = {}
    for number, case in enumerate(KERNEL_CALLS):
        kernel, known, attributes = case.values
        reads, writes = arrays_of(kernel, known, attributes)
        assert call(kernel, reads, writes, attributes) == "worked"
        counts = outcomes.setdefault(kernel, Counter())
        for i in range(calls):
            rng = np.random.default_rng((seed, number, i))
            try:
                (bad_reads, bad_writes), bad = spoiled(rng, reads, writes, attributes)
            except RAISED:
                continue  # NumPy cannot make such an array
            sys.stderr.write(f"{case.id} {i}\n")
            counts[call(kernel, bad_reads, bad_writes, bad)] += 1
    print(json.dumps(outcomes))


def child(*arguments):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    if "ASAN_OPTIONS" in env:
        limits = f"allocator_may_return_null=1:max_allocation_size_mb={MEMORY >> 20}"
        env["ASAN_OPTIONS"] += f":{limits}"
    return subprocess.run(
        [sys.executable, "-W", "error", __file__, *arguments],
        env=env,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("calls", [100, pytest.param(250, marks=pytest.mark.slow)])  # per case
def test_no_wrong_call_crashes(calls):
    result = child("calls", "1", str(calls))
    assert result.returncode == 0, result.stderr[-3000:]
    outcomes = json.loads(result.stdout)
    assert outcomes.keys() == set(core.kernels())
    for kernel, counts in outcomes.items():
        assert counts["ValueError"] > calls / 5, kernel
        assert counts.get("worked", 0) > calls / 100, kernel


X = np.ones((64, 500), np.float32)
WRONG_PROGRAMS = {
    "no tuple": [7],
    "too short": [("relu_forward", [X], [X.copy()])],
    "too long": [("relu_forward", [X], [X.copy()], {}, {})],
    "no kernel": [("relu", [X], [X.copy()], {})],
    "a kernel's name of another kind": [(7, [X], [X.copy()], {})],
    "no sequence": [("relu_forward", 7, [X.copy()], {})],
    "no dictionary": [("relu_forward", [X], [X.copy()], [])],
    "a wrong call": [("relu_forward", [X], [X[:3].copy()], {})],
}


@pytest.mark.parametrize("steps", WRONG_PROGRAMS.values(), ids=WRONG_PROGRAMS)
def test_wrong_programs_are_refused(steps):
    with pytest.raises((TypeError, ValueError, KeyError)):
        core.Program(steps)


def test_a_program_runs_only_steps_that_it_has():
    program = core.Program([("relu_forward", [X], [X.copy()], {})] * 3)
    for first, last in ((2, 1), (0, 4), (4, 4), (2**64 - 1, 2**64 - 1)):
        with pytest.raises(IndexError):
            program.run(first, last)
    for first, last in ((-1, 2), (0, 2**64), (0.5, 1), (None, 1)):
        with pytest.raises(TypeError):
            program.run(first, last)


def test_a_program_cannot_be_made_without_its_function():
    kind = type(core.Program([]))
    for make in (kind, lambda: kind.__new__(kind), lambda: object.__new__(kind)):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        copy.copy(core.Program([]))


def test_thread_counts_of_the_wrong_type_are_refused():
    for threads in (None, 1.5, "2", 2**40):
        with pytest.raises(TypeError):
            core.set_num_threads(threads)


def test_a_program_keeps_its_arrays_whatever_becomes_of_the_lists():
    reads, writes = [X.copy()], [np.zeros_like(X)]
    steps = [("tanh_forward", reads, writes, {})]
    y = writes[0]
    program = core.Program(steps)
    for gone in (reads, writes, steps):
        gone.clear()
    others = [np.full_like(X, 7) for _ in range(8)]  # would reuse the arrays' memory
    program.run(0, 1)
    np.testing.assert_allclose(y, np.tanh(X), rtol=1e-6)
    assert all((a == 7).all() for a in others)


def test_a_program_is_not_run_by_two_threads_at_once():
    x = np.ones(200_000, np.float32)
    program = core.Program([("tanh_forward", [x], [x.copy()], {})] * 10)
    refused = []

    def run_until_one_is_refused():
        while not refused:
            try:
                program.run(0, 10)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=run_until_one_is_refused) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("already running" in error for error in refused)
    program.run(0, 10)


def test_only_arrays_of_numbers_and_equal_size_are_copied():
    for dtype in ("f2", "i2", "i1", "?", "i8"):
        memory, x = framed(np.arange(1000).astype(dtype))
        frame, y = framed(np.zeros(1000, dtype))
        core.run("assign", [x], [y], {})
        assert (x == y).all() and (frame[-EDGE:] == UNTOUCHED).all() and memory is not None
    for dtype in ("O", "U3", "c16", "M8[s]"):
        with pytest.raises(TypeError, match="must hold numbers"):
            core.run("assign", [np.zeros(9, dtype)], [np.zeros(9, dtype)], {})


def test_padded_images_that_are_too_large_are_refused():
    n = 2**24  # times 2^40 values: a size that overflows to almost 0
    x, dw = np.zeros((n, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.float32)
    far = 2**31 - 1
    window = ((1, 1), (far, far), (1, 1), (2**20 - 1, 0), (2**20 - 1, 0))
    attributes = {"window": window, "groups": 1, "image": (1, 1)}
    with pytest.raises(ValueError, match="too large"):
        core.run("conv2d_backward_weights", [x, x], [dw, None], attributes)


def exit_with_kernels_running():
    """Daemon threads return from their kernels while Python shuts down."""
    x = np.ones(300_000, np.float32)
    running = threading.Barrier(3)

    def run_for_ever():
        y = np.empty_like(x)
        core.run("tanh_forward", [x], [y], {})
        running.wait()
        while True:
            core.run("tanh_forward", [x], [y], {})

    for _ in range(2):
        threading.Thread(target=run_for_ever, daemon=True).start()
    running.wait()


def test_a_process_can_end_while_kernels_run():
    for _ in range(3):
        result = child("exit")
        assert result.returncode == 0, result.stderr


if __name__ == "__main__":
    if sys.argv[1] == "exit":
        exit_with_kernels_running()
    else:
        make_calls(*map(int, sys.argv[2:]))
