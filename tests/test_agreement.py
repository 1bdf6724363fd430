"""Before the first epoch, processes that train together find out whether they do the same."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ranks import on_ranks

import minicnn as mc
from minicnn.apps.runs.batches import PreparedBatches
from minicnn.apps.runs.image_splits import Split
from minicnn.data.image_list import ImageList
from minicnn.data.preprocess import Preprocess
from minicnn.distributed import data_facts
from minicnn.distributed.agreement import check_agreement
from minicnn.distributed.data_facts import data_digest
from minicnn.distributed.training_facts import training_facts
from minicnn.errors import DistributedError
from minicnn.models.batches import batches_of

X, Y = np.arange(96, dtype=np.float32).reshape(12, 8), np.arange(12) % 3


def changed(array, place, value=99):
    other = array.copy()
    other[place] = value
    return other


def facts_on(ranks, changes):
    """What each rank says: the same but for {rank: {name: value}}."""
    usual = {"version of NumPy": "2.1.0", "seed": "7", "data": "ab12"}
    return [usual | changes.get(rank, {}) for rank in range(ranks)]


def agreed(said):
    on_ranks(len(said), lambda group: check_agreement(group, said[group.rank]))


def test_the_same_facts_are_accepted():
    agreed(facts_on(3, {}))


DIFFERENCES = {
    "one value": (
        {1: {"seed": "8"}},
        "the processes differ in seed: 7 on ranks 0, 2 (threads); 8 on rank 1 (threads). "
        "Start the same program with the same arguments everywhere",
    ),
    "several values": (
        {0: {"version of NumPy": "2.0.0", "seed": "1"}},
        "the processes differ in version of NumPy: 2.0.0 on rank 0 (threads); 2.1.0 on ranks 1, 2 "
        "(threads). They also differ in seed. Install the same version on all machines",
    ),
    "a value that one lacks": (
        {2: {"data of the validation": "cd"}},
        "the processes differ in data of the validation: - on ranks 0, 1 (threads); cd on rank 2 "
        "(threads). Give all machines the same files, or the same arrays",
    ),
}


@pytest.mark.parametrize(("changes", "message"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_difference_is_an_error_that_names_values_ranks_and_hosts(changes, message):
    said, errors = facts_on(3, changes), []

    def check(group):
        with pytest.raises(DistributedError) as caught:
            check_agreement(group, said[group.rank])
        errors.append(str(caught.value))

    on_ranks(3, check)
    assert errors == [message] * 3


def arrays(x=X, y=Y, weights=None):
    return batches_of(x, y, weights, batch_size=4)


def dataset(x=X, y=Y):
    return batches_of(mc.data.Dataset.from_tensor_slices((x, y)).batch(4))


def prepared(x=X, y=Y):
    images = x.reshape(12, 2, 4, 1).astype(np.uint8)
    split = Split(images, y, [])
    return batches_of(PreparedBatches(split, Preprocess((2, 4), "grayscale"), 4))


def generated(x=X, y=Y):
    return batches_of(((x[i : i + 4], y[i : i + 4]) for i in range(0, 12, 4)), steps=3)


@pytest.mark.parametrize("source", [arrays, dataset, prepared, generated])
def test_equal_data_have_equal_digests_and_other_data_another(source):
    digest = data_digest(source())
    assert digest == data_digest(source())
    assert digest != data_digest(source(x=changed(X, (1, 3))))
    assert digest != data_digest(source(y=changed(Y, 2, 0)))


@pytest.mark.parametrize("source", [arrays, dataset, prepared])
def test_of_sources_that_hold_all_data_the_last_batch_counts_too(source):
    assert data_digest(source()) != data_digest(source(x=changed(X, (11, 7), 3)))


def test_weights_and_types_count():
    digests = {
        data_digest(arrays()),
        data_digest(arrays(weights=np.ones(12))),
        data_digest(arrays(x=X.astype(np.float64))),
        data_digest(arrays(x=X.reshape(12, 2, 4))),
    }
    assert len(digests) == 4


def test_the_digest_leaves_a_generator_its_first_batch():
    batches = generated()
    data_digest(batches)
    assert [batch.inputs[0][0, 0] for batch in batches.for_epoch()] == [0, 32, 64]


def test_large_arrays_count_with_their_shape_some_rows_and_all_labels(monkeypatch):
    monkeypatch.setattr(data_facts, "WHOLE_BYTES", 1)
    monkeypatch.setattr(data_facts, "ROWS", 2)
    usual = data_digest(arrays())
    assert usual != data_digest(arrays(x=changed(X, (11, 7))))  # the first and the last row count
    assert usual == data_digest(arrays(x=changed(X, (5, 0))))
    assert usual != data_digest(arrays(y=changed(Y, 5, 0)))


def test_files_count_with_names_and_sizes(tmp_path):
    def digest(*files):
        for name, content in files:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        paths = [tmp_path / name for name, _ in files]
        split = Split(X[:0], Y[: len(paths)], [], ImageList(paths, Y[: len(paths)], [], tmp_path))
        parts = list(data_facts._held(split, data_facts.MAX_DEPTH))
        made = data_facts.hashlib.blake2b()
        for part in parts:
            (data_facts._add_files if isinstance(part, list) else data_facts._add_array)(made, part)
        return made.hexdigest()

    usual = digest(("cat/1.png", b"12"), ("dog/1.png", b"1"))
    assert usual == digest(("cat/1.png", b"12"), ("dog/1.png", b"1"))
    assert usual != digest(("cat/1.png", b"123"), ("dog/1.png", b"1"))
    assert usual != digest(("cat/1.png", b"12"), ("dog/2.png", b"1"))


def network(units=4, **options):
    mc.utils.set_random_seed(1)
    model = mc.Sequential([mc.Input((8,)), mc.layers.Dense(units), mc.layers.Dense(3)])
    model.compile(**{"optimizer": "adam", "loss": "mse", **options})
    return model


def facts(model=None, data=None, **settings):
    settings = {"epochs": 2, "callbacks": ["EarlyStopping"], **settings}
    return training_facts(model or network(), data or arrays(), None, settings)


def test_equal_trainings_have_equal_facts():
    assert facts() == facts()


OTHERS = {
    "network layer 1 units": lambda: facts(network(units=5)),
    "training optimizer config learning_rate": lambda: facts(
        network(optimizer=mc.optimizers.Adam(0.01))
    ),
    "training loss class": lambda: facts(network(loss="mae")),
    "training metrics 0": lambda: facts(network(metrics=["mae"])),
    "epochs": lambda: facts(epochs=3),
    "callbacks 0": lambda: facts(callbacks=["CSVLogger"]),
    "callbacks 1": lambda: facts(callbacks=["EarlyStopping", "CSVLogger"]),
    "batches batch_size": lambda: facts(data=batches_of(X, Y, batch_size=3)),
    "batches shuffle": lambda: facts(data=batches_of(X, Y, batch_size=4, shuffle=True)),
    "data": lambda: facts(data=arrays(x=X + 1)),
}


@pytest.mark.parametrize(("name", "other"), OTHERS.items(), ids=OTHERS)
def test_a_difference_is_named(name, other):
    usual, here = facts(), other()
    assert usual.get(name, "-") != here.get(name, "-")


def test_functions_are_compared_by_kind_since_their_addresses_differ():
    def plain(loss):
        said = facts(network(loss=loss))
        assert not any(re.search("0x[0-9a-f]{6}", text) for text in said.values())
        return said

    assert plain(lambda a, b: mc.ops.mean(a - b, axis=-1)) == plain(
        lambda a, b: mc.ops.mean(b - a, axis=-1)
    )
