"""`minicnn serve`: one address is printed, signals end it, and strangers need a secret."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from served_library import small_library


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    return small_library(tmp_path_factory.mktemp("library"))


@contextlib.contextmanager
def started(library: Path, *words: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Start the command; yield the process and the address that it prints."""
    command = [sys.executable, "-m", "minicnn", "serve", str(library), "--port", "0", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def get(address: str, **headers: str) -> tuple[int, http.client.HTTPMessage]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    with contextlib.closing(connection):
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in found.split()]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="it needs Linux")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(library, number):
    with started(library) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert get(address)[0] == 200
        decoders = children(process.pid)
        assert len(decoders) == 2
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == 0
        assert "Traceback" not in said
        assert [pid for pid in decoders if os.path.exists(f"/proc/{pid}")] == []


def test_other_machines_need_the_secret(library):
    with started(library, "--host", "0.0.0.0") as (_, address):
        shown = urlsplit(address)
        assert shown.query.startswith("token=")
        here = f"http://127.0.0.1:{shown.port}/"
        assert get(here)[0] == 401
        assert get(f"{here}?token=wrong")[0] == 401
        status, headers = get(f"{here}?{shown.query}")
        assert (status, headers["Location"]) == (302, "/")
        cookie = headers["Set-Cookie"].partition(";")[0]
        assert get(here, Cookie=cookie)[0] == 200


def run(*words: str) -> tuple[int, str]:
    """Run it in a process of its own: waitress leaves a socket open that cannot be bound."""
    command = [sys.executable, "-m", "minicnn", "serve", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_taken_port_is_named(library):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = run(str(library), "--port", port)
    assert code == 1
    assert f"port {port} of 127.0.0.1 is taken" in said
    assert "--port 0" in said


def test_an_address_of_another_machine_is_refused(library):
    code, said = run(str(library), "--host", "192.0.2.1", "--port", "0")
    assert code == 1
    assert "cannot listen on 192.0.2.1" in said


def test_a_library_that_is_not_there_is_named(tmp_path):
    code, said = run(str(tmp_path / "none.sqlite3"))
    assert code == 1
    assert "minicnn index" in said


def test_the_address_of_a_search_engine_is_checked(library):
    code, said = run(str(library), "--keyword-search", "http://pictures.example/")
    assert code == 2
    assert "{word}" in said
