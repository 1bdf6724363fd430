"""Trainings over HTTP: what the page asks for, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from served_explorer import serving_explorer

API = "/explore/api/"
SMALL = {
    "blocks": [
        {"kind": "maxpooling2d", "pool_size": 4, "strides": 4},
        {"kind": "conv2d", "filters": 4},
        {"kind": "flatten"},
        {"kind": "dense", "units": 12},
    ],
    "learning_rate": 0.05,
    "batch_size": 16,
}


@pytest.fixture(scope="module")
def served():
    with serving_explorer() as started:
        yield started


@pytest.fixture
def send(served):
    def sent(path, value=None, status=200):
        reply = served.post(API + path, json.dumps(value or {}).encode())
        assert reply.status == status, reply.content
        return reply.json

    return sent


@pytest.fixture
def number(send):
    found = send("training", SMALL)["number"]
    yield found
    send(f"training/{found}/stop")


def still(served, number):
    """Wait until a training is neither running nor on its way; return what is said of it."""
    served.explorer.trainings.find(number).wait()
    return served.get_answer(f"training/{number}")


def test_what_a_network_can_be_built_from(served):
    found = served.get_json("blocks")
    kinds = {one["kind"]: one for one in found["kinds"]}
    assert {"conv2d", "maxpooling2d", "averagepooling2d", "dense", "flatten"} <= set(kinds)
    assert all(one["help"].endswith(".") for one in found["kinds"])
    names = [field["name"] for field in kinds["conv2d"]["fields"]]
    assert names == ["filters", "kernel_size", "strides", "padding", "activation"]
    for one in found["kinds"]:
        assert all(field["help"].endswith(".") for field in one["fields"])
    assert [one["name"] for one in found["presets"]] == ["lenet", "lenet5", "small"]
    assert [one["name"] for one in found["data"]] == ["mnist"]
    settings = [one["name"] for one in found["settings"]]
    assert settings == ["optimizer", "learning_rate", "batch_size", "seed"]


def test_a_network_is_planned(send):
    found = send("build", {"data": "mnist", "blocks": SMALL["blocks"]})
    assert [one["shape"] for one in found["layers"]] == [[7, 7, 1], [5, 5, 4], [100], [12], [10]]
    assert found["total"] == 40 + 1212 + 130
    assert found["problems"] == []


def test_a_block_that_does_not_fit_is_named(send):
    found = send("build", {"blocks": [{"kind": "flatten"}, {"kind": "conv2d"}]})
    assert [one["block"] for one in found["problems"]] == [1]
    assert found["problems"][0]["message"].startswith(
        "Block 2, Conv2D: the input here is 784 single values"
    )
    assert [one["shape"] for one in found["layers"]] == [[784], None, None]


def test_a_training_begins_at_step_0(served, number):
    answer, tensors = served.get_answer(f"training/{number}")
    assert (answer["state"], answer["step"], answer["can_undo"]) == ("paused", 0, False)
    assert tensors["loss"].shape == (0,)
    assert tensors["kernels"].shape == (3, 3, 1, 4)


def test_steps_are_taken_and_undone(served, send, number):
    first = served.get_answer(f"training/{number}").answer["fingerprint"]
    prints = [first]
    for _ in range(3):
        send(f"training/{number}/step")
        prints.append(still(served, number).answer["fingerprint"])
    assert len(set(prints)) == 4
    send(f"training/{number}/learning-rate", {"value": 0.5})
    send(f"training/{number}/undo")
    assert still(served, number).answer["fingerprint"] == prints[2]
    send(f"training/{number}/seek", {"step": 0})
    found = still(served, number).answer
    assert (found["fingerprint"], found["learning_rate"], found["steps"]) == (first, 0.05, 3)
    send(f"training/{number}/seek", {"step": 3})
    assert still(served, number).answer["fingerprint"] == prints[3]
    send(f"training/{number}/undo", {"steps": 99})
    assert still(served, number).answer["step"] == 0


def test_a_training_runs_until_it_is_paused(served, send, number):
    assert send(f"training/{number}/run")["state"] == "running"
    while served.get_answer(f"training/{number}").answer["step"] < 60:
        pass
    assert send(f"training/{number}/learning-rate", {"value": 0.01})["learning_rate"] == 0.01
    assert send(f"training/{number}/pause")["state"] in ("seeking", "paused")
    assert still(served, number).answer["state"] == "paused"
    answer, tensors = served.get_answer(f"training/{number}?since=50")
    assert len(tensors["loss"]) == len(tensors["accuracy"]) == answer["step"] - 50
    whole = served.get_answer(f"training/{number}").tensors
    np.testing.assert_array_equal(whole["loss"][50:], tensors["loss"])
    assert whole["loss"][-20:].mean() < whole["loss"][:20].mean()
    assert whole["test"][0, 0] == 0


def test_the_network_of_a_training_can_be_explored(served, send, number):
    before = served.post_answer(f"pass?network=training-{number}&image=mnist:1&label=0").answer
    send(f"training/{number}/step")
    still(served, number)
    after = served.post_answer(f"pass?network=training-{number}&image=mnist:1&label=0").answer
    assert before["loss"] != after["loss"]
    steps = served.get_json(f"network?network=training-{number}")["steps"]
    assert "conv2d" in [one["operation"] for one in steps]


def test_a_stopped_training_says_so(served, send, number):
    send(f"training/{number}/stop")
    assert served.get_answer(f"training/{number}").answer["state"] == "stopped"
    message = send(f"training/{number}/run", status=400)["message"]
    assert message == f"training {number} was stopped; start a new one"


def test_only_the_last_trainings_are_kept(served, send):
    numbers = [send("training", SMALL)["number"] for _ in range(3)]
    reply = served.ask("GET", f"{API}training/{numbers[0]}")
    assert (reply.status, reply.json["code"]) == (404, "gone")
    assert "the page keeps the last two" in reply.json["message"]
    for one in numbers[1:]:
        send(f"training/{one}/stop")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("training", {"preset": "vgg"}, "preset must be lenet"),
        ("training", {"blocks": [{"kind": "dense"}]}, "put Flatten before it"),
        ("training", {"blocks": 3}, "blocks must be a list"),
        ("training", {"learning_rate": 1e99}, "Learning rate must be"),
        ("training", {"batch_size": 10**9}, "Batch size must be"),
        ("training", {"data": "/etc"}, "data must be mnist; got '/etc'"),
        ("training", [1], "send an object of JSON"),
        ("build", {"blocks": [{"kind": "conv2d", "filters": 10**30}]}, "Kernels must be"),
        ("build", {"blocks": [{"kind": "conv2d", "__class__": 1}]}, "there is no field"),
        ("build", {}, "blocks must be a list"),
        ("training/{}/seek", {"step": -1}, "a whole number from 0 on"),
        ("training/{}/seek", {"step": "x" * 5000}, "a whole number from 0 on"),
        ("training/{}/seek", {}, "a whole number from 0 on; got None"),
        ("training/{}/undo", {"steps": 1.5}, "a whole number from 0 on"),
        ("training/{}/learning-rate", {"value": None}, "the learning rate must be"),
        ("training/{}/learning-rate", {"value": [1]}, "the learning rate must be"),
    ],
)
def test_what_is_refused(send, number, path, value, words):
    refused = send(path.format(number), value, status=400)
    assert words in refused["message"]
    assert len(refused["message"]) < 400


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"step": NaN}', b"[" * 10_000])
def test_bodies_that_are_no_json(served, number, body):
    reply = served.post(f"{API}training/{number}/seek", body)
    assert reply.status == 400
    assert reply.json["message"]


def test_a_body_that_is_too_long(served):
    reply = served.post(f"{API}build", b" " * 30_000)
    assert (reply.status, reply.json["code"]) == (413, "too_large")


def test_addresses_that_do_not_exist(served, send, number):
    assert "a training can run, pause" in send(f"training/{number}/jump", status=404)["message"]
    for path in ("training/999999", "training/x", "training/-1", f"training/{number}?since=x"):
        assert served.ask("GET", API + path).status in (400, 404)
    assert served.ask("GET", f"{API}training/{10**30}").status == 404


def test_other_sites_cannot_train(served, number):
    for path in ("build", "training", f"training/{number}/run"):
        reply = served.ask("POST", API + path, b"{}")
        assert (reply.status, reply.json["code"]) == (403, "csrf")
        assert served.ask("GET", f"{API}training/{number}/run").status == 405
