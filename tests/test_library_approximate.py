"""Very large libraries are searched by an approximate index, whose candidates are compared exactly.

The limits are lowered here, so that a few hundred pictures are very many.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("usearch", reason="pip install -e '.[ann]'")
from vector_libraries import (
    NETWORK,
    add_pictures,
    check_hits,
    extractor_row,
    random_query,
    true_scores,
)

from minicnn.apps.library import searching, vector_table
from minicnn.apps.library.graph import Graph
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.preparing import prepare, recall_at
from minicnn.apps.library.searching import Searcher, query_of_pictures
from minicnn.apps.library.server_table import ServerTable
from minicnn.apps.library.snapshot import Snapshot
from minicnn.apps.library.vector_folder import vector_folder

pytestmark = pytest.mark.usefixtures("no_fsync", "low_limits")
WEIGHTS = {"network": 0.5, "class": 0.2, "color": 0.3}
MANY = 150
in_file = pytest.mark.parametrize("library", ["sqlite"], indirect=True)
on_server = pytest.mark.parametrize("library", ["postgres"], indirect=True)


@pytest.fixture
def low_limits(monkeypatch, tmp_path):
    monkeypatch.setattr(vector_table, "EXACT_ROWS", 100)
    monkeypatch.setattr(vector_table, "MOST_NOT_IN_GRAPH", 20)
    monkeypatch.setattr(searching, "LEAST_CANDIDATES", 40)
    monkeypatch.setenv("MINICNN_HOME", str(tmp_path / "home"))


@pytest.fixture
def searcher(library):
    searcher = Searcher(library)
    yield searcher
    searcher.close()


def graph_of(searcher):
    table = searcher.tables()["network"]
    assert isinstance(table, Snapshot)
    return table.graph


def overlap(library, query, hits):
    """Return the share of the truly best pictures that are among the hits."""
    true = true_scores(library, query, WEIGHTS)
    best = sorted(true, key=lambda key: -sum(true[key].values()))[: len(hits)]
    return np.isin(best, [hit.picture for hit in hits]).mean()


def test_hits_of_a_part_are_the_best_and_the_rest_is_mixed_exactly(library, searcher):
    add_pictures(library, MANY)
    prepare(library)
    for seed in range(5):
        query = random_query(seed)
        check_hits(library, query, {"network": 1}, searcher.search(query, {"network": 1}, 5), 5)
        hits = searcher.search(query, WEIGHTS, 5)
        true = true_scores(library, query, WEIGHTS)
        for hit in hits:
            assert hit.score == sum(hit.parts.values())
            assert hit.parts == pytest.approx(true[hit.picture], abs=1e-5)
        assert overlap(library, query, hits) >= 0.8


def test_small_libraries_have_no_approximate_index(library, searcher):
    add_pictures(library, 20)
    prepare(library)
    assert all(
        isinstance(one, Snapshot) and one.graph is None for one in searcher.tables().values()
    )
    assert recall_at(library) == {}


def test_recall_is_measured_against_comparing_all(library):
    add_pictures(library, MANY)
    prepare(library)
    assert recall_at(library, k=10, queries=20) == {"color": 1.0, "network": 1.0}


def test_recall_falls_if_the_index_overlooks_pictures(library, monkeypatch):
    add_pictures(library, MANY)
    prepare(library)
    for table in (Snapshot, ServerTable):
        near = table.near
        monkeypatch.setattr(
            table, "near",
            lambda self, vector, count, near=near, **more: near(self, vector, count, **more)[
                : count if more else count // 2
            ],
        )  # fmt: skip
    for share in recall_at(library, k=10, queries=20).values():
        assert share <= 0.6


def test_a_class_is_searched_completely(library, searcher):
    add_pictures(library, MANY)
    query = random_query()
    rows = Features.objects.using(library.alias).filter(label="bee")
    hits = searcher.search(query, WEIGHTS, 200, label="bee")
    assert {hit.picture for hit in hits} == set(rows.values_list("picture", flat=True))


def test_classes_alone_are_compared_among_what_looks_alike(library, searcher):
    add_pictures(library, MANY)
    query = random_query()
    true = true_scores(library, query, {"class": 1.0})
    hits = searcher.search(query, {"class": 1}, 5)
    assert len(hits) == 5
    for hit in hits:
        assert hit.score == pytest.approx(true[hit.picture]["class"], abs=1e-5)


def test_the_liked_pictures_are_left_out(library, searcher):
    keys = add_pictures(library, MANY)
    hits = searcher.search(query_of_pictures(library, keys[:30]), top=100)
    assert not {hit.picture for hit in hits} & set(keys[:30])


# --- graphs in files ----------------------------------------------------------------------------


@in_file
def test_rows_that_are_not_in_the_graph_are_found(library, searcher):
    add_pictures(library, MANY)
    assert graph_of(searcher).rows == MANY
    new = add_pictures(library, 15, seed=1)
    assert graph_of(searcher).rows == MANY  # too few to write it again
    for key in new:
        query = query_of_pictures(library, [key])._replace(without=frozenset())
        assert searcher.search(query, {"network": 1}, 1)[0].picture == key
    add_pictures(library, 15, seed=2)
    assert graph_of(searcher).rows == MANY + 30


@in_file
def test_pictures_that_are_gone_are_not_found(library, searcher):
    keys = add_pictures(library, MANY)
    query = random_query()
    for _ in range(8):
        best = [hit.picture for hit in searcher.search(query, {"network": 1}, 5)]
        check_hits(library, query, {"network": 1}, searcher.search(query, {"network": 1}, 5), 5)
        Picture.objects.using(library.alias).filter(id__in=best).delete()
    Picture.objects.using(library.alias).filter(id__in=keys[::3]).delete()  # files are made again
    check_hits(library, query, {"network": 1}, searcher.search(query, {"network": 1}, 5), 5)


@in_file
def test_the_next_process_uses_the_graph_of_the_last(library, monkeypatch):
    add_pictures(library, MANY)
    prepare(library)
    monkeypatch.setattr(Graph, "_write", None)
    searcher, query = Searcher(library), random_query()
    check_hits(library, query, {"network": 1}, searcher.search(query, {"network": 1}, 5), 5)
    searcher.close()


def graph_files(library):
    folder = vector_folder(library) / extractor_row(library, "network").mark
    return sorted(folder.glob("graph-*"))


@in_file
@pytest.mark.parametrize("content", [b"", b"no graph" * 100], ids=["empty", "damaged"])
def test_a_damaged_graph_is_made_again(library, content):
    add_pictures(library, MANY)
    prepare(library)
    (path,) = graph_files(library)
    path.write_bytes(content)
    searcher, query = Searcher(library), random_query()
    check_hits(library, query, {"network": 1}, searcher.search(query, {"network": 1}, 5), 5)
    assert len(graph_files(library)) == 1 and path.stat().st_size > 1000
    searcher.close()


@in_file
def test_only_the_newest_graph_is_kept(library):
    for seed in range(3):
        add_pictures(library, MANY, seed=seed)
        prepare(library)
        (path,) = graph_files(library)
        assert path.stem.endswith(f"-{(seed + 1) * MANY}")


@in_file
def test_without_usearch_all_vectors_are_compared(library, searcher, monkeypatch):
    monkeypatch.setattr(vector_table, "has_graphs", lambda: False)
    add_pictures(library, MANY)
    query = random_query()
    check_hits(library, query, WEIGHTS, searcher.search(query, WEIGHTS, 10), 10)
    assert graph_of(searcher) is None


# --- PostgreSQL ---------------------------------------------------------------------------------


@on_server
def test_the_index_of_the_server_is_made_once_and_used(library, searcher):
    add_pictures(library, MANY)
    table = ServerTable(library, extractor_row(library, "network"))
    assert not table.has_index()
    prepare(library)
    assert table.has_index()
    prepare(library)
    with table._cursor() as cursor:
        cursor.execute("SET enable_sort = off")
        cursor.execute(
            "EXPLAIN SELECT picture_id FROM library_features WHERE extractor_id = "
            f"{table.extractor.pk} ORDER BY (vector::halfvec({NETWORK.dimensions})) <#> "
            f"'{[1] * NETWORK.dimensions}' LIMIT 5"
        )
        assert f"library_near_{table.extractor.pk}" in str(cursor.fetchall())


@on_server
def test_an_index_that_a_kill_left_incomplete_is_made_again(library):
    add_pictures(library, MANY)
    prepare(library)
    table = ServerTable(library, extractor_row(library, "network"))
    with table._cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass",
            [f"library_near_{table.extractor.pk}"],
        )
    assert not table.has_index()
    prepare(library)
    assert table.has_index()


@on_server
def test_a_large_library_on_a_server_is_not_copied(library, searcher):
    add_pictures(library, MANY)
    searcher.search(random_query())
    assert all(isinstance(one, ServerTable) for one in searcher.tables().values())
    assert not list(vector_folder(library).iterdir())
