"""Optimizers and schedules against numbers that Keras 3.15.1 computed on TensorFlow 2.21.0."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
from test_keras_numbers import ONE_HOT, close, fingerprint, train, wave

import minicnn as mc
from minicnn import layers, optimizers
from minicnn.errors import ArgumentError, ShapeError
from minicnn.optimizers import schedules
from minicnn.optimizers.schedules import CosineDecay, LearningRateSchedule

# Twenty steps of a softmax regression, as in test_keras_numbers: the fingerprint of the predictions
# and the loss before the first step, the loss and the weights' fingerprint after the last. Keras
# was told to leave biases out of the weight decay.
OPTIMIZERS = [
    ("Adadelta", (1.0,), {}, (-0.836074, 1.124135, 1.072531, 1.930022)),
    (
        "Adadelta",
        (1.0, 0.9, 0.001),
        {"weight_decay": 0.1},
        (-0.836074, 1.124135, 0.8121182, 0.7708039),
    ),
    ("Adamax", (0.01,), {}, (-0.836074, 1.124135, 0.8872457, 1.758854)),
    (
        "Adamax",
        (0.01, 0.8, 0.99, 0.001),
        {"clipnorm": 0.05},
        (-0.836074, 1.124135, 0.8750369, 1.846444),
    ),
    ("Nadam", (0.01,), {}, (-0.836074, 1.124135, 0.9046536, 1.769557)),
    (
        "Nadam",
        (0.01, 0.8, 0.99, 0.001),
        {"weight_decay": 0.1},
        (-0.836074, 1.124135, 0.8911166, 1.745276),
    ),
    ("Adam", (0.01, 0.9, 0.999, 1e-07, True), {}, (-0.836074, 1.124135, 0.8726754, 1.718104)),
    (
        "AdamW",
        (0.01, 0.1, 0.9, 0.99),
        {"amsgrad": True},
        (-0.836074, 1.124135, 0.8737627, 1.688532),
    ),
    ("Lion", (0.01,), {}, (-0.836074, 1.124135, 0.8677399, 1.614554)),
    ("Lion", (0.003, 0.8, 0.9), {"weight_decay": 0.5}, (-0.836074, 1.124135, 1.023609, 1.83626)),
    ("Ftrl", (0.1,), {}, (-0.836074, 1.124135, 0.8074026, 0.6480175)),
    (
        "Ftrl",
        (0.1, -0.5, 0.2, 0.01, 0.02, 0.03, 0.5),
        {},
        (-0.836074, 1.124135, 0.8707326, 0.3518853),
    ),
    ("RMSprop", (0.01, 0.9, 0.5, 1e-07, True), {}, (-0.836074, 1.124135, 0.7831518, 1.917456)),
    ("Adagrad", (0.1,), {}, (-0.836074, 1.124135, 0.8026752, 2.227262)),
    ("SGD", (0.1, 0.9, True), {}, (-0.836074, 1.124135, 0.781837, 2.626597)),
    (
        "SGD",
        (0.1,),
        {"use_ema": True, "ema_momentum": 0.9},
        (-0.836074, 1.124135, 0.8542154, 2.233471),
    ),
    (
        "SGD",
        (0.1,),
        {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
        (-0.836074, 1.124135, 0.98924, 2.078903),
    ),
    (
        "SGD",
        (0.1, 0.9),
        {"gradient_accumulation_steps": 3},
        (-0.836074, 1.124135, 0.8358515, 2.279256),
    ),
    (
        "Adam",
        (0.01,),
        {"gradient_accumulation_steps": 4, "weight_decay": 0.1},
        (-0.836074, 1.124135, 1.037837, 1.889813),
    ),
    (
        "SGD",
        (0.1,),
        {
            "gradient_accumulation_steps": 2,
            "use_ema": True,
            "ema_momentum": 0.8,
            "ema_overwrite_frequency": 2,
            "clipnorm": 0.05,
        },
        (-0.836074, 1.124135, 1.112481, 1.973775),
    ),
    (
        "Nadam",
        (0.01,),
        {"gradient_accumulation_steps": 2, "loss_scale_factor": 8.0},
        (-0.836074, 1.124135, 0.998916, 1.864342),
    ),
]

# Three epochs of three batches with SGD(0.1): the losses, the weights' fingerprint, the iterations.
AVERAGES = [
    ({"use_ema": True, "ema_momentum": 0.9}, [1.141085, 1.069061, 1.013882], 2.046378, 9),
    (
        {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 2},
        [1.127221, 1.086758, 1.085693],
        2.024476,
        9,
    ),
    (
        {"use_ema": True, "gradient_accumulation_steps": 3, "ema_momentum": 0.9},
        [1.124135, 1.09651, 1.071109],
        2.000254,
        3,
    ),
]

# The learning rates of steps 0, 1, 5, 9, 10, 11, 20, 29, 33 and 75.
STEPS = (0, 1, 5, 9, 10, 11, 20, 29, 33, 75)
SCHEDULES = [
    (
        "PolynomialDecay(0.1, 10)",
        [0.1, 0.09001, 0.05005, 0.01009, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001],
    ),
    (
        "PolynomialDecay(0.1, 10, 0.01, 2.0)",
        [0.1, 0.0829, 0.0325, 0.0109, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01],
    ),
    (
        "PolynomialDecay(0.1, 10, 0.01, 0.5, True)",
        [0.1, 0.0953815, 0.0736396, 0.0384605, 0.01, 0.0703738, 0.01, 0.0264317, 0.0476497, 0.0325],
    ),
    (
        "InverseTimeDecay(0.1, 10, 0.5)",
        [
            0.1,
            0.0952381,
            0.08,
            0.0689655,
            0.0666667,
            0.0645161,
            0.05,
            0.0408163,
            0.0377358,
            0.0210526,
        ],
    ),
    (
        "InverseTimeDecay(0.1, 10, 0.5, True)",
        [0.1, 0.1, 0.1, 0.1, 0.0666667, 0.0666667, 0.05, 0.05, 0.04, 0.0222222],
    ),
    (
        "CosineDecayRestarts(0.1, 10)",
        [0.1, 0.0975528, 0.05, 0.00244718, 0.1, 0.0993844, 0.05, 0.000615582, 0.0986185, 0.0990393],
    ),
    (
        "CosineDecayRestarts(0.1, 10, 1.0, 0.9, 0.1)",
        [
            0.1,
            0.0977975,
            0.055,
            0.0122025,
            0.091,
            0.0890178,
            0.0829,
            0.011784,
            0.0620873,
            0.0315234,
        ],
    ),
    (
        "CosineDecayRestarts(0.1, 7, 1.5, 0.8)",
        [
            0.1,
            0.0950484,
            0.0188255,
            0.0730496,
            0.0649396,
            0.0546136,
            0.0601031,
            0.0108261,
            3.97778e-05,
            0.0197426,
        ],
    ),
    (
        "CosineDecay(0.1, 20, 0.1)",
        [0.1, 0.099446, 0.0868198, 0.0620396, 0.055, 0.0479604, 0.01, 0.01, 0.01, 0.01],
    ),
    (
        "CosineDecay(0.01, 20, 0.1, 'c', 0.2, 5)",
        [0.01, 0.048, 0.2, 0.182812, 0.17364, 0.162901, 0.0463604, 0.02, 0.02, 0.02],
    ),
    (
        "ExponentialDecay(0.1, 10, 0.9)",
        [
            0.1,
            0.0989519,
            0.0948683,
            0.0909533,
            0.09,
            0.0890567,
            0.081,
            0.0736721,
            0.0706318,
            0.0453752,
        ],
    ),
    (
        "ExponentialDecay(0.1, 10, 0.9, True)",
        [0.1, 0.1, 0.1, 0.1, 0.09, 0.09, 0.081, 0.081, 0.0729, 0.0478297],
    ),
    (
        "PiecewiseConstantDecay([5, 15], [0.1, 0.01, 0.001])",
        [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001],
    ),
]

SHARED = (
    "weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, "
    "ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None, "
    "gradient_accumulation_steps=None, name=None"
)
BETAS = "beta_1=0.9, beta_2=0.999, epsilon=1e-07"
FTRL = (
    "learning_rate_power=-0.5, initial_accumulator_value=0.1, l1_regularization_strength=0.0, "
    "l2_regularization_strength=0.0, l2_shrinkage_regularization_strength=0.0, beta=0.0"
)
SIGNATURES = {
    "Adadelta": f"learning_rate=0.001, rho=0.95, epsilon=1e-07, {SHARED}",
    "Adagrad": f"learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-07, {SHARED}",
    "Adam": f"learning_rate=0.001, {BETAS}, amsgrad=False, {SHARED}",
    "AdamW": (
        f"learning_rate=0.001, weight_decay=0.004, {BETAS}, amsgrad=False, "
        f"{SHARED.partition(', ')[2]}"
    ),
    "Adamax": f"learning_rate=0.001, {BETAS}, {SHARED}",
    "Ftrl": f"learning_rate=0.001, {FTRL}, {SHARED}",
    "Lion": f"learning_rate=0.001, beta_1=0.9, beta_2=0.99, {SHARED}",
    "Nadam": f"learning_rate=0.001, {BETAS}, {SHARED}",
    "RMSprop": (
        f"learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-07, centered=False, {SHARED}"
    ),
    "SGD": f"learning_rate=0.01, momentum=0.0, nesterov=False, {SHARED}",
}


def signature(kind):
    parameters = inspect.signature(kind).parameters.values()
    shown = [p for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return ", ".join(f"{p.name}={p.default!r}" for p in shown)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_those_of_keras(name):
    assert signature(getattr(optimizers, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", SIGNATURES)
def test_all_arguments_can_be_given_by_position(name):
    kind = getattr(optimizers, name)
    parameters = inspect.signature(kind).parameters.values()
    given = [p.default for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    given[-1] = "mine"
    assert kind(*given).name == "mine"
    assert kind(*given).saved_config() == {**kind().saved_config(), "name": "mine"}


@pytest.mark.parametrize(("kind", "arguments", "options", "numbers"), OPTIMIZERS)
def test_twenty_steps_are_those_of_keras(backend, kind, arguments, options, numbers):
    optimizer = getattr(optimizers, kind)(*arguments, **options)
    result = train([], wave(6, 5), ONE_HOT, "categorical_crossentropy", optimizer, 20)
    assert result == close(numbers)


def softmax_regression(optimizer):
    model = mc.Sequential([mc.Input((5,)), layers.Dense(3, activation="softmax")])
    model.compile(optimizer, "categorical_crossentropy")
    for parameter in model.parameters:
        parameter.assign(wave(*parameter.shape, step=0.9) * 0.9)
    return model


@pytest.mark.parametrize(("options", "losses", "weights", "iterations"), AVERAGES)
def test_the_averages_replace_the_weights_when_fit_ends(
    backend, options, losses, weights, iterations
):
    model = softmax_regression(optimizers.SGD(0.1, **options))
    history = model.fit(wave(6, 5), ONE_HOT, 2, 3, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=2e-5)
    assert fingerprint(model.get_weights()) == pytest.approx(weights, rel=2e-5)
    assert model.optimizer.iterations == iterations
    assert model.optimizer.steps == 9


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_accumulation_steps": 3},
        {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
        {"use_ema": True, "gradient_accumulation_steps": 3},
    ],
    ids=repr,
)
def test_a_training_that_is_saved_in_between_continues_with_the_same_bits(tmp_path, options):
    def trained(model, steps):
        for _ in range(steps):
            model.train_on_batch(wave(6, 5), ONE_HOT)
        return model

    whole = trained(softmax_regression(optimizers.Adam(0.1, **options)), 8)
    part = trained(softmax_regression(optimizers.Adam(0.1, **options)), 4)
    part.save(tmp_path / "m.mcnn")
    again = trained(mc.load_model(tmp_path / "m.mcnn"), 4)
    assert again.optimizer.get_config() == whole.optimizer.get_config()
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_accumulated_gradients_are_those_of_a_large_batch(backend):
    large = softmax_regression(optimizers.SGD(0.1, clipnorm=0.05))
    large.train_on_batch(wave(6, 5), ONE_HOT)
    small = softmax_regression(optimizers.SGD(0.1, clipnorm=0.05, gradient_accumulation_steps=3))
    before = small.get_weights()
    for i in range(3):
        for a, b in zip(small.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        small.train_on_batch(wave(6, 5)[2 * i : 2 * i + 2], ONE_HOT[2 * i : 2 * i + 2])
    for a, b in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_weights_can_be_spared_from_decay():
    def kernel_after(**spared):
        optimizer = optimizers.SGD(0.1, weight_decay=0.5)
        model = softmax_regression(optimizer)
        chosen = {"var_list": [model.layers[-1].kernel]} if spared.pop("object", False) else spared
        if chosen:
            optimizer.exclude_from_weight_decay(**chosen)
        model.train_on_batch(np.zeros((6, 5), np.float32), ONE_HOT)
        return model.layers[-1].kernel.value

    start = wave(5, 3, step=0.9) * 0.9
    np.testing.assert_allclose(kernel_after(), start * 0.95, rtol=1e-6)
    np.testing.assert_array_equal(kernel_after(var_names=["kernel"]), start)
    np.testing.assert_array_equal(kernel_after(object=True), start)


@pytest.mark.parametrize("name", ["Adam", "Nadam", "RMSprop", "Ftrl"])
def test_gradients_by_hand_give_the_same_training(backend, name):
    make = lambda: getattr(optimizers, name)(0.05, weight_decay=0.1, global_clipnorm=0.2)  # noqa: E731
    whole, by_hand = softmax_regression(make()), softmax_regression(make())
    x, optimizer = wave(6, 5), by_hand.optimizer
    for step in range(3):
        whole.train_on_batch(x, ONE_HOT)
        dlogits = (by_hand.predict(x, verbose=0) - ONE_HOT) / 6
        kernel, bias = by_hand.parameters
        pairs = [(x.T @ dlogits, kernel), (dlogits.sum(0), bias)]
        assert optimizer.apply_gradients(pairs) == step + 1
    for a, b in zip(whole.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_gradients_by_hand_are_checked():
    model = softmax_regression(optimizers.SGD(0.1))
    with pytest.raises(ShapeError, match=r"kernel has shape \(5, 3\); its gradient has \(3,\)"):
        model.optimizer.apply_gradients([(np.zeros(3), model.layers[-1].kernel)])
    with pytest.raises(ArgumentError, match="cannot add up gradients or keep averages"):
        optimizers.SGD(0.1, use_ema=True).apply_gradients([])


# --- learning rates -----------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "rates"), SCHEDULES)
def test_schedules_are_those_of_keras(text, rates):
    schedule = eval(text, vars(schedules))
    np.testing.assert_allclose([schedule(i) for i in STEPS], rates, rtol=1e-5, atol=1e-7)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    ("kind", "expected"),
    {
        "CosineDecay": "initial_learning_rate, decay_steps, alpha=0.0, name='CosineDecay', "
        "warmup_target=None, warmup_steps=0",
        "CosineDecayRestarts": "initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, "
        "alpha=0.0, name='SGDRDecay'",
        "ExponentialDecay": "initial_learning_rate, decay_steps, decay_rate, staircase=False, "
        "name='ExponentialDecay'",
        "InverseTimeDecay": "initial_learning_rate, decay_steps, decay_rate, staircase=False, "
        "name='InverseTimeDecay'",
        "PiecewiseConstantDecay": "boundaries, values, name='PiecewiseConstant'",
        "PolynomialDecay": "initial_learning_rate, decay_steps, end_learning_rate=0.0001, "
        "power=1.0, cycle=False, name='PolynomialDecay'",
    }.items(),
)
def test_signatures_of_schedules_are_those_of_keras(kind, expected):
    parameters = inspect.signature(getattr(schedules, kind)).parameters.values()
    plain = [str(p.replace(annotation=inspect.Parameter.empty)) for p in parameters]
    assert ", ".join(plain) == expected


@pytest.mark.parametrize(("t_mul", "length"), [(3.0, 3.0), (1.7, 1.7), (1.0, 1.0)])
def test_restarts_begin_at_the_exact_step(t_mul, length):
    schedule = schedules.CosineDecayRestarts(0.1, 1000, t_mul)
    begin, span = 0.0, 1000.0
    for _ in range(4):
        begin, span = begin + span, span * length
        first = int(np.ceil(begin))
        assert schedule(first) == pytest.approx(0.1, rel=1e-5)
        assert schedule(first - 1) < 0.001


def test_own_schedules_and_functions():
    class Halving(LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return np.float32(self.start) / 2**step

    model = softmax_regression(optimizers.SGD(Halving(0.5)))
    assert model.optimizer.learning_rate == 0.5
    model.train_on_batch(wave(6, 5), ONE_HOT)
    assert model.optimizer.learning_rate == 0.25
    config = optimizers.SGD(Halving(0.5)).get_config()
    assert optimizers.SGD.from_config(config, {"Halving": Halving}).learning_rate == 0.5
    values = iter([0.25, 0.125, 0.125])
    optimizer = optimizers.SGD(lambda: next(values))
    assert [float(optimizer.learning_rate) for _ in range(2)] == [0.25, 0.125]


def test_with_accumulation_schedules_count_batches_as_in_keras():
    optimizer = optimizers.SGD(CosineDecay(0.1, 100), gradient_accumulation_steps=4)
    optimizer.steps = 50
    assert optimizer.learning_rate == pytest.approx(0.05)
    assert optimizer.iterations == 12


def test_learning_rate_and_iterations_have_keras_methods():
    optimizer = optimizers.Adam(0.5)
    optimizer.learning_rate.assign(0.25)
    assert (optimizer.learning_rate, optimizer.learning_rate.numpy()) == (0.25, np.float32(0.25))
    optimizer.learning_rate = 0.125
    assert float(optimizer.get_config()["learning_rate"]) == 0.125
    assert optimizers.serialize(optimizer)["config"]["learning_rate"] == 0.5
    assert optimizer.iterations.numpy() == 0
    assert pickle.loads(pickle.dumps(optimizer.learning_rate)) == 0.125
    assert copy.deepcopy(optimizer).learning_rate == 0.125
    with pytest.raises(ArgumentError, match="follows CosineDecay, so it cannot be set"):
        optimizers.SGD(CosineDecay(0.1, 10)).learning_rate = 0.1


@pytest.mark.parametrize("name", SIGNATURES)
def test_names_and_configs(name):
    kind = getattr(optimizers, name)
    for identifier in (name, name.lower(), kind(), {"class_name": name, "config": {}}):
        assert type(optimizers.get(identifier)) is kind
    changed = kind(0.5, clipnorm=1.0, use_ema=True, gradient_accumulation_steps=2, name="x")
    for config in (changed.get_config(), optimizers.serialize(changed)["config"]):
        assert kind.from_config(config).get_config() == changed.get_config()


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("SGD", {"gradient_accumulation_steps": 1}, "gradient_accumulation_steps must be .* >= 2"),
        ("SGD", {"ema_momentum": 1.5}, r"ema_momentum must be a number in \[0, 1\]"),
        ("SGD", {"ema_overwrite_frequency": 0}, "ema_overwrite_frequency must be an integer"),
        ("SGD", {"loss_scale_factor": 0}, "loss_scale_factor must be"),
        ("SGD", {"use_ema": 1}, "use_ema must be True or False"),
        ("SGD", {"name": 3}, "name must be a string"),
        ("SGD", {"clipnorm": 1.0, "clipvalue": 1.0}, "one way"),
        ("Adam", {"amsgrad": "yes"}, "amsgrad must be True or False"),
        ("Adamax", {"amsgrad": True}, "Adamax has no argument 'amsgrad'"),
        ("Ftrl", {"learning_rate_power": -0.4}, "learning_rate_power must be -0.5"),
        ("Lion", {"beta_1": 1.0}, "beta_1 must be"),
        ("Nadam", {"learning_rate": -1.0}, "learning_rate must be"),
    ],
)
def test_wrong_arguments_are_refused(kind, options, says):
    with pytest.raises(ArgumentError, match=says):
        getattr(optimizers, kind)(**options)
