"""Training on the GPU engine agrees with the reference, with any number of steps per call.

How batches get to the device and outcomes back is tested with the reference's kernels in place of
the CUDA kernels, which have their own tests and take seconds per step in the simulator.
"""

from __future__ import annotations

import gc
from itertools import pairwise

import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks, layers
from minicnn.backends import device
from minicnn.backends import numpy as reference
from minicnn.contracts import CONTRACTS
from minicnn.errors import NumericError

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda.runtime import device_dataset, memory, multi_step, program
from minicnn.backends.cuda.runtime.launch import HALTED, OLD, KernelPlan, Launch

# Simulated threads compute with NumPy's scalars, which warn about overflow and NaN.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SAMPLES, BATCH = 22, 4  # five whole batches and a smaller one


class Reference:
    """A kernel of the reference as one launch, which like every launch respects HALTED."""

    def __init__(self, name, specs, attributes):
        self.name, self.specs, self.attributes = name, specs, attributes

    def __getitem__(self, _):
        return self

    def __call__(self, halted, *arrays):
        given = iter(arrays)
        reads = [spec and next(given)._ary.reshape(spec.shape) for spec in self.specs]
        outs = reference.KERNELS[self.name](*reads, **self.attributes)
        contract = CONTRACTS[self.name]
        changes = self.name == "assign" or "update" in self.name
        for name, out in zip(contract.writes, outs, strict=True):
            if out is not None and name in self.wanted and not (changes and halted[0]):
                next(given)[...] = out.reshape(-1)


def reference_plan(prog, step):
    contract = CONTRACTS[step.kernel]
    specs = [None if i is None else prog.buffers[i].spec for i in step.reads]
    kernel = Reference(step.kernel, specs, step.attributes)
    kernel.wanted = present(contract.writes, step.writes)
    reads = [name.rstrip("?") for name in present(contract.reads, step.reads)]
    old = [OLD + name if name in contract.updates else name for name in reads]
    return KernelPlan((Launch(kernel, 1, 1, (HALTED, *old, *kernel.wanted)),))


def present(names, indices):
    return [name for name, i in zip(names, indices, strict=True) if i is not None]


@pytest.fixture
def reference_kernels(monkeypatch):
    monkeypatch.setattr(program, "_plan_of", reference_plan)
    monkeypatch.setattr(program, "join_updates", list)


class Looking(callbacks.Callback):
    """A callback that sees every batch, so that each call takes one step."""

    def on_train_batch_end(self, batch, logs=None):
        pass


def network():
    return mc.Sequential(
        [
            mc.Input((6, 6, 1), rescale=1 / 255),
            layers.Conv2D(2, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )


def two_inputs():
    a, b = mc.Input((6, 6, 1)), mc.Input((5,))
    y = layers.Concatenate()([layers.Flatten()(a), b])
    return mc.Model([a, b], layers.Dense(3, activation="softmax")(y))


def data(dtype=np.uint8):
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (SAMPLES, 6, 6, 1)).astype(dtype), rng.integers(0, 3, SAMPLES)


def compiled(build=network):
    mc.utils.clear_session()
    mc.utils.set_random_seed(11)
    model = build()
    rate = mc.schedules.ExponentialDecay(0.05, 2, 0.7)
    optimizer = mc.optimizers.SGD(rate, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fitted(x, y=None, *, engine="cuda", epochs=2, one_by_one=False, build=network, **options):
    model = compiled(build)
    watchers = [Looking()] if one_by_one else []
    with mc.use_backend(engine):
        history = model.fit(x, y, epochs=epochs, verbose=0, callbacks=watchers, **options).history
    return model, history


def everything(model):
    slots = [a.tobytes() for _, a in sorted(model.slots.items())]
    return [w.tobytes() for w in model.get_weights()] + slots + [model.optimizer.iterations]


def batches(sizes=(4, 4, 4, 4, 4, 2)):
    x, y = data()
    cuts = np.cumsum([0, *sizes])
    return [(x[i:j], y[i:j]) for i, j in pairwise(cuts)]


def pair():
    x, y = data(np.float32)
    return [x, np.linspace(-1, 1, SAMPLES * 5, dtype=np.float32).reshape(SAMPLES, 5)], y


CALLS = {
    "pixels": lambda: (*data(), {}),
    "float32": lambda: (*data(np.float32), {}),
    "float64": lambda: (*data(np.float64), {}),
    "in-order": lambda: (*data(), {"shuffle": False}),
    "weights": lambda: (
        *data(),
        {"class_weight": {0: 1.0, 1: 2.5, 2: 0.3}, "sample_weight": np.linspace(0.1, 3, SAMPLES)},
    ),
    "two-inputs": lambda: (*pair(), {"build": two_inputs}),
    "iterable": lambda: (batches(), None, {}),
    "iterable-of-sizes": lambda: (batches((4, 4, 3, 3, 3, 4)), None, {}),
    "validation": lambda: (*data(), {"validation_split": 0.3}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_many_steps_are_single_steps_bit_for_bit(reference_kernels, monkeypatch, call):
    monkeypatch.setattr(multi_step, "MAX_STEPS_PER_CALL", 2)
    x, y, options = call()
    if y is not None:
        options["batch_size"] = BATCH
    one, want = fitted(x, y, one_by_one=True, **options)
    model, history = fitted(x, y, **options)
    assert history == want
    assert everything(model) == everything(one)


def test_the_same_as_the_reference_engine_with_its_kernels(reference_kernels):
    one, want = fitted(*data(), engine="numpy", batch_size=BATCH)
    model, history = fitted(*data(), batch_size=BATCH)
    assert history == want and everything(model) == everything(one)


def test_agrees_with_the_reference():
    """Several steps per call, with the CUDA kernels."""
    x, y = data()
    one, want = fitted(x[:12], y[:12], engine="numpy", epochs=1, batch_size=BATCH)
    model, history = fitted(x[:12], y[:12], epochs=1, batch_size=BATCH)
    assert history["loss"] == pytest.approx(want["loss"], rel=1e-4)
    assert history["accuracy"] == want["accuracy"]
    for ours, theirs in zip(model.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_data_that_does_not_fit_is_sent_batch_by_batch(reference_kernels, monkeypatch):
    monkeypatch.setattr(multi_step, "MAX_STEPS_PER_CALL", 2)
    x, y = data()
    one, want = fitted(x, y, batch_size=BATCH)
    copies = []

    def copied(*arguments, copy=device_dataset._copied):
        memory.set_limit(x.nbytes - 1)  # for this allocation only
        try:
            copies.append(copy(*arguments))
        finally:
            memory.set_limit(None)
        return copies[-1]

    monkeypatch.setattr(device_dataset, "_copied", copied)
    model, history = fitted(x, y, batch_size=BATCH)
    assert copies == [None]
    assert history == want and everything(model) == everything(one)


def test_the_data_leave_the_device_with_the_training(reference_kernels):
    x, y = data()
    model, _ = fitted(x, y, batch_size=BATCH)
    gc.collect()
    assert not device_dataset._copies
    with mc.use_backend("cuda"):
        model.fit(x[::-1], y[::-1], BATCH, verbose=0)  # other data: the old copy must not be used
    one = compiled()
    with mc.use_backend("numpy"):
        one.fit(x, y, BATCH, epochs=2, verbose=0)
        one.fit(x[::-1], y[::-1], BATCH, verbose=0)
    assert everything(model) == everything(one)


@pytest.mark.parametrize("bad", range(5))
def test_after_a_loss_that_is_not_finite_nothing_changes(reference_kernels, monkeypatch, bad):
    monkeypatch.setattr(multi_step, "MAX_STEPS_PER_CALL", 2)
    x, y = data(np.float32)
    x[bad * BATCH] = np.inf

    def failing(engine):
        model = compiled()
        with mc.use_backend(engine), pytest.raises(NumericError) as error:
            model.fit(x, y, BATCH, shuffle=False, verbose=0)
        with mc.use_backend(engine):  # and then it trains again
            model.fit(*data(), BATCH, epochs=1, verbose=0)
        return [*everything(model), str(error.value)]

    assert failing("cuda") == failing("numpy")


def test_the_kernels_of_updates_respect_halted():
    """The same with the CUDA kernels, for a small network without convolutions."""

    def small():
        x = mc.Input((3,))
        return mc.Model(x, layers.Dense(2)(layers.BatchNormalization()(x)))

    x = np.arange(12, dtype=np.float32).reshape(4, 3) / 12
    y = np.linspace(0, 1, 8, dtype=np.float32).reshape(4, 2)
    x[2] = np.nan
    model, other = compiled(small), compiled(small)
    for one in (model, other):
        one.compile(mc.optimizers.Adam(0.01), "mean_squared_error")
    with mc.use_backend("cuda"):
        with pytest.raises(NumericError, match="step 2"):
            model.fit(x, y, 2, shuffle=False, verbose=0)
        other.train_on_batch(x[:2], y[:2])
    assert everything(model) == everything(other)


def test_engines_take_turns(reference_kernels, tmp_path):
    """Weights and the optimizer's state move between engines."""
    x, y = data()
    one, model = compiled(), compiled()
    with mc.use_backend("numpy"):
        for _ in range(5):
            one.fit(x, y, BATCH, verbose=0)
    with mc.use_backend("cuda"):
        model.fit(x, y, BATCH, verbose=0)
        with mc.use_backend("numpy"):
            model.fit(x, y, BATCH, verbose=0)
        model.fit(x, y, BATCH, verbose=0)
        with mc.use_backend("numpy"):
            model.fit(x, y, BATCH, verbose=0)
        model.save(tmp_path / "model.mcnn")
        model.fit(x, y, BATCH, verbose=0)
        loaded = mc.load_model(tmp_path / "model.mcnn")
        loaded.fit(x, y, BATCH, verbose=0)
    assert everything(model) == everything(one)
    assert everything(loaded) == everything(one)


def test_weights_that_are_set_while_the_device_has_newer_ones(reference_kernels):
    x, y = data()
    model = compiled()
    before = model.get_weights()
    with mc.use_backend("cuda"):
        model.fit(x, y, BATCH, verbose=0)
        after = model.predict(x, verbose=0)
        model.set_weights(before)
        np.testing.assert_array_equal(model.predict(x, verbose=0), compiled().predict(x, verbose=0))
    assert not np.array_equal(after, compiled().predict(x, verbose=0))
