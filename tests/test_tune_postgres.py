"""Searches in a database that several workers share, and what becomes of those that are cut off."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny_searches import DATA, X, Y, build, search, tried

from minicnn import tune
from minicnn.callbacks import Callback
from minicnn.errors import ArgumentError, FormatError, MissingExtraError, StorageError
from minicnn.tune.server_errors import TAKEN
from minicnn.tune.server_storage import ServerStorage

optuna = pytest.importorskip("optuna")
psycopg = pytest.importorskip("psycopg", reason="psycopg is missing: pip install -e '.[dev]'")
pytestmark = pytest.mark.usefixtures("no_fsync")

SECRET = "postgresql://me:hidden-word@127.0.0.1:1/searches"
SCRIPT = Path(__file__).with_name("tune_kills.py")
FEW, MANY = 4, 200


def test_the_trials_are_those_of_a_search_in_a_folder(tmp_path, postgres):
    stored = search(tmp_path / "a", max_trials=6, storage=postgres)
    assert tried(stored) == tried(search(tmp_path / "b", max_trials=6))
    assert (stored.folder / "trials").is_dir() and not (stored.folder / "journal.log").exists()


def test_searches_of_one_database_do_not_mix(tmp_path, postgres):
    one = search(tmp_path, max_trials=2, storage=postgres)
    other = search(tmp_path, max_trials=3, storage=postgres, project_name="other", seed=1)
    assert [len(one.results()), len(other.results())] == [2, 3]
    again = search(tmp_path, max_trials=1, storage=postgres, overwrite=True, seed=2)
    assert [len(again.results()), len(other.results())] == [1, 3]


def test_workers_that_begin_at_once_wait_for_the_tables(tmp_path, postgres):
    options = {"directory": tmp_path, "project_name": "s", "storage": postgres, "seed": 0}
    with ThreadPoolExecutor(4) as pool:
        begun = [pool.submit(tune.RandomSearch, build, **options) for _ in range(4)]
    assert [one.result().results() for one in begun] == [[]] * 4
    assert optuna.get_all_study_names(ServerStorage(postgres, "s").connect()) == ["s"]


# --- kills --------------------------------------------------------------------------------------


def kill(tmp_path, trials, workers, kills, *words):
    words = [SCRIPT, tmp_path, trials, workers, kills, *words]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= kills and found["different"] == 0


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_two_workers_on_a_folder_are_killed(tmp_path, sampler):
    kill(tmp_path, 8, 2, FEW, sampler)


def test_two_workers_on_a_database_are_killed(tmp_path, postgres):
    kill(tmp_path, 8, 2, FEW, "random", postgres)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_four_workers_on_a_folder_are_killed_often(tmp_path, sampler):
    kill(tmp_path, 40, 4, 5 * MANY, sampler)


@pytest.mark.slow
def test_four_workers_on_a_database_are_killed_often(tmp_path, postgres):
    kill(tmp_path, 40, 4, MANY, "random", postgres)


# --- connections that are lost --------------------------------------------------------------------


class Once(Callback):
    """Calls a function at the end of the first epoch of all."""

    calls = 0

    def __init__(self, function):
        self.function = function

    def on_epoch_end(self, epoch, logs=None):
        Once.calls += 1
        if Once.calls == 1:
            self.function()


def cut_off(address):
    """End all connections to a database, as a network that fails does."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def interrupted(tmp_path, address, function, monkeypatch):
    """Return the error of a search during whose first epoch `function` is called."""
    monkeypatch.setattr(Once, "calls", 0)
    with pytest.raises(StorageError) as caught:
        search(
            tmp_path, max_trials=4, storage=address, data={**DATA, "callbacks": [Once(function)]}
        )
    return str(caught.value)


def check_resumed(tmp_path, address):
    """The search continues, and each trial has one result, the right one."""
    resumed = search(tmp_path, max_trials=4, storage=address)
    assert [one.number for one in sorted(resumed.results())] == [0, 1, 2, 3]
    assert tried(resumed) == tried(search(tmp_path / "whole", max_trials=4))


def test_a_worker_that_is_cut_off_ends_with_advice(tmp_path, postgres, monkeypatch):
    text = interrupted(tmp_path, postgres, lambda: cut_off(postgres), monkeypatch)
    assert text.endswith("when the server can be reached, start the search again: it continues")
    check_resumed(tmp_path, postgres)


def test_a_trial_that_was_taken_over_is_not_ended_twice(tmp_path, postgres, monkeypatch):
    def take_over():
        cut_off(postgres)
        other = tune.RandomSearch(
            build, directory=tmp_path, project_name="s", storage=postgres, seed=0
        )
        with other.study.storage.lock():
            other.study.end_interrupted()

    assert interrupted(tmp_path, postgres, take_over, monkeypatch).endswith(TAKEN)
    check_resumed(tmp_path, postgres)


def test_a_search_that_is_worked_on_is_not_deleted(tmp_path, postgres):
    search(tmp_path, max_trials=1, storage=postgres)
    with (
        ServerStorage(postgres, "s").working(),
        pytest.raises(ArgumentError, match="processes work on the search in postgresql://"),
    ):
        search(tmp_path, storage=postgres, overwrite=True)
    assert len(search(tmp_path, max_trials=1, storage=postgres, overwrite=True).results()) == 1


# --- errors -------------------------------------------------------------------------------------


def test_workers_with_other_data_are_refused(tmp_path, postgres):
    search(tmp_path, max_trials=1, storage=postgres)
    changed = X[:80].copy()
    changed[7, 3, 3] += 1
    tuner = tune.RandomSearch(
        build, directory=tmp_path, project_name="s", storage=postgres, verbose=0
    )
    with pytest.raises(ArgumentError, match=r"begun with x='float32 \(80, 8, 8, 1\) \w{16}'"):
        tuner.search(changed, Y[:80], **DATA)


def test_a_wrong_password_is_refused_with_advice(tmp_path, postgres, postgres_server):
    rules = Path(postgres_server.pgdata) / "pg_hba.conf"
    rules.write_text(f"local all locked scram-sha-256\n{rules.read_text()}")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
        connection.execute("SELECT pg_reload_conf()")
    with pytest.raises(StorageError, match="PGPASSWORD") as caught:
        search(tmp_path, storage=postgres.replace("postgres:", "locked:hidden-word"))
    assert "hidden-word" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path):
    with pytest.raises(StorageError, match="start the search again") as caught:
        search(tmp_path, storage=SECRET)
    assert "postgresql://127.0.0.1:1/searches (s)" in str(caught.value)
    assert "hidden-word" not in str(caught.value) and "me" not in re.split(r"\W", str(caught.value))
    assert list(tmp_path.iterdir()) == []


def test_the_password_is_in_no_file_and_no_table(tmp_path, postgres):
    address = postgres.replace("postgres:", "postgres:hidden-word")  # the server does not ask
    tuner = search(tmp_path, max_trials=1, storage=address)
    tuner.to_csv(tmp_path / "trials.csv")
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2 and not any(b"hidden-word" in content for content in files)
    with psycopg.connect(postgres) as connection:
        rows = [
            connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("study_user_attributes", "trial_user_attributes", "studies")
        ]
    assert all(rows) and "hidden-word" not in repr(rows)


@pytest.mark.parametrize("address", ["postgresql://a:hidden@server", "sqlite:///a", "server"])
def test_other_addresses_are_refused(tmp_path, address):
    with pytest.raises(ArgumentError, match="USER:PASSWORD@HOST:PORT/DATABASE"):
        search(tmp_path, storage=address)


def test_a_database_that_does_not_exist_is_named(tmp_path, postgres):
    with pytest.raises(StorageError, match="make it with: createdb"):
        search(tmp_path, storage=postgres.replace("/pictures", "/missing"))


@pytest.mark.parametrize(
    ("version", "words"),
    [("v3.0.0.c", "type: optuna storage upgrade"), ("v99", "type: pip install --upgrade optuna")],
)
def test_tables_of_another_optuna_are_refused_with_a_command(tmp_path, postgres, version, words):
    search(tmp_path, max_trials=1, storage=postgres)
    with psycopg.connect(postgres) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [version])
    with pytest.raises(StorageError, match=words):
        search(tmp_path, storage=postgres)


def test_the_study_of_another_program_is_refused(tmp_path, postgres):
    storage = ServerStorage(postgres, "s").connect()
    study = optuna.create_study(storage=storage, study_name="s")
    study.tell(study.ask(), 1.0)
    with pytest.raises(FormatError, match="trial 0 has a wrong number"):
        search(tmp_path, storage=postgres)
    assert study.user_attrs == {}


def test_psycopg_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"a search on PostgreSQL needs psycopg.*postgres"):
        search(tmp_path, storage=SECRET)


def test_a_worker_number_is_never_that_of_another(postgres, monkeypatch):
    numbers = iter([4, 4, 6])
    monkeypatch.setattr("secrets.randbelow", lambda _limit: next(numbers))
    one, other = ServerStorage(postgres, "s"), ServerStorage(postgres, "s")
    with one.working() as first, other.working() as second:
        assert [name[-8:] for name in (first, second)] == ["00000005", "00000007"]
        assert one.alive([first, second, "1-00000006"]) == {first, second}
    assert one.alive([first, second]) == set()


def test_values_come_back_as_they_were(tmp_path, postgres):
    def wide(hp):
        hp.Int("large", 1, 2**31 - 1)
        hp.Float("small", 1e-300, 1e-299)
        hp.Choice("mixed", [None, True, "a", 0.1])
        return build(hp)

    stored = search(tmp_path / "a", make=wide, max_trials=3, storage=postgres)
    assert tried(stored) == tried(search(tmp_path / "b", make=wide, max_trials=3))
