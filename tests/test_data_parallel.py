"""Training on several processes: the same bits on any number, and the gradient of the whole batch.

The processes are threads here; `test_distributed_mpi.py` has real ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_training import network
from ranks import Mailboxes, ThreadCommunicator, on_ranks

import minicnn as mc
from minicnn.distributed.data_parallel import DataParallel
from minicnn.distributed.gradient_sum import GradientSum, buckets
from minicnn.distributed.shards import PartialSums, Subtree, share, subtrees, tree_sum
from minicnn.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPooling2D,
)
from minicnn.models.batches import Batch
from minicnn.models.strategy import set_strategy

SHARDS = 8


def small_network() -> mc.Model:
    """The network of the processes' tests."""
    mc.utils.set_random_seed(5)
    return network()


def compiled(make: Callable[[], mc.Model] = small_network, **options: Any) -> mc.Model:
    model = make()
    model.compile(
        **{"optimizer": "adam", "loss": "sparse_categorical_crossentropy"}
        | {"metrics": ["accuracy"]}
        | options
    )
    return model


def data(samples: int = 37) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((samples, 12, 12, 2)).astype(np.float32)
    return x, rng.integers(0, 4, samples)


def bits(model: mc.Model) -> str:
    arrays = [*model.get_weights(), *(model.slots[key] for key in sorted(model.slots))]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def trained(
    communicator: ThreadCommunicator,
    sizes: tuple[int, ...] = (24, 13, 5, 24),
    make: Callable[[], mc.Model] = compiled,
) -> tuple[str, list[Any]]:
    """Take steps on batches of these sizes; return a digest of everything, and the results."""
    model, strategy = MODELS[communicator.rank](make), DataParallel(communicator, SHARDS)
    (x, y), losses = data(), []
    for size in sizes:
        batch = model.prepare_batch(Batch((x[:size],), y[:size]))
        result = strategy.train_step(model, batch)
        losses.append((result.loss, result.predictions.tobytes()))
    strategy.gather(model)
    return bits(model), losses


# Networks are made in turn: their names and seeds are the process's.
MODELS: dict[int, Callable[[Callable[[], mc.Model]], mc.Model]] = {}


def on(size: int, **options: Any) -> list[Any]:
    """Train on so many ranks; the networks are made before, one after the other."""
    make = options.pop("make", compiled)
    models = [make() for _ in range(size)]
    MODELS.update({rank: lambda _make, model=model: model for rank, model in enumerate(models)})
    return on_ranks(size, lambda communicator: trained(communicator, **options))


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """Ranks that are threads would take each other's."""
    before = mc.config.get_threads()
    mc.config.set_threads(1)
    yield
    mc.config.set_threads(before)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("size", [2, 3, 4, 5, 8])
def test_any_number_of_processes_ends_with_the_same_bits(size: int) -> None:
    (alone, losses), *_ = on(1)
    several = on(size)
    assert several[0] == (alone, losses)  # rank 0 has the whole state of the optimizer
    assert {str(one[1]) for one in several} == {str(losses)}, "all ranks know the same losses"


def two_large_layers() -> mc.Model:
    mc.utils.set_random_seed(8)
    layers = [Flatten(), Dense(256, activation="relu"), Dense(300, activation="relu"), Dense(4)]
    model = mc.Sequential([Input((12, 12, 2)), *layers, Activation("softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_a_process_may_have_no_sample_of_a_batch() -> None:
    """Its shards are empty, but it takes part in everything that is sent."""
    (alone, losses), *_ = on(1, make=two_large_layers, sizes=(3, 1, 20))
    assert on(8, make=two_large_layers, sizes=(3, 1, 20))[0] == (alone, losses)


def test_the_weights_of_all_ranks_are_the_same() -> None:
    models = [compiled() for _ in range(3)]
    x, y = data(24)

    def step(communicator: ThreadCommunicator) -> bytes:
        model = models[communicator.rank]
        batch = model.prepare_batch(Batch((x,), y))
        DataParallel(communicator, SHARDS).train_step(model, batch)
        return b"".join(array.tobytes() for array in model.get_weights())

    assert len(set(on_ranks(3, step))) == 1


def plain_network() -> mc.Model:
    """Without randomness and batch statistics, so that shards change nothing but rounding."""
    mc.utils.set_random_seed(6)
    return mc.Sequential(
        [
            Input((12, 12, 2)),
            Conv2D(8, 3, activation="relu", kernel_regularizer=mc.regularizers.L2(0.01)),
            MaxPooling2D(2),
            Flatten(),
            Dense(300, activation="relu"),
            Dense(4, activation="softmax"),
        ]
    )


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "momentum": lambda: mc.optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: mc.optimizers.Adam(0.001),
    "clipped by value": lambda: mc.optimizers.SGD(0.05, clipvalue=0.01),
    "clipped by the norm of all": lambda: mc.optimizers.SGD(0.05, global_clipnorm=0.1),
    "moving averages": lambda: mc.optimizers.SGD(0.05, use_ema=True),
    "two batches for a step": lambda: mc.optimizers.SGD(0.05, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_the_training_of_one_process_up_to_rounding(name: str) -> None:
    def make() -> mc.Model:
        return compiled(plain_network, optimizer=OPTIMIZERS[name]())

    x, y = data()
    expected = make()
    for size in (24, 13, 5, 24):
        expected.train_on_batch(x[:size], y[:size])
    models = [make() for _ in range(3)]

    def train(communicator: ThreadCommunicator) -> list[np.ndarray]:
        model, strategy = models[communicator.rank], DataParallel(communicator, SHARDS)
        for size in (24, 13, 5, 24):
            strategy.train_step(model, model.prepare_batch(Batch((x[:size],), y[:size])))
        return model.get_weights()

    for ours, theirs in zip(on_ranks(3, train)[1], expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6)


def test_running_statistics_are_those_of_the_whole_batch() -> None:
    def make() -> mc.Model:
        model = mc.Sequential([Input((5,)), BatchNormalization(momentum=0.9), Dense(2)])
        model.compile("sgd", "mse")
        return model

    rng = np.random.default_rng(3)
    x, y = rng.normal(3.0, 2.0, (16, 5)).astype(np.float32), np.zeros((16, 2), np.float32)
    model = make()
    DataParallel(ThreadCommunicator(0, Mailboxes(1)), SHARDS).train_step(
        model, model.prepare_batch(Batch((x,), y))
    )
    mean, variance = (w.value for w in model.layers[0].non_trainable_weights)
    np.testing.assert_allclose(mean, 0.1 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * x.var(0), rtol=1e-4)


def test_a_loss_that_is_not_finite_changes_nothing_on_any_rank() -> None:
    models = [compiled() for _ in range(2)]
    x, y = data(16)
    x[3] = np.nan

    before = models[0].get_weights()

    def step(communicator: ThreadCommunicator) -> float:
        model = models[communicator.rank]
        batch = model.prepare_batch(Batch((x,), y))
        return DataParallel(communicator, SHARDS).train_step(model, batch).loss

    assert not np.isfinite(on_ranks(2, step)).any()
    for model in models:
        assert model.optimizer.steps == 0
        for now, then in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(now, then)


def test_fit_evaluates_and_shuffles_alike_on_any_number() -> None:
    x, y = data()

    def fit(strategy: DataParallel) -> tuple[str, dict[str, list[float]]]:
        model = compiled()
        set_strategy(strategy)
        try:
            history = model.fit(
                x, y, batch_size=16, epochs=2, validation_data=(x[:9], y[:9]), verbose=0
            )
        finally:
            set_strategy(None)
        return bits(model), history.history

    alone = fit(DataParallel(ThreadCommunicator(0, Mailboxes(1)), SHARDS))
    again = fit(DataParallel(ThreadCommunicator(0, Mailboxes(1)), SHARDS))
    assert alone == again
    assert set(alone[1]) == {"accuracy", "loss", "val_accuracy", "val_loss"}


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 5))
def test_shares_are_disjoint_and_complete(count: int, parts: int, multiple: int) -> None:
    slices = [share(count, part, parts, multiple) for part in range(parts)]
    assert [i for one in slices for i in range(count)[one]] == list(range(count))
    assert all(one.start % multiple == 0 or one.start == count for one in slices)


@given(st.integers(0, 63), st.integers(1, 64))
def test_subtrees_cover_a_range_once(first: int, length: int) -> None:
    stop = min(first + length, 64)
    found = subtrees(first, stop)
    assert [i for one in found for i in range(one.first, one.first + one.length)] == [
        *range(first, stop)
    ]
    assert all(one.first % one.length == 0 for one in found)


@settings(deadline=None)
@given(st.integers(0, 5).map(lambda n: 2**n), st.integers(1, 8), st.randoms())
def test_a_sum_has_the_same_bits_however_shards_are_dealt(
    shards: int, ranks: int, random: Any
) -> None:
    rng = np.random.default_rng(random.randint(0, 10**6))
    gradients = (rng.standard_normal((shards, 50)) * 10 ** rng.uniform(-3, 3, 50)).astype("f4")
    whole = tree_sum((Subtree(i, 1), gradients[i].copy()) for i in range(shards))
    parts: list[tuple[Subtree, np.ndarray]] = []
    for rank in range(ranks):
        own = share(shards, rank, ranks)
        partial = PartialSums(50)
        for shard in range(own.start, own.stop):
            for piece in (slice(0, 20), slice(20, 50)):
                partial.add(shard, gradients[shard], piece)
            partial.close(shard)
        parts += [(t, a.copy()) for t, a in zip(partial.subtrees, partial.arrays, strict=True)]
    assert tree_sum(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_buckets_are_summed_over_all_ranks(size: int) -> None:
    rng = np.random.default_rng(2)
    ends = [16, 64, 80, 96]
    gradients = rng.standard_normal((SHARDS, 96)).astype(np.float32)
    expected = tree_sum((Subtree(i, 1), gradients[i].copy()) for i in range(SHARDS))

    def summed(communicator: ThreadCommunicator) -> np.ndarray:
        total = np.zeros(96, np.float32)
        summing = GradientSum(communicator, SHARDS, total, ends, bucket=20)
        own = share(SHARDS, communicator.rank, size)
        for _ in range(2):  # the second step must not see the first
            summing.clear()
            for shard in range(own.start, own.stop - 1):
                summing.add(shard, gradients[shard])
            for number in range(len(summing.buckets)):
                summing.add_bucket(own.stop - 1, gradients[own.stop - 1], number)
            summing.finish()
        return total

    for total in on_ranks(size, summed):
        assert total.tobytes() == expected.tobytes()


def test_buckets_have_at_least_their_size() -> None:
    assert buckets([10, 30, 35, 90, 95], 20) == [(0, 30), (30, 90), (90, 95)]
    assert buckets([], 20) == []


def test_after_a_checkpoint_each_rank_keeps_its_rows_of_the_state() -> None:
    """All ranks get rank 0's state; of a large dense layer each then needs its rows alone."""
    x, y = data(24)
    models = [compiled() for _ in range(2)]
    models[0].train_on_batch(x, y)  # as if rank 0 had loaded a checkpoint

    def state(model: mc.Model) -> np.ndarray:
        """The largest array of the optimizer: the first of the large dense layer."""
        return max(model.slots.values(), key=lambda array: array.size)

    def step(communicator: ThreadCommunicator) -> tuple[bytes, np.ndarray]:
        model, strategy = models[communicator.rank], DataParallel(communicator, SHARDS)
        strategy.begin(model)
        strategy.train_step(model, model.prepare_batch(Batch((x,), y)))
        own = state(model).copy()
        strategy.gather(model)
        return b"".join(array.tobytes() for array in model.get_weights()), own

    (weights, first), (others, second) = on_ranks(2, step)
    assert weights == others
    half = len(first) // 2
    assert first[:half].any() and not first[half:].any()
    assert second[half:].any() and not second[:half].any()
    np.testing.assert_array_equal(state(models[0]), first + second)
