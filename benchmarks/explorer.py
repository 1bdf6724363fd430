"""How long does the explorer take from a drawing to the values of all steps, and to the gradients?

    python benchmarks/explorer.py                # LeNet and the network of scenes
    python benchmarks/explorer.py photo-small --passes 50

The server is `minicnn explore` in a process of its own. Each pass is of another drawing; its time
is that of the whole request, up to 16 maps of each step. The gradients are those by the input, for
which those of all steps are computed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import struct
import subprocess
import sys
import time
from urllib.parse import urlsplit

import numpy as np

API = "/explore/api/"


class Explorer:
    """A connection to a running explorer, with the secrets that a page sends."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", urlsplit(address).port)
        page, headers = self.ask("GET", "/explore/", b"", {})
        token = re.search(rb'name="csrf-token" content="(\w+)"', page)
        cookie = headers["Set-Cookie"].partition(";")[0]
        self.secrets = {"Cookie": cookie, "X-CSRFToken": token[1].decode() if token else ""}

    def ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[bytes, http.client.HTTPMessage]:
        """Send a request; return the content of its answer, and its headers."""
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {content[:300].decode()}")
        return content, response.headers

    def shape(self, network: str) -> list[int]:
        """Return the shape of the image that a network is fed."""
        content, _ = self.ask("GET", f"{API}network?network={network}", b"", {})
        shape: list[int] = json.loads(content)["input_shape"]
        return shape

    def times(self, network: str, passes: int) -> tuple[list[float], list[float]]:
        """Return the milliseconds of each pass and of its gradients."""
        rng, shape = np.random.default_rng(0), self.shape(network)
        found: tuple[list[float], list[float]] = [], []
        for _ in range(passes + 1):
            drawing = rng.uniform(0, 255, shape).astype(np.float32).tobytes()
            start = time.perf_counter()
            path = f"{API}pass?network={network}&channels=16&label=1"
            content, _ = self.ask("POST", path, drawing, self.secrets)
            middle = time.perf_counter()
            self.ask("GET", f"{API}values?pass={_id(content)}&step=-1&of=gradient", b"", {})
            found[0].append(1e3 * (middle - start))
            found[1].append(1e3 * (time.perf_counter() - middle))
        return found[0][1:], found[1][1:]  # the first one also makes what is kept


def _id(content: bytes) -> str:
    (length,) = struct.unpack("<Q", content[:8])
    answer = json.loads(content[8 : 8 + length])["__metadata__"]["answer"]
    return str(json.loads(answer)["id"])


def _text(times: list[float]) -> str:
    return f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"


def main() -> None:
    """Start an explorer, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=["lenet", "scene"])
    parser.add_argument("--passes", type=int, default=20)
    given = parser.parse_args()
    command = [sys.executable, "-m", "minicnn", "explore", *given.networks, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            explorer = Explorer(process.stdout.readline().strip() if process.stdout else "")
            for network in given.networks:
                passes, gradients = explorer.times(network, given.passes)
                print(f"{network}: pass {_text(passes)}; gradients {_text(gradients)}")
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
