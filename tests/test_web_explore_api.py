"""The addresses of the explorer: networks, passes, values, images."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from served_explorer import serving_explorer


@pytest.fixture(scope="module")
def served():
    with serving_explorer() as server:
        yield server


def test_networks_are_listed(served):
    names = [one["name"] for one in served.get_json("networks")["networks"]]
    assert names == ["lenet", "lenet-epoch-0"]


def test_a_network_is_described(served):
    found = served.get_json("network?network=lenet")
    assert [step["operation"] for step in found["steps"]][:3] == ["rescale", "conv2d", "max_pool2d"]
    assert found["steps"][1]["parameters"] == {"w": "conv1/kernel", "b": "conv1/bias"}
    assert found["fused"][0]["steps"] == [1, 2]


def test_a_pass_has_what_predict_gives(served):
    found = served.post_answer("pass?network=lenet&image=mnist:17&label=7")
    network = served.explorer.network("lenet")
    expected = network.model.predict(found.tensors["input"][None], verbose=0)[0]
    assert np.allclose(found.tensors["output"], expected, atol=1e-6)
    assert found.tensors["step.1"].shape == (24, 24, 16)
    one = found.answer["id"]
    values = served.get_answer(f"values?pass={one}&step=1&of=gradient&start=16&count=64")
    assert values.tensors["values"].shape == (24, 24, 4)


def test_images_of_mnist_are_listed(served):
    found = served.get_answer("images?source=mnist&start=9990&count=24")
    assert found.tensors["thumbnails"].shape == (10, 28, 28, 1)
    assert found.answer["total"] == 10_000
    assert found.answer["images"][0] == {
        "image": "mnist:9990", "label": 7, "title": "digit 7, test image 9990",
    }  # fmt: skip


def test_a_drawing_is_what_the_network_is_fed(served):
    drawing = np.zeros((28, 28, 1), np.float32)
    drawing[4:24, 14] = 255
    found = served.post_answer("pass?network=lenet", drawing.tobytes())
    assert np.array_equal(found.tensors["input"], drawing)
    assert found.answer["label"] is None and found.answer["loss"] is None


def test_the_same_request_has_the_same_id(served):
    ids = [served.post_answer("pass?image=mnist:3&label=0").answer["id"] for _ in range(2)]
    assert ids[0] == ids[1]
    assert served.post_answer("pass?image=mnist:3&label=1").answer["id"] != ids[0]


def test_a_number_is_explained(served):
    found = served.post_answer("pass?network=lenet&image=mnist:17&label=7")
    one = found.answer["id"]
    number = served.get_answer(f"number?pass={one}&step=1&at=10,8,3")
    assert number.answer["kind"] == "sum_of_products"
    assert number.answer["value"] == found.tensors["step.1"][10, 8, 3]
    assert number.answer["window"] == {"y": 10, "x": 8, "height": 5, "width": 5}
    assert number.answer["reads_step"] == 0
    shown = number.tensors["product"].sum(dtype=np.float64) + number.answer["bias"]
    assert shown == pytest.approx(number.answer["value"], rel=1e-5)
    assert number.tensors["input_place"].shape == (25, 3)


def test_the_loss_is_explained(served):
    one = served.post_answer("pass?network=lenet&image=mnist:17&label=7").answer
    step = served.get_json("network?network=lenet")["loss"]
    number = served.get_answer(f"number?pass={one['id']}&step={step}")
    assert number.answer["kind"] == "cross_entropy"
    assert number.answer["sum"] == pytest.approx(one["loss"], rel=1e-5)


def test_gradients_are_explained(served):
    one = served.post_answer("pass?network=lenet&image=mnist:17&label=3").answer["id"]
    number = served.get_answer(f"number?pass={one}&step=4&at=1,2,3&of=gradient")
    assert number.answer["reads_step"] == 5
    weight = served.get_answer(f"weight?pass={one}&parameter=conv1/kernel&at=0,1,0,7")
    assert weight.tensors["place"].shape == (24 * 24, 3)
    assert weight.answer["sum"] == pytest.approx(weight.answer["value"], rel=1e-4)
