"""The addresses of the explorer: networks, passes, values, images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from image_folders import make_folder
from served_explorer import serving_explorer
from served_library import image_bytes

from minicnn.apps.explorer.kept_passes import KeptPasses


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


def test_a_check_agrees_with_the_gradient(served):
    one = served.post_answer("pass?network=lenet&image=mnist:17&label=3").answer["id"]
    reply = served.post(f"/explore/api/check?pass={one}&parameter=conv2/kernel&at=2,3,4,5")
    assert reply.status == 200
    assert reply.json["kinks"] or reply.json["relative_error"] < 1e-4
    assert "Backpropagation gives" in reply.json["text"]
    pixel = served.post(f"/explore/api/check?pass={one}&step=-1&at=14,14,0").json
    assert pixel["kinks"] or pixel["relative_error"] < 1e-4


def test_a_change_is_told(served):
    before = served.post_answer("pass?image=mnist:17").answer["id"]
    edit = "parameter:conv1/kernel:0,0,0,3=0.5"
    after = served.post_answer(f"pass?image=mnist:17&edit={edit}").answer["id"]
    found = served.get_json(f"change?before={before}&after={after}")
    assert "conv1/kernel" in found["sentences"][0]
    assert len(found["scores"]) == len(found["probabilities"]) == 10


def test_an_edit_leaves_the_others_as_they_were(served):
    first = served.post_answer("pass?image=mnist:5&label=1")
    edits = [f"parameter:conv1/bias:{i}={i}" for i in range(6)]
    with ThreadPoolExecutor(6) as pool:
        paths = [f"pass?image=mnist:5&label=1&edit={edit}" for edit in edits]
        changed = list(pool.map(served.post_answer, paths))
    assert len({one.answer["id"] for one in changed}) == 6
    served.explorer.passes = KeptPasses()
    again = served.post_answer("pass?image=mnist:5&label=1")
    assert again.answer == first.answer
    assert all(np.array_equal(a, again.tensors[name]) for name, a in first.tensors.items())


def test_an_image_file_is_decoded_in_its_own_process(served):
    content = image_bytes("white", "PNG", (40, 30))
    found = served.post_answer("pass?network=lenet", content, Content_Type="image/png")
    assert found.tensors["input"].shape == (28, 28, 1)
    assert found.tensors["input"].max() < 60  # light edges: it was inverted


BAD_IMAGES = {
    "text": (b"no image at all", 415),
    "nothing": (b"", 415),
    "cut": (image_bytes("red", "PNG")[:200], 422),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
}


@pytest.mark.parametrize("kind", BAD_IMAGES)
def test_files_that_are_no_images_are_refused(served, kind):
    content, status = BAD_IMAGES[kind]
    reply = served.post("/explore/api/pass", content, Content_Type="image/png")
    assert (reply.status, bool(reply.json["message"])) == (status, True)


def test_too_large_a_body_is_refused(served):
    reply = served.post("/explore/api/pass", bytes(11_000_000))
    assert (reply.status, reply.json["code"]) == (413, "too_large")


def drawing(*changes: tuple[int, float]) -> bytes:
    pixels = np.zeros(784, np.float32)
    for place, value in changes:
        pixels[place] = value
    return pixels.tobytes()


WRONG_DRAWINGS = {
    "short": b"1234",
    "of another network": np.zeros((32, 32, 3), np.float32).tobytes(),
    "doubles": np.zeros(784).tobytes(),
    "nan": drawing((7, np.nan)),
    "infinity": drawing((7, np.inf)),
    "dark": drawing((7, -1)),
    "light": drawing((7, 255.5)),
}


@pytest.mark.parametrize("kind", WRONG_DRAWINGS)
def test_wrong_drawings_are_refused_in_words(served, kind):
    reply = served.post("/explore/api/pass?network=lenet", WRONG_DRAWINGS[kind])
    assert reply.status == 400
    assert "drawing" in reply.json["message"]


def test_a_drawing_and_an_image_are_too_much(served):
    reply = served.post("/explore/api/pass?image=mnist:1", drawing())
    assert (reply.status, reply.json["code"]) == (400, "wrong")


# What strangers may type: {the address: the status of HTTP}; PASS is a pass with a class.
HOSTILE_QUESTIONS = {
    "network?network=nothing": 404, "network?network=training-99": 404,
    "network?network=../../etc/passwd": 404, "network?network=%00": 400,
    "network?network=training-99999999999999999999": 404, "network?network=" + "x" * 5000: 404,
    "values": 404, "values?pass=": 404, "values?pass=nothing&step=0": 404,
    "values?pass=PASS": 400, "values?pass=PASS&step=": 400, "values?pass=PASS&step=one": 400,
    "values?pass=PASS&step=-2": 400, "values?pass=PASS&step=10": 400,
    "values?pass=PASS&step=1e3": 400, "values?pass=PASS&step=%C2%B2": 400,
    "values?pass=PASS&step=99999999999999999999": 400, "values?pass=PASS&step=0x1": 400,
    "values?pass=PASS&step=1&of=both": 400, "values?pass=PASS&step=1&start=-1": 400,
    "values?pass=PASS&step=1&count=-1": 400, "values?pass=PASS&step=1&count=1000000": 400,
    "values?pass=PASS&step=1&start=x": 400, "values?pass=FREE&step=1&of=gradient": 409,
    "parameter?pass=PASS": 404, "parameter?pass=PASS&parameter=conv9/kernel": 404,
    "parameter?pass=FREE&parameter=conv1/kernel&of=gradient": 409,
    "number?pass=PASS": 400, "number?pass=PASS&step=1": 400, "number?pass=PASS&step=1&at=1": 400,
    "number?pass=PASS&step=1&at=1,2": 400, "number?pass=PASS&step=1&at=1,2,3,4": 400,
    "number?pass=PASS&step=1&at=24,0,0": 400, "number?pass=PASS&step=1&at=-1,0,0": 400,
    "number?pass=PASS&step=1&at=0,0,20": 400, "number?pass=PASS&step=1&at=a,b,c": 400,
    "number?pass=PASS&step=1&at=1,,2": 400, "number?pass=PASS&step=1&at=1.5,0,0": 400,
    "number?pass=PASS&step=1&at=nan,0,0": 400, "number?pass=PASS&step=-1&at=0,0,0": 200,
    "number?pass=PASS&step=1&at=" + ",".join("1" * 4000): 400,
    "number?pass=PASS&step=1&at=9999999999,0,0": 400, "number?pass=PASS&step=11&at=0": 400,
    "number?pass=PASS&step=10&at=0&of=gradient": 400, "number?pass=FREE&step=10": 409,
    "number?pass=FREE&step=1&at=0,0,0&of=gradient": 409,
    "weight?pass=PASS": 404, "weight?pass=PASS&parameter=conv1/kernel": 400,
    "weight?pass=PASS&parameter=conv1/kernel&at=5,0,0,0": 400,
    "weight?pass=PASS&parameter=conv1/bias&at=0,0": 400,
    "weight?pass=FREE&parameter=conv1/bias&at=0": 200,
    "change": 404, "change?before=PASS": 404, "change?before=PASS&after=x": 404,
    "images?source=web": 404, "images?source=folder": 404, "images?count=201": 400,
    "images?count=-1": 400, "images?start=-5": 400, "images?start=x": 400,
    "images?network=nothing": 404, "images?start=999999999": 200,
    "values?pass=PASS&step=1&start=99999999&count=4": 200, "values?pass=PASS&step=1&count=0": 200,
    "pass": 405, "check": 405, "nothing": 404,
}  # fmt: skip


@pytest.fixture(scope="module")
def passes(served):
    """A pass with a class, and one without."""
    found = (served.post_answer(f"pass?image=mnist:17{more}") for more in ("&label=7", ""))
    return {name: one.answer["id"] for name, one in zip(("PASS", "FREE"), found, strict=True)}


def test_there_are_60_hostile_questions():
    assert len(HOSTILE_QUESTIONS) >= 60


@pytest.mark.parametrize("question", HOSTILE_QUESTIONS, ids=lambda text: text[:60])
def test_hostile_questions_are_answered_in_words(served, passes, question):
    address = question
    for name, one in passes.items():
        address = address.replace(name, one)
    reply = served.ask("GET", f"/explore/api/{address}")
    assert reply.status == HOSTILE_QUESTIONS[question], reply.content
    if reply.status not in (200, 405):
        assert reply.json["message"] and reply.json["code"]


HOSTILE_POSTS = {
    "pass?network=nothing": 404, "pass?label=10": 400, "pass?label=-1": 400, "pass?label=x": 400,
    "pass?label=nan": 400, "pass?channels=-1": 400, "pass?channels=1e9": 400,
    "pass?channels=99999": 400, "pass?image=mnist:10000": 404, "pass?image=mnist:": 404,
    "pass?image=mnist:-1": 404, "pass?image=folder:../x.jpg": 404, "pass?image=x": 404,
    "pass?edit=pixel:0,0,0=nan": 400, "pass?edit=pixel:0,0,0=1e999": 400, "pass?edit=": 400,
    "pass?edit=pixel:99,0,0=1": 400, "pass?edit=parameter:none:0=1": 404,
    "pass?edit=parameter:conv1/bias:0=0x10": 400, "pass?" + "edit=pixel:0,0,0=1&" * 201: 400,
    "check": 404, "check?pass=PASS": 400, "check?pass=PASS&step=1&at=1": 400,
    "check?pass=PASS&parameter=x&at=1": 404, "check?pass=FREE&step=1&at=0,0,0": 409,
    "check?pass=PASS&step=10&at=0": 400, "networks": 405, "values": 405,
}  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE_POSTS, ids=lambda text: text[:60])
def test_hostile_posts_are_answered_in_words(served, passes, question):
    address = question
    for name, one in passes.items():
        address = address.replace(name, one)
    reply = served.post(f"/explore/api/{address}")
    assert reply.status == HOSTILE_POSTS[question], reply.content


def test_a_form_is_no_drawing(served):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert 400 <= served.post("/explore/api/pass", b"a=b", Content_Type=kind).status < 500


def test_posts_need_the_secret_of_the_page(served):
    assert served.ask("POST", "/explore/api/pass").status == 403


def test_huge_weights_are_answered_with_null(served):
    edits = "&edit=parameter:conv1/bias:0=1e30&edit=parameter:conv2/bias:0=-1e30"
    edits += "&edit=parameter:ip1/kernel:0,0=1e30"
    found = served.post_answer(f"pass?image=mnist:1&label=1{edits}").answer
    for step in range(11):
        place = ",".join("0" * (3 if step < 5 else 1))
        for of in ("value", "gradient")[: 1 if step == 10 else 2]:
            served.get_answer(f"number?pass={found['id']}&step={step}&at={place}&of={of}")
    assert served.post(f"/explore/api/check?pass={found['id']}&step=1&at=0,0,0").status == 200
    before = served.post_answer("pass?image=mnist:1&label=1").answer["id"]
    assert served.get_json(f"change?before={before}&after={found['id']}")["sentences"]


def test_images_of_a_folder_are_chosen(tmp_path):
    make_folder(tmp_path / "photos", {"cats": 2, "dogs": 1})
    with serving_explorer(folder=tmp_path / "photos") as served:
        found = served.get_answer("images?source=folder")
        assert found.tensors["thumbnails"].shape == (3, 64, 64, 3)
        address = found.answer["images"][0]["image"]
        assert served.post_answer(f"pass?image={address}").answer["image_label"] is None
        (tmp_path / "photos" / address.removeprefix("folder:")).write_bytes(b"damaged")
        reply = served.post(f"/explore/api/pass?image={address}")
        assert (reply.status, reply.json["code"]) == (422, "unreadable")
