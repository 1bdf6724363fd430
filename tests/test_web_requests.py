"""Who may ask the server: hosts, origins, the secret; how much; and the headers of its answers."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from django.conf import settings
from served_library import ask, image_bytes, running_server, serving, small_library

from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.web import middleware
from minicnn.apps.web.explore import state
from minicnn.apps.web.server import make_server, port_of

IMAGE = image_bytes()
SECRET = "a-secret-of-the-test"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return small_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def served(library):
    with serving(library) as server:
        yield server


@pytest.fixture
def with_token(library):
    with serving(library, token=SECRET) as server:
        yield server


def form_of(served):
    """Return the cookie and the hidden field of the page's form."""
    page = served.ask("GET", "/")
    cookie = re.match("[^;]*", page.headers["Set-Cookie"])[0]
    return cookie, re.search(rb'csrfmiddlewaretoken" value="(\w+)"', page.content)[1].decode()


# W6: what a page of another site can make a browser send.
SITES = (None, "same-origin", "cross-site", "none")
ORIGINS = (None, "own", "https://evil.example", "null")
HOSTS = ("own", "evil.example")
WAYS = ("a page", "the interface", "a form with its secret", "a form without")


def ask_as(served, way, site, origin, host):
    own = f"127.0.0.1:{served.port}"
    cookie, secret = form_of(served)
    fields = {
        "Sec_Fetch_Site": site,
        "Origin": f"http://{own}" if origin == "own" else origin,
        "Host": own if host == "own" else host,
        "Cookie": cookie,
    }
    headers = {name: value for name, value in fields.items() if value is not None}
    if way == "a page":
        return served.ask("GET", "/", **headers).status
    if way == "the interface":
        return served.post("/api/v1/classify", ("image", IMAGE), **headers).status
    hidden = [("csrfmiddlewaretoken", secret)] * (way == "a form with its secret")
    return served.post("/search", *hidden, ("image", IMAGE), **headers).status


def expected_of(way, site, origin, host):
    if host != "own":
        return 400
    if site == "cross-site" or origin not in (None, "own") or way == "a form without":
        return 403
    return 303 if way == "a form with its secret" else 200


MATRIX = list(itertools.product(WAYS, SITES, ORIGINS, HOSTS))


def test_the_matrix_has_96_cases():
    assert len(MATRIX) >= 96
    assert {expected_of(*case) for case in MATRIX} == {200, 303, 400, 403}


@pytest.mark.parametrize("case", MATRIX, ids=lambda case: ", ".join(map(str, case)))
def test_only_this_site_is_answered(served, case):
    assert ask_as(served, *case) == expected_of(*case)


def test_another_site_may_link_here_but_neither_frame_nor_post(served):
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert served.ask("GET", "/", **link, Sec_Fetch_Dest="document").status == 200
    assert served.ask("GET", "/", **link, Sec_Fetch_Dest="iframe").status == 403
    posted = served.post("/api/v1/classify", ("image", IMAGE), **link, Sec_Fetch_Dest="document")
    assert posted.status == 403


HOST_NAMES = {
    "localhost": 200, "LOCALHOST": 200, "localhost:1": 200, "127.0.0.1": 200, "[::1]": 200,
    "localhost.": 200, "127.0.0.2": 400, "0.0.0.0": 400, "example.com": 400, "a@localhost": 400,
    "localhost.example.com": 400, "127.0.0.1.nip.io": 400, "localhost/": 400, "": 400, "[::2]": 400,
    "localhost:x": 400, "127.1": 400, "2130706433": 400,
}  # fmt: skip


@pytest.mark.parametrize(("host", "status"), HOST_NAMES.items())
def test_only_its_own_names_are_answered(served, host, status):
    assert served.ask("GET", "/api/v1/health", Host=host).status == status


# W7
ROUTES = ["/", "/library", "/item/1/view", "/item/1/image", "/item/1/download", "/item/999/view",
          "/search?like=1", "/api/v1/health", "/api/v1/nothing", "/nothing", "/static/nothing",
          "/static/vendor/bootstrap.min.css"]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_has_the_headers_that_protect(served, route):
    headers = served.ask("GET", route).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers and "X-Powered-By" not in headers and "Via" not in headers
    assert "Access-Control-Allow-Origin" not in headers


def test_no_page_has_a_script_or_style_in_it(served):
    for route in ROUTES:
        reply = served.ask("GET", route)
        if reply.headers.get_content_type() == "text/html":
            assert not re.search(rb"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", reply.content)


# W10
def test_200_connections_that_never_finish_a_request_keep_nobody_out(served):
    parts = [b"", b"GET / HTTP/1.1\r\nX: y", b"POST /search HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"]
    with contextlib.ExitStack() as stack:
        for number in range(200):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            sock.sendall(parts[number % len(parts)])
        assert served.post("/api/v1/classify", ("image", IMAGE)).status == 200


# The secret of a server that other machines can reach. A process has one service, so that `served`
# ends here.
def test_without_the_secret_nothing_is_answered(with_token):
    for route in ROUTES:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": "minicnn=x"}):
            reply = with_token.ask("GET", route, **headers)
            assert reply.status == 401, route
            assert SECRET.encode() not in reply.content
    assert with_token.post("/api/v1/classify", ("image", IMAGE)).status == 401
    assert with_token.ask("GET", "/?token=wrong").status == 401
    assert with_token.ask("GET", "/?token=").status == 401


def test_an_explorer_that_ends_does_not_end_the_secret_of_the_library(with_token):
    state.start(Explorer([]))
    assert with_token.ask("GET", "/").status == 401
    state.stop()
    assert with_token.ask("GET", "/").status == 401


def test_an_explorer_has_a_secret_of_its_own():
    state.start(Explorer([]), SECRET)
    try:
        with running_server() as port:
            assert ask(port, "GET", "/explore/").status == 401
            known = ask(port, "GET", "/explore/", Authorization=f"Bearer {SECRET}")
            assert known.status == 200
    finally:
        state.stop()


def test_the_printed_address_leads_to_a_cookie(with_token):
    reply = with_token.ask("GET", f"/search?like=1&token={SECRET}&like=2")
    assert (reply.status, reply.headers["Location"]) == (302, "/search?like=1&like=2")
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert with_token.ask("GET", "/", Cookie=cookie.partition(";")[0]).status == 200


def test_the_cookie_leads_to_no_other_site(with_token):
    reply = with_token.ask("GET", f"//evil.example/?token={SECRET}")
    assert reply.headers["Location"] == "/evil.example/"


def test_programs_send_the_secret_in_a_header(with_token):
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert with_token.ask("GET", "/api/v1/health", **bearer).status == 200


def test_a_server_on_all_addresses_has_any_name(library, monkeypatch):
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["localhost"])
    with serving(library, token=SECRET) as server:
        monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["localhost"])
        make_server("127.0.0.3", 0).close()
        assert set(settings.ALLOWED_HOSTS) == {"localhost", "127.0.0.3"}
        assert server.ask("GET", "/", Host="my-machine.local").status == 400
        make_server("0.0.0.0", 0).close()
        assert server.ask("GET", "/", Host="my-machine.local").status == 401


def test_localhost_is_one_address():
    server = make_server("localhost", 0)
    assert port_of(server) > 0
    server.close()


# W9
def test_a_server_with_enough_to_do_says_when_to_come_back(library, monkeypatch):
    """As many requests as may be worked on wait in the middle of their work; one more comes."""
    monkeypatch.setattr(middleware, "AT_A_TIME", 2)
    inside, leave = threading.Semaphore(0), threading.Event()

    def wait(_content, _side=0):
        inside.release()
        leave.wait()
        raise ZeroDivisionError

    with serving(library) as served:
        monkeypatch.setattr(served.service.decoders, "decode", wait)
        ask = lambda: served.post("/api/v1/classify", ("image", IMAGE))  # noqa: E731
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            inside.acquire()
        reply = served.ask("GET", "/api/v1/health")
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert reply.json["code"] == "busy"
        leave.set()
        for thread in threads:
            thread.join()
        assert served.ask("GET", "/api/v1/health").status == 200


def test_a_bug_is_answered_without_its_details(library, monkeypatch, capfd):
    with serving(library) as served:
        monkeypatch.setattr(served.service.decoders, "decode", lambda *_: 1 / 0)
        reply = served.post("/api/v1/classify", ("image", IMAGE))
    assert (reply.status, reply.json["code"]) == (500, "failed")
    assert b"Zero" not in reply.content
    assert "ZeroDivisionError" in capfd.readouterr().err
