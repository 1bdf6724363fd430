"""PyDataset: batches that a class of one's own makes by number."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import ArgumentError

X = np.arange(24, dtype=np.float32).reshape(24, 1)


class Numbered(mc.utils.PyDataset):
    """Four batches of six samples, and what was called, in order."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls: list[object] = []

    def __len__(self):
        return 4

    def __getitem__(self, i):
        self.calls.append(i)
        return X[6 * i : 6 * i + 6], X[6 * i : 6 * i + 6]

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def model():
    network = mc.Sequential([mc.Input((1,)), mc.layers.Dense(1)])
    network.compile(mc.optimizers.SGD(1e-4), "mse")
    return network


def test_fit_shuffles_the_batches_and_says_when_an_epoch_ends():
    data = Numbered()
    model().fit(data, epochs=2, verbose=0)
    first, second = data.calls[:6], data.calls[6:]
    for epoch in (first, second):
        assert (epoch[0], epoch[-1]) == ("begin", "end") and sorted(epoch[1:-1]) == [0, 1, 2, 3]
    assert first != second
    data = Numbered()
    model().fit(data, shuffle=False, verbose=0)
    assert data.calls == ["begin", 0, 1, 2, 3, "end"]


def test_evaluate_and_predict_keep_the_order():
    data = Numbered(workers=3, use_multiprocessing=True, max_queue_size=2)
    network = model()
    np.testing.assert_array_equal(network.predict(data, verbose=0), network.predict(X, verbose=0))
    assert network.evaluate(data, verbose=0) == pytest.approx(network.evaluate(X, X, verbose=0))
    assert [x[0, 0] for x, _ in data] == [0, 6, 12, 18] and data.num_batches == 4


def test_workers_make_batches_at_once():
    together = threading.Barrier(2)

    class Meeting(Numbered):
        def __getitem__(self, i):
            together.wait()
            return super().__getitem__(i)

    assert len(list(Meeting(workers=2).for_epoch(0))) == 4


def test_no_more_batches_are_made_than_may_wait():
    data = Numbered(max_queue_size=1)
    batches = data.for_epoch(0)
    next(batches)
    batches.close()
    assert {*data.calls} <= {"begin", 0, 1}


def test_a_list_is_a_batch_too_and_init_may_be_forgotten():
    class Endless(mc.utils.Sequence):
        def __init__(self):  # calls no super().__init__()
            self.seen = 0

        def __getitem__(self, i):
            self.seen += 1
            return [X[:2], X[:2]]

    data = Endless()
    assert data.num_batches is None
    history = model().fit(data, steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2 and data.seen >= 6


def test_what_a_subclass_needs():
    with pytest.raises(NotImplementedError, match="needs a method __getitem__"):
        mc.utils.PyDataset()[0]
    with pytest.raises(ArgumentError, match="workers"):
        mc.utils.PyDataset(workers=-1)
