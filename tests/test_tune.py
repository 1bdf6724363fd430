"""A search over tiny networks: what it tries, what it remembers, what it says."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc
from minicnn import tune
from minicnn.callbacks import Callback, EarlyStopping, LearningRateScheduler, TerminateOnNaN
from minicnn.errors import ArgumentError, FormatError, MissingExtraError, ShapeError
from minicnn.installed import install_command
from minicnn.layers import Conv2D, Dense, Flatten, Input
from minicnn.tune import HyperParameters, figures
from minicnn.tune.report import trial_text
from minicnn.tune.results import Result
from minicnn.tune.sampling import Step, exhausted, open_values
from minicnn.tune.study import known_settings

pytest.importorskip("optuna")

COMBINATIONS = 12  # 3 of one layer, 9 of two


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """No test here cuts the power, and on a busy disk each journal line would take 10 ms."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


def images(count=120):
    """Three kinds of images, told apart by how bright their diagonal is."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, count)
    x = rng.normal(size=(count, 8, 8, 1)) + y[:, None, None, None] * np.eye(8)[..., None]
    return x.astype(np.float32), y


X, Y = images()
DATA = {"epochs": 2, "validation_data": (X[80:], Y[80:])}


def build(hp):
    model = mc.Sequential([Input((8, 8, 1))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(Conv2D(hp.Int(f"filters_{i}", 4, 12, step=4), 3, activation="relu"))
    model.add(Flatten())
    model.add(Dense(3, activation="softmax"))
    model.compile(mc.optimizers.Adam(0.01), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def with_rate(hp):
    """One dense layer; the learning rate decides everything."""
    model = mc.Sequential([Input((8, 8, 1)), Flatten(), Dense(3, activation="softmax")])
    rate = hp.Choice("rate", [0.01, 0.0, 1e38])
    model.compile(mc.optimizers.SGD(rate), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def search(tmp_path, kind=tune.RandomSearch, make=build, data=DATA, **options):
    options = {"directory": tmp_path, "project_name": "s", "verbose": 0, **options}
    tuner = kind(make, **options)
    tuner.search(X[:80], Y[:80], **data)
    return tuner


def tried(tuner):
    """{number: (values, score)}."""
    return {one.number: (one.values, one.score) for one in tuner.results()}


# --- the space --------------------------------------------------------------------------------


def test_without_values_every_hyperparameter_is_its_default():
    hp = HyperParameters()
    assert hp.Int("a", 2, 8, step=3) == 2
    assert hp.Int("b", 2, 8, default=5) == 5
    assert hp.Float("c", 0.1, 0.5, step=0.2) == 0.1
    assert hp.Choice("d", ["x", "y"]) == "x"
    assert hp.Boolean("e") is False
    assert hp.Fixed("f", 7) == 7
    assert hp.Int("a", 2, 8, step=3) == 2  # asked again: the same
    assert list(hp.values) == list("abcdef")
    assert [one.high for one in hp.space[:3]] == [8, 8, pytest.approx(0.5)]


def test_a_range_ends_where_its_steps_do():
    hp = HyperParameters()
    hp.Int("a", 32, 100, step=32)
    assert hp.space[0].high == 96


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda hp: hp.Int("a", 3, 2), "max_value of 'a' must be an integer >= 3; got 2"),
        (lambda hp: hp.Int("a", 0, 2, sampling="log"), "min_value=0"),
        (lambda hp: hp.Float("a", 1, 2, step=1, sampling="log"), "no step; got step=1"),
        (lambda hp: hp.Float("a", 1, 2, sampling="lin"), "must be one of"),
        (lambda hp: hp.Choice("a", []), "a list of different values"),
        (lambda hp: hp.Choice("a", [1, 2], default=3), r"one of \[1, 2\]"),
        (lambda hp: hp.Int("b", 2, 3), "asked for twice"),
        (lambda hp: hp.get("nothing"), r"there are \['b'\]"),
    ],
)
def test_what_cannot_be_a_range_is_refused(ask, message):
    hp = HyperParameters()
    hp.Int("b", 1, 2)
    with pytest.raises(ArgumentError, match=message):
        ask(hp)


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
        f"all {COMBINATIONS} combinations are done; raise max_trials or widen the ranges"
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
    assert stopping.best_epoch is None


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
    """Also if its first epoch was the best of all: TerminateOnNaN ends it quietly."""
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
    with pytest.raises(ArgumentError, match="watches 'val_acuracy'"):
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


# --- many processes, and none -----------------------------------------------------------------

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_tune import *
class Guided(Callback):
    # Says that an epoch is done, and waits for a word to go on.
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", flush=True)
        sys.stdin.readline()
tuner = tune.RandomSearch(
    build, max_trials=int(sys.argv[2]), directory=sys.argv[1], project_name="s", verbose=0
)
tuner.search(X[:80], Y[:80], callbacks=[Guided()], **DATA)
"""


def start(folder, trials):
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", program, str(folder), str(trials)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True)


def test_killed_in_the_second_trial_the_search_goes_on(tmp_path):
    with start(tmp_path, 6) as process:
        for _ in range(3):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "epoch\n"
        process.kill()
    resumed = search(tmp_path, max_trials=6)
    whole = search(tmp_path / "whole", max_trials=6)
    assert tried(resumed) == tried(whole)


def test_two_processes_share_the_trials(tmp_path):
    workers = [start(tmp_path, 8) for _ in range(2)]
    firsts = [worker.stdout.readline() for worker in workers]  # both are in a trial
    assert firsts == ["epoch\n"] * 2
    printed = [worker.communicate("\n" * 99)[0].count("epoch") for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(firsts) + sum(printed) == 8 * DATA["epochs"]
    shared = search(tmp_path, max_trials=8)
    assert tried(shared) == tried(search(tmp_path / "alone", max_trials=8))
    assert list((tmp_path / "s" / "workers").iterdir()) == []


def tuner_in(folder):
    """A search that has not tried anything yet."""
    return tune.RandomSearch(build, directory=folder, project_name="s", verbose=0)


FOREIGN = {
    "a note without a line end": b"notes of mine",
    "a log with one": b"step 1\nstep 2\nstep",
    "other JSON": b'{"time": 1}\n{"ti',
    "bytes": b"\x00\xff" * 9,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_journal_of_somebody_else_is_refused_and_stays(tmp_path, content):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "journal.log").write_bytes(content)
    with pytest.raises(FormatError, match=r"journal\.log: is no journal of a search"):
        tuner_in(tmp_path)
    assert (tmp_path / "s" / "journal.log").read_bytes() == content


def test_a_journal_that_is_a_pipe_is_refused(tmp_path):
    (tmp_path / "s").mkdir()
    os.mkfifo(tmp_path / "s" / "journal.log")
    for opening in (tuner_in, lambda folder: known_settings(folder / "s")):
        with pytest.raises(FormatError, match="is a device, a pipe or a socket"):
            opening(tmp_path)


@pytest.mark.parametrize("torn", [b"{", b'{"op_code":0,"worker'])
def test_half_of_the_first_line_is_dropped(tmp_path, torn):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "journal.log").write_bytes(torn)
    tuner_in(tmp_path)
    assert (tmp_path / "s" / "journal.log").read_bytes().startswith(b'{"op_code":0,"worker_id"')


def test_half_a_line_at_the_journals_end_is_dropped(tmp_path):
    before = tried(search(tmp_path, max_trials=2))
    with (tmp_path / "s" / "journal.log").open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    assert tried(search(tmp_path, max_trials=3)).items() > before.items()


# --- what it says -----------------------------------------------------------------------------

# The figure in the paper, with the values that its network used.
PAPERS_REPORT = """\
Trial complete
Trial summary
|-Trial ID: 282b8091b5c30dc133ebf76117964e36
|-Score: 0.8085758090019226
|-Best step: 0
Hyperparameters:
|-conv_input_units: 96
|-conv_input_units_0: 96
|-conv_input_units_1: 224
|-dense_input_units: 320
|-num_conv_layers_1+: 2
"""
PAPERS_VALUES = {
    "conv_input_units": 96,
    "conv_input_units_0": 96,
    "conv_input_units_1": 224,
    "dense_input_units": 320,
    "num_conv_layers_1+": 2,
}


def papers_trial():
    return Result(
        0, "282b8091b5c30dc133ebf76117964e36", "complete", 0.8085758090019226, 0, 1.0,
        PAPERS_VALUES, {}, None,
    )  # fmt: skip


def test_the_report_is_the_papers():
    assert trial_text(papers_trial()) == PAPERS_REPORT
    names = [*PAPERS_VALUES, "conv_input_units_2"]
    assert trial_text(papers_trial(), names) == PAPERS_REPORT + "|-conv_input_units_2: (not used)\n"


def test_the_summary_shows_the_best_trials(tmp_path, capsys):
    tuner = search(tmp_path, max_trials=5)
    tuner.results_summary(2)
    text = capsys.readouterr().out
    assert f"|-Results in {tmp_path / 's'}\n|-Showing 2 best trials\n" in text
    assert text.count("Trial summary") == 2
    first, second = tuner.results()[:2]
    assert text.index(first.id) < text.index(second.id)
    assert "not used" not in text
    tuner.results_summary(10, all=True)
    assert "|-filters_1: (not used)" in capsys.readouterr().out


def test_the_lines_of_a_trial(tmp_path, capsys):
    search(tmp_path, max_trials=2, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Trial 1/2: layers=")
    assert lines[1] == "Trial 1/2 complete [00h 00m 00s]"
    assert lines[2].startswith("val_accuracy: 0.")
    assert lines[4].startswith("Best val_accuracy so far: 0.")
    assert lines[5:7] == ["Total elapsed time: 00h 00m 00s", "Estimated time left: 00h 00m 00s"]


def test_the_space_can_be_shown(tmp_path, capsys):
    tune.RandomSearch(build, directory=tmp_path).search_space_summary()
    assert capsys.readouterr().out.splitlines()[:7] == [
        "Search space summary",
        "|-Default search space size: 2",
        "layers (Int)",
        "|-default: 1",
        "|-min_value: 1",
        "|-max_value: 2",
        "|-step: 1",
    ]


def test_the_table_has_a_row_a_trial(tmp_path):
    tuner = search(tmp_path, max_trials=4)
    tuner.to_csv(tmp_path / "trials.csv")
    head, *rows = (tmp_path / "trials.csv").read_text().splitlines()
    assert head == "number,id,state,score,best_step,seconds,layers,filters_0,filters_1"
    assert len(rows) == 4
    for row, one in zip(rows, tuner.results_table(), strict=True):
        assert row.split(",")[1] == one["id"]
        assert row.endswith(f",{one.get('filters_1', '')}")


def test_the_pictures_show_every_trial(tmp_path):
    pytest.importorskip("matplotlib")
    tuner = search(tmp_path, max_trials=5)
    figures = tuner.plot()
    assert set(figures) == {"progress", "values", "curves"}
    (points,) = figures["progress"].axes[0].collections
    assert len(points.get_offsets()) == 5
    assert len(figures["curves"].axes[0].lines) == 5
    assert [axes.get_xlabel() for axes in figures["values"].axes] == [
        "layers", "filters_0", "filters_1",
    ]  # fmt: skip
    with pytest.raises(ArgumentError, match="no trial of this search has a score yet"):
        tune.RandomSearch(build, directory=tmp_path, project_name="none").plot()


def test_a_search_that_chooses_nothing_has_pictures_too(tmp_path):
    pytest.importorskip("matplotlib")
    one = Result(0, "0" * 32, "complete", 0.5, 0, 1.0, {}, {0: 0.5}, None)
    (panel,) = figures.values_figure([one], "val_accuracy").axes
    assert not panel.axison


# --- the paper's space ------------------------------------------------------------------------


def test_the_papers_space():
    hp = HyperParameters()
    tune.photo_space((32, 32, 3))(hp)
    ranges = {one.name: (one.low, one.high, one.step) for one in hp.space}
    assert ranges == {
        "conv_input_units": (32, 128, 32),
        "num_conv_layers_1+": (1, 8, 1),
        "conv_input_units_0": (64, 256, 32),
        "dense_input_units": (128, 512, 64),
    }


def test_the_papers_best_trial_is_the_zoos_network():
    model = tune.photo_space((64, 64, 3))(HyperParameters(PAPERS_VALUES))
    assert model.count_params() == mc.zoo.stacked((64, 64, 3)).count_params()


def test_the_deepest_network_of_the_space_fits():
    hp = HyperParameters({"num_conv_layers_1+": 8})
    model = tune.photo_space((32, 32, 3))(hp)
    assert sum(isinstance(layer, Conv2D) for layer in model.layers) == 9
