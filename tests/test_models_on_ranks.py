"""What users do with a model that several processes train: copy, save, evaluate, add gradients."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ranks import train_on_ranks

import minicnn as mc
from minicnn.errors import DistributedError
from minicnn.layers import BatchNormalization, Dense, Input
from minicnn.models import data_parallel
from minicnn.support.main_process import set_main

rng = np.random.default_rng(4)
X = rng.standard_normal((40, 300)).astype(np.float32)
Y = rng.integers(0, 4, 40)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Ranks that are threads would take each other's."""
    with mc.config.threads(1):
        yield


def network(**options: Any) -> mc.Model:
    """A network with a large dense layer, of whose optimizer state each rank has some rows."""
    mc.utils.set_random_seed(3)
    model = mc.Sequential(
        [Input((300,)), Dense(400, activation="relu"), Dense(4, activation="softmax")]
    )
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy"} | options)
    return model


def bits(model: mc.Model) -> bytes:
    """All weights and all arrays of the optimizer."""
    slots = [array for _, array in sorted(model.slots.items())]
    return b"".join(array.tobytes() for array in (*model.get_weights(), *slots))


COPIES: dict[str, Callable[[mc.Model], mc.Model]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_a_model_has_the_whole_state_of_the_optimizer(name: str) -> None:
    def trained(ranks: int) -> list[float]:
        models = [network() for _ in range(ranks)]

        def train(rank: int) -> float:
            models[rank].fit(X, Y, epochs=2, verbose=0)
            copied = COPIES[name](models[rank])
            copied.fit(X, Y, epochs=2, verbose=0)
            return float(copied.evaluate(X, Y, verbose=0))

        return train_on_ranks(ranks, train)

    assert trained(3) == trained(1) * 3


@pytest.mark.parametrize("ending", ["mcnn", "keras", "h5"])
def test_a_file_of_any_format_has_the_whole_state_of_the_optimizer(
    tmp_path: Path, ending: str
) -> None:
    models = [network() for _ in range(2)]

    def train(rank: int) -> None:
        models[rank].fit(X, Y, epochs=2, verbose=0)
        models[rank].save(tmp_path / f"{rank}.{ending}")

    train_on_ranks(2, train)
    alone = network()
    train_on_ranks(1, lambda _: alone.fit(X, Y, epochs=2, verbose=0))
    assert bits(mc.load_model(tmp_path / f"0.{ending}")) == bits(alone)


def test_evaluate_before_any_training_uses_the_weights_of_rank_0() -> None:
    models = [network() for _ in range(2)]
    expected = models[0].evaluate(X, Y, batch_size=10, verbose=0)
    models[1].set_weights([2 * w for w in models[1].get_weights()])
    results = train_on_ranks(2, lambda rank: models[rank].evaluate(X, Y, batch_size=10, verbose=0))
    assert results == [expected] * 2


CALLS: dict[str, Callable[[mc.Model, int], Any]] = {
    "evaluate other samples": lambda model, rank: model.evaluate(X + rank, Y, verbose=0),
    "evaluate fewer samples": lambda model, rank: model.evaluate(
        X[rank:], Y[rank:], batch_size=5, verbose=0
    ),
    "evaluate other batches of a list": lambda model, rank: model.evaluate(
        [(X + rank, Y)], verbose=0
    ),
    "train on another batch": lambda model, rank: model.train_on_batch(X[rank:], Y[rank:]),
}


@pytest.mark.parametrize("name", CALLS)
def test_other_data_on_one_rank_is_refused(name: str) -> None:
    models = [network() for _ in range(2)]

    def call(rank: int) -> str:
        with pytest.raises(DistributedError) as caught:
            CALLS[name](models[rank], rank)
        return str(caught.value)

    for message in train_on_ranks(2, call):
        assert re.search("differ in (data|batches samples): .* on rank 0 .* on rank 1", message)


def test_the_main_process_alone_refuses_to_overwrite(tmp_path: Path) -> None:
    """On another one the file may exist because the main process has just written it."""
    model, path = network(), tmp_path / "model.mcnn"
    path.write_text("older")
    set_main(False)
    try:
        model.save(path, overwrite=False)
    finally:
        set_main(True)
    assert path.read_text() == "older"
    with pytest.raises(FileExistsError):
        model.save(path, overwrite=False)


def test_programs_of_all_kinds_of_steps_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two sizes and the update, each in three kinds, are nine programs."""
    planned = []
    plan_shard = data_parallel.plan_shard

    def counting(*arguments: Any) -> Any:
        planned.append(arguments)
        return plan_shard(*arguments)

    monkeypatch.setattr(data_parallel, "plan_shard", counting)
    model = network(optimizer=mc.optimizers.SGD(0.01, gradient_accumulation_steps=3))

    def train(_: int) -> int:
        for _ in range(3):
            model.train_on_batch(X[:37], Y[:37])
        before = len(planned)
        for _ in range(6):
            model.train_on_batch(X[:37], Y[:37])
        return len(planned) - before

    assert train_on_ranks(1, train) == [0]
    assert planned


def test_names_of_layers_in_layers_may_differ() -> None:
    def nested() -> mc.Model:
        mc.utils.set_random_seed(3)
        inner = mc.Sequential([Input((300,)), Dense(8), BatchNormalization()])
        model = mc.Sequential([Input((300,)), inner, Dense(4, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    models = [nested() for _ in range(2)]
    train_on_ranks(2, lambda rank: models[rank].fit(X, Y, verbose=0))
    weights = [[w.tobytes() for w in model.get_weights()] for model in models]
    assert weights[0] == weights[1]
