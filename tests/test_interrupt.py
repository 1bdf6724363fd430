"""Ctrl-C in the middle of a step: no further kernel starts, and the model stays as it was."""

from __future__ import annotations

import os
import signal
import threading
from functools import partial

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.backends.numpy import KERNELS
from minicnn.contracts import Spec
from minicnn.models.training.interrupt import BetweenSteps, Interrupt, Uninterruptible
from minicnn.program import Buffer, Program, Step
from minicnn.shapes import Window2D

X = np.random.default_rng(0).normal(size=(40, 8, 8, 1)).astype(np.float32)
Y = np.arange(40) % 3


@pytest.fixture(autouse=True)
def python_hears_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press():
    os.kill(os.getpid(), signal.SIGINT)


class PressedInKernel:
    """The reference engine with Ctrl-C in the n-th run of a kernel; it counts later runs."""

    def __init__(self, monkeypatch, name: str, n: int):
        self.left, self.after, self.pressed = n, [], False
        for kernel, function in list(KERNELS.items()):
            monkeypatch.setitem(KERNELS, kernel, self.counted(kernel, function, kernel == name))

    def counted(self, kernel, function, presses):
        def run(*reads, **attributes):
            if self.pressed:
                self.after.append(kernel)
            self.left -= presses
            if presses and self.left == 0:
                self.pressed = True
                press()
            return function(*reads, **attributes)

        return run


def kernels_after_ctrl_c(monkeypatch, kernel, n, error, action):
    """Return the kernels that started after Ctrl-C was pressed in the n-th run of `kernel`."""
    with monkeypatch.context() as patch:
        pressed = PressedInKernel(patch, kernel, n)
        with pytest.raises(error):
            action()
    assert pressed.pressed
    return pressed.after


def network():
    mc.utils.clear_session()
    mc.utils.set_random_seed(3)
    model = mc.Sequential(
        [
            mc.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, folder=None, epochs=2, **options):
    given = [] if folder is None else [mc.callbacks.BackupAndRestore(folder)]
    return model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=given, **options)


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.mark.parametrize("kernel", ["conv2d_relu_forward", "dense_backward_input"])
def test_a_step_that_is_given_up_is_repeated_with_the_same_bits(tmp_path, monkeypatch, kernel):
    with mc.use_backend("numpy"):
        whole, stopped = network(), network()
        fit(whole)
        action = partial(fit, stopped, tmp_path)
        assert kernels_after_ctrl_c(monkeypatch, kernel, 3, BetweenSteps, action) == []
        assert stopped.optimizer.iterations == 2 and stopped.session.state.batch == 2
        again = network()
        history = fit(again, tmp_path)
        assert equal(again, whole) and again.optimizer.iterations == 6
        assert len(history.history["loss"]) >= 1


def test_the_part_that_changes_the_model_is_done_to_its_end(monkeypatch):
    with mc.use_backend("numpy"):
        model, alike = network(), network()
        for _ in range(2):
            alike.train_on_batch(X[:16], Y[:16])
        model.train_on_batch(X[:16], Y[:16])
        updates = sum(s.kernel == "adam_update" for s in model.program(16).steps)
        assert updates > 1
        step = partial(model.train_on_batch, X[:16], Y[:16])
        after = kernels_after_ctrl_c(monkeypatch, "adam_update", 1, KeyboardInterrupt, step)
        assert after.count("adam_update") == updates - 1
        assert model.optimizer.iterations == 2 and equal(model, alike)


def test_a_prediction_is_given_up(monkeypatch):
    with mc.use_backend("numpy"):
        model = network()
        action = partial(model.predict_on_batch, X)
        kernel = "conv2d_relu_forward"
        assert kernels_after_ctrl_c(monkeypatch, kernel, 1, KeyboardInterrupt, action) == []
        assert np.array_equal(model.predict_on_batch(X), network().predict_on_batch(X))


def test_while_a_batch_is_waited_for_ctrl_c_strikes_at_once(tmp_path):
    def batches():
        yield X[:8], Y[:8]
        press()
        raise AssertionError("the generator must not continue")

    model = network()
    with pytest.raises(BetweenSteps):
        model.fit(batches(), verbose=0)
    assert model.optimizer.iterations == 1


def test_measuring_after_an_epoch_is_given_up(monkeypatch):
    with mc.use_backend("numpy"):
        model = network()
        action = partial(fit, model, validation_data=(X, Y))
        kernel = "softmax_sparse_categorical_crossentropy_forward"
        assert kernels_after_ctrl_c(monkeypatch, kernel, 4, BetweenSteps, action) == []
        assert (model.optimizer.iterations, model.session.state.epoch) == (3, 0)


def test_elsewhere_the_first_waits_and_the_second_strikes():
    with Interrupt() as interrupt:
        press()
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt) as caught:
            press()
        assert caught.type is KeyboardInterrupt
        with pytest.raises(BetweenSteps):
            interrupt.check()
        interrupt.check()
        press()
        with pytest.raises(BetweenSteps):
            interrupt.interruptible.__enter__()
        with pytest.raises(BetweenSteps), interrupt.interruptible:
            press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_whole_block_is_not_torn():
    done = []

    def press_twice():
        with Uninterruptible():
            press()
            press()
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert done == [1] and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Uninterruptible():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_in_a_training_even_the_second_waits_for_a_whole_block():
    done = []

    def press_twice(interrupt):
        with interrupt.uninterruptible:
            press()
            press()
            done.append(interrupt.asked)

    with Interrupt() as interrupt:
        with pytest.raises(KeyboardInterrupt) as caught:
            press_twice(interrupt)
        assert caught.type is KeyboardInterrupt and done == [True]
        with interrupt.uninterruptible:
            pass


def press_during(run, *arguments):
    """Press Ctrl-C from another thread while this one runs a kernel without the GIL."""
    ready = threading.Event()

    def wait_and_press():
        ready.wait()
        press()

    threading.Thread(target=wait_and_press).start()
    ready.set()
    run(*arguments)


# Each would take minutes: it is not a matter of time whether Ctrl-C is heard before its end.
PROGRAM_STEPS = 200_000


def test_between_the_steps_of_a_native_program():
    core = pytest.importorskip("minicnn._core")
    x, last = np.ones(2**16, np.float32).reshape(1, -1), np.full((1, 4), np.nan, np.float32)
    y = np.empty_like(x)
    steps = [("relu_forward", [x], [y], {})] * PROGRAM_STEPS
    steps.append(("relu_forward", [last * 0], [last], {}))
    program = core.Program(steps)
    with pytest.raises(KeyboardInterrupt):
        press_during(program.run, 0, len(program))
    assert np.isnan(last).all()
    program.run(PROGRAM_STEPS - 1, PROGRAM_STEPS + 1)  # it can be run again


def test_inside_a_long_native_kernel():
    core = pytest.importorskip("minicnn._core")
    x = np.ones((150, 64, 64, 64), np.float32)
    w = np.ones((7, 7, 64, 64), np.float32)
    y = np.full(x.shape, np.nan, np.float32)
    window = Window2D((7, 7), (1, 1), (1, 1), (3, 3), (3, 3))
    attributes = {"window": window, "groups": 1, "image": (64, 64), "algorithm": "direct"}
    with pytest.raises(KeyboardInterrupt):
        press_during(core.run, "conv2d_forward", [x, w, None], [y], attributes)
    assert np.isnan(y).any()
    core.run("conv2d_forward", [x[:1], w, None], [y[:1]], attributes)
    assert y[0, 30, 30, 0] == 7 * 7 * 64


def test_a_native_program_ends_what_changes_the_model():
    native = pytest.importorskip("minicnn.backends.native", exc_type=ImportError)
    spec = Spec((2**22,))
    buffers = (Buffer("x", spec, storage="input"), Buffer("y", spec, storage="state"))
    steps = (Step("relu_forward", (0,), (1,), {}),) * 200
    x, y = np.ones(2**22, np.float32), np.zeros(2**22, np.float32)
    runner = native.Runner(Program(buffers, steps, 0, first_change=0), {0: x, 1: y})
    with pytest.raises(KeyboardInterrupt):
        press_during(runner.run)
    assert y.all()


def test_weights_that_were_transformed_in_part_are_transformed_again():
    core = pytest.importorskip("minicnn._core")
    x, w = np.ones((1, 8, 8, 900), np.float32), np.ones((5, 5, 900, 900), np.float32)
    y, right = np.empty((2, 1, 8, 8, 900), np.float32)
    window = Window2D((5, 5), (1, 1), (1, 1), (2, 2), (2, 2))
    attributes = {"window": window, "groups": 1, "image": (8, 8), "algorithm": "winograd"}
    core.run("conv2d_forward", [x, w, None], [right], attributes)
    program = core.Program(
        [("conv2d_forward", [x, w, None], [y], attributes | {"cache_weights": True})]
    )
    for _ in range(3):
        w *= 2
        with pytest.raises(KeyboardInterrupt):
            press_during(program.run, 0, 1, 7)
    program.run(0, 1, 8)
    np.testing.assert_allclose(y, 8 * right, rtol=1e-5)
