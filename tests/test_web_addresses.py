"""Addresses that people enter: the server reaches nothing that only this machine can reach."""

from __future__ import annotations

import random
import socket
import threading
import time
from dataclasses import replace

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from fetch_server import PUBLIC, answer, internet, redirect
from hostile_answers import BAD_ANSWERS, BAD_REDIRECTS, image_bytes, silence
from hostile_links import PRIVATE_V4, PRIVATE_V6, families
from served_library import serving, small_library

from minicnn.apps.web.refusals import NOTHING, UNREACHABLE
from minicnn.apps.web.service import FETCHES
from minicnn.data.tools.fetch import FetchLimits, Transport

FAMILIES = families()
# Times are the server's, never the test's: PATIENT's do not end, however busy the machine is.
PATIENT = FetchLimits(max_bytes=100_000, connect_seconds=600, total_seconds=600)
SHORT = replace(PATIENT, connect_seconds=0.2, total_seconds=0.2)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    library = small_library(tmp_path_factory.mktemp("library"))
    with serving(library, allow_urls=True, limits=PATIENT) as server:
        yield server


@pytest.fixture
def trap(served, monkeypatch):
    """Let connections reach this test's own server only; return where else one was wanted."""
    reached = []
    real = socket.socket.connect

    def connect(sock, address):
        if address == ("127.0.0.1", served.port):
            return real(sock, address)
        reached.append(address)
        raise OSError("trapped")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    return reached


@pytest.fixture
def ask(served, monkeypatch):
    """Return a function that enters an address, and uses a transport and limits for it."""

    def asked(address, transport, limits=PATIENT):
        monkeypatch.setattr(served.service, "transport", transport)
        monkeypatch.setattr(served.service, "limits", limits)
        return served.post("/api/v1/classify", ("address", address))

    return asked


def test_there_are_300_hostile_addresses():
    assert len({link for links in FAMILIES.values() for link in links}) >= 300


@pytest.mark.parametrize("links", FAMILIES.values(), ids=FAMILIES)
def test_hostile_addresses_are_refused_and_nothing_is_connected_to(ask, trap, links):
    transport = Transport(resolve=lambda *_: ["127.0.0.1"])  # every name is this machine
    for link in links:
        reply = ask(link, transport)
        expected = (422, UNREACHABLE) if link.strip() else (400, NOTHING)
        assert (reply.status, reply.json["message"]) == expected, link
    assert trap == []


def test_an_address_on_the_internet_is_fetched_and_its_image_classified(ask):
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        reply = ask(" http://example.com/a.jpg ", net.transport)
    assert (reply.status, reply.json["width"]) == (200, 32)


def test_200_names_that_change_connect_to_no_private_address(ask):
    draw = random.Random(1)
    with internet({"/a.jpg": redirect("http://second.example/b.jpg")}) as net:
        net.names = lambda _: draw.sample([PUBLIC, *PRIVATE_V4, *PRIVATE_V6], draw.randint(1, 3))
        for _ in range(200):
            assert ask("http://example.com/a.jpg", net.transport).status == 422
        assert {address for address, _ in net.connected} <= {PUBLIC}


REDIRECTS = [
    (status, where)
    for status in ("301 Moved", "302 Found", "307 Temporary Redirect")
    for links in BAD_REDIRECTS.values()
    for where in links
]


def test_60_redirects_are_checked_like_the_first_address(ask):
    assert len(REDIRECTS) >= 60
    for status, where in REDIRECTS:
        with internet({"/a.jpg": redirect(where, status)}) as net:
            assert ask("http://example.com/a.jpg", net.transport).status == 422, where
        assert net.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize("reply", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_wrong_and_endless_answers_are_refused(ask, reply):
    with internet({"/a.jpg": reply}) as net:
        refused = ask("http://example.com/a.jpg", net.transport)
    assert (refused.status, refused.json["message"]) == (422, UNREACHABLE)


def drops(connection):
    """Send a byte now and then, without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.01)


def dropped_headers(connection):
    while True:
        connection.sendall(b"H")
        time.sleep(0.01)


SLOW = {"silence": silence, "a byte at a time": drops, "headers byte by byte": dropped_headers}


@pytest.mark.parametrize("reply", SLOW.values(), ids=SLOW)
def test_slow_answers_are_left(ask, reply):
    with internet({"/a.jpg": reply}) as net:
        refused = ask("http://example.com/a.jpg", net.transport, SHORT)
    assert (refused.status, refused.json["message"]) == (422, UNREACHABLE)


def test_there_are_40_bad_answers():
    assert len(BAD_ANSWERS) + len(SLOW) >= 40


def test_what_is_fetched_is_decoded_like_an_upload(ask):
    with internet({"/a.jpg": answer(b"no image", kind="image/png")}) as net:
        reply = ask("http://example.com/a.jpg", net.transport)
    assert (reply.status, reply.json["code"]) == (415, "not_an_image")


def test_slow_addresses_do_not_keep_everybody_waiting(served, ask):
    """Four are fetched at a time; the fifth is refused, and other requests are answered."""
    asked, leave = threading.Semaphore(0), threading.Event()

    def wait(connection):
        asked.release()
        leave.wait()
        connection.sendall(answer(image_bytes()))

    with internet({"/a.jpg": wait}) as net:
        replies = []
        work = lambda: replies.append(ask("http://example.com/a.jpg", net.transport))  # noqa: E731
        threads = [threading.Thread(target=work) for _ in range(FETCHES)]
        for thread in threads:
            thread.start()
        for _ in threads:
            asked.acquire()
        reply = ask("http://example.com/a.jpg", net.transport)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert served.ask("GET", "/api/v1/health").status == 200
        leave.set()
        for thread in threads:
            thread.join()
    assert [reply.status for reply in replies] == [200] * FETCHES
