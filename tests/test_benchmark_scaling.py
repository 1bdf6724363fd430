"""The model of scaling: its timeline by hand, its parameters from exact times, what travels."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def load():
    """Import modules of the benchmark, whose folder is no package of minicnn."""
    before = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    yield lambda name: importlib.import_module(f"scaling.{name}")
    sys.path.remove(str(BENCHMARKS))
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("scaling", "peers"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def timeline(load):
    return load("timeline")


@pytest.fixture(scope="module")
def algorithm(load):
    return load("algorithm")


@pytest.fixture(scope="module")
def link(load):
    """Latency 10, a gap of 1 per message, 2 per byte, nothing for the processor, S of 100."""
    return load("loggops").LogGOPS(L=10.0, o=0.0, g=1.0, G=2.0, O=0.0, S=100.0)


def test_a_message_takes_gap_bytes_and_latency(timeline, link):
    program = [timeline.Exchange("a", 5), timeline.Wait("a")]
    assert timeline.predict(program, 2, link) == (1 + 5 * 2 + 10, 21)


def test_messages_to_all_others_share_the_link(timeline, link):
    program = [timeline.Exchange("a", 5), timeline.Wait("a")]
    assert timeline.predict(program, 4, link).seconds == 3 * (1 + 5 * 2) + 10


def test_a_computation_hides_messages(timeline, link):
    program = [timeline.Exchange("a", 5), timeline.Compute(30), timeline.Wait("a")]
    assert timeline.predict(program, 2, link) == (30, 0)


def test_a_long_message_waits_for_an_answer(timeline, link):
    program = [timeline.Exchange("a", 101), timeline.Wait("a")]
    assert timeline.predict(program, 2, link).seconds == 10 + 10 + (1 + 202) + 10


def test_no_answer_is_seen_outside_of_calls_of_mpi(timeline, link):
    program = [timeline.Exchange("a", 101), timeline.Compute(1000), timeline.Wait("a")]
    late = timeline.predict(program, 2, link).seconds
    program.insert(2, timeline.Poll())
    assert timeline.predict(program, 2, link).seconds == late
    polling = [timeline.Compute(100), timeline.Poll()]
    program = [program[0], *polling * 10, timeline.Wait("a")]
    assert timeline.predict(program, 2, link).seconds < late


def test_what_follows_an_exchange_is_done_when_it_has_arrived(timeline, link):
    then = (timeline.Compute(7), timeline.Exchange("b", 5))
    program = [timeline.Exchange("a", 5, then), timeline.Wait("a"), timeline.Wait("b")]
    assert timeline.predict(program, 2, link).seconds == 21 + 7 + 21


def test_the_work_for_messages_is_done_while_waiting_or_delays_computations(timeline, link):
    slow = link._replace(O=0.1)  # an exchange of 5 bytes takes 2 * 5 * 0.1 = 1
    waiting = [timeline.Exchange("a", 5), timeline.Wait("a")]
    assert timeline.predict(waiting, 2, slow).seconds == 21
    computing = [timeline.Exchange("a", 5), timeline.Compute(30), timeline.Wait("a")]
    assert timeline.predict(computing, 2, slow).seconds == 31


def test_ranks_that_share_a_processor_compute_in_turn(timeline, link):
    assert timeline.predict([timeline.Compute(3)], 4, link, sharing=2).seconds == 6


def test_one_rank_sends_nothing(timeline, link):
    program = [timeline.Exchange("a", 5, (timeline.Compute(7),)), timeline.Wait("a")]
    assert timeline.predict(program, 1, link) == (7, 0)


def test_the_parameters_are_found_from_exact_times(load):
    loggops = load("loggops")
    sizes = [1, 1024, 16384, 65536, 1 << 17, 1 << 20, 1 << 22]
    latency, per_byte, others = 50e-6, 1e-9, 3
    exchange = [[n, others * (2e-6 + n * per_byte) + latency] for n in sizes]
    measured = {
        "ranks": 4,
        "exchange": exchange,
        "stream": 2e-6,
        "send": 1e-6,
        "work": [[n, 2 * (1e-6 + n * 3e-10)] for n in sizes],
    }
    found = loggops.fit(measured, "loopback")
    assert found[:5] == pytest.approx((latency, 1e-6, 2e-6, per_byte, 3e-10), rel=1e-6)
    assert found.S < 65536


@pytest.fixture
def network(algorithm):
    """Two kernels, a gradient of 4,096 bytes, and a large dense layer of 64 x 32."""
    return algorithm.Network(
        samples=2,
        kernels=[1.0, 1.0],
        gradients=[algorithm.Gradient(2, 4096)],
        dense=[algorithm.Dense(1, 64, 32, update=8.0)],
        update=0.5,
        shard=0.25,
        step=0.125,
        join=0.0,
        results=40,
    )


def exchanges(timeline, operations):
    """The exchanges of a program and of what follows them: names and bytes."""
    found = {}
    for one in operations:
        if isinstance(one, timeline.Exchange):
            found |= {one.name: one.size} | exchanges(timeline, one.then)
    return found


def test_what_travels(algorithm, timeline, network):
    program = algorithm.program(network, ranks=2, shards=4, add=0.0)
    assert exchanges(timeline, program) == {
        "dy 0": 2 * 2 * 32 * 4,  # 2 shards of 2 samples of a rank, as floats
        "x 0.0": 2 * 2 * 16 * 4,  # one of four parts of the rows
        "x 0.1": 2 * 2 * 16 * 4,
        "bucket 0": 2048,
        "sum 0": 2048,
        "results": 80,
        "rows 0": 32 * 32 * 4,
    }


def test_one_rank_takes_the_sum_of_all_parts(algorithm, timeline, network, link):
    program = algorithm.program(network, ranks=1, shards=4, add=0.0)
    whole = 4 * (1 + 1 + 0.25) + 0.125 + 0.5 + 8
    assert timeline.predict(program, 1, link).seconds == pytest.approx(whole)


def test_without_overlap_a_step_never_takes_less(algorithm, timeline, network, link):
    seconds = [
        timeline.predict(
            algorithm.program(network, 2, 2, 0.0, overlap=overlap), 2, link._replace(G=1e-4)
        ).seconds
        for overlap in (True, False)
    ]
    assert seconds[0] < seconds[1]


def test_parts_of_the_rows_are_multiples_of_sixteen(algorithm, timeline, network):
    program = algorithm.program(network, ranks=8, shards=8, add=0.0)
    assert exchanges(timeline, program)["rows 0"] == 16 * 32 * 4


def test_the_limits_are_those_of_minicnn(load, algorithm):
    from minicnn.distributed import data_parallel, gradient_sum
    from minicnn.models.planner import data_parallel as planner

    measuring = load("measuring")
    assert algorithm.BUCKET == 4 * gradient_sum.BUCKET
    assert algorithm.ROW_MULTIPLE == data_parallel.ROW_MULTIPLE
    assert measuring.LARGE_DENSE == planner.LARGE_DENSE


def test_without_root_there_are_no_namespaces(load, monkeypatch):
    namespaces = load("namespaces")
    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 1000)
    assert "need root" in namespaces.why_not()


def test_without_iproute2_it_says_what_to_install(load, monkeypatch):
    namespaces = load("namespaces")
    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 0)
    monkeypatch.setattr(namespaces.shutil, "which", lambda program: None)
    assert "apt install iproute2" in namespaces.why_not()


def test_the_agent_starts_a_rank_in_the_namespace_of_its_address(load, monkeypatch):
    agent, started = load("agent"), []
    monkeypatch.setattr(agent.os, "execvp", lambda _, command: started.extend(command))
    agent.main(["10.77.0.3", "A=1", "prted", "--leader"])
    # This is what mpirun gives in place of `ssh HOST COMMAND`.
    assert started[:4] == ["ip", "netns", "exec", "minicnn-2"]
    assert started[-1] == "hostname minicnn-2; A=1 prted --leader"
