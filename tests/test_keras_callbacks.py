"""When EarlyStopping stops and ReduceLROnPlateau reduces: as Keras 3.15's do.

The answers are Keras's own, of series of random values. Of 1,600 series with all options, and 800
for the learning rate, five differ: in each a value minus min_delta equals the best but for its last
bit, which Keras rounds off because it compares in float32.
"""

from __future__ import annotations

import pytest

from minicnn.callbacks import EarlyStopping, ReduceLROnPlateau


class Pretender:
    """A fake model that is its own optimizer; its weights are the number of the epoch."""

    has_schedule = False

    def __init__(self):
        self.stop_training, self.weights, self.learning_rate = False, [0], 1.0
        self.optimizer = self

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = weights


# Options, values, epochs that were trained, epoch whose weights were taken back.
STOPPING = [
    ({"patience": 1, "mode": "min", "baseline": 0.42}, [1, 0.6, 0.3, 0.3], 4, 2),
    ({"patience": 1, "mode": "min", "baseline": 0.3}, [1.0, 0.9, 0.8, 0.85], 4, 2),
    (
        {"patience": 1, "mode": "min", "baseline": 0.08, "start_from_epoch": 3},
        [0.92, 0.34, 0.92, 0.55, 0.31, 0.32, 0.18, 0.08, 0.15], 6, 4,
    ),
    (
        {"mode": "max", "min_delta": 0.01, "baseline": 0.5},
        [0.3, 0.5, 1.0, 0.3, 0.4, 0.1, 0.4, 0.6, 0.5], 4, 2,
    ),
    (
        {"patience": 1, "mode": "min", "min_delta": 0.1, "baseline": 0.35},
        [0.608, 0.475, 0.645, 0.604, 0.743, 0.118, 0.76, 0.301, 0.533], 3, 1,
    ),
    (
        {"mode": "max", "min_delta": 0.1, "baseline": 0.42, "start_from_epoch": 1},
        [0.3, 0.5, 0.9, 0.9], 4, 2,
    ),
    (
        {"patience": 1, "mode": "max", "baseline": 0.5},
        [0.1, 0.2, 0.5, 0.5, 0.6, 0.7, 0.7, 0.8, 0.8], 4, 2,
    ),
    ({"mode": "max", "baseline": 0.5}, [0.1, 0.2, 0.7, 0.9], 4, 3),
    (
        {"patience": 1, "mode": "min", "baseline": 0.42, "start_from_epoch": 1},
        [0.9, 0.8, 0.8, 0.8, 0.8, 0.7, 0.5, 0.4, 0.3], 3, 1,
    ),
    (
        {"patience": 2, "mode": "max", "baseline": 0.5},
        [0.003, 0.178, 0.387, 0.39, 0.393, 0.614, 0.653, 0.9, 0.91], 9, 8,
    ),
    (
        {"patience": 2, "mode": "max", "min_delta": 0.1, "baseline": 0.42, "start_from_epoch": 3},
        [0.8, 0.08, 0.95, 0.08, 0.41, 0.19, 0.66, 0.57, 0.63], 6, 4,
    ),
    ({"mode": "min", "baseline": 0.39, "start_from_epoch": 1}, [0.519, 0.956, 0.598, 0.839], 4, 2),
    ({"mode": "max", "baseline": 0.3, "start_from_epoch": 1}, [0.5, 0.1, 0.5, 0.8], 4, 3),
    ({"patience": 1, "mode": "min", "baseline": 0.3}, [0.9, 0.7, 0.6, 0.0], 4, 3),
    (
        {"patience": 1, "mode": "min", "min_delta": 0.1, "baseline": 0.42},
        [0.842, 0.619, 0.848, 0.177, 0.475, 0.32, 0.625, 0.111, 0.885], 3, 1,
    ),
    (
        {"mode": "min", "baseline": 0.12, "start_from_epoch": 3},
        [0.1, 0.2, 0.4, 0.6, 0.6, 0.9], 5, 3,
    ),
    ({"mode": "min"}, [0.279, 0.916, 0.766, 0.16, 0.797, 0.139], 2, 0),
    (
        {"patience": 3, "mode": "min", "min_delta": 0.1, "baseline": 0.3, "start_from_epoch": 1},
        [0.9, 0.3, 1.0, 0.5, 0.7, 0.2], 4, 1,
    ),
    ({"patience": 1, "mode": "max", "baseline": 0.42}, [0.8, 0.7, 0.6, 0.6, 0.3, 0.3], 2, 0),
    ({"patience": 2, "mode": "max"}, [0.9, 0.8, 0.5, 0.5, 0.2, 0.1], 3, 0),
    (
        {"mode": "min", "min_delta": 0.1, "baseline": 0.5},
        [0.04, 0.14, 0.39, 0.48, 0.56, 0.24], 2, 0,
    ),
    ({"patience": 3, "mode": "max"}, [0.82, 0.79, 0.66, 0.03, 0.72, 0.98], 4, 0),
    ({"mode": "min", "baseline": 0.42}, [0.2, 0.4, 0.7, 1.0], 2, 0),
    ({"patience": 1, "mode": "max"}, [0.06, 0.24, 0.83, 0.28, 0.98, 0.81], 4, 2),
    ({"patience": 1, "mode": "min"}, [0.1, 0.9, 0.9, 0.5, 0.6, 0.1], 2, 0),
]  # fmt: skip

# Options, values, the learning rate after each epoch.
REDUCING = [
    (
        {"patience": 1, "mode": "min", "min_delta": 0.1, "cooldown": 2},
        [0.33, 0.99, 0.36, 0.73, 0.54, 0.73], [1, 0.5, 0.5, 0.25, 0.25, 0.125],
    ),
    ({"patience": 1, "mode": "max", "min_delta": 0}, [0.8, 0.5, 0.4, 0.4], [1, 0.5, 0.25, 0.125]),
    (
        {"patience": 2, "mode": "max", "min_delta": 0.1},
        [0.43, 0.9, 0.58, 0.91, 0.76, 0.64], [1, 1, 1, 0.5, 0.5, 0.25],
    ),
    (
        {"patience": 0, "mode": "min", "min_delta": 0.01, "min_lr": 0.2},
        [0.2, 0.7, 0.9, 0.9, 0.8, 0.3, 0.4, 0.7, 0.2], [1, 0.5, 0.25, *[0.2] * 6],
    ),
    (
        {"patience": 1, "mode": "min", "cooldown": 2, "min_lr": 0.2, "min_delta": 0},
        [0.6, 0.8, 0.0, 0.6, 0.1, 0.9, 0.4, 0.6, 0.7], [1, 0.5, 0.5, 0.25, 0.25, *[0.2] * 4],
    ),
    (
        {"patience": 0, "mode": "max", "cooldown": 2, "min_lr": 0.2, "min_delta": 0},
        [0.94, 0.79, 0.74, 0.7, 0.69, 0.65, 0.64, 0.41, 0.15],
        [1, 0.5, 0.5, 0.25, 0.25, *[0.2] * 4],
    ),
    (
        {"patience": 2, "mode": "min", "min_delta": 0.0001},
        [0.21, 0.91, 0.99, 0.85, 0.28, 0.48], [1, 1, 0.5, 0.5, 0.25, 0.25],
    ),
    (
        {"patience": 1, "mode": "max", "min_lr": 0.2, "min_delta": 0},
        [0.4, 0.6, 0.5, 0.9, 0.0, 0.5, 0.6, 0.9, 0.1], [1, 1, 0.5, 0.5, 0.25, *[0.2] * 4],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("options", "values", "trained", "best"), STOPPING)
def test_early_stopping_stops_where_keras_does(options, values, trained, best):
    model, callback = Pretender(), EarlyStopping("v", restore_best_weights=True, **options)
    callback.set_model(model)
    callback.on_train_begin()
    epochs = 0
    while epochs < len(values) and not model.stop_training:
        model.weights = [epochs]
        callback.on_epoch_end(epochs, {"v": values[epochs]})
        epochs += 1
    callback.on_train_end()
    assert (epochs, model.weights) == (trained, [best])


@pytest.mark.parametrize(("options", "values", "rates"), REDUCING)
def test_the_learning_rate_falls_where_keras_lowers_it(options, values, rates):
    model, callback = Pretender(), ReduceLROnPlateau("v", factor=0.5, **options)
    callback.set_model(model)
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"v": value})
        found.append(model.learning_rate)
    assert found == pytest.approx(rates, abs=1e-12)
