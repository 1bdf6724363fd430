"""Data sets: passes and seeds, threads, caches, lengths, wrong arguments, and training."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from image_folders import make_ramps

import minicnn as mc
from minicnn import random
from minicnn.data import AUTOTUNE, Dataset
from minicnn.errors import ArgumentError, DTypeError, ShapeError, UnknownLengthError
from minicnn.support.arrays import Array


def numbers(dataset, number=None):
    elements = dataset if number is None else dataset.for_epoch(number)
    return [int(one) for one in elements]


def counted(n):
    """Return a data set of n numbers, and the list of those that were computed so far."""
    computed: list[int] = []

    def note(i):
        computed.append(int(i))
        return i

    return Dataset.range(n).map(note), computed


# --- passes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["slices", "other"])
@pytest.mark.parametrize("size", [3, 50])
def test_each_pass_has_an_order_that_depends_on_seed_and_number_alone(source, size):
    dataset = Dataset.range(20)
    dataset = (dataset if source == "slices" else dataset.map(lambda i: i)).shuffle(size)
    random.set_random_seed(1)
    orders = [numbers(dataset) for _ in range(3)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert [numbers(dataset, i) for i in range(3)] == orders
    random.set_random_seed(2)
    assert numbers(dataset, 0) != orders[0]
    random.set_random_seed(1)
    assert numbers(dataset, 2) == orders[2]


def test_slices_are_shuffled_as_other_elements_are():
    dataset = Dataset.from_tensor_slices(np.arange(30))
    for size in (4, 30):
        plain = dataset.shuffle(size, seed=5)
        other = Dataset.from_generator(lambda: np.arange(30)).shuffle(size, seed=5)
        assert numbers(plain, 3) == numbers(other, 3)


def test_a_given_seed_decides_alone_and_no_reshuffling_repeats_the_order():
    given = Dataset.range(20).shuffle(20, seed=7)
    random.set_random_seed(1)
    first = numbers(given, 0)
    random.set_random_seed(2)
    assert numbers(given, 0) == first != numbers(given, 1)
    once = Dataset.range(20).shuffle(20, reshuffle_each_iteration=False)
    assert numbers(once, 0) == numbers(once, 5)
    twice = Dataset.range(20).shuffle(20).shuffle(20)
    assert numbers(twice, 0) != numbers(Dataset.range(20).shuffle(20), 0)


def test_repeated_passes_have_orders_of_their_own():
    dataset = Dataset.range(10).shuffle(10)
    assert numbers(dataset.repeat(2), 0) == numbers(dataset, 0) + numbers(dataset, 1)
    assert numbers(dataset.repeat(2), 1) == numbers(dataset, 2) + numbers(dataset, 3)
    assert len(set(map(tuple, np.reshape(numbers(dataset.repeat().take(30)), (3, 10))))) == 3
    assert numbers(Dataset.range(3).filter(lambda i: False).repeat()) == []


def test_nothing_is_computed_before_it_is_asked_for():
    dataset, computed = counted(10)
    batches = dataset.batch(2).take(2)
    assert computed == []
    assert len(list(batches)) == 2 and computed == [0, 1, 2, 3]


def test_a_cache_computes_once_and_only_whole_passes_count():
    dataset, computed = counted(4)
    cached = dataset.shuffle(4).cache()
    next(iter(cached))
    orders = [numbers(cached) for _ in range(3)]
    assert orders[0] == orders[1] == orders[2] == numbers(cached, 9)
    assert len(computed) == 4 + 4  # an incomplete pass, whose shuffle reads everything, and a whole
    of_a_filter = Dataset.range(4).filter(lambda i: i > 1).cache()
    assert int(of_a_filter.cardinality()) == -2 and numbers(of_a_filter) == [2, 3]
    assert len(of_a_filter) == 2
    with pytest.raises(ArgumentError, match="in memory, not in the file"):
        dataset.cache("file")


# --- threads ------------------------------------------------------------------------------------


def test_parallel_calls_run_at_once_and_keep_the_order():
    together = threading.Barrier(3)

    def meet(i):
        if i < 3:
            together.wait()
        return i * 2

    dataset = Dataset.range(10).map(meet, num_parallel_calls=3, deterministic=False)
    assert numbers(dataset) == list(range(0, 20, 2))
    assert numbers(Dataset.range(10).map(lambda i: i, num_parallel_calls=AUTOTUNE)) == [*range(10)]


def test_prefetching_computes_ahead_in_one_thread():
    begun = threading.Semaphore(0)
    threads = set()

    def note(i):
        threads.add(threading.current_thread().name)
        begun.release()
        return i

    elements = iter(Dataset.range(9).map(note).prefetch(3))
    assert int(next(elements)) == 0
    for _ in range(4):  # the one that is in use, and three ahead
        assert begun.acquire()
    assert [int(i) for i in elements] == [*range(1, 9)]
    assert len(threads) == 1 and threads != {threading.current_thread().name}
    assert numbers(Dataset.range(3).prefetch(AUTOTUNE).prefetch(0)) == [0, 1, 2]


@pytest.mark.parametrize("ahead", [{}, {"num_parallel_calls": 2}])
def test_errors_of_functions_arrive(ahead):
    def fail(i):
        return 1 // (3 - int(i))

    dataset = Dataset.range(10).map(fail, **ahead).prefetch(2)
    elements = iter(dataset)
    assert [int(next(elements)) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(elements)


def test_functions_see_the_seed_of_the_loop():
    random.set_random_seed(3)
    seeds = Dataset.range(4).map(lambda i: random.seed(), num_parallel_calls=2).prefetch(2)
    with random.seeded(11):
        assert numbers(seeds) == [11] * 4


# --- elements -----------------------------------------------------------------------------------


def test_arrays_have_numpy_and_python_s_numbers_are_narrow():
    dataset = Dataset.from_tensor_slices((np.zeros((2, 3)), [1, 2]))
    x, y = next(iter(dataset))
    assert type(x) is type(y) is Array and type(x.numpy()) is np.ndarray
    assert (x.dtype, y.dtype, y.numpy().shape) == (np.float64, np.int32, ())
    x, y = next(iter(dataset.map(lambda x, y: (0.5, [1.0, 2.0]))))
    assert (x.dtype, y.dtype, y.shape) == (np.float32, np.float32, (2,))


def test_a_batch_of_slices_is_a_view():
    x = np.arange(12.0).reshape(6, 2)
    batch = next(iter(Dataset.from_tensor_slices(x).batch(4)))
    assert np.shares_memory(batch, x)


def test_layers_and_functions_of_tensors_work_in_maps():
    scale = mc.layers.Rescaling(1 / 255)
    dataset = Dataset.from_tensor_slices(np.full((4, 2, 2, 3), 255.0, np.float32)).batch(2)
    for x in dataset.map(lambda x: mc.ops.add(scale(x), 1.0), num_parallel_calls=2):
        assert x.shape == (2, 2, 2, 3) and float(x.max()) == pytest.approx(2)


def test_zip_of_a_dict_and_single_elements():
    pairs = Dataset.zip({"a": Dataset.range(2), "b": Dataset.range(5)})
    assert [{key: int(one) for key, one in pair.items()} for pair in pairs] == [
        {"a": 0, "b": 0},
        {"a": 1, "b": 1},
    ]
    assert int(Dataset.range(3).skip(2).get_single_element()) == 2
    assert repr(pairs) == "<Dataset of 2 elements>"
    assert repr(pairs.repeat()) == "<Dataset without end>"
    assert repr(pairs.filter(lambda pair: True)) == "<Dataset of unknown length>"


def test_counts_may_be_cardinalities():
    dataset = Dataset.range(10)
    assert numbers(dataset.take(dataset.cardinality() // 5)) == [0, 1]
    assert numbers(dataset.skip(dataset.cardinality().numpy() - 1)) == [9]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: len(Dataset.range(3).repeat()), UnknownLengthError, "has no end"),
        (lambda: len(Dataset.range(3).filter(bool)), UnknownLengthError, "not known before"),
        (lambda: Dataset.range(3).take("2"), DTypeError, "count must be an integer"),
        (lambda: Dataset.range(3).take(2.5), DTypeError, "count must be an integer"),
        (lambda: Dataset.range(3).batch(0), ArgumentError, "batch_size"),
        (lambda: Dataset.range(3).shuffle(0), ArgumentError, "buffer_size"),
        (lambda: Dataset.range(3).shuffle(2, seed=-1), ArgumentError, "seed"),
        (lambda: Dataset.range(3).shard(2, 2), ArgumentError, "below num_shards=2"),
        (lambda: Dataset.zip(Dataset.range(2), [1]), DTypeError, "zip needs data sets"),
        (lambda: Dataset.range(2).concatenate([1]), DTypeError, "concatenate needs a data set"),
        (lambda: Dataset.from_generator([1, 2]), DTypeError, "needs a function"),
        (lambda: Dataset.from_tensor_slices((np.ones(2), np.ones(3))), ShapeError, "same number"),
        (lambda: Dataset.from_tensor_slices(5), ShapeError, "same number"),
        (lambda: Dataset.from_tensor_slices([[1], [1, 2]]), ShapeError, "differ in length"),
        (lambda: Dataset.from_tensors(object()), DTypeError, "elements of a data set are arrays"),
        (lambda: list(Dataset.range(2).map(lambda i: None)), DTypeError, "got NoneType"),
        (lambda: list(Dataset.range(2).filter(lambda i: [1, 2])), DTypeError, "one True or False"),
        (lambda: list(Dataset.range(2).flat_map(lambda i: i)), DTypeError, "must return a data"),
        (lambda: Dataset.range(0).element_spec, ArgumentError, "without elements"),
        (lambda: Dataset.range(2).get_single_element(), ArgumentError, "more than one"),
        (
            lambda: list(Dataset.range(3).map(lambda i: np.ones(int(i) + 1)).batch(2)),
            ShapeError,
            r"same structure and shapes; got \(1,\), \(2,\)",
        ),
    ],
)
def test_wrong_arguments(wrong, error, text):
    with pytest.raises(error, match=text):
        wrong()


# --- training -----------------------------------------------------------------------------------

X = np.random.default_rng(0).random((50, 4), np.float32)
Y = np.arange(50) % 3


def classifier():
    mc.utils.set_random_seed(3)
    mc.utils.clear_session()
    model = mc.Sequential([mc.Input((4,)), mc.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fitted(data, **options):
    model = classifier()
    model.fit(*data, verbose=0, **options)
    return model.get_weights()


def test_training_has_the_bits_of_training_from_arrays():
    dataset = Dataset.from_tensor_slices((X, Y)).batch(8)
    wanted = fitted((X, Y), batch_size=8, epochs=3, shuffle=False)
    for same in (dataset, dataset.prefetch(2), dataset.cache(), dataset.unbatch().batch(8)):
        for ours, theirs in zip(fitted((same,), epochs=3), wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_data_sets_without_end_or_length_train():
    endless = Dataset.from_tensor_slices((X, Y)).shuffle(50).repeat().batch(8)
    unknown = Dataset.from_tensor_slices((X, Y)).batch(8).filter(lambda x, y: True)
    model = classifier()
    history = model.fit(endless, steps_per_epoch=4, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    model.fit(unknown, validation_data=unknown, verbose=0)
    assert model.predict(unknown, verbose=0).shape == (50, 3)
    assert model.evaluate(unknown, verbose=0)


def test_a_folder_of_images_through_a_whole_chain(tmp_path):
    make_ramps(tmp_path, 10)
    options = {"image_size": (6, 5), "batch_size": 4, "verbose": False}
    train, val = mc.utils.image_dataset_from_directory(
        tmp_path, validation_split=0.2, subset="both", seed=1, **options
    )
    assert train.class_names == val.class_names == ["cats", "dogs"]
    assert (len(train.file_paths), len(val.file_paths)) == (16, 4)
    assert not {*train.file_paths} & {*val.file_paths}
    chain = train.map(lambda x, y: (x / 255, y), num_parallel_calls=AUTOTUNE)
    chain = chain.cache().shuffle(100).prefetch(buffer_size=AUTOTUNE)
    model = mc.Sequential([mc.Input((6, 5, 3)), mc.layers.Flatten(), mc.layers.Dense(2)])
    loss = mc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    history = model.fit(chain, validation_data=val, epochs=2, verbose=0)
    assert set(history.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    for x, y in train.take(1):
        assert x.numpy().dtype == np.float32 and y.numpy().dtype == np.int32
    labels = np.concatenate([y for _, y in val], axis=0)
    assert len(labels) == 4 and next(iter(train.unbatch()))[0].shape == (6, 5, 3)
    both = {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}
    with pytest.raises(ArgumentError, match="either cropped or padded"):
        mc.utils.image_dataset_from_directory(tmp_path, **both, **options)
    for wrong in ({"format": "grain"}, {"data_format": "NHWC"}, {"interpolation": "gaussian"}):
        with pytest.raises(ArgumentError, match="must be one of"):
            mc.utils.image_dataset_from_directory(tmp_path, **wrong, **options)
