"""`data fetch`: untrusted links never reach private addresses, and every limit holds."""

from __future__ import annotations

import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from fetch_server import PUBLIC, answer, internet, redirect
from hostile_answers import BAD_ANSWERS, BAD_REDIRECTS, image_bytes, silence
from hostile_links import PRIVATE_V4, PRIVATE_V6, families
from hostile_links import PUBLIC as PUBLIC_ADDRESSES

from minicnn.data.tools import fetch
from minicnn.data.tools.fetch import (
    FetchLimits,
    Transport,
    download,
    downloads,
    fetch_images,
    parse_link,
    read_links,
)
from minicnn.errors import FetchRefused, FormatError

# Times are the library's, never the test's: PATIENT's do not end, however busy the machine is.
PATIENT = FetchLimits(max_bytes=100_000, connect_seconds=600, total_seconds=600)
SHORT = FetchLimits(max_bytes=100_000, connect_seconds=0.2, total_seconds=0.2)


@pytest.fixture
def trap(monkeypatch):
    """Fail if a test opens a connection that it did not make itself."""
    reached = []

    def connect(_self, address):
        reached.append(address)
        raise OSError("trapped")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    return reached


# W1: links that are refused before anything is connected to.
FAMILIES = families()


def test_there_are_300_hostile_links():
    assert len({link for links in FAMILIES.values() for link in links}) >= 300


@pytest.mark.parametrize("links", FAMILIES.values(), ids=FAMILIES)
def test_hostile_links_are_refused_and_nothing_is_connected_to(trap, links):
    def resolver(host, _port):
        """Resolve as a system does: numbers of any form are addresses, names are this machine."""
        return ["127.0.0.1"]

    transport = Transport(resolve=resolver)
    for link in links:
        with pytest.raises(FetchRefused, match=r"^That address is not reachable from here\.$"):
            download(link, PATIENT, transport)
    assert trap == []


@pytest.mark.parametrize("address", [*PRIVATE_V4, *PRIVATE_V6])
def test_what_is_not_public(address):
    assert not fetch.is_public(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_what_is_public(address):
    assert fetch.is_public(address)


GOOD_LINKS = {
    "HTTP://Example.COM": "http://example.com/",
    "https://example.com:443/a.jpg": "https://example.com/a.jpg",
    "http://example.com?q=1": "http://example.com/?q=1",
    "http://example.com/a%20b.jpg?x=[1]#part": "http://example.com/a%20b.jpg?x=[1]",
    "http://example.com/кот.jpg": "http://example.com/%D0%BA%D0%BE%D1%82.jpg",
    "http://xn--e1afmkfd.example/": "http://xn--e1afmkfd.example/",
    "http://1.1.1.1/a": "http://1.1.1.1/a",
    "http://[2606:4700::1111]/a": "http://[2606:4700::1111]/a",
    "http://3com.com/a@b:c": "http://3com.com/a@b:c",
}


@pytest.mark.parametrize(("text", "link"), GOOD_LINKS.items(), ids=GOOD_LINKS)
def test_good_links_are_put_together_again(text, link):
    assert str(parse_link(text)) == link


def test_private_addresses_only_on_request():
    assert parse_link("http://127.0.0.1:8000/a", allow_private=True).port == 8000
    assert parse_link("http://nas/a", allow_private=True).host == "nas"
    with pytest.raises(FetchRefused):
        parse_link("file:///etc/passwd", allow_private=True)


# W2: the resolver lies.
def test_a_name_is_resolved_once_and_its_address_is_what_is_connected_to():
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        answers = iter([[PUBLIC], ["127.0.0.1"]])  # would be private when asked again
        net.names = lambda _: next(answers)
        assert download("http://example.com/a.jpg", PATIENT, net.transport).content == image_bytes()
        assert net.connected == [(PUBLIC, 80)]
        assert net.asked == ["example.com"]
        with pytest.raises(FetchRefused):
            download("http://example.com/a.jpg", PATIENT, net.transport)
        assert net.connected == [(PUBLIC, 80)]


def test_200_rebindings_connect_to_no_private_address():
    """Public and private answers in any mixture and order, over redirects too."""
    draw = random.Random(1)
    with internet({"/a.jpg": redirect("http://second.example/b.jpg")}) as net:
        net.names = lambda _: draw.sample([PUBLIC, *PRIVATE_V4, *PRIVATE_V6], draw.randint(1, 3))
        for _ in range(200):
            with pytest.raises(FetchRefused):
                download("http://example.com/a.jpg", PATIENT, net.transport)
        assert {address for address, _ in net.connected} <= {PUBLIC}
        assert len(net.asked) >= 200


def test_own_public_address_is_noticed():
    """Both ends of the connection are the same machine, whatever the address looks like."""
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        home = Transport(
            resolve=lambda *_: [PUBLIC],
            connect=lambda *_: socket.create_connection(("127.0.0.1", net.port)),
        )
        with pytest.raises(FetchRefused) as caught:
            download("http://example.com/a.jpg", PATIENT, home)
        assert "this machine" in caught.value.reason
        assert net.requests == []


def test_a_resolver_that_never_answers_is_left_behind():
    release = threading.Event()
    transport = Transport(resolve=lambda *_: [PUBLIC] * release.wait())
    with pytest.raises(FetchRefused) as caught:
        download("http://example.com/", replace(PATIENT, connect_seconds=0.2), transport)
    assert caught.value.reason == "the name was not resolved in time"
    release.set()


# W3: redirects.
CASES = [(s, where) for s in (301, 302, 307) for links in BAD_REDIRECTS.values() for where in links]


@pytest.mark.parametrize(("status", "location"), CASES)
def test_a_redirect_is_checked_like_the_first_link(status, location):
    with internet({"/a.jpg": redirect(location, f"{status} Moved")}) as net:
        with pytest.raises(FetchRefused):
            download("http://example.com/a.jpg", PATIENT, net.transport)
        assert net.connected == [(PUBLIC, 80)]


def test_there_are_60_redirect_cases():
    assert len(CASES) >= 60


def chain(length):
    hops = {f"/{i}": redirect(f"/{i + 1}") for i in range(length)}
    return hops | {f"/{length}": answer(image_bytes())}


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_three_redirects_are_followed(hops):
    with internet(chain(hops)) as net:
        found = download("http://example.com/0", PATIENT, net.transport)
        assert found == (image_bytes(), f"http://example.com/{hops}")
        assert len(net.asked) == hops + 1  # each hop asks the resolver anew


TOO_LONG = {
    "4 hops": chain(4),
    "6 hops": chain(6),
    "a loop": {"/0": redirect("/0")},
    "to the same link": {"/0": redirect("")},
}


@pytest.mark.parametrize("answers", TOO_LONG.values(), ids=TOO_LONG)
def test_more_are_not(answers):
    with internet(answers) as net:
        with pytest.raises(FetchRefused):
            download("http://example.com/0", PATIENT, net.transport)
        assert len(net.connected) == 4


# W4: answers.
class Clock:
    """A clock that only moves when a test advances it."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(sys.modules["minicnn.data.tools.fetch.download"], "time", clock)
    return clock


class Trickle(socket.socket):
    """A socket whose every read returns one byte and takes one second of the test's clock."""

    def recv_into(self, buffer, *_):
        self.clock.now += 1
        return super().recv_into(memoryview(buffer)[:1])


@pytest.mark.parametrize("missing", [0, 1])
def test_all_reads_of_a_download_share_its_time(clock, missing):
    """One byte per second: each read is fast, but the download exceeds its limit."""
    reply = answer(image_bytes())

    def connect(*arguments):
        sock = Trickle(fileno=net.transport.connect(*arguments).detach())
        sock.clock = clock
        return sock

    limits = replace(PATIENT, total_seconds=len(reply) - missing)
    with internet({"/a.jpg": reply}) as net:
        transport = Transport(resolve=net.transport.resolve, connect=connect)
        if not missing:
            assert download("http://example.com/a.jpg", limits, transport).content == image_bytes()
            return
        with pytest.raises(FetchRefused) as caught:
            download("http://example.com/a.jpg", limits, transport)
        assert caught.value.reason == "took too long"


def test_a_server_that_says_nothing_is_left():
    with internet({"/a.jpg": silence}) as net, pytest.raises(FetchRefused):
        download("http://example.com/a.jpg", SHORT, net.transport)


def test_there_are_40_bad_answers():
    assert len(BAD_ANSWERS) + 3 >= 40  # three are too slow, above


@pytest.mark.parametrize("reply", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_is_refused_for_what_it_is(reply):
    with internet({"/a.jpg": reply}) as net:
        with pytest.raises(FetchRefused) as caught:
            download("http://example.com/a.jpg", PATIENT, net.transport)
        assert "too long" not in caught.value.reason and "timed out" not in caught.value.reason


def test_no_more_than_the_limit_is_read():
    sent = []

    def count(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
        while True:
            connection.sendall(bytes(10_000))
            sent.append(10_000)

    with internet({"/a.jpg": count}) as net, pytest.raises(FetchRefused):
        download("http://example.com/a.jpg", PATIENT, net.transport)
    socket_buffers = 8_000_000  # what the system takes off the server's hands, read or not
    assert sum(sent) < PATIENT.max_bytes + socket_buffers


def test_what_is_asked_for():
    with internet({"/a.jpg?x=1": answer(image_bytes())}) as net:
        download("http://example.com/a.jpg?x=1", PATIENT, net.transport)
    (request,) = net.requests
    lines = request.splitlines()
    assert lines[0] == "GET /a.jpg?x=1 HTTP/1.1"
    assert lines.count("Host: example.com") == 1
    assert lines.count("Accept-Encoding: identity") == 1
    assert not any(
        line.lower().startswith(("cookie", "authorization", "referer")) for line in lines
    )


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        assert download("http://example.com/a.jpg", PATIENT, net.transport).content == image_bytes()


def test_the_next_address_is_tried():
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        net.names = lambda _: ["1.1.1.1", PUBLIC]

        def connect(address, port, timeout):
            if address == "1.1.1.1":
                raise ConnectionRefusedError
            return net.transport.connect(address, port, timeout)

        transport = Transport(resolve=net.transport.resolve, connect=connect)
        assert download("http://example.com/a.jpg", PATIENT, transport).content == image_bytes()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return a self-signed (certificate, key) for example.com."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=example.com", "-addext", "subjectAltName=DNS:example.com",
         "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.fixture
def tls(certificate):
    """Return a function that lets an Internet use TLS and a client trust it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)

    def wrapped(net):
        plain = net._handle
        net._handle = lambda sock: plain(server.wrap_socket(sock, server_side=True))
        trust = ssl.create_default_context(cafile=certificate[0])
        return Transport(resolve=net.transport.resolve, connect=net.transport.connect, tls=trust)

    return wrapped


def test_https_checks_the_certificate_of_the_name(tls):
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        transport = tls(net)
        assert download("https://example.com/a.jpg", PATIENT, transport).content == image_bytes()
        assert net.connected == [(PUBLIC, 443)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_https_of_another_name_is_refused(tls):
    with internet({"/a.jpg": answer(image_bytes())}) as net:
        transport = tls(net)
        with pytest.raises(FetchRefused) as caught:
            download("https://other.com/a.jpg", PATIENT, transport)
        assert "certificate is not valid" in caught.value.reason
        assert net.requests == []


def test_a_redirect_from_https_to_http_is_refused(tls):
    with internet({"/a.jpg": redirect("http://example.com/b.jpg")}) as net:
        transport = tls(net)
        with pytest.raises(FetchRefused) as caught:
            download("https://example.com/a.jpg", PATIENT, transport)
        assert "from https to http" in caught.value.reason


# Lists of links.
LISTS = {
    "a link a line": ("http://a.com/1.jpg\nhttp://a.com/2.jpg\n", 2),
    "a heading": ("link\nhttp://a.com/1.jpg\n", 1),
    "more columns": ("id,title,url\n1,cat,http://a.com/1.jpg\n2,dog,http://a.com/2.jpg\n", 2),
    "quotes and commas": ('"http://a.com/1,2.jpg","a ""cat"""\n', 1),
    "the same twice": ("http://a.com/1.jpg\nhttp://a.com/1.jpg\n", 1),
    "empty lines, Windows": ("\ufeffhttp://a.com/1.jpg\r\n\r\n,\r\nhttp://a.com/2.jpg\r\n", 2),
    "what is no link is kept and reported": ("http://a.com/1.jpg\nnonsense\n", 2),
}


@pytest.mark.parametrize(("text", "count"), LISTS.values(), ids=LISTS)
def test_links_of_a_csv(tmp_path, text, count):
    path = tmp_path / "cats.csv"
    path.write_bytes(text.encode())
    links = read_links(path)
    assert len(links) == count
    assert links[0].startswith("http://a.com/1")


@pytest.mark.parametrize("content", [b"", b"link\n", b"\xff\xfe\x00", b"\n\n"])
def test_a_file_without_links(tmp_path, content):
    path = tmp_path / "cats.csv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"cats\.csv"):
        read_links(path)


def test_a_list_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "cats.csv")
    with pytest.raises(FormatError, match="is a device, a pipe or a socket"):
        read_links(tmp_path / "cats.csv")


def test_a_pipe_in_the_folder_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "00001.jpg")
    with internet({"/a.jpg": answer(image_bytes()), "/b.jpg": answer(image_bytes())}) as net:
        links = ["http://example.com/a.jpg", "http://example.com/b.jpg"]
        found = fetch_images(links, tmp_path, transport=net.transport)
    assert [one.reason for one in found] == ["already here", ""]
    assert (tmp_path / "00001.jpg").is_fifo()


ANSWERS = {
    "/1": answer(image_bytes("red")),
    "/2": answer(image_bytes("green", "PNG"), kind="application/octet-stream"),
    "/3": answer(b"<html>not found</html>"),  # says image/jpeg
    "/4": answer(image_bytes("blue")[:-300]),
    "/5": answer(image_bytes("red")),
    "/6": answer(image_bytes("white", "WEBP"), kind=""),
}


def test_fetch_images_keeps_images_and_reports_the_rest(tmp_path):
    links = [f"http://example.com/{i}" for i in range(1, 8)] + ["http://10.0.0.1/8"]
    with internet(ANSWERS) as net:
        results = fetch_images(links, tmp_path / "cats", limits=PATIENT, transport=net.transport)
        again = fetch_images(links, tmp_path / "cats", limits=PATIENT, transport=net.transport)
    files = sorted(path.name for path in (tmp_path / "cats").iterdir())
    assert files == ["00001.jpg", "00002.png", "00006.webp"]
    reasons = [one.reason for one in results]
    assert [not reason for reason in reasons] == [1, 1, 0, 0, 0, 1, 0, 0]
    for reason, text in zip([*reasons[2:5], *reasons[6:]], [
        "not an image", "truncated", "same image as 00001.jpg", "with 404", "not an address",
    ], strict=True):  # fmt: skip
        assert text in reason
    assert [one.reason for one in again if one.path] == ["already here"] * 3
    assert sum("/1 " in request for request in net.requests) == 1


def test_images_that_are_written_leave_the_memory(tmp_path, monkeypatch):
    alive, seen = set(), []

    class Content(bytes):
        def __del__(self):
            alive.discard(id(self))

    def fetched(link, *_):
        content = Content(link.encode())
        alive.add(id(content))
        return content, ".jpg"

    monkeypatch.setattr(downloads, "_fetch", fetched)
    links = [f"http://example.com/{i}" for i in range(20)]
    fetch_images(links, tmp_path, threads=1, progress=lambda *_: seen.append(len(alive)))
    assert len(seen) == len(list(tmp_path.iterdir())) == 20
    assert seen[-1] <= 2  # the last one, and what the thread is letting go of


def test_the_report_has_a_line_a_link(tmp_path):
    with internet(ANSWERS) as net:
        links = ["http://example.com/1", "http://example.com/3"]
        results = fetch_images(links, tmp_path / "cats", limits=PATIENT, transport=net.transport)
    fetch.write_report(results, tmp_path / "cats.fetched.csv")
    lines = (tmp_path / "cats.fetched.csv").read_text().splitlines()
    assert lines[0] == "link,file,reason"
    assert lines[1] == "http://example.com/1,00001.jpg,"
    assert lines[2].startswith("http://example.com/3,,it is not an image")
