"""Uploads: no file harms the server, and nothing is kept that a picture does not show."""

from __future__ import annotations

import io
import os
import signal
import socket
import stat
import tempfile
import time
from pathlib import Path

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from hostile_forms import IMAGE, hostile_forms
from hostile_images import hostile_images
from PIL import Image
from served_library import image_bytes, serving, small_library

from minicnn.apps.web import decoding, upload_store
from minicnn.apps.web.decoding import Decoded, Decoders
from minicnn.apps.web.decoding_child import MEMORY_BYTES
from minicnn.apps.web.refusals import Refused
from minicnn.apps.web.upload_store import UploadStore

IMAGES, FORMS = hostile_images(), hostile_forms()
REFUSED = (400, 413, 415, 422)


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """Return the folder that this process uses for temporary files."""
    folder, before = tmp_path_factory.mktemp("temporary"), tempfile.tempdir
    tempfile.tempdir = str(folder)
    yield folder
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def served(temporary, tmp_path_factory):
    with serving(small_library(tmp_path_factory.mktemp("library"))) as server:
        yield server


@pytest.fixture(scope="module")
def decoders():
    one = Decoders(1)
    yield one
    one.close()


def test_there_are_150_hostile_uploads():
    assert len(IMAGES) >= 150
    assert len(FORMS) >= 60


@pytest.mark.parametrize("content", IMAGES.values(), ids=IMAGES)
def test_a_hostile_file_is_decoded_or_refused(served, content):
    reply = served.post("/api/v1/classify", ("image", content))
    assert reply.status == 200 or reply.status in REFUSED, reply
    assert served.post("/api/v1/classify", ("image", IMAGE)).status == 200


@pytest.mark.parametrize(("kind", "body"), FORMS.values(), ids=FORMS)
def test_a_hostile_form_is_read_or_refused(served, kind, body):
    reply = served.ask("POST", "/api/v1/classify", body, Content_Type=kind)
    assert reply.status == 200 or reply.status in REFUSED, reply


RAW = {
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a negative length": b"Content-Length: -5\r\n\r\n",
    "a length in words": b"Content-Length: five\r\n\r\n",
    "a length of 10**30": b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n",
    "a broken chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an unknown encoding": b"Transfer-Encoding: gzip\r\n\r\n",
    "a folded header": b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": b"what\r\n\r\n",
    "a space before the colon": b"Content-Length : 5\r\n\r\nabcde",
    "100 KB of headers": b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    "a zero byte": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("rest", RAW.values(), ids=RAW)
def test_a_request_that_is_no_http_is_refused(served, rest):
    head = b"POST /api/v1/classify HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", served.port)) as sock:
        try:
            sock.sendall(head + rest)
            sock.shutdown(socket.SHUT_WR)
            reply = sock.makefile("rb").read()
        except OSError:  # it does not wait for the end of 100 KB
            return
    assert reply[:12] in {b"HTTP/1.%d %d" % (n, s) for n in (0, 1) for s in (400, 413, 431, 501)}


def test_nothing_is_left_behind(served, temporary):
    """What is classified is not kept; files in work are removed."""
    assert list(temporary.iterdir()) == [served.service.uploads.folder]
    assert list(served.service.uploads.folder.iterdir()) == []


def test_the_processes_stay_below_their_limit_of_memory(served):
    for process in served.service.decoders.processes:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
        assert peak < MEMORY_BYTES + 2**28  # Python itself


# The process that decodes.
def test_a_process_that_takes_too_long_is_killed_and_replaced(decoders, monkeypatch):
    decoders.decode(IMAGE)
    before = decoders.processes
    monkeypatch.setattr(decoding, "SECONDS", 0.2)
    with pytest.raises(Refused) as refused:
        decoders.decode(IMAGES["JPEG of many scans"])
    assert (refused.value.status, refused.value.code) == (422, "damaged")
    monkeypatch.undo()
    assert decoders.processes != before
    assert decoders.decode(IMAGE).width == 64


def test_a_process_that_died_before_is_replaced(decoders):
    decoders.decode(IMAGE)
    before = decoders.processes
    os.kill(before[0], signal.SIGKILL)
    os.waitid(os.P_PID, before[0], os.WEXITED | os.WNOWAIT)
    assert decoders.decode(IMAGE).width == 64
    assert decoders.processes != before


LIARS = {
    "it writes no reply": "",
    "it writes a text": "sys.stdout.write('hello')",
    "its reply is cut": "sys.stdout.buffer.write(REPLY.pack(1, 9, 9, 100) + b'x')",
    "its reply is endless": "sys.stdout.buffer.write(REPLY.pack(1, 9, 9, 2**60))",
}


@pytest.mark.parametrize("program", LIARS.values(), ids=LIARS)
def test_a_process_that_was_taken_over_cannot_harm_the_server(monkeypatch, program):
    ready = "sys.stdout.buffer.write(REPLY.pack(READY, 0, 0, 0)); sys.stdout.flush()"
    imports = "import sys; from minicnn.apps.web.decoding_child import READY, REPLY"
    program = f"{imports}; {ready}; sys.stdin.buffer.read(1); {program or 'pass'}"
    monkeypatch.setattr(decoding, "COMMAND", [decoding.COMMAND[0], "-c", program])
    one = Decoders(1)
    with pytest.raises(Refused) as refused:
        one.decode(IMAGE)
    assert refused.value.status == 422
    one.close()


def test_an_error_of_the_server_ends_the_process_whose_reply_is_still_to_come(
    decoders, monkeypatch
):
    """Else the next person would get the picture of this one."""
    decoders.decode(IMAGE)
    before = decoders.processes
    monkeypatch.setattr(decoding.Decoder, "_reply", lambda _self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decoders.decode(image_bytes(size=(99, 99)))
    monkeypatch.undo()
    assert decoders.processes != before
    assert decoders.decode(IMAGE).width == 64


def test_when_all_processes_are_busy_the_server_says_so(monkeypatch):
    monkeypatch.setattr(decoding, "WAIT_SECONDS", 0.01)
    none = Decoders(0)
    with pytest.raises(Refused) as refused:
        none.decode(IMAGE)
    assert (refused.value.status, refused.value.code) == (503, "busy")


# What is kept.
def private_image(kind):
    """Return an image with a place, a camera, a comment, a profile and a small copy of itself."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Secret Camera", 6
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (52.0, 30.0, 1.5)
    options = {"exif": exif, "icc_profile": b"secret profile" * 20}
    if kind == "JPEG":
        options |= {"comment": b"secret comment", "xmp": b"<x>secret place</x>"}
    return image_bytes(kind=kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_metadata_are_removed_and_the_image_is_upright(decoders, kind):
    content = private_image(kind)
    assert b"ecret" in content
    kept = decoders.decode(content)
    assert (kept.width, kept.height) == (48, 64)
    assert b"ecret" not in kept.content
    with Image.open(io.BytesIO(kept.content)) as image:
        assert image.format == "JPEG"
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_large_image_is_kept_smaller(decoders):
    assert decoders.decode(image_bytes(size=(3000, 600)))[1:] == (1600, 320)


def test_uploads_are_found_by_ids_of_128_random_bits(tmp_path):
    store = UploadStore(tmp_path)
    names = {store.add(Decoded(IMAGE, 64, 48)) for _ in range(100)}
    assert len(names) == 100
    for name in names:
        assert len(bytes.fromhex(name)) == 16
        assert store.find(name).read_bytes() == IMAGE
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    for other in ("0" * 32, "", "../x", f"{name}.jpg", name.upper(), f"{name}\n", "/etc/passwd"):
        assert store.find(other) is None
    store.close()
    assert not list(tmp_path.iterdir())


def make_older(path, seconds):
    before = path.stat().st_mtime - seconds
    os.utime(path, (before, before))


def test_an_upload_is_gone_after_an_hour(tmp_path):
    store = UploadStore(tmp_path)
    old, young = (store.add(Decoded(IMAGE, 64, 48)) for _ in range(2))
    for name, seconds in ((old, upload_store.SECONDS), (young, upload_store.SECONDS - 60)):
        make_older(store.find(name), seconds)
    assert store.find(old) is None
    store.sweep()
    assert [path.stem for path in store.folder.iterdir()] == [young]
    store.close()


def test_the_sweeper_removes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(upload_store, "SWEEP_SECONDS", 0.01)
    store = UploadStore(tmp_path)
    path = store.find(store.add(Decoded(IMAGE, 64, 48)))
    os.utime(path, (0, 0))
    while path.exists():
        time.sleep(0.01)
    store.close()


def test_the_oldest_uploads_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(upload_store, "MAX_BYTES", 2 * len(IMAGE))
    store = UploadStore(tmp_path)
    names = [store.add(Decoded(IMAGE, 64, 48)) for _ in range(4)]
    for number, name in enumerate(names):
        make_older(store.find(name), 100 - number)
    store.sweep()
    assert {path.stem for path in store.folder.iterdir()} == set(names[2:])
    store.close()


def test_the_uploads_of_a_server_that_was_killed_are_removed_by_the_next(tmp_path):
    left = UploadStore(tmp_path).folder
    (left / "x.jpg").write_bytes(IMAGE)
    recent = UploadStore(tmp_path)
    assert left.is_dir()
    os.utime(left, (0, 0))
    UploadStore(tmp_path).close()
    assert not left.exists() and recent.folder.is_dir()
