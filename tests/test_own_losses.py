"""Losses and metrics of a user's own: functions and classes, in training and in files."""

import pickle

import numpy as np
import pytest

import minicnn as mc
from minicnn import losses, metrics, ops
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import Dense, Input

RNG = np.random.default_rng(3)
X = RNG.normal(size=(12, 4)).astype(np.float32)
Y = RNG.normal(size=(12, 3)).astype(np.float32)
CLASSES = np.arange(12) % 3


def cubed(y_true, y_pred):
    return ops.mean(ops.absolute(y_true - y_pred) ** 3, axis=-1)


def squared(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def whole(y_true, y_pred):
    """The mean of the whole batch, as many scripts write it."""
    return ops.mean(ops.square(y_true - y_pred))


def of_classes(y_true, y_pred):
    labels = ops.cast(ops.reshape(y_true, (-1, 1)), "int32")
    chosen = ops.cast(ops.equal(labels, np.arange(3, dtype="int32")), "float32")
    return -ops.log(ops.sum(chosen * y_pred, axis=-1))


class Scaled(losses.Loss):
    def __init__(self, factor, name="scaled", reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * ops.square(y_true - y_pred)  # one value per output

    def get_config(self):
        return {"factor": self.factor, **super().get_config()}


class Bare(losses.Loss):
    """Has no constructor, and returns one value per sample."""

    def call(self, y_true, y_pred):
        return squared(y_true, y_pred)


class Counting(metrics.Metric):
    """In Keras's style."""

    def __init__(self, name="counting", **options):
        super().__init__(name=name, **options)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(ops.absolute(y_true - y_pred)))
        self.count.assign(self.count + len(y_true))

    def result(self):
        return self.total / self.count

    def reset_state(self):
        self.total.assign(0.0)
        self.count.assign(0.0)


class Farthest(metrics.Metric):
    """In minicnn's style: sums and add."""

    def sum_shapes(self):
        return {"far": ()}

    def add(self, y_true, y_pred, weights):
        self._sums["far"].assign(max(self.sum("far"), np.abs(y_true - y_pred).max()))

    def result(self):
        return float(self.sum("far"))


class Distance(metrics.Mean):
    """In minicnn's style: values of each sample."""

    def values(self, y_true, y_pred):
        return np.abs(y_true - y_pred).mean(1)


def spread(y_true, y_pred):
    return ops.max(y_pred, axis=-1) - ops.min(y_pred, axis=-1)


def network(loss, reported=(), units=3, activation=None):
    model = mc.Sequential([Input((4,)), Dense(units, activation=activation, name="d")])
    model.layers[-1].set_weights([0.1 * X.T[:, :units], np.zeros(units, np.float32)])
    model.compile(mc.optimizers.SGD(0.1), loss, metrics=list(reported))
    return model


def trained(loss, y=Y, **options):
    model = network(loss, **options)
    history = model.fit(X, y, epochs=3, batch_size=6, verbose=0, shuffle=False)
    return history.history["loss"], model.get_weights()[0]


@pytest.mark.parametrize(
    "loss", [squared, whole, Bare(), losses.mean_squared_error, "MSE", Scaled(1.0)]
)
def test_the_same_formula_trains_alike(loss):
    wanted, kernel = trained("mse")
    found, other = trained(loss)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(other, kernel, rtol=1e-4, atol=1e-6)


def test_classes_as_labels_of_a_function():
    wanted, kernel = trained("sparse_categorical_crossentropy", CLASSES, activation="softmax")
    for labels in (CLASSES, CLASSES[:, None], CLASSES.astype("float64")):
        found, other = trained(of_classes, labels, activation="softmax")
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
        np.testing.assert_allclose(other, kernel, rtol=1e-4, atol=1e-6)


def test_labels_n_belong_to_predictions_n_1():
    wanted, _ = trained("mse", Y[:, 0], units=1)
    for loss in (squared, Bare(), "mae"):
        found, _ = trained(loss, Y[:, 0], units=1)
        again, _ = trained(loss, Y[:, :1], units=1)
        assert found == again
    assert trained(squared, Y[:, 0], units=1)[0] == pytest.approx(wanted, rel=1e-5)


def test_a_sum_is_a_sum():
    mean, kernel = trained(losses.MeanSquaredError())
    first = network(losses.MeanSquaredError(reduction="sum")).evaluate(X, Y, 6, 0)
    plain = network("mse").evaluate(X, Y, 6, 0)
    assert first == pytest.approx(6 * plain, rel=1e-6)
    slower = mc.Sequential([Input((4,)), Dense(3)])
    slower.layers[-1].set_weights([0.1 * X.T[:, :3], np.zeros(3, np.float32)])
    slower.compile(mc.optimizers.SGD(0.1 / 6), losses.MeanSquaredError(reduction="sum"))
    slower.fit(X, Y, epochs=3, batch_size=6, verbose=0, shuffle=False)
    np.testing.assert_allclose(slower.get_weights()[0], kernel, rtol=1e-5)
    assert mean[0] > mean[-1]


def test_a_reduction_without_a_number_is_refused():
    with pytest.raises(ArgumentError, match="no number to minimize"):
        network(losses.MeanSquaredError(reduction="none"))


def test_values_without_reduction():
    values = losses.MeanSquaredError(reduction=None)(Y, 0 * Y)
    assert values.shape == (12,)
    np.testing.assert_allclose(values.numpy(), (Y**2).mean(1), rtol=1e-6)


@pytest.mark.parametrize("loss", [cubed, Scaled(2.0), Bare()], ids=["function", "class", "bare"])
def test_a_model_with_an_own_loss_is_saved_and_loaded(tmp_path, loss):
    model = network(loss, ["mae", spread, Counting()])
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.mcnn")
    known = {one.__name__: one for one in (cubed, Scaled, Bare, spread, Counting)}
    again = mc.load_model(tmp_path / "m.mcnn", custom_objects=known)
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    with pytest.raises(mc.errors.FormatError, match="unknown"):
        mc.load_model(tmp_path / "m.mcnn")


def test_own_losses_and_metrics_are_copied_and_pickled():
    model = network(cubed, [spread, Counting(), Farthest()])
    model.fit(X, Y, verbose=0)
    again = pickle.loads(pickle.dumps(model))
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert pickle.loads(pickle.dumps(model.loss)).name == "cubed"


def test_own_metrics_report_what_they_compute():
    model = network("mse", [Counting(), Farthest(), Distance(name="near"), spread, "mae", "MSE"])
    logs = model.evaluate(X, Y, batch_size=5, verbose=0, return_dict=True)
    apart = np.abs(Y - model.predict(X, verbose=0))
    predicted = model.predict(X, verbose=0)
    assert set(logs) == {"loss", "counting", "farthest", "near", "spread", "mae", "MSE"}
    assert logs["counting"] == pytest.approx(apart.sum() / 12, rel=1e-5)
    assert logs["farthest"] == pytest.approx(apart.max(), rel=1e-6)
    assert logs["near"] == pytest.approx(apart.mean(), rel=1e-5)
    assert logs["mae"] == pytest.approx(apart.mean(), rel=1e-5)
    assert logs["spread"] == pytest.approx(np.ptp(predicted, 1).mean(), rel=1e-5)
    assert logs["MSE"] == pytest.approx(logs["loss"], rel=1e-5)


def test_a_metric_counts_on():
    metric = Counting()
    assert float(metric(Y[:2], 0 * Y[:2])) == pytest.approx(np.abs(Y[:2]).sum() / 2)
    state = metric.get_state()
    metric.update_state(Y[2:], 0 * Y[2:])
    assert metric.result().numpy() == pytest.approx(np.abs(Y).sum() / 12)
    metric.set_state(state)
    assert float(metric.total) == pytest.approx(np.abs(Y[:2]).sum())
    metric.reset_state()
    assert float(metric.count) == 0 and len(metric.variables) == 2


def test_running_means_and_sums():
    mean, total = metrics.Mean(), metrics.Sum("all")
    for values, weights in ((2.0, None), ([4.0, 6.0], [1, 3]), (np.ones((2, 2)), None)):
        mean.update_state(values, weights)
        total.update_state(values, weights)
    assert mean.result() == (2 + 4 + 18 + 1 + 1) / 7
    assert total.result().numpy() == 2 + 4 + 18 + 4
    with pytest.raises(ArgumentError, match="the mean of values that you give it"):
        network("mse", [mean]).evaluate(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("metric", "kind"),
    [("mse", "MeanSquaredError"), ("BinaryCrossentropy", "BinaryCrossentropy"), ("KLD", "KLDivergence")],
)
def test_names_of_losses_are_metrics(metric, kind):
    assert type(metrics.get(metric)) is getattr(metrics, kind)
    assert type(losses.get(metric)) is getattr(losses, kind)
    assert not issubclass(getattr(metrics, kind), losses.Loss)


def test_keys_of_the_history_are_as_they_were_written():
    model = network("binary_crossentropy", ["acc", "AUC", "Precision"], 1, "sigmoid")
    history = model.fit(X, CLASSES > 0, verbose=0).history
    assert set(history) == {"loss", "acc", "AUC", "Precision"}


def test_second_metrics_of_a_class_get_numbers():
    found = metrics.as_metrics([metrics.Precision(class_id=0), metrics.Precision(class_id=1)])
    assert [one.name for one in found] == ["precision", "precision_1"]


def test_accuracy_of_one_hot_labels_with_binary_crossentropy_is_of_classes():
    model = network("binary_crossentropy", ["accuracy"], 10, "sigmoid")
    model.layers[-1].set_weights([np.zeros((4, 10), np.float32), np.zeros(10, np.float32)])
    logs = model.evaluate(np.zeros((10, 4)), np.eye(10), verbose=0, return_dict=True)
    assert logs["accuracy"] == pytest.approx(0.1)


def test_f1_scores_are_one_number_in_training():
    model = network("categorical_crossentropy", [metrics.F1Score()], 3, "softmax")
    logs = model.evaluate(X, np.eye(3)[CLASSES], verbose=0, return_dict=True)
    alone = metrics.F1Score()(np.eye(3)[CLASSES], model.predict(X, verbose=0))
    assert alone.shape == (3,)
    assert logs["f1_score"] == pytest.approx(alone.mean())


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: metrics.Precision(thresholds=[]), ArgumentError, "at least one"),
        (lambda: metrics.AUC(num_labels=3), ArgumentError, "multi_label"),
        (lambda: metrics.AUC(curve="LIFT"), ArgumentError, "curve must be one of"),
        (lambda: metrics.AUC(thresholds=[0.5, 1.5]), ArgumentError, "within 0...1"),
        (lambda: metrics.PrecisionAtRecall(1.5), ArgumentError, "recall must be a number"),
        (lambda: metrics.IoU(3, [3]), ArgumentError, "within 0...2"),
        (lambda: metrics.MeanIoU(3)([0, 1], [0]), ShapeError, "2 labels and 1 predictions"),
        (lambda: metrics.R2Score("mean"), ArgumentError, "class_aggregation must be one of"),
        (lambda: metrics.R2Score()([1.0, 2.0], [1.0, 2.0]), ShapeError, "(N, outputs)"),
        (lambda: metrics.MeanMetricWrapper(3), ArgumentError, "fn must be a function"),
        (lambda: Counting().add_weight(initializer="normal"), ArgumentError, "zeros or ones"),
        (lambda: losses.Huber(delta=-1), ArgumentError, "delta must be a number"),
        (lambda: losses.Huber()(Y, Y[:, :2]), ShapeError, "must have the same shape"),
        (lambda: losses.Loss()(Y, Y), NotImplementedError, "needs call"),
        (lambda: network(lambda y, p: ops.matmul(y, p)).evaluate(X, Y, verbose=0), ShapeError,
         "matmul sums over"),
        (lambda: network("mse", [metrics.Precision([0.1, 0.9])]).evaluate(X, Y, verbose=0),
         ArgumentError, "is a table"),
    ],
)  # fmt: skip
def test_wrong_calls_say_what_is_wrong(call, error, says):
    with pytest.raises(error, match=says.replace("(", r"\(").replace(")", r"\)")):
        call()
