"""Users' own classes in saved models: everything that can be saved can be loaded."""

from __future__ import annotations

import json
import math
import threading

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import ArgumentError, FormatError
from minicnn.layers import LAYERS, Add, Dense, Input, Layer
from minicnn.models.saving.archive import read_archive, write_archive
from minicnn.operations.elementwise import RESCALE
from minicnn.support import registry
from minicnn.utils import register_serializable

X = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)
T = np.random.default_rng(1).normal(size=(16, 2)).astype(np.float32)


class Scale(Layer):
    """A layer with one argument, which get_config returns."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, *shapes):
        self.w = self.add_parameter("w", (shapes[0][-1],), "ones")

    def forward(self, apply, *inputs, training):
        return apply(RESCALE, inputs[0], scale=self.factor, offset=0.0)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Silent(Scale):
    """A layer like Scale whose get_config lacks the argument."""

    def get_config(self):
        return {"name": self.name, "trainable": self.trainable}


class SilentWithDefault(Layer):
    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def get_config(self):
        return {"name": self.name, "trainable": self.trainable}

    def forward(self, apply, *inputs, training):
        return apply(RESCALE, inputs[0], scale=self.factor, offset=0.0)


class Init(mc.initializers.Initializer):
    def __init__(self, value=3.0):
        self.value = value

    def __call__(self, shape, rng):
        return np.full(shape, self.value, np.float32)

    def get_config(self):
        return {**super().get_config(), "value": self.value}


class Half(mc.schedules.LearningRateSchedule):
    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        return self.first / (1 + step)


class HalfError(mc.losses.MeanSquaredError):
    pass


class Demanding(mc.losses.MeanSquaredError):
    def __init__(self, power):
        self.power = power


class Faster(mc.optimizers.SGD):
    pass


class Distance(mc.metrics.Mean):
    def __init__(self, power=1, name=None):
        super().__init__(name)
        self.power = power

    def values(self, y_true, y_pred):
        return (np.abs(y_true - y_pred) ** self.power).mean(1)

    def get_config(self):
        return {**super().get_config(), "power": self.power}


class Line(mc.Sequential):
    pass


class Net(mc.Model):
    pass


class Tower(mc.Sequential):
    """A model whose constructor has other arguments than Sequential's."""

    def __init__(self, units, name=None):
        super().__init__([Input((4,)), Dense(units), Dense(2)], name=name)
        self.units = units

    def get_config(self):
        return {"units": self.units, "name": self.name}


class Fixed(mc.Sequential):
    """A model whose constructor takes no layers."""

    def __init__(self):
        super().__init__([Input((4,)), Dense(2)])


OWN = {
    kind.__name__: kind
    for kind in (Scale, Init, Half, HalfError, Faster, Distance, Line, Net, Tower)
}


def line(kind=mc.Sequential):
    layers = [Input((4,)), Scale(2.5, name="s"), Dense(2, kernel_initializer=Init(0.25))]
    model = kind(layers)
    model.compile(Faster(Half(0.1), momentum=0.9), HalfError(), metrics=[Distance(2)])
    return model


def net():
    x = Input((4,), name="x")
    model = Net(x, Add()([Dense(2, name="a")(x), Dense(2, name="b")(x)]))
    model.compile("adam", "mse")
    return model


def tower():
    model = Tower(8)
    model.compile("adam", "mse")
    return model


MODELS = {"line": lambda: line(Line), "plain": line, "net": net, "tower": tower}


@pytest.fixture
def registered():
    """Register all classes for one test."""
    tables = [one.table for one in registry._registries]
    before = [dict(table) for table in tables]
    for kind in OWN.values():
        assert register_serializable(kind) is kind
    yield
    for table, kept in zip(tables, before, strict=True):
        table.clear()
        table.update(kept)


def check_same(again, model):
    assert type(again) is type(model)
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for one in (again, model):
        one.fit(X, T, batch_size=4, epochs=2, verbose=0)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert again.history.history == model.history.history


@pytest.mark.parametrize("name", MODELS)
def test_what_is_saved_can_be_loaded_with_custom_objects(tmp_path, name):
    model = MODELS[name]()
    model.fit(X, T, batch_size=4, verbose=0)
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(FormatError, match=r"custom_objects=\{.*TheClass\}"):
        mc.load_model(tmp_path / "m.mcnn")
    check_same(mc.load_model(tmp_path / "m.mcnn", custom_objects=OWN), model)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_saved_can_be_loaded_with_registered_classes(tmp_path, name, registered):
    model = MODELS[name]()
    model.fit(X, T, batch_size=4, verbose=0)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    check_same(again, model)
    again.save(tmp_path / "again.mcnn")


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_needs_no_class(tmp_path, name):
    model, other = MODELS[name](), MODELS[name]()
    model.fit(X, T, batch_size=4, verbose=0)
    model.save_checkpoint(tmp_path / "c.mcnn")
    other.session.callbacks = model.session.callbacks
    other.load_checkpoint(tmp_path / "c.mcnn")
    assert other.optimizer.iterations == 4
    check_same(other, model)


def test_the_error_names_the_class_and_what_to_type(tmp_path):
    line().save(tmp_path / "m.mcnn")
    with pytest.raises(FormatError) as caught:
        mc.load_model(tmp_path / "m.mcnn")
    text = str(caught.value).removeprefix(f"{tmp_path}/")
    assert text == (
        "m.mcnn: its layers cannot be built: unknown layer 'Scale'. If it is a class of yours: "
        "load_model(path, custom_objects={'Scale': TheClass})"
    )


def refused(layer=None, compiled=(), model=None):
    if model is None:
        model = mc.Sequential([Input((4,)), *([layer] if layer else []), Dense(2)])
    if compiled:
        model.compile(*compiled)
    return model


class WithArray(Scale):
    def get_config(self):
        return {**super().get_config(), "factor": np.ones(2)}


class Drifting(Scale):
    """A layer that changes its argument, so that a rebuilt layer has another one."""

    def __init__(self, factor, **options):
        super().__init__(factor + 1.0, **options)


class Forgetful(Scale):
    """A layer whose get_config returns None."""

    def get_config(self):
        {**super().get_config(), "factor": self.factor}


class Unwritten(Scale):
    def get_config(self):
        raise NotImplementedError


class UnwrittenModel(mc.Sequential):
    def get_config(self):
        raise NotImplementedError


class Growing(Scale):
    """A layer whose get_config has one more entry when it is rebuilt."""

    def __init__(self, factor, **options):
        super().__init__(factor, **options)
        self.more = {"axis": -1} if "name" in options else {}

    def get_config(self):
        return {**super().get_config(), **self.more}


class SilentMetric(Distance):
    def __init__(self, power=1, extra=0, name=None):
        super().__init__(power, name)


class SilentSchedule(Half):
    def __init__(self, first, second=1.0):
        super().__init__(first)


class SilentInit(Init):
    def __init__(self, value=3.0, other=1.0):
        super().__init__(value)


class SilentLoss(mc.losses.MeanSquaredError):
    def __init__(self, power=2.0):
        self.power = power


def changed_after_building():
    model = mc.Sequential([Input((4,)), Dense(3, name="d"), Dense(2)])
    model.layers[0].units = 5
    return model


REFUSED = {
    "argument": (lambda: refused(Silent(2.0, name="s")), "the layer 's' .* lacks factor"),
    "default": (
        lambda: refused(SilentWithDefault(2.0, name="s")),
        "the layer 's' .* lacks factor; give SilentWithDefault a get_config",
    ),
    "array": (lambda: refused(WithArray(2.0, name="s")), "the layer 's' .* not JSON serializable"),
    "drift": (lambda: refused(Drifting(2.0, name="s")), "the layer 's' .* differ in factor"),
    "nothing": (
        lambda: refused(Forgetful(2.0, name="s")),
        "the layer 's' .* again: get_config.. must return a dict; it gave None; give Forgetful a",
    ),
    "unwritten": (
        lambda: refused(Unwritten(2.0, name="s")),
        "the layer 's' .* again: NotImplementedError; give Unwritten a get_config",
    ),
    "unwritten model": (
        lambda: refused(model=UnwrittenModel([Input((4,)), Dense(2)])),
        "rebuilt: NotImplementedError. Give it a get_config",
    ),
    "more": (lambda: refused(Growing(2.0)), "the layer 'growing.*' .* differ in axis; give"),
    "initializer": (
        lambda: refused(Dense(3, name="d", kernel_initializer=SilentInit())),
        "the initializer SilentInit of the layer 'd' .* lacks other",
    ),
    "schedule": (
        lambda: refused(compiled=(mc.optimizers.SGD(SilentSchedule(0.1)), "mse")),
        "the schedule SilentSchedule of the optimizer SGD .* lacks second",
    ),
    "loss": (
        lambda: refused(compiled=("sgd", SilentLoss())),
        "the loss SilentLoss .* lacks power",
    ),
    "metric": (
        lambda: refused(compiled=("sgd", "mse", None, [SilentMetric()])),
        "the metric 'silent_metric' .* lacks extra",
    ),
    "model": (
        lambda: refused(model=Fixed()),
        "fixed cannot be saved, because Fixed could not be rebuilt: .*arguments do not fit",
    ),
    "changed": (changed_after_building, r"it would have d/kernel \(4, 5\), not \(4, 3\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_save_refuses_by_name_what_could_not_be_built_again(tmp_path, name):
    make, text = REFUSED[name]
    model = make()
    with pytest.raises(ArgumentError, match=text) as caught:
        model.save(tmp_path / "m.mcnn")
    assert len(str(caught.value)) <= 300
    assert not list(tmp_path.iterdir()), "nothing was written"


@pytest.mark.parametrize("name", ["argument", "default", "array", "drift", "initializer", "model"])
def test_weights_of_any_network_can_be_saved_and_loaded(tmp_path, name):
    make, _ = REFUSED[name]
    model, other = make(), make()
    model.set_weights([w + 1 for w in model.get_weights()])
    model.save_weights(tmp_path / "w.mcnn")
    other.load_weights(tmp_path / "w.mcnn")
    assert np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(FormatError, match=r"holds weights only.*load_weights\(path\)"):
        mc.load_model(tmp_path / "w.mcnn")


def test_saving_takes_no_names(tmp_path):
    mc.utils.clear_session()
    model = Tower(3)
    model.save(tmp_path / "m.mcnn")
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert Dense(2).name == "dense_2"


def test_a_class_without_defaults_is_not_made_by_its_name(registered):
    with pytest.raises(ArgumentError, match=r"Half: its arguments do not fit: .*'first'"):
        mc.schedules.deserialize({"class": "Half", "config": {}})
    with (
        registry.custom_objects({"Demanding": Demanding}),
        pytest.raises(ArgumentError, match=r"Demanding: its arguments do not fit: .*'power'"),
    ):
        mc.losses.get("demanding")


def test_a_training_of_any_network_can_be_taken_up(tmp_path):
    def made():
        model = refused(Silent(2.0, name="s"), ("adam", "mse"))
        model.fit(X, T, epochs=1, verbose=0, callbacks=[backup])
        return model

    backup = mc.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    model = made()
    assert list((tmp_path / "b").iterdir())
    again = made()  # finds the epoch done
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_weights_are_read_in_the_network_s_order_not_by_name(tmp_path):
    """The file has another order: b comes before c."""
    names = (("c", "b"), ("x", "y"))
    one, other = (
        mc.Sequential([Input((4,)), Dense(4, name=a), Dense(4, name=b)]) for a, b in names
    )
    one.set_weights([w + 1 for w in one.get_weights()])
    one.save_weights(tmp_path / "w.mcnn")
    other.load_weights(tmp_path / "w.mcnn")
    assert np.array_equal(other.predict(X, verbose=0), one.predict(X, verbose=0))


def test_files_that_do_not_tell_the_order_are_read_by_name(tmp_path):
    """Earlier versions wrote files without the order of parameters."""
    model = net()
    model.save(tmp_path / "m.mcnn")
    archive = read_archive(tmp_path / "m.mcnn")
    documents = {k: v for k, v in archive.documents.items() if k != "metadata"}
    documents["config"] = {"class": "Model", **documents["config"]["config"]}
    write_archive(tmp_path / "old.mcnn", archive.weights, documents, archive.arrays)
    again = mc.load_model(tmp_path / "old.mcnn")
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    other = net()
    other.set_weights([w + 1 for w in other.get_weights()])
    other.load_weights(tmp_path / "old.mcnn")
    assert np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("names", [["a/kernel"], "abcd", [1, 2, 3, 4], None, {"a": 1}])
def test_a_wrong_list_of_parameters_is_refused(tmp_path, names):
    model = net()
    model.save(tmp_path / "m.mcnn")
    archive = read_archive(tmp_path / "m.mcnn")
    documents = {k: v for k, v in archive.documents.items() if k != "metadata"}
    documents["config"]["parameters"] = names if names is not None else ["b/bias"] * 4
    write_archive(tmp_path / "bad.mcnn", archive.weights, documents, archive.arrays)
    with pytest.raises(FormatError, match="list of parameters does not match its weights"):
        mc.load_model(tmp_path / "bad.mcnn", custom_objects=OWN)
    with pytest.raises(FormatError, match="list of parameters does not match its weights"):
        model.load_weights(tmp_path / "bad.mcnn")


# --- the tables --------------------------------------------------------------------------------


def test_an_own_class_may_be_defined_again_as_in_a_notebook():
    source = "class Cell(Layer):\n    def forward(self, apply, *x, training): return x[0]\n"
    spaces = [{"Layer": Layer, "__name__": "notebook"} for _ in range(2)]
    try:
        for space in spaces:
            exec(source, space)
            register_serializable(space["Cell"])
        assert LAYERS["Cell"] is spaces[1]["Cell"]
        with pytest.raises(ArgumentError, match="there is a layer 'Cell' already"):
            register_serializable(type("Cell", (Layer,), {}))
    finally:
        LAYERS.pop("Cell", None)


@pytest.mark.parametrize(
    ("name", "base", "kind"),
    [
        ("Dense", Layer, "layer"),
        ("Zeros", mc.initializers.Initializer, "initializer"),
        ("AUC", mc.metrics.Metric, "metric"),
        ("Adam", mc.optimizers.Optimizer, "optimizer"),
        ("CosineDecay", mc.schedules.LearningRateSchedule, "schedule"),
        ("MeanSquaredError", mc.losses.Loss, "loss"),
        ("Sequential", mc.Model, "layer"),
    ],
)
def test_names_of_ours_cannot_be_taken(name, base, kind):
    with pytest.raises(ArgumentError, match=f"there is a {kind} '{name}' already"):
        register_serializable(type(name, (base,), {}))


@pytest.mark.parametrize("wrong", [int, "Scale", None, Scale(1.0, name="s"), np.ndarray])
def test_only_classes_that_files_may_name_are_registered(wrong):
    with pytest.raises(
        ArgumentError, match="takes a subclass of one of Constraint, Initializer, Layer, "
    ):
        register_serializable(wrong)


@pytest.mark.parametrize("wrong", [["Scale"], {"Scale": "Scale"}, {1: Scale}, Scale])
def test_custom_objects_are_a_dict_of_classes(tmp_path, wrong):
    line().save(tmp_path / "m.mcnn")
    with pytest.raises(ArgumentError, match="custom_objects must be a dict of classes"):
        mc.load_model(tmp_path / "m.mcnn", custom_objects=wrong)


def test_custom_objects_hold_for_one_call(tmp_path):
    line().save(tmp_path / "m.mcnn")
    mc.load_model(tmp_path / "m.mcnn", custom_objects=OWN)
    with pytest.raises(FormatError, match="unknown layer 'Scale'"):
        mc.load_model(tmp_path / "m.mcnn")
    assert "Scale" not in LAYERS


def test_a_file_never_gets_a_class_of_another_kind(tmp_path):
    line().save(tmp_path / "m.mcnn")
    with pytest.raises(FormatError, match="unknown layer 'Scale'"):
        mc.load_model(tmp_path / "m.mcnn", custom_objects={**OWN, "Scale": dict})


def test_own_metrics_are_counted(tmp_path):
    """All predictions are 0, so the metric is the mean of y ** 2."""
    model = mc.Sequential([Input((4,)), Dense(2, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=[Distance(2, name="far")])
    logs = model.evaluate(X, T, verbose=0, return_dict=True)
    assert math.isclose(logs["far"], float((T.astype(float) ** 2).mean()), rel_tol=1e-6)
    assert json.dumps(Distance().get_config()) == '{"name": "distance", "power": 1}'


def test_an_own_metric_that_cannot_be_copied_is_refused_at_compile():
    class Locked(Distance):
        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

    with pytest.raises(ArgumentError, match="a copy of locked, and it cannot be copied"):
        mc.Sequential([Input((4,)), Dense(2)]).compile("sgd", "mse", metrics=[Locked()])


def test_an_own_metric_needs_no_get_config_to_be_counted():
    class Needs(Distance):
        def __init__(self, needed):
            super().__init__()
            self.needed = needed

        def values(self, y_true, y_pred):
            return np.full(len(y_pred), self.needed)

    model = mc.Sequential([Input((4,)), Dense(2)])
    model.compile("sgd", "mse", metrics=[Needs(3.0)])
    assert model.evaluate(X, T, verbose=0)[1] == 3.0


@pytest.mark.parametrize("name", ["argument", "initializer", "model"])
def test_a_checkpoint_callback_refuses_before_the_first_step(tmp_path, name):
    make, text = REFUSED[name]
    model = make()
    model.compile("sgd", "mse")
    path = tmp_path / "models" / "{epoch}.mcnn"
    with pytest.raises(ArgumentError, match=text):
        model.fit(X, T, verbose=0, callbacks=[mc.callbacks.ModelCheckpoint(path)])
    assert model.optimizer.iterations == 0 and not list(tmp_path.iterdir())
    weights = mc.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model.fit(X, T, verbose=0, callbacks=[weights])
    other = make()
    other.load_weights(tmp_path / "models" / "1.mcnn")
    assert np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
