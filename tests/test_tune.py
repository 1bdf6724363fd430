"""Which networks a search tries, and which results count."""

import math
import re
import sys

import numpy as np
import pytest
from tiny_searches import DATA, X, Y, build, search, tried, with_rate

import minicnn as mc
from minicnn import tune
from minicnn.callbacks import Callback, EarlyStopping, LearningRateScheduler, TerminateOnNaN
from minicnn.errors import ArgumentError, MissingExtraError, ShapeError
from minicnn.installed import install_command
from minicnn.layers import Conv2D, Input
from minicnn.tune import HyperParameters
from minicnn.tune.sampling import Step, exhausted, open_values

pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("no_fsync")

COMBINATIONS = 12  # 3 of one layer, 9 of two


# --- what is tried ----------------------------------------------------------------------------


def path(*steps):
    return [Step(*step) for step in steps]


ONE, TWO = ("layers", 1, (1, 2)), ("layers", 2, (1, 2))


@pytest.mark.parametrize(
    ("paths", "done"),
    [
        ([], False),
        ([path()], True),  # nothing to choose, and it was tried
        ([path(ONE)], False),
        ([path(ONE), path(TWO)], True),
        ([path(ONE), path(TWO, ("f", 4, (4, 8)))], False),
        ([path(ONE), path(TWO, ("f", 4, (4, 8))), path(TWO, ("f", 8, (4, 8)))], True),
        ([path(("rate", 0.1, None))], False),  # too many values to try them all
    ],
)
def test_a_space_is_exhausted_when_every_branch_is(paths, done):
    assert exhausted(paths) is done


def test_open_values_leave_out_what_was_tried():
    paths = [path(ONE), path(TWO, ("f", 4, (4, 8)))]
    assert open_values(paths, [], "layers", (1, 2)) == [2]
    assert open_values(paths, path(TWO), "f", (4, 8)) == [8]
    assert open_values(paths, path(("layers", 3, ())), "f", (4, 8)) == [4, 8]


@pytest.mark.parametrize(
    "kind",
    [tune.RandomSearch, tune.GridSearch, tune.BayesianOptimization],
    ids=lambda k: k.__name__,
)
def test_every_combination_is_tried_once_and_then_it_ends(tmp_path, capsys, kind):
    tuner = search(tmp_path, kind, max_trials=99, verbose=1)
    values = [tuple(one.values.items()) for one in tuner.results()]
    assert len(values) == len(set(values)) == COMBINATIONS
    assert (
        f"all {COMBINATIONS} combinations were tried; widen the ranges to try more"
        in capsys.readouterr().out
    )


def test_a_grid_goes_in_order(tmp_path):
    tuner = search(tmp_path, tune.GridSearch, max_trials=4)
    assert [list(values.values()) for _, (values, _) in sorted(tried(tuner).items())] == [
        [1, 4], [1, 8], [1, 12], [2, 4, 4],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [tune.RandomSearch, tune.BayesianOptimization])
def test_resumed_it_is_as_if_it_had_never_stopped(tmp_path, kind):
    whole = search(tmp_path / "a", kind, max_trials=8, seed=5)
    search(tmp_path / "b", kind, max_trials=3, seed=5)
    mc.utils.set_random_seed(99)  # whatever else the other process does
    resumed = search(tmp_path / "b", kind, max_trials=8, seed=5)
    assert tried(resumed) == tried(whole)
    assert len(tried(whole)) == 8


def test_another_seed_tries_other_networks_and_the_seed_outside_stays(tmp_path):
    mc.utils.set_random_seed(3)
    one, other = (search(tmp_path / str(s), max_trials=5, seed=s) for s in (0, 1))
    assert tried(one) != tried(other)
    assert mc.random.seed() == 3


def test_ranges_without_steps_are_sampled(tmp_path):
    def wide(hp):
        hp.Float("even", 0.0, 1.0)
        hp.Float("log", 1e-6, 1.0, sampling="log")
        hp.Int("many", 1, 10**6, sampling="log")
        hp.Int("rows", 0, 10**6, step=2)
        return with_rate(HyperParameters())

    tuner = search(tmp_path, make=wide, max_trials=40, data={**DATA, "epochs": 1})
    columns = {
        n: [one.values[n] for one in tuner.results()] for n in ("even", "log", "many", "rows")
    }
    assert 0.3 < np.mean(columns["even"]) < 0.7
    # Spread evenly, the medians would be 0.5 and 500,000; on a logarithmic scale 1e-3 and 1000.
    assert 2e-5 < np.median(columns["log"]) < 5e-2
    assert 20 < np.median(columns["many"]) < 50_000
    assert all(value % 2 == 0 for value in columns["rows"])
    assert np.mean(columns["rows"]) > 200_000


# --- what counts ------------------------------------------------------------------------------


def test_the_best_epoch_counts_and_its_model_is_kept(tmp_path):
    tuner = search(tmp_path, max_trials=4, data={**DATA, "epochs": 4})
    best = tuner.results()[0]
    (model,) = tuner.get_best_models()
    x, y = DATA["validation_data"]
    assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(best.score)
    assert best.score == max(best.curve.values()) == best.curve[best.best_step]
    assert tuner.get_best_hyperparameters()[0].values == best.values
    assert build(tuner.get_best_hyperparameters()[0]).count_params() == model.count_params()


def test_only_the_best_models_are_kept(tmp_path):
    tuner = search(tmp_path, max_trials=6, keep_models=2)
    kept = {path.stem for path in (tmp_path / "s" / "trials").iterdir()}
    assert kept == {one.id for one in tuner.results()[:2]}
    with pytest.raises(ArgumentError, match=r"only the best 2 models are kept"):
        tuner.get_best_models(3)
    with pytest.raises(ArgumentError, match="only 6 trials are complete; 7 were asked for"):
        tuner.get_best_hyperparameters(7)


def test_a_loss_is_better_when_it_is_lower(tmp_path):
    tuner = search(tmp_path, objective="val_loss", max_trials=3)
    scores = [one.score for one in tuner.results()]
    assert scores == sorted(scores)


def test_the_score_is_the_mean_of_all_executions(tmp_path):
    seen = []

    class Spy(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_accuracy"])

    data = {**DATA, "epochs": 1, "callbacks": [Spy()]}
    tuner = search(tmp_path, max_trials=1, executions_per_trial=3, data=data)
    assert len(seen) == 3
    assert tuner.results()[0].score == pytest.approx(np.mean(seen))


def test_every_trial_has_callbacks_of_its_own(tmp_path):
    stopping = EarlyStopping("val_accuracy", patience=1)
    search(tmp_path, max_trials=2, data={**DATA, "callbacks": [stopping]})
    assert stopping.best is None


def test_poor_trials_are_pruned(tmp_path):
    def make(hp):
        # Six that learn and one that cannot: it is ended by the median of the others.
        hp.Int("number", 0, 6)
        good = hp.values["number"] < 6
        return with_rate(HyperParameters({"rate": 0.01 if good else 0.0}))

    data = {**DATA, "epochs": 6}
    tuner = search(tmp_path, tune.GridSearch, make, data, max_trials=7, pruner="median")
    last = next(one for one in tuner.results() if one.values["number"] == 6)
    assert last.state == "pruned"
    assert len(last.curve) < 6
    assert tuner.results()[-1] == last


def test_a_loss_that_explodes_is_a_result(tmp_path, capsys):
    tuner = search(tmp_path, tune.GridSearch, with_rate, max_trials=3, verbose=1)
    failed = tuner.results()[-1]
    assert failed.state == "failed"
    assert failed.values == {"rate": 1e38}
    assert "the loss became" in failed.reason
    assert "Trial failed: the loss became" in capsys.readouterr().out
    assert math.isnan(failed.score)


@pytest.mark.parametrize("first_rate", [0.01, 1e38], ids=["later", "at-once"])
def test_a_training_that_diverged_is_failed_however_it_ended(tmp_path, first_rate):
    """TerminateOnNaN ends it without an error, even if its first epoch was the best of all."""
    callbacks = [
        LearningRateScheduler(lambda epoch: 1e38 if epoch else first_rate),
        TerminateOnNaN(),
    ]
    options = {"epochs": 3, "validation_data": (X[80:], Y[80:]), "callbacks": callbacks}
    tuner = search(tmp_path, tune.GridSearch, build, options, max_trials=2, max_failures=3)
    assert [one.state for one in tuner.results()] == ["failed", "failed"]
    assert all(math.isnan(one.score) for one in tuner.results())
    words = "never a finite number|in the last epoch: the training diverged"
    assert all(re.search(words, one.reason) for one in tuner.results())


def test_many_failures_in_a_row_end_the_search(tmp_path):
    def too_small(hp):
        hp.Int("number", 0, 9)
        return mc.Sequential([Input((8, 8, 1)), Conv2D(1, 9)])

    with pytest.raises(ShapeError) as caught:
        search(tmp_path, make=too_small, max_trials=9, max_failures=2)
    assert caught.value.__notes__ == ["2 trials in a row failed, the last one with this."]


def test_a_mistake_is_no_result(tmp_path):
    with pytest.raises(ArgumentError, match="monitors 'val_acuracy'"):
        search(tmp_path, objective="val_acuracy", max_trials=2)
    with pytest.raises(ArgumentError, match="pruner must be one of"):
        search(tmp_path / "b", pruner="median ")
    with pytest.raises(ArgumentError, match="build_model must be a function"):
        tune.RandomSearch(build(HyperParameters()))


def test_results_that_cannot_be_compared_are_not_mixed(tmp_path):
    search(tmp_path, max_trials=1)
    with pytest.raises(ArgumentError, match=r"begun with seed=0, and this is seed=1"):
        search(tmp_path, max_trials=1, seed=1)
    notes = tmp_path / "s" / "notes.txt"
    notes.write_text("not ours")
    again = search(tmp_path, max_trials=1, seed=1, overwrite=True)
    assert len(again.results()) == 1
    assert notes.read_text() == "not ours"


def test_optuna_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("tune"))):
        tune.RandomSearch(build, directory=tmp_path)
