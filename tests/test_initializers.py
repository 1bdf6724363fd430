"""Initializers, seeds and the registry of names."""

import math

import numpy as np
import pytest

from minicnn import initializers, random, utils
from minicnn.errors import ArgumentError
from minicnn.support import registry

DENSE = (400, 600)
CONV = (5, 5, 20, 50)  # fan in 500, fan out 1250


@pytest.fixture(autouse=True)
def _seed_as_before():
    before = random.seed()
    yield
    random.set_random_seed(before)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(DENSE, DENSE), (CONV, (500, 1250)), ((3, 3, 1, 8), (9, 72)), ((7,), (7, 7)), ((), (1, 1))],
)
def test_fans_are_those_worked_out_by_hand(shape, expected):
    assert initializers.fans(shape) == expected


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 1750),
        ("glorot_normal", 2 / 1750),
        ("he_uniform", 2 / 500),
        ("he_normal", 2 / 500),
        ("lecun_uniform", 1 / 500),
        ("lecun_normal", 1 / 500),
    ],
)
def test_variance_and_range(name, variance):
    values = initializers.get(name)(CONV, rng=np.random.default_rng(1))
    assert values.shape == CONV
    assert values.dtype == np.float32
    # 25,000 draws: the variance of the estimate is below 2 % of it.
    assert values.var() == pytest.approx(variance, rel=0.05)
    assert abs(values.mean()) < 4 * math.sqrt(variance / values.size)
    widest = math.sqrt(3 * variance) if "uniform" in name else 2 * math.sqrt(variance) / 0.8796
    assert 0.95 * widest < np.abs(values).max() <= widest * 1.0001


def test_normal_is_cut_at_two_deviations():
    values = initializers.truncated_draws((10_000,), np.random.default_rng(0))
    assert np.abs(values).max() <= 2
    assert values.std() == pytest.approx(initializers.TRUNCATED_STD, abs=0.02)


def test_random_normal_has_its_mean_and_deviation_in_layers_of_any_size():
    for shape in ((7, 2000), CONV):
        values = initializers.RandomNormal(1.0, 0.25)(shape, rng=np.random.default_rng(1))
        assert values.dtype == np.float32
        assert abs(values.mean() - 1) < 4 * 0.25 / math.sqrt(values.size)
        assert values.std() == pytest.approx(0.25, rel=0.03)


def test_constants():
    assert (initializers.get("zeros")((3, 2)) == 0).all()
    assert (initializers.get("ones")((3, 2)) == 1).all()
    assert (initializers.Constant(0.25)((3, 2)) == 0.25).all()


@pytest.mark.parametrize(
    "name",
    ["zeros", "ones", "constant", "random_normal", "glorot_uniform", "he_normal", "lecun_normal"],
)
def test_config_makes_the_same_initializer(name):
    first = initializers.get(name)
    second = initializers.get(initializers.serialize(first))
    assert type(first) is type(second)
    assert initializers.get(first) is first
    a, b = (one((4, 5), rng=np.random.default_rng(3)) for one in (first, second))
    np.testing.assert_array_equal(a, b)


def test_config_keeps_arguments():
    assert initializers.get(initializers.serialize(initializers.Constant(0.5))).value == 0.5


def test_initializers_of_older_files_are_read():
    """Older files have the name in the same dict as the arguments."""
    assert type(initializers.get({"name": "he_normal"})) is initializers.HeNormal
    assert initializers.get({"name": "constant", "value": 0.5}).value == 0.5


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("glorot_unifrom", "did you mean 'GlorotUniform'"),
        ("???", "there are"),
        (3, "unknown initializer 3"),
        ({"value": 1}, 'a saved initializer is {"class": name, "config": arguments}'),
        ({"name": "constant", "valeu": 1}, "valeu"),
        ({"name": "constant", "value": float("nan")}, "value must be a number"),
    ],
)
def test_wrong_initializers_are_refused(wrong, says):
    with pytest.raises(ArgumentError, match=says):
        initializers.get(wrong)


def test_registry_refuses_what_is_no_saved_object():
    table = registry.Registry("thing", initializers.Initializer, [initializers.Ones])
    for wrong in ({"class": "Ones"}, {"class": "os.system", "config": {}}, {}):
        with pytest.raises(ArgumentError):
            table.get(wrong)


# --- random generators ---------------------------------------------------------------------------


def test_generator_is_a_pure_function_of_seed_purpose_and_numbers():
    random.set_random_seed(777)
    expected = random.generator("shuffle", 3).permutation(50)
    random.generator("weights").random(1000)  # drawing elsewhere changes nothing
    np.testing.assert_array_equal(random.generator("shuffle", 3).permutation(50), expected)
    others = [random.generator("shuffle", 4), random.generator("shuffle"), random.generator("x", 3)]
    random.set_random_seed(778)
    others.append(random.generator("shuffle", 3))
    for other in others:
        assert (other.permutation(50) != expected).any()


def test_generator_never_changes_from_version_to_version():
    random.set_random_seed(0)
    assert random.generator("test", 1).integers(0, 2**32, 3).tolist() == GOLDEN


GOLDEN = [2973110144, 3459362409, 2010356401]


def test_purposes_do_not_run_into_their_numbers():
    assert random.generator("a", 1, 2).random() != random.generator("a", 12).random()
    assert random.generator("a1", 2).random() != random.generator("a", 12).random()


def test_stream_has_the_words_of_seed_and_step():
    random.set_random_seed(5 + 7 * 2**32)
    words = random.rng_key(11 + 13 * 2**32)
    assert words.dtype == np.uint32
    assert words.tolist() == [5, 7, 11, 13]


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "1", None])
def test_wrong_seeds_are_refused(seed):
    with pytest.raises(ArgumentError, match="seed must be"):
        utils.set_random_seed(seed)


def test_seed_takes_numpy_integers_up_to_the_largest():
    utils.set_random_seed(np.uint64(2**64 - 1))
    assert random.seed() == 2**64 - 1
    assert random.rng_key(0).tolist() == [2**32 - 1, 2**32 - 1, 0, 0]


# --- to_categorical ---------------------------------------------------------------------------


def test_to_categorical():
    rows = utils.to_categorical(np.array([[2], [0]], np.uint8), 4)
    np.testing.assert_array_equal(rows, [[0, 0, 1, 0], [1, 0, 0, 0]])
    assert rows.dtype == np.float32
    assert utils.to_categorical([3]).shape == (1, 4)
    assert utils.to_categorical(np.zeros(0, int), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([0, 3], r"x\[1\] = 3, but there are 3 classes"),
        ([-1], r"x\[0\] = -1"),
        ([0.5], "integers"),
    ],
)
def test_to_categorical_refuses(x, says):
    with pytest.raises(ArgumentError, match=says):
        utils.to_categorical(x, 3)


def test_a_config_alone_is_no_saved_initializer():
    with pytest.raises(ArgumentError, match="serialize"):
        initializers.get({})
