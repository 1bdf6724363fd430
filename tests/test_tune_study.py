"""What a trial depends on: its number and earlier trials, whatever becomes of their processes."""

from __future__ import annotations

import pytest
from tiny_searches import DATA, X, Y, build, search, tried

from minicnn import tune
from minicnn.backends import use_backend
from minicnn.errors import ArgumentError
from minicnn.tune.study import Study, storage_of

pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("no_fsync")

SETTINGS = {"sampler": "random", "seed": 3, "direction": "maximize"}


def choose(study, worker, names=("a", "b")):
    """Choose a trial of two values, or only the first; return its number and its values."""
    trial = study.ask(worker)
    values = {name: trial.suggest_int(name, 0, 9) for name in names}
    if len(values) == 2:
        trial.set_user_attr("values", values)
    return trial.user_attrs["number"], tuple(values.values())


@pytest.fixture(params=["folder", "postgres"])
def place(request, tmp_path):
    """The storage of a search, in a folder and in a database."""
    address = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return storage_of(tmp_path / "s", address)


def test_choices_do_not_depend_on_what_became_of_the_processes(place, tmp_path):
    whole = Study(storage_of(tmp_path / "whole"), SETTINGS)
    right = [choose(whole, "1-00000001") for _ in range(6)]
    assert [number for number, _ in right] == [0, 1, 2, 3, 4, 5]

    study, found = Study(place, SETTINGS), []
    for _ in range(5):
        found.append(choose(study, "1-00000001"))  # a process that does not live
    choose(study, "1-00000001", names="a")  # killed while it chose
    for _ in range(4):  # the first trial is repeated, and killed again before it was ready
        study.end_interrupted()
        assert choose(study, "1-00000002", names="a") == (0, right[0][1][:1])
    with study.storage.working() as worker:
        study.end_interrupted()
        found += [choose(study, worker) for _ in range(6)]
        assert found == [*right[:5], *right]
        study.end_interrupted()
        assert choose(study, worker)[0] == 6


def test_a_trial_half_chosen_is_repeated_even_if_its_process_seems_to_live(place):
    """Its locks are released one after the other, that of the choices perhaps first."""
    study = Study(place, SETTINGS)
    with study.storage.working() as worker:
        first = choose(study, worker, names="a")
        study.end_interrupted()
        number, values = choose(study, worker)
    assert (number, values[:1]) == first


def test_a_choice_that_a_changed_function_does_not_offer_is_made_again(tmp_path):
    study = Study(storage_of(tmp_path), SETTINGS)
    choose(study, "1-00000001")
    study.end_interrupted()
    trial = study.ask("1-00000001")
    assert trial.suggest_int("a", 20, 29) >= 20


# --- results that count -------------------------------------------------------------------------


@pytest.mark.parametrize("pruner", [None, "median"])
def test_more_workers_wait_for_the_results_that_count(tmp_path, pruner):
    settings = {**SETTINGS, "sampler": "tpe"}
    study = Study(storage_of(tmp_path), settings, pruner, workers=2)
    with study.storage.working() as worker:
        trials = [study.ask(worker)]
        assert study.is_ready()
        trials.append(study.ask(worker))
        for trial in trials:
            trial.suggest_int("a", 0, 9)
            trial.set_user_attr("values", {})
        assert not study.is_ready()  # two work: the third depends on the result of the first
        study.tell(trials[1], 0.5)
        assert not study.is_ready()
        study.tell_failure(trials[0], "diverged")
        assert study.is_ready()


@pytest.mark.parametrize("pruner", [None, "median"])
def test_a_search_whose_choices_need_no_results_never_waits(tmp_path, pruner):
    study = Study(storage_of(tmp_path), SETTINGS, pruner, workers=1)
    study.ask("1-00000001").set_user_attr("values", {})
    assert study.is_ready() == (pruner is None)


def test_only_results_that_count_are_used(tmp_path):
    """With three workers, the first three trials of TPE after its random ones are as with one."""
    options = {"kind": tune.BayesianOptimization, "max_trials": 11}
    one = tried(search(tmp_path / "a", workers=1, **options))
    assert one == tried(search(tmp_path / "b", **options))  # all that were known
    other = tried(search(tmp_path / "c", workers=4, **options))
    assert [other[n] for n in range(6)] == [one[n] for n in range(6)]
    assert other != one


def test_hyperband_depends_on_the_order_and_says_so(tmp_path):
    with pytest.raises(ArgumentError, match="with workers, pruner must be 'median' or None"):
        search(tmp_path, pruner="hyperband", workers=2)


# --- what all processes must have in common ------------------------------------------------------


def begun(tmp_path):
    search(tmp_path, max_trials=1)
    return tune.RandomSearch(build, directory=tmp_path, project_name="s", verbose=0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": Y[::-1][:80]}, "y='int64"),
        ({"epochs": 3}, "epochs=2, and this is epochs=3"),
        ({"validation_data": (X[80:], Y[:40])}, "validation_data='tuple"),
        ({"class_weight": {0: 1.0, 1: 2.0, 2: 1.0}}, "class_weight=None, and this is"),
    ],
)
def test_other_data_are_named_and_refused(tmp_path, changes, words):
    tuner = begun(tmp_path)
    with pytest.raises(ArgumentError, match=words):
        tuner.search(**{"x": X[:80], "y": Y[:80], **DATA, **changes})


def test_the_same_data_are_accepted_however_they_are_given(tmp_path):
    tuner = begun(tmp_path)
    data = {**DATA, "verbose": 0, "batch_size": None, "callbacks": []}
    tuner.search(x=X[:80].copy(order="F"), y=Y[:80].copy(), **data)
    assert len(tuner.results()) == tuner.max_trials


def test_another_version_or_engine_is_refused(tmp_path, monkeypatch):
    tuner = begun(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("minicnn.tune.fit_settings.__version__", "9.9")
        with pytest.raises(ArgumentError, match=r"and this is version='9\.9'"):
            tuner.search(X[:80], Y[:80], **DATA)
    with (
        use_backend("numpy"),
        pytest.raises(ArgumentError, match="and this is MINICNN_BACKEND='numpy'"),
    ):
        tuner.search(X[:80], Y[:80], **DATA)


def test_another_pruner_is_refused(tmp_path):
    search(tmp_path, max_trials=1)
    with pytest.raises(ArgumentError, match="pruner=None, and this is pruner='median'"):
        search(tmp_path, max_trials=2, pruner="median")


def test_a_search_in_use_is_not_deleted(tmp_path):
    tuner = begun(tmp_path)
    with (
        tuner.study.storage.working(),
        pytest.raises(ArgumentError, match=r"processes work on the search in .*; stop them"),
    ):
        search(tmp_path, overwrite=True)
    assert len(search(tmp_path, max_trials=2, overwrite=True).results()) == 2
