"""Names of layers and parameters, and results that must not depend on them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import minicnn as mc
from minicnn import random
from minicnn.errors import ArgumentError
from minicnn.layers import Add, BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, Layer

X = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)
T = np.random.default_rng(1).normal(size=(16, 3)).astype(np.float32)


def network(names=(None, None, None)):
    first, hidden, last = names
    x = Input((4,), name=first)
    y = Dense(3, name=last)(Dense(8, activation="relu", name=hidden)(x))
    return mc.Model(x, y)


def joined(a, b):
    total = Add()([a.graph.outputs[0], b.graph.outputs[0]])
    return mc.Model([a.graph.inputs[0], b.graph.inputs[0]], total)


def weights_of(model):
    return [w.tobytes() for w in model.get_weights()]


def test_names_of_parameters_follow_their_layer():
    layer = Dense(2, name="before")
    layer(np.ones((1, 3), np.float32))
    layer.name = "after"
    assert [p.name for p in layer.parameters] == ["after/kernel", "after/bias"]
    assert layer.get_config()["name"] == "after"


@pytest.mark.parametrize("name", ["", "x" * 257, 5, None])
def test_a_name_that_is_set_is_checked_as_one_that_is_given(name):
    layer = Dense(2, name="d")
    with pytest.raises(ArgumentError, match="name must be a string of 1 to 256 characters"):
        layer.name = name
    assert layer.name == "d"


def test_two_parameters_of_a_layer_have_two_names():
    class Twice(Layer):
        def build(self, *shapes):
            self.add_parameter("w", (2,), "ones")
            self.add_parameter("w", (3,), "ones")

        def forward(self, apply, *inputs, training):
            return inputs[0]

    with pytest.raises(ArgumentError, match="twice: has a parameter 'w' already"):
        Twice(name="twice")(Input((2,)))


def test_renamed_saved_and_loaded_is_the_same_model(tmp_path):
    model = network()
    model.compile("adam", "mse")
    model.fit(X, T, verbose=0)
    model.layers[1].name = "renamed"
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert [p.name for p in again.parameters][:2] == ["renamed/kernel", "renamed/bias"]
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for one in (model, again):
        one.fit(X, T, verbose=0)
    assert weights_of(again) == weights_of(model), "the optimizer's state went along"
    other = network()
    other.load_weights(tmp_path / "m.mcnn")


def test_a_rename_in_the_middle_of_a_training_changes_no_number():
    plain, renamed = network(), network()
    for model in (plain, renamed):
        model.compile("adam", "mse")
        model.fit(X, T, verbose=0)
        if model is renamed:
            a, b = model.layers[1:]
            a.name, b.name = b.name, a.name  # the worst case
        model.fit(X[:8], T[:8], verbose=0)  # plans another step
    assert weights_of(renamed) == weights_of(plain)


@pytest.mark.parametrize(
    "optimizer", ["adam", "adagrad", "rmsprop", mc.optimizers.SGD(0.1, momentum=0.9)]
)
def test_joined_after_renaming_two_networks_share_nothing(tmp_path, backend, optimizer):
    start = network().get_weights()
    shifted = [w + 0.5 for w in start]
    a, b = network(("i", "h", "o")), network(("i", "h", "o"))
    for layer in b.layers:
        layer.name = f"b_{layer.name}"
    right = joined(network(("ai", "ah", "ao")), network(("bi", "bh", "bo")))
    model = joined(a, b)
    order = [p.name[0] for p in right.parameters]
    for one in (model, right):
        parts = {"a": iter(start), "b": iter(shifted)}
        one.set_weights([next(parts[which]) for which in order])
        one.compile(copy.deepcopy(optimizer), "mse")
        for _ in range(5):
            one.train_on_batch([X, X], T)
    assert weights_of(model) == weights_of(right)
    assert len(model.slots) == len(model.optimizer.slots) * len(model.parameters)
    model.save(tmp_path / "j.mcnn")
    again = mc.load_model(tmp_path / "j.mcnn")
    assert np.array_equal(again.predict([X, X], verbose=0), model.predict([X, X], verbose=0))
    assert {k: a.tobytes() for k, a in again.slots.items()} == {
        k: a.tobytes() for k, a in model.slots.items()
    }


def test_a_copy_has_its_own_optimizer_state(backend):
    model = network()
    model.compile("adam", "mse")
    model.train_on_batch(X, T)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for one in (model, *copies):
        one.train_on_batch(X, T)
    assert weights_of(copies[0]) == weights_of(copies[1]) == weights_of(model)


def test_save_refuses_two_layers_of_one_name(tmp_path):
    model = network()
    model.layers[1].name = model.layers[2].name = "same"
    for save in (model.save, model.save_weights, model.save_checkpoint):
        with pytest.raises(ArgumentError, match="two layers are called 'same'"):
            save(tmp_path / "m.mcnn")
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_there_is_refused_when_it_is_added():
    model = mc.Sequential([Dense(2, name="a")])
    with pytest.raises(ArgumentError, match="two layers are called 'a'"):
        model.add(Dense(3, name="a"))
    model.add(Dense(3, name="b"))
    assert model.predict(X, verbose=0).shape == (16, 3)
    with pytest.raises(ArgumentError, match="two layers are called 'b'"):
        model.add(Dense(1, name="b"))
    assert [layer.name for layer in model.layers] == ["a", "b"]


def test_unnamed_inputs_get_another_name_where_networks_meet():
    a, b = mc.Sequential([Input((4,)), Dense(3)]), mc.Sequential([Input((4,)), Dense(3)])
    b.graph.inputs[0].layer.name = a.graph.inputs[0].layer.name
    assert joined(a, b).predict([X, X], verbose=0).shape == (16, 3)
    first, second = (Input((4,), name="pixels") for _ in range(2))
    with pytest.raises(ArgumentError, match="two layers are called 'pixels'"):
        mc.Model([first, second], Add()([first, second]))


def test_the_layers_of_a_sequential_are_those_that_were_added():
    """As in Keras, a Sequential has no InputLayer in `layers`, even before its input is known."""
    added = [Dense(3, name="a"), Dense(2, name="b")]
    waiting, built = mc.Sequential(added), mc.Sequential([Input((4,)), *added])
    assert waiting.layers == built.layers == added
    with pytest.raises(ArgumentError, match=r"no layer 'input'; there are \['a', 'b'\]"):
        built.get_layer("input")
    rescaled = mc.Sequential([Input((4,), rescale=0.5), *added])
    assert [type(layer).__name__ for layer in rescaled.layers] == ["Rescaling", "Dense", "Dense"]
    x = Input((4,), name="x")
    assert [layer.name for layer in mc.Model(x, added[0](x)).layers] == ["x", "a"]


def test_one_layer_may_be_added_twice():
    shared = Dense(4, name="shared")
    model = mc.Sequential([shared, shared])
    assert model.predict(X, verbose=0).shape == (16, 4)
    assert len(model.parameters) == 2


HEAD = """
    import sys
    import minicnn as mc
    from minicnn.layers import Dense
    model = mc.load_model(sys.argv[1])
    body = model.graph.tensors[-2]
    head = mc.Model(model.graph.inputs, Dense(2)(body))
    print([layer.name for layer in head.layers])
    again = mc.load_model(sys.argv[1])
    again.add(Dense(2))
    print(again.layers[-1].name)
"""


def test_automatic_names_avoid_those_of_a_loaded_model(tmp_path):
    """The counters of a new process start at 0, whatever names the file has."""
    model = mc.Sequential([Input((4,)), Dense(8), Dense(3)])
    model.save(tmp_path / "m.mcnn")
    script = [sys.executable, "-c", textwrap.dedent(HEAD), tmp_path / "m.mcnn"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['input_layer', 'dense', 'dense_2']", "dense_3"]


@pytest.mark.parametrize(
    ("given", "following"),
    [
        ("dense", "dense_1"),
        ("dense_7", "dense_8"),
        ("dense_07", "dense_8"),
        ("dense_x", "dense"),
        ("dense_", "dense"),
        ("dense_²", "dense"),
        ("dense_" + "9" * 200, "dense"),
    ],
)
def test_automatic_names_continue_after_given_ones(given, following):
    mc.utils.clear_session()
    Dense(1, name=given)
    assert Dense(1).name == following


# --- initial weights ---------------------------------------------------------------------------


def image_network():
    return mc.Sequential(
        [
            Input((8, 8, 1)), Conv2D(4, 3), Conv2D(4, 3), BatchNormalization(), Dropout(0.3),
            Flatten(), Dense(5), Dense(5),
        ]
    )  # fmt: skip


def test_a_seed_gives_the_same_first_weights_again():
    mc.utils.set_random_seed(7)
    first = weights_of(image_network())
    Dense(3)(X)
    network()
    mc.utils.set_random_seed(7)
    assert weights_of(image_network()) == first
    mc.utils.set_random_seed(8)
    assert weights_of(image_network()) != first


def test_a_seed_gives_the_same_training_again(backend):
    """Dropout's masks depend on the layer's position too, not on a count of names."""
    x = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype(np.float32)
    trained = []
    for _ in range(2):
        mc.utils.set_random_seed(7)
        model = image_network()
        model.compile("sgd", "mse")
        model.fit(x, np.zeros((8, 5)), epochs=2, verbose=0)
        trained.append(weights_of(model))
    assert trained[0] == trained[1]


def test_the_first_weights_are_those_of_earlier_versions():
    """Results that were published with a seed can be reproduced."""
    mc.utils.set_random_seed(0)
    places = {(None, None, None): ("dense", "dense_1"), ("x", "one", "two"): ("one", "two")}
    for names, expected in places.items():
        kernels = [p for p in network(names).parameters if p.name.endswith("kernel")]
        for kernel, place in zip(kernels, expected, strict=True):
            rng = random.generator(f"{place}/kernel")
            first = mc.initializers.get("glorot_uniform")(kernel.shape, rng=rng)
            assert np.array_equal(kernel.value, first)


def test_equal_layers_of_one_network_start_differently():
    x = Input((4,))
    c, d = Dense(4, name="dense")(x), Dense(4, name="other")(x)
    a, b = Dense(4)(Dense(4)(x)), Dense(4)(Dense(4)(x))
    model = mc.Model(x, Add()([a, b, c, d]))
    kernels = [p.value.tobytes() for p in model.parameters if p.name.endswith("kernel")]
    assert len(set(kernels)) == 6


def test_equal_networks_that_are_joined_start_differently():
    """Initial weights that are not drawn yet change when two equal networks are joined."""
    mc.utils.set_random_seed(3)
    model = joined(network(), network())
    kernels = [p.value for p in model.parameters if p.name.endswith("kernel")]
    assert len({kernel.tobytes() for kernel in kernels}) == 4
    mc.utils.set_random_seed(3)
    again = joined(network(), network())
    assert weights_of(again) == weights_of(model)


def test_weights_that_were_read_stay():
    a, b = network(), network()
    seen = weights_of(a)
    model = joined(a, b)
    kept = {p.name: p.value.tobytes() for p in model.parameters}
    assert [kept[p.name] for p in a.parameters] == seen
    assert [kept[p.name] for p in b.parameters] != seen
    head = mc.Model(a.graph.inputs, Dense(8)(a.graph.outputs[0]))
    assert weights_of(head)[: len(seen)] == seen


def test_the_seed_is_that_of_when_the_layer_was_built():
    mc.utils.set_random_seed(7)
    model = network()
    mc.utils.set_random_seed(8)
    late = weights_of(model)
    mc.utils.set_random_seed(7)
    assert weights_of(network()) == late


def test_weights_are_not_drawn_to_be_replaced(tmp_path):
    class Counted(mc.initializers.Initializer):
        draws = 0

        def __call__(self, shape, rng):
            Counted.draws += 1
            return np.ones(shape, np.float32)

    def made():
        return mc.Sequential([Input((4,)), Dense(2, kernel_initializer=Counted())])

    made().save(tmp_path / "m.mcnn")
    Counted.draws = 0
    made().load_weights(tmp_path / "m.mcnn")
    mc.load_model(tmp_path / "m.mcnn", custom_objects={"Counted": Counted})
    assert Counted.draws == 0
    model = made()
    assert model.count_params() == 10 and Counted.draws == 0
    model.predict(X, verbose=0)
    model.predict(X, verbose=0)
    assert Counted.draws == 1
