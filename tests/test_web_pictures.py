"""The files of pictures: none outside the library's folders is ever sent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("django", reason="pip install -e '.[web]'")
from served_library import image_bytes, serving, small_library

from minicnn.apps.library.models import Picture
from minicnn.apps.web import pictures, thumbnails
from minicnn.apps.web.refusals import Refused

SECRET = image_bytes("purple", size=(33, 33))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    library = small_library(folder)
    (folder / "secret.jpg").write_bytes(SECRET)
    (folder / "pictures 2").mkdir()
    (folder / "pictures 2" / "secret.jpg").write_bytes(SECRET)
    with serving(library) as server:
        yield server


@pytest.fixture
def picture(served, monkeypatch):
    """Return the row of `0.jpg`; its changes are undone. No copies are remembered."""
    monkeypatch.setattr(thumbnails, "kept", thumbnails.Kept())
    rows = Picture.objects.using(served.service.library.alias).select_related("folder")
    row = rows.get(path="0.jpg")
    yield row
    row.path = "0.jpg"
    row.save()


def test_a_picture_is_sent(picture):
    with pictures.open_picture(picture) as file:
        assert file.read() == Path(picture.folder.path, "0.jpg").read_bytes()


OUTSIDE = [
    "../secret.jpg", "../pictures 2/secret.jpg", "x/../../secret.jpg", "./../secret.jpg",
    "..", "/etc/passwd", "//etc/passwd", "", ".", "0.jpg/..", "0.jpg/x", "no such.jpg",
    "..\\secret.jpg", "0.jpg\0", "../pictures/0.jpg",
]  # fmt: skip


def asked(served, picture):
    """Return the answers to all that sends the file of a picture, or a copy."""
    ways = ("image", "thumbnail", "download")
    return [served.ask("GET", f"/item/{picture.pk}/{way}") for way in ways]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_folder(served, picture, path):
    """Such rows are in no library that minicnn made; but it may have been made by somebody else."""
    picture.path = path
    with pytest.raises(Refused) as refused:
        pictures.open_picture(picture)
    assert refused.value.status == 404
    if "\0" in path:
        return
    picture.save()
    for reply in asked(served, picture):
        assert reply.status == 404
        assert SECRET[:200] not in reply.content


def linked(name, target):
    return lambda root: os.symlink(target, root / name)


LINKS = {
    "a link to a file outside": ("a.jpg", linked("a.jpg", "../secret.jpg")),
    "an absolute link": (
        "b.jpg",
        lambda root: os.symlink(root.parent / "secret.jpg", root / "b.jpg"),
    ),
    "a link to a folder": ("c/secret.jpg", linked("c", "../pictures 2")),
    "a link to the folder above": ("d/secret.jpg", linked("d", "..")),
    "a link to a link": ("e.jpg", linked("e.jpg", "a.jpg")),
    "a link in circles": ("f.jpg", linked("f.jpg", "f.jpg")),
    "a link to a device": ("g.jpg", linked("g.jpg", "/dev/zero")),
    "a pipe": ("h.jpg", lambda root: os.mkfifo(root / "h.jpg")),
    "a folder": ("i.jpg", lambda root: os.mkdir(root / "i.jpg")),
}


@pytest.mark.parametrize(("path", "make"), LINKS.values(), ids=LINKS)
@pytest.mark.parametrize("step_by_step", [True, False])
def test_links_are_not_followed(served, picture, monkeypatch, path, make, step_by_step):
    """As where folders are opened one below the other, so where only whole paths can be."""
    root = Path(picture.folder.path)
    if not os.path.lexists(root / Path(path).parts[0]):
        make(root)
    if not step_by_step:
        monkeypatch.setattr(os, "supports_dir_fd", set())
    picture.path = path
    picture.save()
    for reply in asked(served, picture):
        assert reply.status == 404
        assert SECRET[:200] not in reply.content


def test_a_link_put_in_place_of_a_file_or_its_folder_is_not_followed(served, picture):
    root = Path(picture.folder.path)
    (root / "year" / "month").mkdir(parents=True)
    (root / "year" / "month" / "secret.jpg").write_bytes(image_bytes("green"))
    picture.path = "year/month/secret.jpg"
    picture.save()
    assert served.ask("GET", f"/item/{picture.pk}/download").status == 200
    os.rename(root / "year" / "month", root / "moved")
    (root / "year" / "month").symlink_to("../../pictures 2")
    assert [reply.status for reply in asked(served, picture)] == [404] * 3


def test_the_folder_of_a_library_may_itself_be_below_a_link(served, picture, tmp_path):
    (tmp_path / "link").symlink_to(picture.folder.path)
    picture.folder.path = str(tmp_path / "link")
    with pictures.open_picture(picture) as file:
        assert file.read(2) == b"\xff\xd8"


def test_what_is_sent_to_look_at_is_a_new_jpeg_without_metadata(served, picture):
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    root = Path(picture.folder.path)
    (root / "camera.png").write_bytes(image_bytes(kind="PNG", exif=exif) + b"<script>")
    picture.path, picture.sha256 = "camera.png", "0" * 64
    picture.save()
    *copies, original = asked(served, picture)
    for reply in copies:
        assert reply.headers["Content-Type"] == "image/jpeg"
        assert b"Secret" not in reply.content and b"script" not in reply.content
    assert original.headers["Content-Disposition"].startswith("attachment")
    assert original.content == (root / "camera.png").read_bytes()
