"""The functions of `minicnn.ops` against Keras 3.15.1: on arrays, in networks, and their gradients.

`ops_cases.py` has the calls. The gradients are those of the sum of all values times cos(0), cos(1)
and so on.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from ops_cases import CASES, ROW, SMOOTH, X

import minicnn as mc
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.explain.tape import Tape
from minicnn.layers.parameter import Parameter
from minicnn.layers.tracing import tracing, unwrapped
from minicnn.models.execution import Execution
from minicnn.models.planner.plan import plan_prediction

KERAS = json.loads((Path(__file__).parent / "keras_ops.json").read_text())
NEAR = {"rtol": 2e-5, "atol": 2e-6}


def check(y, name):
    """Compare values, shape and dtype with those of Keras."""
    want = KERAS["values"][name]
    y = np.asarray(y)
    assert y.shape == tuple(want["shape"])
    assert y.dtype.name == want["dtype"]
    np.testing.assert_allclose(y.ravel(), np.array(want["flat"]), **NEAR)


class Network:
    """A network of one function, for a batch of one size, as the planner sees it."""

    def __init__(self, function, x):
        self.function, self.inputs = function, (mc.Input(x.shape[1:]),)

    def forward(self, apply, *inputs, training):
        with tracing(apply, training) as scope:
            return [unwrapped(self.function(mc.ops, scope.wrapped(inputs[0])))]


def recorded(function, x):
    """A tape with the operations of the function, and its result."""
    tape = Tape.__new__(Tape)
    tape.steps = []
    (y,) = Network(function, x).forward(tape._apply, x, training=True)
    return tape, y


def test_keras_answers_are_of_this_version_and_complete():
    assert KERAS["keras"] == "3.15.1"
    assert KERAS["values"].keys() == CASES.keys()
    assert KERAS["gradients"].keys() == SMOOTH.keys()


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith(("get_", "op"))])
def test_arrays_as_in_keras(name, backend):
    function, x = CASES[name]
    y = function(mc.ops, mc.ops.convert_to_tensor(x))
    check(y, name)


@pytest.mark.parametrize("name", CASES)
def test_programs_as_in_keras(name, backend):
    function, x = CASES[name]
    plan = plan_prediction(Network(function, x), [Spec(x.shape)])
    (y,) = Execution(plan).predict((x,))
    check(y, name)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_as_in_keras(name, backend):
    function, x = SMOOTH[name]
    tape, y = recorded(function, x)
    dy = np.cos(np.arange(y.size)).reshape(y.shape).astype(np.float32)
    dx = tape.gradient(y, dy).of(x)
    want = np.array(KERAS["gradients"][name])
    np.testing.assert_allclose(dx.ravel(), want, rtol=1e-4, atol=1e-5)


class Scaled(mc.layers.Layer):
    """x and a weight in every operator, the weight on either side."""

    def build(self, input_shape):
        self.w = self.add_parameter("w", input_shape[-1:], "ones")

    def call(self, x):
        y = x * self.w + self.w * x - self.w / (self.w + 1.0) + 2 * self.w
        return y @ (self.w[:, None] * ROW[None]) + np.ones(4, np.float32) * self.w - self.w**2


def scaled(x, w):
    y = x * w + w * x - w / (w + 1.0) + 2 * w
    return y @ (w[:, None] * ROW[None]) + w - w**2


def test_weights_in_arithmetic_compute_and_learn(backend):
    layer = Scaled()
    np.testing.assert_allclose(layer(X), scaled(X, np.ones(4, np.float32)), rtol=1e-5)
    model = mc.Sequential([mc.Input((4,)), layer])
    np.testing.assert_allclose(model.predict(X, verbose=0), layer(X), rtol=1e-5)
    model.compile(mc.optimizers.SGD(1e-3), "mse")
    before = model.evaluate(X, np.zeros((3, 4)), verbose=0)
    model.fit(X, np.zeros((3, 4)), epochs=20, verbose=0)
    assert (
        np.asarray(model.evaluate(X, np.zeros((3, 4)), verbose=0)).ravel()[0]
        < 0.9 * np.ravel(before)[0]
    )
    assert not np.array_equal(layer.w.numpy(), np.ones(4))


def test_a_parameter_is_an_array_to_numpy():
    w = Parameter("w", np.arange(4, dtype=np.float32))
    assert np.array(w).tolist() == w.numpy().tolist() == [0, 1, 2, 3]
    assert np.asarray(w, np.float64).dtype == np.float64
    assert np.sum(w) == 6 and np.mean(w) == 1.5
    assert np.exp(w).tolist() == mc.ops.exp(w.value).tolist()
    assert (np.float32([1, 1, 1, 1]) - w).tolist() == [1, 0, -1, -2]
    assert w[1:3].tolist() == [1, 2] and [v.item() for v in w] == [0, 1, 2, 3]
    copy = w.numpy()
    copy[:] = 9
    assert w.value[0] == 0
    with pytest.raises(ValueError, match="only be copied"):
        np.array(w, copy=False)


def operators(x):
    y = (x + 1.5) * 2 - 0.5 + abs(-x) ** 2 / 3
    y = 1 / (y + 10.0) + (3 - y) * x + y @ np.eye(4, dtype=np.float32) + x // 1 + x % 0.7
    return mc.ops.where((x > 0) & (x < 1) | ~(x >= -1), y, x)[:, ::-1][..., None][:, 1:3, 0]


def test_operators_in_a_network_save_and_load(tmp_path, backend):
    inputs = mc.Input((4,))
    model = mc.Model(inputs, operators(inputs))
    want = operators(mc.ops.convert_to_tensor(X))
    np.testing.assert_allclose(model.predict(X, verbose=0), want, rtol=1e-5)
    model.save(tmp_path / "m.mcnn")
    again = mc.models.load_model(tmp_path / "m.mcnn")
    np.testing.assert_allclose(again.predict(X, verbose=0), want, rtol=1e-5)


def test_numbers_become_attributes_of_one_operation():
    inputs = mc.Input((2, 2, 3), dtype="uint8")
    program = str(mc.Model(inputs, (1 - inputs / 255.0) ** 2).program())
    assert program.count("rescale_forward") == 2 and "square_forward" in program
    assert "broadcast" not in program and "cast" not in program


def test_reshapes_and_stopped_gradients_cost_no_step():
    inputs = mc.Input((2, 6))
    y = mc.ops.reshape(mc.ops.stop_gradient(inputs), (-1, 3, 4))
    steps = mc.Model(inputs, mc.ops.exp(y)).program().steps
    assert [step.kernel for step in steps] == ["exp_forward"]


def test_no_gradient_reaches_what_is_behind_a_comparison_or_a_stop():
    inputs = mc.Input((4,))
    hidden = mc.layers.Dense(4, name="hidden")(inputs)
    y = mc.ops.stop_gradient(hidden) + mc.ops.cast(hidden > 0, "float32")
    model = mc.Model(inputs, mc.layers.Dense(1)(y))
    model.compile("sgd", "mse")
    before = model.get_layer("hidden").parameters[0].numpy()
    model.fit(X, np.ones((3, 1)), verbose=0)
    assert np.array_equal(model.get_layer("hidden").parameters[0].numpy(), before)


def test_integers_and_lists_are_computed_as_in_keras():
    o = mc.ops
    assert o.add([1, 2], [3, 4]).dtype == np.int32
    assert o.add(np.array([1, 2]), 1).dtype == np.int64
    assert o.divide([1, 2], [2, 2]).tolist() == [0.5, 1]
    assert o.add(np.array([1, 2]), 0.5).dtype == np.float32
    assert o.sum([[True, False], [True, True]]).item() == 3
    assert o.mean([1, 2]).item() == 1.5
    assert o.max(np.array([3, 9, 2])).item() == 9
    assert o.matmul([[1, 2]], [[3], [4]]).tolist() == [[11]]
    assert o.arange(3).dtype == np.int32 and o.arange(0, 1, 0.5).tolist() == [0, 0.5]
    assert o.linspace(0, 1, 3).tolist() == [0, 0.5, 1]
    assert o.eye(2).tolist() == [[1, 0], [0, 1]]
    assert o.zeros((2,)).tolist() == [0, 0] and o.full((1, 2), 7, "int32").tolist() == [[7, 7]]
    assert o.shape(mc.Input((3, 4))) == (None, 3, 4) and o.size(np.ones((2, 3))) == 6
    values, places = o.top_k(np.float32([[1, 4, 2]]), 2)
    assert values.tolist() == [[4, 2]] and places.tolist() == [[1, 2]]
    assert o.is_tensor(X) and o.is_tensor(mc.Input((2,))) and not o.is_tensor([1.0])
    assert o.convert_to_numpy(Parameter("w", X)).tolist() == X.tolist()
    assert type(o.convert_to_numpy(o.exp(X))) is np.ndarray


WRONG = {
    "shapes": (lambda o: o.add(X, np.ones(3)), ShapeError, r"\(3, 4\), \(3,\) do not fit together"),
    "axis": (lambda o: o.sum(X, axis=2), ArgumentError, "axis must be an integer from -2 to 1"),
    "axis twice": (lambda o: o.sum(X, axis=(0, -2)), ArgumentError, "names an axis twice"),
    "matmul": (lambda o: o.matmul(X, X), ShapeError, "last but one of x2"),
    "reshape": (lambda o: o.reshape(X, (5, -1)), ShapeError, "does not hold the 12 values"),
    "squeeze": (lambda o: o.squeeze(X, 0), ShapeError, "axis 0 has length 3"),
    "concatenate": (lambda o: o.concatenate([X, ROW]), ShapeError, "may differ in axis 0 only"),
    "stack": (lambda o: o.stack([X, ROW]), ShapeError, "must have the same shape"),
    "split": (lambda o: o.split(X, 5), ShapeError, "which 5 parts do not divide"),
    "take": (lambda o: o.take(X, [4], axis=1), ArgumentError, "index 4 is outside of 4 values"),
    "a mask": (lambda o: o.get_item(X, np.ones(len(X), bool)), ArgumentError, "ops.where"),
    "item": (lambda o: o.get_item(X, (0, 7)), ArgumentError, "place 7 is outside"),
    "where": (lambda o: o.where(X > 0), ArgumentError, "np.nonzero"),
    "words": (lambda o: o.exp("x"), DTypeError, "an array of numbers is needed"),
    "einsum": (lambda o: o.einsum("ii->i", X), ArgumentError, "all different"),
    "pad": (lambda o: o.pad(X, 1, mode="wrap"), ArgumentError, "mode must be one of"),
    "channels": (lambda o: o.conv(X[None, :, :, None], np.ones((1, 1, 2, 1))), ShapeError, "multi"),
    "layout": (lambda o: o.max_pool(X[None], 2, data_format="NHWC"), ArgumentError, "data_format"),
    "truth": (lambda o: bool(mc.Input((2,)) > 0), ArgumentError, "minicnn.ops.where"),
    "values": (lambda o: o.top_k(mc.Input((2,)), 1), ArgumentError, "not known yet"),
    "float16": (
        lambda o: o.cast(mc.Input((2,)), "float16"), ArgumentError, "dtype in a network must be",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_calls_say_what_is_wrong(name):
    call, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        call(mc.ops)


def test_positions_and_defaults_are_those_of_keras():
    """A sample of signatures, as Keras 3.15.1 has them."""
    signatures = {
        "sum": "(x, axis=None, keepdims=False)",
        "max": "(x, axis=None, keepdims=False, initial=None)",
        "clip": "(x, x_min, x_max)",
        "where": "(condition, x1=None, x2=None)",
        "reshape": "(x, newshape)",
        "concatenate": "(xs, axis=0)",
        "split": "(x, indices_or_sections, axis=0)",
        "pad": "(x, pad_width, mode='constant', constant_values=None)",
        "one_hot": "(x, num_classes, axis=-1, dtype=None, sparse=False)",
        "conv": "(inputs, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1)",
        "gelu": "(x, approximate=True)",
        "normalize": "(x, axis=-1, order=2, epsilon=None)",
        "categorical_crossentropy": "(target, output, from_logits=False, axis=-1)",
    }
    for name, want in signatures.items():
        parameters = inspect.signature(getattr(mc.ops, name)).parameters.values()
        plain = [p.replace(annotation=p.empty) for p in parameters]
        assert str(inspect.Signature(plain)) == want, name


def test_an_array_of_places_in_a_network():
    """As a key, a NumPy array is what the list of its numbers is; so is a NumPy integer."""
    x = mc.Input((3, 4))
    picked = mc.Model(x, [x[:, np.array([2, 0])], x[:, np.int64(1)]])
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    several, one = picked.predict(values, verbose=0)
    np.testing.assert_array_equal(several, values[:, [2, 0]])
    np.testing.assert_array_equal(one, values[:, 1])
