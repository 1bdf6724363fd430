"""Optimizers: their arguments, their slots, and the steps that their kernels take."""

import json
import math

import numpy as np
import pytest

import minicnn as mc
from minicnn import backends, optimizers
from minicnn.backends import device
from minicnn.backends.numpy import KERNELS
from minicnn.contracts import CONTRACTS
from minicnn.errors import ArgumentError
from minicnn.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from minicnn.schedules import CosineDecay, ExponentialDecay

EVERY_KIND = {
    "plain SGD": SGD(),
    "Caffe's SGD": SGD(0.01, 0.9, weight_decay=5e-4, decoupled=False),
    "Nesterov": SGD(0.1, 0.9, True, clipnorm=1.0),
    "Adam": Adam(clipvalue=0.5),
    "AdamW": AdamW(0.01),
    "scheduled": Adam(ExponentialDecay(0.1, 10, 0.5)),
    "RMSprop": RMSprop(),
    "Adagrad": Adagrad(0.1),
    "Adagrad from 0": Adagrad(0.1, 0.0, clipnorm=1.0),
    "centered RMSprop": RMSprop(0.01, momentum=0.9, centered=True, global_clipnorm=2.0),
}


@pytest.fixture(params=EVERY_KIND.values(), ids=EVERY_KIND)
def optimizer(request):
    return optimizers.deserialize(optimizers.serialize(request.param))


def step_once(optimizer, w, dw, state, step=0, multiplier=1.0, decay=True):
    """Run the optimizer's kernel as a program does, with reads by the names in its contract."""
    contract = CONTRACTS[optimizer.kernel]
    given = {"w": w, "dw": dw, "rates": optimizer.rates(step), **state}
    reads = [given.get(name.rstrip("?")) for name in contract.reads]
    writes = KERNELS[optimizer.kernel](*reads, **optimizer.attributes(multiplier, decay))
    new = dict(zip(contract.writes, writes, strict=True))
    return new.pop("w"), {name: array for name, array in new.items() if array is not None}


def empty_state(optimizer, w):
    return {name: np.full_like(w, value) for name, value in optimizer.slots.items()}


def test_keras_defaults():
    for made, expected in (
        (SGD(), {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}),
        (Adam(), {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
        (AdamW(), {"learning_rate": 0.001, "weight_decay": 0.004, "decoupled": True}),
        (Adagrad(), {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
        (RMSprop(), {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7}),
    ):
        config = made.get_config()
        assert {name: config[name] for name in expected} == expected
    assert Adam().weight_decay is None


def test_slots_and_attributes_are_what_the_kernel_takes(optimizer):
    w, dw = np.ones((2, 3), np.float32), np.full((2, 3), 0.5, np.float32)
    state = empty_state(optimizer, w)
    reads = {name.rstrip("?") for name in CONTRACTS[optimizer.kernel].reads}
    assert set(optimizer.slots) <= reads
    new_w, new_state = step_once(optimizer, w, dw, state)
    assert (new_w < w).all()
    assert set(new_state) == set(optimizer.slots)


def test_training_finds_the_minimum(optimizer):
    target = np.array([0.5, -0.25, 0.125], np.float32)
    w = np.zeros(3, np.float32)
    state = empty_state(optimizer, w)
    optimizer.weight_decay = None
    for step in range(3000):
        w, state = step_once(optimizer, w, w - target, state, step)
    np.testing.assert_allclose(w, target, atol=0.02)


def test_first_step_of_adam_is_the_learning_rate():
    w = np.zeros(2, np.float32)
    state = empty_state(Adam(0.1), w)
    moved, _ = step_once(Adam(0.1), w, np.array([1e-3, -1e3], np.float32), state)
    np.testing.assert_allclose(moved, [-0.1, 0.1], rtol=5e-3)


def test_rates_of_adam_by_hand():
    rates = Adam(0.001).rates(1)  # the second step: sqrt(1 - 0.999^2) / (1 - 0.9^2)
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates, [0.001, 0.001 * 0.23531672], rtol=1e-6)
    assert (SGD(0.5).rates(7) == 0.5).all()


def test_momentum_by_hand():
    optimizer, w = SGD(0.1, momentum=0.5), np.array([1.0], np.float32)
    g, state = np.array([2.0], np.float32), {"velocity": np.array([1.0], np.float32)}
    moved, state = step_once(optimizer, w, g, state)
    np.testing.assert_allclose(state["velocity"], [0.3])  # 0.5 * 1 - 0.1 * 2
    np.testing.assert_allclose(moved, [1.3])
    nesterov, _ = step_once(SGD(0.1, 0.5, True), w, g, {"velocity": np.array([1.0], np.float32)})
    np.testing.assert_allclose(nesterov, [0.95])  # 1 + 0.5 * 0.3 - 0.1 * 2


def test_weight_decay_is_decoupled_or_in_the_gradient_and_spares_biases():
    w, g = np.array([2.0], np.float32), np.array([0.0], np.float32)
    for decoupled in (True, False):
        optimizer = SGD(0.1, weight_decay=0.5, decoupled=decoupled)
        moved, _ = step_once(optimizer, w, g, {})
        np.testing.assert_allclose(moved, [1.9])
        spared, _ = step_once(optimizer, w, g, {}, decay=False)
        assert spared == w
    zero = np.zeros(1, np.float32)
    adam = Adam(0.1, weight_decay=0.5, decoupled=False)
    moved, _ = step_once(adam, w, g, {"first": zero, "second": zero})
    np.testing.assert_allclose(moved, [1.9], rtol=1e-5)  # a step of the rate, not rate * decay * w


def test_multiplier_scales_the_step():
    w, g = np.array([1.0], np.float32), np.array([1.0], np.float32)
    moved, _ = step_once(SGD(0.1), w, g, {}, multiplier=2.0)
    np.testing.assert_allclose(moved, [0.8])


def test_schedule_gives_the_rate_of_each_step():
    optimizer = SGD(ExponentialDecay(0.1, 10, 0.5))
    assert optimizer.has_schedule
    assert optimizer.learning_rate == 0.1
    optimizer.iterations = 10
    assert optimizer.learning_rate == pytest.approx(0.05)
    assert optimizer.rates(20)[0] == np.float32(0.025)


def test_setting_the_rate():
    optimizer = SGD(0.1)
    optimizer.learning_rate = 0.02
    assert optimizer.rates(0)[0] == np.float32(0.02)
    optimizer.learning_rate = CosineDecay(0.3, 10)
    assert optimizer.learning_rate == 0.3
    with pytest.raises(ArgumentError, match="follows CosineDecay"):
        optimizer.learning_rate = 0.1


def test_config_and_state_survive_json(optimizer):
    if not optimizer.has_schedule:
        optimizer.learning_rate = 0.005
    optimizer.iterations = 42
    config, state = json.loads(json.dumps([optimizers.serialize(optimizer), optimizer.get_state()]))
    again = optimizers.get(config)
    again.set_state(state)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert again.get_state() == optimizer.get_state()
    assert again.learning_rate == optimizer.learning_rate
    np.testing.assert_array_equal(again.rates(42), optimizer.rates(42))
    assert again.attributes(2.0, True) == optimizer.attributes(2.0, True)


def test_a_file_has_the_first_rate_because_a_change_is_state():
    optimizer = Adam(0.1)
    optimizer.learning_rate = 0.01
    assert optimizers.serialize(optimizer)["config"]["learning_rate"] == 0.1
    assert optimizer.get_state()["learning_rate"] == 0.01
    assert Adam.from_config(optimizer.get_config()).learning_rate == 0.01  # as in Keras


@pytest.mark.parametrize("name", ["sgd", "SGD", "adam", "AdamW", "rmsprop", "adagrad"])
def test_names(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SGD(-1), "learning_rate must be"),
        (lambda: SGD("fast"), "learning_rate must be"),
        (lambda: SGD(0.1, momentum=1.0), "momentum must be a number in"),
        (lambda: Adam(beta_1=1.0), "beta_1"),
        (lambda: Adam(epsilon=float("inf")), "epsilon"),
        (lambda: RMSprop(rho=-0.1), "rho"),
        (lambda: Adagrad(initial_accumulator_value=-0.1), "initial_accumulator_value must be"),
        (lambda: Adam(clipnorm=0.0), "clipnorm"),
        (lambda: Adam(weight_decay=-1.0), "weight_decay"),
        (lambda: Adam(clipnorm=1.0, clipvalue=1.0), "not by clipnorm and clipvalue"),
        (lambda: SGD(nesterov="no"), "nesterov must be True or False; got 'no'"),
        (lambda: RMSprop(centered=1), "centered must be True or False; got 1"),
        (lambda: Adam(decoupled=None), "decoupled must be True or False; got None"),
        (lambda: SGD(rate=0.1), "SGD has no argument 'rate'; it has .*learning_rate, momentum"),
        (lambda: optimizers.get("adaam"), "did you mean 'Adam'"),
        (lambda: optimizers.get({"class": "Adam", "config": {"beta_3": 1}}), "beta_3"),
    ],
)
def test_wrong_arguments_are_refused(make, says):
    with pytest.raises(ArgumentError, match=says):
        make()


ENGINES = [name for name in ("numpy", "native", "cuda") if name in backends.available_backends()]
if "cuda" not in ENGINES and not device.missing():
    ENGINES.append("cuda")  # simulated
# The length of the first step, for a gradient that makes epsilon negligible: the moving means are
# (1 - beta) times the gradient and its square.
FIRST_STEPS = {
    "adam": (lambda: mc.optimizers.Adam(0.001), 0.001),
    "adamw": (lambda: mc.optimizers.AdamW(0.001, 0.1), 0.001),
    "adam of a long memory": (lambda: mc.optimizers.Adam(0.001, beta_2=0.9999), 0.001),
    "rmsprop": (lambda: mc.optimizers.RMSprop(0.001, rho=0.999), 0.001 / math.sqrt(0.001)),
    "centered rmsprop": (
        lambda: mc.optimizers.RMSprop(0.001, rho=0.999, centered=True),
        0.001 / math.sqrt(0.001 - 0.001**2),
    ),
    "adagrad": (lambda: mc.optimizers.Adagrad(0.001, 0.0), 0.001),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "unfused"])
@pytest.mark.parametrize("name", FIRST_STEPS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_step_has_its_length_to_float32(engine, fuse, name):
    """1 - beta_2 computed in float32 would be off by 1.3e-5, and the step by half of that."""
    make, length = FIRST_STEPS[name]
    model = mc.Sequential([mc.Input((1,)), mc.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(make(), "mse", fuse=fuse)
    with mc.use_backend(engine):
        model.train_on_batch(np.ones((1, 1), np.float32), np.full((1, 1), 50.0))
    steps = np.concatenate([w.ravel() for w in model.get_weights()])
    np.testing.assert_allclose(steps, length, rtol=2.5e-7)


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "unfused"])
@pytest.mark.parametrize("name", FIRST_STEPS)
def test_every_engine_takes_the_same_steps_to_the_last_bit(fuse, name):
    """The network has no sums: each of its gradients is a single product."""
    make, _ = FIRST_STEPS[name]
    ends = []
    for engine in ("numpy", "native"):
        mc.utils.set_random_seed(3)
        model = mc.Sequential([mc.Input((1,)), mc.layers.Dense(2, use_bias=False)])
        model.compile(make(), "mse", fuse=fuse)
        with mc.use_backend(engine):
            for step in range(5):
                x = np.full((1, 1), 0.5 + step, np.float32)
                model.train_on_batch(x, np.full((1, 2), 2.0))
        ends.append([w.tobytes() for w in model.get_weights()])
    assert ends[0] == ends[1]


def test_adamw_needs_a_weight_decay():
    """AdamW without weight decay would be Adam; Keras refuses it too."""
    with pytest.raises(ArgumentError, match=r"weight_decay must be a number in \[0.0, inf\)"):
        mc.optimizers.AdamW(weight_decay=None)
    assert mc.optimizers.AdamW(weight_decay=0).weight_decay == 0
    assert mc.optimizers.Adam(weight_decay=None).weight_decay is None


def trained_with_adagrad(model, steps):
    for step in range(steps):
        x = np.full((4, 3), 0.5 + step, np.float32)
        model.train_on_batch(x, np.full((4, 2), 2.0))
    return [a.tobytes() for a in model.get_weights()] + [
        a.tobytes() for _, a in sorted(model.slots.items())
    ]


def test_slots_start_at_their_initial_value_and_are_restored_from_a_file(backend, tmp_path):
    model = mc.Sequential([mc.Input((3,)), mc.layers.Dense(2)])
    model.compile(Adagrad(0.1, initial_accumulator_value=0.5), "mse")
    kernel = model.parameters[0]
    assert (model.slot(kernel, "accumulator") == 0.5).all()
    trained_with_adagrad(model, 2)
    assert (model.slot(kernel, "accumulator") > 0.5).all()
    model.save(tmp_path / "half.mcnn")
    again = mc.load_model(tmp_path / "half.mcnn")
    assert trained_with_adagrad(again, 2) == trained_with_adagrad(model, 2)
