"""Searching a library finds what is most similar, says why, and notices every change."""

from __future__ import annotations

import json
import shutil
import threading

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from vector_libraries import (
    COLOR,
    NETWORK,
    MadeExtractor,
    add_pictures,
    check_hits,
    extractor_row,
    random_query,
    true_scores,
)

from minicnn.apps.library import vector_folder as folders
from minicnn.apps.library import vector_table
from minicnn.apps.library.feature_extractor import Described
from minicnn.apps.library.models import Extractor, Features, Picture
from minicnn.apps.library.opening import open_library
from minicnn.apps.library.queries import Query, query_of
from minicnn.apps.library.searching import Searcher, mixed, query_of_pictures
from minicnn.apps.library.stored_rows import rows_after
from minicnn.apps.library.vector_folder import vector_folder
from minicnn.errors import ArgumentError, LibraryError

pytestmark = pytest.mark.usefixtures("no_fsync", "home")
WEIGHTS = {"network": 0.5, "class": 0.2, "color": 0.3}


@pytest.fixture
def home(monkeypatch, tmp_path):
    """The folder where the vectors of libraries on servers are kept."""
    monkeypatch.setenv("MINICNN_HOME", str(tmp_path / "home"))


@pytest.fixture
def searcher(library):
    searcher = Searcher(library)
    yield searcher
    searcher.close()


def found(searcher, query, weights=WEIGHTS, top=10, **options):
    return searcher.search(query, weights, top, **options)


def pictures(hits):
    return [hit.picture for hit in hits]


@pytest.mark.parametrize(
    "weights",
    [WEIGHTS, {"color": 1.0}, {"class": 1.0}, {"network": 0.25, "color": 0.75}],
    ids=lambda weights: "+".join(weights),
)
def test_hits_are_the_highest_scores_and_their_parts_add_up(library, searcher, weights):
    add_pictures(library, 60)
    for seed in range(3):
        query = random_query(seed)
        check_hits(library, query, weights, found(searcher, query, weights, 13), 13)


def test_a_small_library_gives_all_its_pictures(library, searcher):
    add_pictures(library, 3)
    query = random_query()
    check_hits(library, query, WEIGHTS, found(searcher, query), 10)


def test_an_empty_library_gives_nothing(searcher):
    assert searcher.search(random_query()) == []


def test_equal_scores_are_ordered_by_the_pictures(library, searcher):
    keys = add_pictures(library, 6)
    rows = Features.objects.using(library.alias).filter(extractor__name="color")
    vector = rows.first().vector
    for row in rows:
        row.delete()
        row.pk, row.vector = None, vector
        row.save(using=library.alias)
    hits = found(searcher, random_query(), {"color": 1}, 4)
    assert pictures(hits) == keys[:4]


def test_weights_are_shares_of_their_sum(library, searcher):
    add_pictures(library, 20)
    query = random_query()
    assert found(searcher, query, {"network": 5, "class": 2, "color": 3}) == found(searcher, query)


def test_features_stand_for_all_networks(library, searcher):
    second = MadeExtractor("second", 7, ("x", "y"))
    three = (NETWORK, second, COLOR)
    add_pictures(library, 20, extractors=three)
    query = random_query(extractors=three)
    hits = found(searcher, query, {"features": 1, "colour": 1})
    assert hits == found(searcher, query, {"network": 1, "second": 1, "color": 2})
    assert set(hits[0].parts) == {"network", "second", "color"}


def test_several_networks_share_the_part_of_classes(library, searcher):
    second = MadeExtractor("second", 7, ("ant", "yak"))
    both = (NETWORK, second)
    add_pictures(library, 20, extractors=both)
    query = random_query(extractors=both)
    for hit in found(searcher, query, {"class": 1}):
        rows = Features.objects.using(library.alias).filter(picture=hit.picture)
        shares = [
            sum(np.sqrt(p) * query.classes[row.extractor.name].get(c, 0) for c, p in row.top)
            for row in rows
        ]
        assert hit.score == pytest.approx(np.mean(shares), abs=1e-5)


@pytest.mark.parametrize(
    ("weights", "message"),
    {
        "unknown": ({"shape": 1}, "no part 'shape'; it has network, class, color"),
        "negative": ({"color": -1}, "weight of color"),
        "not a number": ({"color": float("nan")}, "weight of color"),
        "nothing": ({"color": 0}, "above 0"),
        "none": ({}, "above 0"),
    }.values(),
    ids=["unknown", "negative", "not a number", "nothing", "none"],
)
def test_wrong_weights_are_refused(library, searcher, weights, message):
    add_pictures(library, 3)
    with pytest.raises(ArgumentError, match=message):
        found(searcher, random_query(), weights)


def test_a_query_of_another_network_is_refused(library, searcher):
    add_pictures(library, 3)
    with pytest.raises(ArgumentError, match="no features in common"):
        searcher.search(Query({"other": np.ones(3, np.float32)}, {}))


def test_the_default_mix_uses_what_is_there(library, searcher):
    add_pictures(library, 20)
    hits = searcher.search(random_query())
    assert set(hits[0].parts) == {"network", "class", "color"}
    only = Query({"color": random_query().vectors["color"]}, {})
    assert set(searcher.search(only)[0].parts) == {"color"}


def test_only_pictures_of_a_class(library, searcher):
    add_pictures(library, 40)
    query = random_query()
    rows = Features.objects.using(library.alias)
    bees = set(rows.filter(label="bee").values_list("picture", flat=True))
    hits = found(searcher, query, top=40, label="bee")
    assert set(pictures(hits)) == bees and bees
    everything = found(searcher, query, top=40)
    assert hits == [hit for hit in everything if hit.picture in bees]
    assert found(searcher, query, label="unicorn") == []


# --- changes ------------------------------------------------------------------------------------


def test_added_pictures_are_found_at_the_next_search(library, searcher):
    query = random_query()
    for seed in range(4):
        add_pictures(library, 15, seed=seed)
        check_hits(library, query, WEIGHTS, found(searcher, query, top=30), 30)


def test_removed_pictures_are_not_found_any_more(library, searcher):
    add_pictures(library, 40)
    query = random_query()
    for _ in range(6):
        best = pictures(found(searcher, query, top=4))
        Picture.objects.using(library.alias).filter(id__in=best).delete()
        check_hits(library, query, WEIGHTS, found(searcher, query, top=50), 50)


def test_a_changed_picture_has_its_new_features(library, searcher):
    keys = add_pictures(library, 30)
    query = random_query()
    found(searcher, query)
    row = Features.objects.using(library.alias).get(picture=keys[7], extractor__name="color")
    row.delete()
    row.pk, row.vector = None, query.vectors["color"]
    row.save(using=library.alias)
    hits = found(searcher, query, {"color": 1})
    assert hits[0].picture == keys[7] and hits[0].score == pytest.approx(1, abs=1e-3)


def test_a_row_whose_transaction_ended_late_is_found(library, searcher):
    """PostgreSQL numbers rows when they are inserted, and shows them when the insertion ends."""
    add_pictures(library, 5)
    query = random_query()
    late = Features.objects.using(library.alias).filter(extractor__name="color")[2]
    late.delete()
    found(searcher, query)
    late.save(force_insert=True, using=library.alias)  # with its old, smaller number
    check_hits(library, query, {"color": 1.0}, found(searcher, query, {"color": 1}), 10)


def test_a_picture_that_one_extractor_has_not_seen_has_no_such_part(library, searcher):
    keys = add_pictures(library, 10)
    query = random_query()
    Features.objects.using(library.alias).filter(
        extractor__name="network", picture=keys[3]
    ).delete()
    check_hits(library, query, WEIGHTS, found(searcher, query, top=20), 20)
    hit = next(one for one in found(searcher, query, top=20) if one.picture == keys[3])
    assert hit.parts["network"] == hit.parts["class"] == 0 < hit.parts["color"]


def test_a_rebuilt_extractor_is_searched_with_its_new_vectors(library, searcher):
    add_pictures(library, 10)
    found(searcher, random_query())
    Extractor.objects.using(library.alias).all().delete()
    longer = (NETWORK._replace(dimensions=20), COLOR)
    add_pictures(library, 10, seed=1, extractors=longer)
    query = random_query(extractors=longer)
    check_hits(library, query, WEIGHTS, found(searcher, query), 10)


def test_a_library_made_again_at_the_same_place_is_not_taken_for_the_old_one(tmp_path):
    path, query = tmp_path / "again.sqlite3", random_query()
    for seed in (0, 1):
        library = open_library(path, create=True)
        add_pictures(library, 12, seed=seed)
        searcher = Searcher(library)
        check_hits(library, query, WEIGHTS, found(searcher, query), 10)
        searcher.close()
        library.close()
        for one in tmp_path.glob("again.sqlite3*"):
            if one.is_file():
                one.unlink()


def test_a_library_that_is_replaced_while_it_is_searched_is_noticed(tmp_path):
    first, second = tmp_path / "first.sqlite3", tmp_path / "second.sqlite3"
    for seed, path in enumerate((first, second)):
        library = open_library(path, create=True)
        add_pictures(library, 12, seed=seed)
        library.close()
    library, query = open_library(first), random_query()
    searcher = Searcher(library)
    before = found(searcher, query)
    library.close()
    second.replace(first)
    check_hits(library, query, WEIGHTS, found(searcher, query), 10)
    assert found(searcher, query) != before
    searcher.close()
    library.close()


def test_a_database_brought_back_from_a_copy_is_noticed(tmp_path):
    """Its next rows get numbers that other rows had before."""
    path, query = tmp_path / "a.sqlite3", random_query()
    library = open_library(path, create=True)
    add_pictures(library, 10)
    library.close()
    shutil.copy(path, tmp_path / "copy")
    for seed in (1, 2):
        add_pictures(library, 10, seed=seed)
        searcher = Searcher(library)
        check_hits(library, query, WEIGHTS, found(searcher, query), 10)
        searcher.close()
        library.close()
        shutil.copy(tmp_path / "copy", path)


# --- files --------------------------------------------------------------------------------------


@pytest.fixture
def fetched(monkeypatch):
    """The numbers of rows that were read from the database, one for each block."""
    counts = []

    def counting(*arguments):
        for block in rows_after(*arguments):
            counts.append(len(block.facts))
            yield block

    monkeypatch.setattr(vector_table, "rows_after", counting)
    return counts


def test_the_next_process_reads_only_what_is_new(library, fetched):
    add_pictures(library, 20)
    query = random_query()
    for expected in ([20, 20], [], [5, 5]):
        fetched.clear()
        searcher = Searcher(library)
        check_hits(library, query, WEIGHTS, found(searcher, query), 10)
        searcher.close()
        assert fetched == expected
        if not expected:
            add_pictures(library, 5, seed=1)


def test_an_unchanged_library_is_not_asked_for_rows(library, searcher, monkeypatch):
    add_pictures(library, 5)
    hits = found(searcher, random_query())
    monkeypatch.delattr(vector_table, "totals")
    assert found(searcher, random_query()) == hits


def files_of(library, name="color"):
    return vector_folder(library) / extractor_row(library, name).mark


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES = {
    "bytes after the end, as a kill leaves them": lambda folder: [
        path.write_bytes(path.read_bytes() + b"\1" * 777)
        for path in folder.iterdir()
        if path.name.startswith(("vectors", "facts"))
    ],
    "vectors end too early": lambda folder: cut(next(folder.glob("vectors-*"))),
    "facts end too early": lambda folder: cut(next(folder.glob("facts-*"))),
    "vectors are gone": lambda folder: next(folder.glob("vectors-*")).unlink(),
    "no state": lambda folder: (folder / "state.json").unlink(),
    "state is no JSON": lambda folder: (folder / "state.json").write_text("{"),
    "state is a list": lambda folder: (folder / "state.json").write_text("[1]"),
    "state of another format": lambda folder: (folder / "state.json").write_text(
        json.dumps({**json.loads((folder / "state.json").read_text()), "format": 99})
    ),
    "state with a negative number": lambda folder: (folder / "state.json").write_text(
        json.dumps({**json.loads((folder / "state.json").read_text()), "rows": -3})
    ),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_files_are_written_again(library, damage):
    add_pictures(library, 20)
    query = random_query()
    first = Searcher(library)
    wanted = found(first, query)
    first.close()
    damage(files_of(library))
    for seed in (1, 2):
        searcher = Searcher(library)
        hits = found(searcher, query)
        if seed == 1:
            assert hits == wanted
        add_pictures(library, 5, seed=seed)
        check_hits(library, query, WEIGHTS, found(searcher, query), 10)
        searcher.close()


def test_files_are_written_again_without_the_rows_that_are_gone(library, searcher):
    keys = add_pictures(library, 40)
    query = random_query()
    found(searcher, query)
    before = next(files_of(library).glob("vectors-*"))
    Picture.objects.using(library.alias).filter(id__in=keys[::3]).delete()
    check_hits(library, query, WEIGHTS, found(searcher, query), 10)
    (after,) = files_of(library).glob("vectors-*")
    assert after.name != before.name
    assert after.stat().st_size == 2 * COLOR.dimensions * 26


def test_vectors_that_are_not_kept_in_memory_give_the_same_hits(library, monkeypatch):
    add_pictures(library, 700)
    query = random_query()
    kept, converted = Searcher(library), Searcher(library)
    wanted = found(kept, query, top=700)
    monkeypatch.setattr(vector_table, "KEPT_BYTES", 0)
    hits = found(converted, query, top=700)
    assert pictures(hits) == pictures(wanted)
    np.testing.assert_allclose(
        [hit.score for hit in hits], [hit.score for hit in wanted], rtol=1e-6
    )
    kept.close()
    converted.close()


def test_without_a_writable_folder_a_temporary_one_is_used(library, tmp_path):
    if library.file is None:
        (tmp_path / "home").write_text("in the way")
    else:
        library.file.with_name(library.file.name + folders.ENDING).write_text("in the way")
    add_pictures(library, 10)
    searcher, query = Searcher(library), random_query()
    check_hits(library, query, WEIGHTS, found(searcher, query), 10)
    assert not str(vector_folder(library)).startswith(str(tmp_path))
    searcher.close()


def test_a_vector_of_the_wrong_length_is_an_error_that_says_what_to_do(library, searcher):
    add_pictures(library, 5)
    row = Features.objects.using(library.alias).filter(extractor__name="color").first()
    row.vector = np.ones(3)
    row.save(using=library.alias)
    with pytest.raises(LibraryError, match=r"has 3 numbers.*have 6\. .*minicnn index verify"):
        found(searcher, random_query())


def test_threads_search_while_pictures_are_added_and_removed(library, searcher):
    """Each search sees a state between two changes: all similarities are those of its pictures."""
    add_pictures(library, 30)
    query, ended, problems, searches = random_query(), threading.Event(), [], []

    def search():
        while not ended.is_set():
            try:
                searches.append(found(searcher, query, top=400))
            except Exception as error:
                problems.append(error)
                return
        library.close()

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    true = true_scores(library, query, WEIGHTS)
    for seed in range(1, 9):
        new = add_pictures(library, 12, seed=seed)
        true |= true_scores(library, query, WEIGHTS)
        Picture.objects.using(library.alias).filter(id__in=new[::2]).delete()
    ended.set()
    for thread in threads:
        thread.join()
    assert not problems and searches
    for hits in searches:
        for hit in hits:
            for part, value in hit.parts.items():
                assert value == 0 or value == pytest.approx(true[hit.picture][part], abs=2e-6)
    check_hits(library, query, WEIGHTS, found(searcher, query), 10)


# --- queries ------------------------------------------------------------------------------------


def test_a_picture_is_most_like_itself_and_left_out(library, searcher):
    keys = add_pictures(library, 30)
    query = query_of_pictures(library, [keys[4]])
    assert query.without == {keys[4]}
    hits = found(searcher, query, top=100)
    assert sorted([*pictures(hits), keys[4]]) == keys
    everything = found(searcher, query._replace(without=frozenset()), top=1)
    assert everything[0].picture == keys[4]
    assert everything[0].score == pytest.approx(1, abs=1e-5)


def test_more_like_two_and_less_like_a_third(library, searcher):
    """Each part is the mean of the liked ones' similarities, minus half of the other's."""
    keys = add_pictures(library, 20)
    query = query_of_pictures(library, keys[:2], [keys[2]])
    alone = [
        {
            hit.picture: hit.parts
            for hit in found(searcher, query_of_pictures(library, [key]), top=99)
        }
        for key in keys[:3]
    ]
    hits = found(searcher, query, top=99)
    assert set(pictures(hits)) == set(keys[3:])
    for hit in hits:
        assert hit.score == sum(hit.parts.values())
        for part, value in hit.parts.items():
            a, b, c = (one[hit.picture][part] for one in alone)
            assert value == pytest.approx((a + b) / 2 - c / 2, abs=1e-5)


def test_an_image_and_pictures_are_mixed_into_one_query(library):
    keys = add_pictures(library, 3)
    image = query_of({"color": Described(np.ones(6, np.float16))})
    both = mixed([image, query_of_pictures(library, keys[:1])])
    assert set(both.vectors) == {"color"} and both.classes == {}
    assert both.without == {keys[0]}


def test_pictures_that_are_not_there_cannot_be_liked(library):
    keys = add_pictures(library, 2)
    Features.objects.using(library.alias).filter(picture=keys[0]).delete()
    with pytest.raises(ArgumentError, match="picture 999 is not in the library"):
        query_of_pictures(library, [999])
    with pytest.raises(ArgumentError, match=f"picture {keys[0]} has no features"):
        query_of_pictures(library, [keys[0]])
    with pytest.raises(ArgumentError, match="at least one picture"):
        query_of_pictures(library, [], [keys[1]])
