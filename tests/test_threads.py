"""The thread pool: order, errors, too few threads, forks, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from PIL import Image

from minicnn.data.parallel import map_in_threads
from minicnn.datasets import mnist
from minicnn.preprocessing.image import ImageDataGenerator
from minicnn.support.threads import ThreadPool


@pytest.fixture
def scarce(monkeypatch):
    """Let the system start only a limited number of threads."""

    def allow(count: int) -> None:
        start, left = threading.Thread.start, [count]

        def start_or_fail(thread):
            if not left[0]:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_or_fail)

    return allow


@pytest.mark.parametrize("there", [0, 1, 2, 5])
def test_fewer_threads_do_the_same_work(scarce, there):
    scarce(there)
    with ThreadPool(5) as pool:
        assert len(pool) == there
        assert list(pool.map(lambda i: i * i, range(100))) == [i * i for i in range(100)]
    assert map_in_threads(str, range(7), threads=5) == list("0123456")


def test_batches_are_made_without_threads(scarce, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("RGB", (4, 4), (10 * i, 0, 0)).save(tmp_path / name / f"{i}.png")
    scarce(0)
    flow = ImageDataGenerator().flow_from_directory(
        tmp_path, target_size=(4, 4), batch_size=4, shuffle=False
    )
    x, y = next(flow)
    assert x[:, 0, 0, 0].tolist() == [0, 10, 20, 0] and y[:, 1].tolist() == [0, 0, 0, 1]


def test_digits_are_read_without_threads(scarce):
    scarce(0)
    (x, _), (_, y) = mnist.load_data()
    assert (len(x), len(y)) == (60000, 10000)


LITTLE_MEMORY = """
import resource
import numpy as np
import minicnn as mc
from minicnn import backends
from minicnn.data.parallel import map_in_threads
from minicnn.support.threads import ThreadPool

backends.set_num_threads(2)
model = mc.zoo.lenet()
model.compile("sgd", "sparse_categorical_crossentropy")
x, y = np.ones((8, 28, 28, 1), np.float32), np.zeros(8, int)
mc.operations.relu(x)  # before any team of threads
with backends.use_backend("numpy"):
    model.predict_on_batch(x)
backends.set_num_threads(1)
model.train_on_batch(x[:1], y[:1])  # its arrays have their memory before the threads take it
backends.set_num_threads(2)
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + (60 << 20)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
with ThreadPool(500) as pool:
    mapped = map_in_threads(int, range(9), threads=500)
    print(len(pool), sum(pool.map(int, range(100))), len(mapped))
with ThreadPool(500) as pool:  # the C++ engine's threads find no room either
    model.train_on_batch(x[:1], y[:1])
print(model.predict_on_batch(x[:1]).shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is on memory as Linux counts it")
def test_a_limit_on_memory_means_fewer_threads():
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    there, total, results = map(int, done.stdout.splitlines()[0].split())
    assert there < 500 and (total, results) == (4950, 9)
    assert done.stdout.splitlines()[1] == "(1, 10)"


def test_an_error_comes_out_where_the_result_would():
    def invert(i):
        return 1 // i

    with ThreadPool(2) as pool:
        jobs = [pool.submit(invert, i) for i in (1, 0, -1)]
        assert (jobs[0].result(), jobs[2].result()) == (1, -1)
        with pytest.raises(ZeroDivisionError):
            jobs[1].result()


def test_jobs_that_were_not_begun_are_left_out_after_an_error():
    gate, begun = threading.Event(), []
    before = set(threading.enumerate())  # some may belong to iterators that were not collected yet

    def wait(i):
        begun.append(i)
        gate.wait()

    def leave_by_an_error():
        with ThreadPool(1) as pool:
            for i in range(50):
                pool.submit(wait, i)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave_by_an_error()
    gate.set()  # the block was left before this, without waiting for the job that was running
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert len(begun) <= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_does_what_its_parents_threads_were_asked_for():
    gate = threading.Event()

    def wait(i):
        if os.getpid() == parent:
            gate.wait()
        return i

    parent = os.getpid()
    with ThreadPool(2) as pool:
        jobs = [pool.submit(wait, i) for i in range(4)]
        child = os.fork()
        if not child:
            signal.alarm(20)  # ends a child that hangs
            right = [job.result() for job in jobs] == [0, 1, 2, 3]
            right = right and pool.submit(wait, 9).result() == 9 and len(pool) == 0
            os._exit(0 if right else 1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        gate.set()
        assert [job.result() for job in jobs] == [0, 1, 2, 3]
    assert code == 0
