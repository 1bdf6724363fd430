"""The regions and launches that the GPU engine plans for the published networks.

Nothing runs: in the simulator, an allocation takes no memory before it is written.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import minicnn as mc
from minicnn.backends import device
from minicnn.contracts import CONTRACTS

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)
if not device.simulated():
    pytest.skip("looks at the simulator's arrays", allow_module_level=True)

from minicnn.backends.cuda import flat_update
from minicnn.backends.cuda.runtime.launch import THREADS
from minicnn.backends.cuda.runtime.memory import ALIGNMENT
from minicnn.backends.cuda.runtime.multi_step import Runner
from minicnn.program import Program

BATCH = 2
WORD = 4  # bytes per float32
NETWORKS = ("lenet", "cifar", "scene", "xray", "photo")
every_network = pytest.mark.parametrize("name", NETWORKS)
both_kinds = pytest.mark.parametrize("training", [True, False], ids=["train", "predict"])


@cache
def planned(name: str, training: bool = True) -> tuple[Program, Runner]:
    """Return a network's program, and a runner with arrays of its own."""
    mc.utils.clear_session()
    model = getattr(mc.zoo, name)()
    model.compile("adam", "categorical_crossentropy")
    program = model.program(BATCH, training=training)
    stored = {i: b.spec for i, b in enumerate(program.buffers) if b.storage and b.view_of is None}
    return program, Runner(program, {i: np.empty(s.shape, s.dtype) for i, s in stored.items()})


def bytes_of(spec):
    return math.prod(spec.shape) * np.dtype(spec.dtype).itemsize


def interval(array):
    """Return the first address and the address after the last byte."""
    start = array._ary.__array_interface__["data"][0]
    return start, start + array._ary.nbytes


def bounds_of(runner):
    program = runner._program
    steps = range(len(program.steps))
    return [
        *runner.launches(steps[: program.first_change]),
        *runner.launches(steps[program.first_change :]),
    ]


def disjoint(intervals):
    ordered = sorted(i for i in intervals if i[0] < i[1])
    return all(a[1] <= b[0] for a, b in pairwise(ordered))


@every_network
@both_kinds
def test_launches_come_in_the_programs_order(name, training):
    """Only updates are joined, and only those that follow each other in the program."""
    program, runner = planned(name, training)
    bounds = bounds_of(runner)
    alone = [bound.step for bound in bounds if bound.step is not None]
    joined = [step for step in program.steps if step not in alone]
    assert alone == [step for step in program.steps if step in alone]
    assert all(flat_update.is_update(step) for step in joined)
    numbers = [i for i, step in enumerate(program.steps) if step in joined]
    assert not numbers or numbers == list(range(numbers[0], numbers[-1] + 1))
    assert training == bool(joined)
    wanted = sorted(i for step in joined for i in step.writes if i is not None)
    assert sorted(i for b in bounds if b.step is None for i in b.writes) == wanted
    before = [bounds.index(b) for b in bounds if b.step is not None]
    assert max(before) < min([i for i, b in enumerate(bounds) if b.step is None], default=10**9)


@every_network
@both_kinds
def test_no_launch_overwrites_a_live_value(name, training):
    """Replay the steps on the arena: each step reads only words that were written for it."""
    program, runner = planned(name, training)
    owner = np.full(-(-program.arena_bytes // WORD), -1)
    roots = [i if b.view_of is None else b.view_of for i, b in enumerate(program.buffers)]

    def words(index):
        place = runner._regions[index]
        assert place.memory is runner._arena
        first = place.offset // WORD
        return owner[first : first + -(-bytes_of(program.buffers[index].spec) // WORD)]

    for step in program.steps:
        for index in step.reads:
            if index is not None and not program.buffers[index].storage:
                assert (words(index) == roots[index]).all(), step
        for index in step.writes:
            if index is not None and not program.buffers[index].storage:
                words(index)[...] = roots[index]


@every_network
@both_kinds
def test_scratch_is_beside_the_arena(name, training):
    """Scratch arrays of one step, or of updates in a row, do not overlap either."""
    program, runner = planned(name, training)
    arena, start = interval(runner._arena), runner._scratch_start
    assert start >= program.arena_bytes and start % ALIGNMENT == 0
    together = []
    for number, bound in enumerate(runner._steps):
        contract = CONTRACTS[bound.step.kernel]
        known = {n.rstrip("?") for n in (*contract.reads, *contract.writes)}
        wanted = dict(zip(contract.writes, bound.step.writes, strict=True))
        own = [
            interval(bound.arrays[key])
            for key in bound.plan.scratch
            if key not in known or wanted.get(key) is None
        ]
        assert all(arena[0] + start <= a and b <= arena[1] for a, b in own)
        follows = number and flat_update.is_update(runner._steps[number - 1].step)
        if not (follows and flat_update.is_update(bound.step)):
            together = []
        together += own
        assert disjoint(together)


@every_network
@both_kinds
def test_what_outlasts_a_run_is_outside_the_arena(name, training):
    program, runner = planned(name, training)
    stored = [i for i, b in enumerate(program.buffers) if b.storage and b.view_of is None]
    places = [interval(runner._arrays[i]) for i in stored]
    assert disjoint([*places, interval(runner._arena)])
    for index in stored:
        array = runner._arrays[index]
        assert array._ary.nbytes == bytes_of(program.buffers[index].spec)
        assert runner._regions[index].offset % ALIGNMENT == 0


@every_network
def test_samples_come_before_all_other_inputs(name):
    """A step's words are copied as one array, which must not contain the samples."""
    program, runner = planned(name)
    inputs = [i for i, b in enumerate(program.buffers) if b.storage == "input"]
    names = [program.buffers[i].name for i in inputs]
    assert names[1:3] == ["y_true", "dloss"] and {*names[3:]} <= {"rates", "rng_key"}
    offsets = [runner._regions[i].offset for i in inputs]
    assert offsets == sorted(offsets)
    assert len({id(runner._regions[i].memory) for i in inputs}) == 1


@every_network
@both_kinds
def test_every_argument_lies_inside_its_allocation(name, training):
    _, runner = planned(name, training)
    for bound in bounds_of(runner):
        for place in bound.regions.values():
            assert place.offset + bytes_of(place.spec) <= place.memory._ary.nbytes
            assert place.array._ary.nbytes == bytes_of(place.spec)
        for launch in bound.plan.launches:
            assert launch.blocks > 0 and 0 < launch.threads <= 1024
            for argument in launch.arguments:
                array, place = bound.arrays[argument], bound.regions.get(argument)
                if place is not None:
                    assert interval(array) == interval(place.array)


@every_network
def test_joined_updates_stay_inside_their_weights(name):
    """Rows of the table say where a weight and its gradient begin, and how long they are."""
    program, runner = planned(name)
    joint = [b for b in bounds_of(runner) if b.step is None and b.writes]
    assert joint
    length, first = flat_update.LENGTH, flat_update.FIRST_BLOCK
    for bound in joint:
        rows = bound.arrays["rows"]._ary.reshape(-1, flat_update.COLUMNS).astype(int)
        sizes = rows[:, length]
        for column, memory in ((flat_update.W, "weights"), (flat_update.DW, "gradients")):
            starts = rows[:, column]
            ends = starts + sizes
            assert disjoint(list(zip(starts, ends, strict=True)))
            assert ends.max() <= bound.arrays[memory]._ary.size
        blocks = -(-sizes // (flat_update.EACH * THREADS))
        np.testing.assert_array_equal(rows[:, first], np.cumsum(blocks) - blocks)
        owner = np.repeat(range(len(rows)), blocks)
        np.testing.assert_array_equal(bound.arrays["owner"]._ary, owner)
        (launch,) = bound.plan.launches
        assert launch.blocks == blocks.sum()
        written = [math.prod(program.buffers[i].spec.shape) for i in bound.writes]
        arrays = len(written) // len(rows)  # per weight: itself and its slots
        assert sorted(written) == sorted([*sizes] * arrays)
