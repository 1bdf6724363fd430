"""Filling a library: what is described and written, by one process or several."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import library_tools
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")

from django.db.models import QuerySet
from django.utils import timezone

from minicnn.apps.library import claims, indexing, picture_jobs
from minicnn.apps.library.claims import Claims, Wanted
from minicnn.apps.library.foreign import check_extractors, register
from minicnn.apps.library.indexing import index
from minicnn.apps.library.models import Extractor, Features, Folder, Picture
from minicnn.apps.library.scanning import scan
from minicnn.errors import ForeignModelError, LibraryError
from minicnn.support.atomic_files import machine_mark

Shades = library_tools.Shades


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks and batches, although there are few pictures."""
    monkeypatch.setattr(claims, "BLOCK", 4)
    monkeypatch.setattr(indexing, "BATCH", 3)


@pytest.fixture
def photos(tmp_path):
    library_tools.make_pictures(tmp_path / "photos", 10)
    return tmp_path / "photos"


def pictures(library):
    return Picture.objects.using(library.alias).order_by("path")


def test_all_is_known_of_a_picture(library, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    exif.get_ifd(0x8769)[0x9003] = "2020:05:17 10:30:00"
    Image.new("RGB", (40, 20), (250, 250, 250)).save(folder / "a.jpg", exif=exif)
    done = index(library, [folder], [Shades()])
    picture = pictures(library).get()
    assert (picture.width, picture.height, picture.orientation) == (20, 40, 6)
    assert picture.taken == datetime(2020, 5, 17, 10, 30, tzinfo=UTC)
    assert len(picture.sha256) == 64 and picture.perceptual_hash is not None
    assert picture.size == (folder / "a.jpg").stat().st_size
    features = picture.features.get()
    assert features.extractor.name == "shades" and features.extractor.dimensions == 4
    np.testing.assert_allclose(np.linalg.norm(features.vector.astype(float)), 1, atol=1e-3)
    assert features.label == "light" and features.probability == pytest.approx(250 / 255, 0.01)
    assert [label for label, _ in features.top] == ["light", "dark"]
    assert (done.described, done.failed, done.stopped) == (1, [], False)


def test_without_a_camera_the_time_is_that_of_the_file(library, photos):
    os.utime(photos / "0001.png", (1e9, 1e9))
    index(library, [photos], [Shades()])
    assert pictures(library).get(path="0001.png").taken == datetime.fromtimestamp(1e9, UTC)


def test_each_picture_is_described_once(library, photos):
    extractors = [Shades(), Shades("others")]
    told = []
    done = index(library, [photos], extractors, progress=lambda *words: told.append(words))
    library_tools.check_complete(library, photos, extractors)
    assert [one.seen for one in extractors] == [10, 10]
    assert done.described == 10
    assert told == [(3, 10), (4, 10), (7, 10), (8, 10), (10, 10)]
    assert index(library, [photos], extractors).described == 0
    assert [one.seen for one in extractors] == [10, 10]


def test_a_second_extractor_describes_what_the_first_has(library, photos):
    first, second = Shades(), Shades("others")
    index(library, [photos], [first])
    library_tools.make_pictures(photos, 2, start=50)
    index(library, [photos], [first, second])
    assert (first.seen, second.seen) == (12, 12)
    library_tools.check_complete(library, photos, [first, second])


def test_an_unreadable_picture_is_a_row_with_a_reason(library, photos):
    path = photos / "broken.png"
    path.write_bytes((photos / "0001.png").read_bytes()[:60])
    done = index(library, [photos], [Shades()])
    assert done.described == 10
    [(name, reason)] = done.failed
    assert name == str(path) and "truncated" in reason
    row = pictures(library).get(path="broken.png")
    assert (row.failure, row.sha256, row.features.count()) == (reason, "", 0)
    assert index(library, [photos], [Shades()]).failed == done.failed  # it may be mended


def test_a_mended_picture_is_indexed(library, photos, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(picture_jobs, "read_picture", refused)
    assert len(index(library, [photos], [Shades()]).failed) == 10
    assert {one.failure for one in pictures(library)} == {"Permission denied"}
    monkeypatch.undo()
    assert index(library, [photos], [Shades()]).failed == []
    library_tools.check_complete(library, photos, [Shades()])


def test_a_picture_that_needs_too_much_memory_does_not_end_the_run(library, photos, monkeypatch):
    real = picture_jobs.read_picture

    def read(path, extractors):
        if path.endswith("0001.png"):
            raise MemoryError
        return real(path, extractors)

    monkeypatch.setattr(picture_jobs, "read_picture", read)
    done = index(library, [photos], [Shades()])
    assert done.described == 9
    assert done.failed == [(str(photos / "0001.png"), picture_jobs.NO_MEMORY)]


def test_a_picture_that_vanishes_while_it_is_indexed_leaves_no_row(library, photos, monkeypatch):
    real = picture_jobs.read_picture

    def read(path, extractors):
        if path.endswith("0001.png"):
            os.unlink(path)
        return real(path, extractors)

    monkeypatch.setattr(picture_jobs, "read_picture", read)
    assert index(library, [photos], [Shades()]).described == 9
    library_tools.check_complete(library, photos, [Shades()])


def test_a_link_in_the_place_of_a_picture_is_not_read(library, photos, monkeypatch, tmp_path):
    secret = library_tools.make_pictures(tmp_path / "secret", 1)[0]
    real = indexing.scan

    def scan_and_swap(*words, **more):
        found = real(*words, **more)
        (photos / "0001.png").unlink()
        (photos / "0001.png").symlink_to(secret)
        return found

    monkeypatch.setattr(indexing, "scan", scan_and_swap)
    assert index(library, [photos], [Shades()]).described == 9
    assert not pictures(library).filter(path="0001.png").exists()


def test_a_picture_that_changes_while_it_is_read_is_read_again(library, photos, monkeypatch):
    real = picture_jobs.read_picture

    def read(path, extractors):
        found = real(path, extractors)
        if path.endswith("0001.png"):
            os.utime(path, ns=(5, 5))
        return found

    monkeypatch.setattr(picture_jobs, "read_picture", read)
    [(name, reason)] = index(library, [photos], [Shades()]).failed
    assert (name, reason) == (str(photos / "0001.png"), picture_jobs.BUSY)
    monkeypatch.undo()
    index(library, [photos], [Shades()])
    library_tools.check_complete(library, photos, [Shades()])


def test_a_run_that_is_stopped_keeps_what_is_done(library, photos):
    told = []
    done = index(
        library, [photos], [Shades()],
        progress=lambda *words: told.append(words), stop=lambda: len(told) == 3,
    )  # fmt: skip
    assert (done.stopped, done.described) == (True, 7)
    assert len(library_tools.contents_of(library)) == 7
    assert not pictures(library).exclude(claimed_by="").exists()
    assert index(library, [photos], [Shades()]).described == 3


def test_an_error_of_an_extractor_leaves_nothing_half(library, photos):
    class Failing(Shades):
        def describe(self, images):
            if self.seen:
                raise MemoryError
            return super().describe(images)

    with pytest.raises(MemoryError):
        index(library, [photos], [Shades("others"), Failing()])
    assert library_tools.contents_of(library) == {}
    assert not pictures(library).exclude(claimed_by="").exists()


def test_a_picture_and_its_features_are_written_in_one_step(library, photos, monkeypatch):
    real = QuerySet.bulk_create

    def interrupted(self, *words, **more):
        if self.model is Features:
            raise KeyboardInterrupt
        return real(self, *words, **more)

    monkeypatch.setattr(QuerySet, "bulk_create", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index(library, [photos], [Shades()])
    assert library_tools.contents_of(library) == {}
    monkeypatch.undo()
    index(library, [photos], [Shades()])
    library_tools.check_complete(library, photos, [Shades()])


def test_a_foreign_model_is_refused_with_advice(library, photos):
    index(library, [photos], [Shades()])
    other = Shades(sha256="7" * 64)
    with pytest.raises(ForeignModelError, match=r"shades 55555555.*77777777.*--rebuild"):
        index(library, [photos], [other])
    with pytest.raises(ForeignModelError):
        check_extractors(library, [other])
    check_extractors(library, [Shades(), Shades("new")])
    assert other.seen == 0


def test_rebuilding_replaces_the_features_of_one_model_only(library, photos):
    kept, old, new = Shades("kept"), Shades(), Shades(sha256="7" * 64)
    index(library, [photos], [kept, old])
    index(library, [photos], [kept, new], rebuild=True)
    assert (kept.seen, old.seen, new.seen) == (10, 10, 10)
    assert Extractor.objects.using(library.alias).get(name="shades").sha256 == "7" * 64
    library_tools.check_complete(library, photos, [kept, new])


def test_a_process_that_uses_a_replaced_model_writes_nothing(library, photos, monkeypatch):
    real = indexing.scan

    def scan_and_rebuild(*words, **more):
        register(library, [Shades(sha256="7" * 64)], rebuild=True)
        return real(*words, **more)

    monkeypatch.setattr(indexing, "scan", scan_and_rebuild)
    with pytest.raises(LibraryError):
        index(library, [photos], [Shades()])
    assert Features.objects.using(library.alias).count() == 0


def test_a_network_that_was_moved_is_found_again(library):
    shades = Shades()
    shades.source = "/old/shades.mcnn"
    register(library, [shades])
    shades.source = "/new/shades.mcnn"
    key = register(library, [shades])["shades"]
    row = Extractor.objects.using(library.alias).get()
    assert (row.pk, row.source) == (key, "/new/shades.mcnn")


def wanted(library, photos):
    """Return all pictures of the folder, which were not read yet."""
    scan(library, [photos])
    keys = register(library, [Shades()])
    return Wanted(library, list(Folder.objects.using(library.alias)), list(keys.values()))


def ids_claimed_by_another(what):
    """Claim a block in a thread, as another process would; return its ids."""
    found = []

    def claim():
        with Claims(what) as other, other.block(-1) as block:
            found.extend(one.id for one in block)
        what.library.close()

    thread = threading.Thread(target=claim)
    thread.start()
    thread.join()
    return found


def test_nobody_else_gets_claimed_pictures(library, photos):
    what = wanted(library, photos)
    with Claims(what) as mine, mine.block(-1) as block:
        others = ids_claimed_by_another(what)
        assert len(block) == len(others) == 4
        assert not {one.id for one in block} & set(others)
    assert ids_claimed_by_another(what) == [one.id for one in block]


@pytest.fixture
def in_file(tmp_path):
    with library_tools.opened(tmp_path / "library.sqlite3") as library:
        yield library


def claim_of(process, minutes=0):
    """Return the columns of a claim."""
    at = timezone.now() - timedelta(minutes=minutes)
    return {"claimed_by": f"{process}-0123456789abcdef", "claimed_at": at}


CLAIMS = {
    "a living process": (f"{machine_mark()}-{os.getppid()}", 0, 6),
    "a dead process": (f"{machine_mark()}-{2**31 - 2}", 0, 10),
    "an earlier process with our number": (f"{machine_mark()}-{os.getpid()}", 0, 10),
    "another machine": ("00000000-1", 0, 6),
    "another machine, long ago": ("00000000-1", 11, 10),
}


@pytest.mark.parametrize(("process", "minutes", "taken"), CLAIMS.values(), ids=CLAIMS)
def test_claims_in_a_file_hold_as_long_as_their_process_works(
    in_file, photos, process, minutes, taken
):
    scan(in_file, [photos])
    keys = list(pictures(in_file).values_list("id", flat=True)[:4])
    pictures(in_file).filter(id__in=keys).update(**claim_of(process, minutes))
    assert index(in_file, [photos], [Shades()]).described == taken


def test_a_lost_claim_is_not_written(in_file, photos, monkeypatch):
    """Another process took the picture, or found that its file has changed."""
    real = Shades.describe

    def describe(self, images):
        pictures(in_file).filter(path="0001.png").update(claimed_by="")
        return real(self, images)

    monkeypatch.setattr(Shades, "describe", describe)
    assert index(in_file, [photos], [Shades()]).described == 9
    row = pictures(in_file).get(path="0001.png")
    assert (row.sha256, row.features.count()) == ("", 0)


def test_what_another_process_gives_up_is_done_in_the_end(in_file, photos, monkeypatch):
    scan(in_file, [photos])
    first = list(pictures(in_file).values_list("id", flat=True)[:4])
    pictures(in_file).filter(id__in=first).update(**claim_of("00000000-1"))
    real = Shades.describe

    def describe(self, images):
        if self.seen >= 3:  # the others were passed over by then
            pictures(in_file).filter(claimed_by__startswith="00000000").update(claimed_by="")
        return real(self, images)

    monkeypatch.setattr(Shades, "describe", describe)
    assert index(in_file, [photos], [Shades()]).described == 10


def test_a_row_that_cannot_be_completed_does_not_keep_the_run_from_ending(library, photos):
    """It counts as unread, but lacks no features; verify reports it."""
    index(library, [photos], [Shades()])
    pictures(library).filter(path="0001.png").update(sha256="")
    assert index(library, [photos], [Shades()]).described == 0
