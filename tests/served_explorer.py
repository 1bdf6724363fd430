"""A small trained LeNet, and an explorer on it that a test starts."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load
from served_library import Reply, ask, running_server

from minicnn import datasets, random, zoo
from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.web.explore import state
from minicnn.models import Model
from minicnn.optimizers import SGD

IMAGES = 3000  # of MNIST's training images: about 93 % of the test images are right


@functools.cache
def trained_lenet() -> Model:
    """LeNet after one pass over some digits; it takes less than a second, and nobody changes it."""
    (x, y), _ = datasets.mnist.load_data()
    with random.seeded(0):
        model = zoo.lenet()
        model.compile(SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
        model.fit(x[:IMAGES, ..., None], y[:IMAGES], 32, 1, verbose=0)
    return model


@functools.cache
def initial_lenet() -> Model:
    with random.seeded(1):
        return zoo.lenet()


def usual_networks() -> list[OpenNetwork]:
    """Return a trained LeNet, called lenet, and one with initial weights, lenet-epoch-0."""
    return [
        opened("lenet", trained_lenet(), title="LeNet, trained", run="lenet", epoch=1),
        opened("lenet-epoch-0", initial_lenet(), title="LeNet, initial", run="lenet", epoch=0),
    ]


class Answer(NamedTuple):
    """A binary answer, taken apart."""

    answer: dict[str, Any]
    tensors: dict[str, np.ndarray]


class ServedExplorer(NamedTuple):
    """A server that runs in this process."""

    port: int
    explorer: Explorer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send a request; `Content_Type="..."` is a header."""
        return ask(self.port, method, path, body, **headers)

    def secrets(self) -> dict[str, str]:
        """Return the headers that a page sends with what it posts."""
        page = self.ask("GET", "/explore/")
        cookie = re.match("[^;]*", page.headers["Set-Cookie"])[0]
        token = re.search(rb'name="csrf-token" content="(\w+)"', page.content)[1].decode()
        return {"Cookie": cookie, "X_CSRFToken": token}

    def post(self, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Post bytes, with the secrets of the page."""
        return self.ask("POST", path, body, **self.secrets(), **headers)

    def get_answer(self, path: str) -> Answer:
        """Get a binary answer of an address below /explore/api/."""
        return taken_apart(self.ask("GET", f"/explore/api/{path}"))

    def post_answer(self, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Post to an address below /explore/api/; return its binary answer."""
        return taken_apart(self.post(f"/explore/api/{path}", body, **headers))

    def get_json(self, path: str) -> Any:
        """Get an answer in JSON of an address below /explore/api/."""
        reply = self.ask("GET", f"/explore/api/{path}")
        assert reply.status == 200, reply.content
        return reply.json


def taken_apart(reply: Reply) -> Answer:
    """Return the JSON and the arrays of a binary answer."""
    assert reply.status == 200, reply.content
    assert reply.headers["Content-Type"] == "application/octet-stream"
    (length,) = struct.unpack("<Q", reply.content[:8])
    metadata = json.loads(reply.content[8 : 8 + length])["__metadata__"]
    return Answer(json.loads(metadata["answer"]), load(reply.content))


@contextlib.contextmanager
def serving_explorer(
    networks: Sequence[OpenNetwork] | None = None,
    folder: Path | None = None,
    token: str | None = None,
) -> Iterator[ServedExplorer]:
    """Show networks, by default `usual_networks`, during the block."""
    explorer = Explorer(usual_networks() if networks is None else networks, folder)
    state.start(explorer, token)
    try:
        with running_server() as port:
            yield ServedExplorer(port, explorer)
    finally:
        state.stop()
