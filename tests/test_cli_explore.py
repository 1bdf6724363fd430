"""`minicnn explore`: one address is printed, signals end it, mistakes are told in a line."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")

from minicnn import zoo

COMMAND = [sys.executable, "-m", "minicnn", "explore", "--port", "0"]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("model") / "digits.mcnn"
    zoo.lenet5().save(path)
    return str(path)


@contextlib.contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Start the command; yield the process and the address that it prints."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *words], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def get(address: str, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(model, number):
    with started(model) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        status, headers, _ = get(address, "/")
        assert (status, headers["Location"]) == (302, "/explore/")
        assert b'"name":"digits"' in get(address, "/explore/api/networks")[2]
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == 0
        assert "digits; Ctrl-C ends it" in said and "Traceback" not in said


def test_other_machines_need_the_secret(model):
    with started(model, "--host", "0.0.0.0") as (_, address):
        shown = urlsplit(address)
        assert shown.query.startswith("token=")
        assert get(address, "/explore/api/networks")[0] == 401
        status, headers, _ = get(address, f"/?{shown.query}")
        assert (status, headers["Location"]) == (302, "/")


def run(*words: str) -> tuple[int, str]:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_mistakes_are_told_in_a_line(model, tmp_path):
    for words, text in {
        ("lennet",): "did you mean lenet",
        ("nowhere.mcnn",): "no such file",
        (model, "--images", str(tmp_path)): "no images",
        (model, "--images", str(tmp_path / "nowhere")): "no such folder",
        (str(tmp_path),): "best.mcnn",
    }.items():
        code, said = run(*words)
        assert (code, said.count("\n")) == (1, 1), said
        assert text in said
