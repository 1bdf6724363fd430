"""An operation that only the reference has runs on every engine, also inside programs."""

from __future__ import annotations

import os
import signal
import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import backends, operations
from minicnn.apps.cli.main import run
from minicnn.backends import fallback
from minicnn.backends.numpy import KERNELS as REFERENCE
from minicnn.contracts import CONTRACTS, Contract, Spec, same
from minicnn.errors import ArgumentError, BackendError, NumericError, ShapeError
from minicnn.explain import verify
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Layer, MaxPooling2D
from minicnn.program import Buffer, Program, Step

# y = w sin(x), with one w per channel.
FORWARD = Contract(("x", "w"), ("y",), same(0))
BACKWARD = Contract(("dy", "x", "w"), ("dx", "dw"), same(0, 2))
KINDS = ("forward", "backward")


def wave_forward(x, w):
    return (w * np.sin(x),)


def wave_backward(dy, x, w):
    return dy * w * np.cos(x), (dy * np.sin(x)).reshape(-1, len(w)).sum(0)


@pytest.fixture(autouse=True)
def no_kernels_remain(monkeypatch):
    """What a test adds is gone after it, and nothing was warned of before it."""
    before = dict(CONTRACTS), dict(REFERENCE)
    monkeypatch.setattr(fallback, "_warned", set())
    yield
    for table, content in zip((CONTRACTS, REFERENCE), before, strict=True):
        table.clear()
        table.update(content)


@pytest.fixture
def wave():
    operations.add_kernel("wave_forward", FORWARD, wave_forward)
    operations.add_kernel("wave_backward", BACKWARD, wave_backward)
    return operations.Operation("wave", lambda x, w: {}, ("wave_backward",))


class Wave(Layer):
    def __init__(self, operation, **options):
        super().__init__(**options)
        self.operation = operation

    def build(self, shape):
        self.w = self.add_parameter("w", shape[-1:], "ones")

    def forward(self, apply, x, *, training):
        return apply(self.operation, x, self.w)


def network(operation):
    """Own operations beside layers that are fused: convolution, ReLU, pooling and batch norm."""
    mc.random.set_random_seed(3)
    model = mc.Sequential(
        [
            mc.Input((9, 9, 2)),
            Conv2D(4, 3, activation="relu"),
            MaxPooling2D(2),
            BatchNormalization(),
            Wave(operation),
            Conv2D(5, 2, activation="relu"),
            Wave(operation),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile(mc.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data(n=24):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 9, 9, 2), np.float32), rng.integers(0, 3, n)


def everything(model):
    """What the model learned, and what it answers."""
    x, y = data()
    model.fit(x, y, batch_size=7, epochs=2, verbose=0)
    evaluated = model.evaluate(x, y, verbose=0)
    return [*model.get_weights(), model.predict(x), np.asarray(list(evaluated))]


def assert_equal(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_every_engine_trains_and_predicts_through_it_as_the_reference_does(wave, backend):
    with backends.use_backend("numpy"):
        wanted = everything(network(wave))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = everything(network(wave))
    assert_equal(found, wanted)
    texts = [str(warning.message) for warning in told]
    if backend == "numpy":
        assert texts == []
    else:
        assert texts == [
            f"backend {backend!r} has no kernel wave_backward, wave_forward: NumPy computes it, "
            "which is slower but gives the same result"
        ]


def test_every_engine_calls_it_on_arrays(wave, backend):
    x = np.linspace(-2, 2, 8).reshape(2, 4)[:, ::2]
    w, dy = np.array([1.0, 3.0]), np.ones((2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, saved = operations.run(wave, x, w)
        found = operations.gradients(dy, saved)
    np.testing.assert_allclose(y, w * np.sin(x), rtol=1e-6)
    np.testing.assert_allclose(found["dx"], w * np.cos(x), rtol=1e-6)
    np.testing.assert_allclose(found["dw"], np.sin(x).sum(0), rtol=1e-6)
    assert y.dtype == found["dw"].dtype == (np.float64 if backend == "numpy" else np.float32)


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_verify_compares_its_steps_like_all_others(wave):
    checks = verify(network(wave))
    assert [check for check in checks if not check.agrees] == []
    assert {"wave_forward", "wave_backward"} <= {check.kernel for check in checks}


def plain_network():
    mc.random.set_random_seed(3)
    model = mc.Sequential(
        [
            mc.Input((9, 9, 2)),
            Conv2D(4, 3, activation="relu"),
            MaxPooling2D(2),
            BatchNormalization(),
            Conv2D(5, 2, activation="relu"),
            BatchNormalization(),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )
    optimizer = mc.optimizers.Adam(0.01, global_clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def kernels_used():
    model = plain_network()
    programs = model.program(7, training=True), model.program(7, training=False)
    return sorted({step.kernel for program in programs for step in program.steps})


@pytest.mark.filterwarnings("ignore:backend 'native' has no kernel")
@pytest.mark.parametrize("name", kernels_used())
def test_a_kernel_that_the_native_engine_lost_is_replaced(name, monkeypatch):
    native = pytest.importorskip("minicnn.backends.native")
    with backends.use_backend("native"):
        wanted = everything(plain_network())
        monkeypatch.delitem(native.KERNELS, name)
        assert_equal(everything(plain_network()), wanted)


@pytest.mark.filterwarnings("default:backend 'native' has no kernel:RuntimeWarning")
def test_the_command_verify_agrees_too(monkeypatch, tmp_path, capsys):
    native = pytest.importorskip("minicnn.backends.native")
    plain_network().save(tmp_path / "m.mcnn")
    for name in ("conv2d_forward", "dense_forward", "adam_update"):
        monkeypatch.delitem(native.KERNELS, name)
    assert run(["verify", str(tmp_path / "m.mcnn")]) == 0
    told = capsys.readouterr().err
    assert "The engines agree" in told and "'native' has no kernel" in told


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_predictions_follow_the_parameters_that_constant_steps_read(backend, monkeypatch):
    """The folded weights of a batch norm are computed again when a parameter changes."""
    engine = backends._modules[backend]
    x, _ = data(5)
    model = plain_network()
    program = model.program(5, training=False)
    constant = {step.kernel for step in program.steps[: program.constant_steps]}
    assert constant
    if backend != "numpy":
        for name in constant:
            monkeypatch.delitem(engine.KERNELS, name)
    before = model.predict(x)
    for parameter in model.parameters:
        parameter.assign(parameter.value * 1.5 + 0.1)
    after = model.predict(x)
    with backends.use_backend("numpy"):
        assert_equal([after], [plain_copy(model).predict(x)])
    assert not np.allclose(before, after)


def plain_copy(model):
    copy = plain_network()
    copy.set_weights(model.get_weights())
    return copy


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_any_part_of_the_steps_may_be_run(backend):
    """Steps 1 and 3 of four are the reference's alone."""
    operations.add_kernel("half_forward", Contract(("x",), ("y",), same(0)), lambda x: (x / 2,))
    spec = Spec((16,))
    buffers = (
        Buffer("x", spec, storage="input"),
        *(Buffer(name, spec, offset=64 * i) for i, name in enumerate("abc")),
        Buffer("y", spec, storage="state"),
    )
    kernels = ("relu_forward", "half_forward", "relu_forward", "half_forward")
    steps = tuple(Step(kernel, (i,), (i + 1,), {}) for i, kernel in enumerate(kernels))
    program = Program(buffers, steps, 256, first_change=3)
    for cut in range(5):
        for end in range(cut, 5):
            arrays = {0: np.full(16, 8, np.float32), 4: np.zeros(16, np.float32)}
            runner = backends.runner(program, arrays)
            for first, last in ((0, cut), (cut, end), (end, None)):
                runner.run(first, last)
            assert (runner[4] == 2).all()


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_results_may_take_the_memory_of_what_was_read(backend):
    """The kernel returns what it read, in another order; the program writes over both."""
    two = Contract(("a", "b"), ("c", "d"), same(0, 1))
    operations.add_kernel("swap_forward", two, lambda a, b: (b, a))
    buffers = tuple(Buffer(name, Spec((4,)), storage="state") for name in "ab")
    program = Program(buffers, (Step("swap_forward", (0, 1), (0, 1), {}),), 0, first_change=0)
    arrays = {0: np.zeros(4, np.float32), 1: np.ones(4, np.float32)}
    if backend == "numpy":
        pytest.skip("the reference's arrays are the ones that kernels return")
    runner = backends.runner(program, arrays)
    runner.run()
    assert (runner[0] == 1).all() and (runner[1] == 0).all()


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_a_loss_that_is_not_finite_leaves_the_model_as_it_was(wave, backend):
    model, (x, y) = network(wave), data(7)
    model.train_on_batch(x, y)
    before = model.get_weights()
    nan = lambda x, w: (np.full_like(x, np.nan),)  # noqa: E731
    operations.add_kernel("wave_forward", FORWARD, nan)
    with pytest.raises(NumericError, match=r"step 2: .*wave"):
        model.train_on_batch(x, y)
    assert all(map(np.array_equal, before, model.get_weights()))


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
@pytest.mark.parametrize("kernel", ["wave_forward", "wave_backward"])
def test_ctrl_c_inside_it_leaves_a_whole_number_of_steps(wave, backend, kernel):
    right, calls = {"wave_forward": wave_forward, "wave_backward": wave_backward}[kernel], []

    def pressed(*reads):
        calls.append(kernel)
        if len(calls) == 5:  # in the third step, as the network has two such layers
            os.kill(os.getpid(), signal.SIGINT)
        return right(*reads)

    x, y = data()
    steps = network(wave)
    for _ in range(2):
        steps.train_on_batch(x, y)
    operations.add_kernel(kernel, CONTRACTS[kernel], pressed)
    stopped = network(wave)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(x, y, batch_size=24, epochs=9, shuffle=False, verbose=0)
    assert stopped.optimizer.iterations == 2
    assert_equal(stopped.get_weights(), steps.get_weights())


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_a_result_of_a_wrong_shape_is_an_error_that_names_the_kernel(wave, backend):
    if backend == "numpy":
        pytest.skip("the reference takes what a kernel returns")
    operations.add_kernel("wave_forward", FORWARD, lambda x, w: (x[:1],))
    with pytest.raises(ShapeError, match=r"wave_forward: y must be of shape \(7, 3, 3, 4\)"):
        network(wave).predict(data(7)[0], batch_size=7)


def test_a_kernel_that_no_engine_has_is_an_error_that_says_how_to_add_it(wave, backend):
    del REFERENCE["wave_forward"]
    with pytest.raises(BackendError, match=r"kernel 'wave_forward'.*operations\.add_kernel"):
        network(wave).predict(data(2)[0])
    with pytest.raises(BackendError, match=r"kernel 'wave_forward'.*operations\.add_kernel"):
        operations.run(wave, np.zeros((1, 2), np.float32), np.zeros(2, np.float32))


def test_own_kernels_are_checked():
    with pytest.raises(ArgumentError, match="has a kernel 'relu_forward' already"):
        operations.add_kernel("relu_forward", FORWARD, wave_forward)
    with pytest.raises(ArgumentError, match="contract must be a Contract; got str"):
        operations.add_kernel("wave_forward", "x -> y", wave_forward)
    with pytest.raises(ArgumentError, match="kernel must be a function; got NoneType"):
        operations.add_kernel("wave_forward", FORWARD, None)
    with pytest.raises(ArgumentError, match="name must be a string"):
        operations.add_kernel(3, FORWARD, wave_forward)


# --- operations without a gradient ---------------------------------------------------------------


def frozen_network(operation, *, first_trainable=True, trained=True):
    layers = [Dense(4, name="first", trainable=first_trainable), Wave(operation, name="waves")]
    layers[1].trainable = trained
    model = mc.Sequential([mc.Input((3,)), *layers, Dense(2, name="last")])
    model.compile("sgd", "mean_squared_error")
    return model


FEW = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)


@pytest.fixture
def rough():
    """The same function, declared to have no gradient."""
    operations.add_kernel("wave_forward", FORWARD, wave_forward)
    return operations.Operation("wave", lambda x, w: {}, backward=None)


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_a_trainable_parameter_before_no_gradient_is_an_error_that_names_both(rough, backend):
    model = frozen_network(rough, trained=False)
    with pytest.raises(
        ArgumentError, match=r"waves: operation 'wave' has no gradient.* to x.* first/kernel"
    ):
        model.fit(*FEW, verbose=0)
    assert model.predict(FEW[0]).shape == (4, 2)  # that needs no gradient


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_its_own_trainable_parameter_is_one_too(rough, backend):
    with pytest.raises(ArgumentError, match=r"waves: operation 'wave' .* to w.* waves/w"):
        frozen_network(rough, first_trainable=False).fit(*FEW, verbose=0)


@pytest.mark.filterwarnings("ignore:backend .* has no kernel")
def test_what_comes_after_it_learns_if_all_before_is_frozen(rough, backend):
    model = frozen_network(rough, first_trainable=False, trained=False)
    before = model.get_weights()
    model.fit(*FEW, verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [False, False, False, True, True]


def test_a_gradient_of_some_reads_only_is_enough_where_the_others_do_not_learn():
    operations.add_kernel("wave_forward", FORWARD, wave_forward)
    only_dx = Contract(("dy", "x", "w"), ("dx",), same(0))
    operations.add_kernel("wave_backward", only_dx, lambda *reads: wave_backward(*reads)[:1])
    half = operations.Operation("wave", lambda x, w: {}, ("wave_backward",))
    with backends.use_backend("numpy"):
        frozen_network(half, trained=False).fit(*FEW, verbose=0)
        with pytest.raises(ArgumentError, match=r"no gradient with respect to w, .* waves/w"):
            frozen_network(half).fit(*FEW, verbose=0)


def test_gradients_of_an_operation_without_are_refused(rough):
    with backends.use_backend("numpy"):
        _, saved = operations.run(rough, np.ones((1, 2)), np.ones(2))
        with pytest.raises(ArgumentError, match="operation 'wave' has no gradient"):
            operations.gradients(np.ones((1, 2)), saved)


def test_no_gradient_must_be_said(wave):
    with pytest.raises(ArgumentError, match=r"operation 'wave': backward must name .* give None"):
        operations.Operation("wave", lambda x, w: {}, backward=())
    with pytest.raises(ArgumentError, match="needs a kernel 'wave_dx', which has no contract"):
        operations.Operation("wave", lambda x, w: {}, ("wave_dx",))
    with pytest.raises(ArgumentError, match="'tide' needs a kernel 'tide_forward'"):
        operations.Operation("tide", lambda x: {}, backward=None)
