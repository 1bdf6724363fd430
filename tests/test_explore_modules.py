"""The modules of the explorer's page, each by itself, in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("playwright", reason="pip install -e '.[dev]'")
from browser_tools import running_chromium, windows
from explore_pages import EXPLORER, is_computed, of_module
from playwright.sync_api import Page
from served_explorer import serving_explorer

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def served():
    with serving_explorer() as started:
        yield started


@pytest.fixture(scope="module")
def page(served):
    with running_chromium() as browser, windows(browser, served) as opened:
        found = opened(EXPLORER)
        is_computed(found)
        yield found


@pytest.fixture
def run(page: Page) -> Run:
    """Run a function of JavaScript on a module."""
    return lambda module, code, *given: of_module(page, module, code, *given)


def test_an_address_is_read(run):
    found = run("address", "(m) => m.parse('?view=network&edit=a=1&edit=b=2&at=1,2,3')")
    assert found == {"view": "network", "edit": ["a=1", "b=2"], "at": "1,2,3"}


def test_an_address_is_written_as_it_is_read(run):
    state = {"network": "lenet", "edit": ["parameter:conv1/kernel:0,0,0,3=0.5", "pixel:1,2,0=7"]}
    query = run("address", "(m, state) => m.format(state)", state)
    assert query.startswith("network=lenet&edit=parameter:conv1/kernel:0,0,0,3%3D0.5")
    assert run("address", "(m, query) => m.parse(query)", query) == state


def test_what_is_empty_is_not_in_an_address(run):
    assert run("address", "(m) => m.format({a: null, b: '', c: [], d: '0'})") == "d=0"


ARRAYS = {
    "f": np.array([[1.5, -2], [3, np.pi]], np.float32),
    "d": np.array([1e-300, 0.1]),
    "i": np.array([[1, -2, 3]], np.int32),
    "u": np.arange(3, dtype=np.uint8),
}


def decoded(run: Run, content: bytes) -> Any:
    code = """(m, bytes) => {
        const {answer, tensors} = m.decode(Uint8Array.from(bytes).buffer);
        const plain = ([name, {shape, data}]) => [name, [shape, Array.from(data)]];
        return {answer, tensors: Object.fromEntries(Object.entries(tensors).map(plain))};
    }"""
    return run("safetensors", code, list(content))


def test_safetensors_are_decoded_as_python_wrote_them(run):
    answer = {"text": "e^x ≥ 0", "list": [1, None]}
    found = decoded(run, save(ARRAYS, metadata={"answer": json.dumps(answer)}))
    assert found["answer"] == answer
    for name, array in ARRAYS.items():
        shape, data = found["tensors"][name]
        assert shape == list(array.shape)
        assert data == array.ravel().tolist()


def test_a_type_that_is_not_known_is_named(run):
    content = save({"x": np.zeros(2, np.float16)}, metadata={"answer": "{}"})
    with pytest.raises(Exception, match="The numbers have the type F16"):
        decoded(run, content)


def test_parameters_that_are_null_are_not_asked_for(run):
    code = "(m) => m.address('pass', {network: 'a b', label: null, edit: ['x=1', 'y=2']})"
    found = run("server", code)
    assert found == "/explore/api/pass?network=a+b&edit=x%3D1&edit=y%3D2"


def test_values_on_both_sides_of_zero_have_zero_in_the_middle(run):
    assert run("colors", "(m) => m.scaleFor(-1, 3)") == {"kind": "diverging", "from": -3, "to": 3}
    assert run("colors", "(m) => m.scaleFor(0.5, 3)") == {"kind": "sequential", "from": 0, "to": 3}


def css(run: Run, scale: str, value: float) -> list[int]:
    found = run("colors", f"(m) => m.cssColor(m.scaleFor({scale}), {value}).background")
    return [int(one) for one in found.removeprefix("rgb(").removesuffix(")").split()]


def test_negative_numbers_are_blue_and_positive_ones_orange(run):
    red, _, blue = css(run, "-1, 1", 0.6)
    assert red > blue + 80
    red, _, blue = css(run, "-1, 1", -0.6)
    assert blue > red + 80


def test_zero_has_the_same_color_in_both_scales(run):
    gap = np.subtract(css(run, "-1, 1", 0), css(run, "0, 1", 0))
    assert np.abs(gap).max() <= 4


def test_numbers_beyond_the_scale_have_the_color_of_its_end(run):
    assert css(run, "0, 1", 7) == css(run, "0, 1", 1)
    assert css(run, "-1, 1", -7) == css(run, "-1, 1", -1)


def test_a_map_is_painted_number_by_number(run):
    code = """(m) => {
        const canvas = m.mapCanvas(2, 1);
        const tensor = {shape: [1, 2, 2], data: Float32Array.of(9, 0, 9, 255)};
        m.paint(canvas, tensor, 1, {kind: "gray", from: 0, to: 255});
        return Array.from(canvas.getContext("2d").getImageData(0, 0, 2, 1).data);
    }"""
    assert run("maps", code) == [0, 0, 0, 255, 255, 255, 255, 255]


def test_colors_are_painted_as_they_are(run):
    code = """(m) => {
        const canvas = m.mapCanvas(1, 1);
        m.paintColors(canvas, {data: Float32Array.of(10, 20, 300)});
        return Array.from(canvas.getContext("2d").getImageData(0, 0, 1, 1).data);
    }"""
    assert run("maps", code) == [10, 20, 255, 255]


@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 4, 3)])
def test_a_drawing_goes_into_an_address_and_back(run, shape):
    values = np.random.default_rng(0).integers(0, 256, shape).ravel().tolist()
    code = """async (m, values, shape) =>
        Array.from(await m.decode(await m.encode(values, shape[2]), shape))"""
    assert run("pixels", code, values, shape) == values


def test_gray_drawings_have_one_byte_for_all_channels(run):
    values = np.repeat(np.random.default_rng(0).integers(0, 256, 100), 3).tolist()
    code = "async (m, values) => (await m.encode(values, 3)).length"
    assert run("pixels", code, values) < 150
    code = "async (m, values) => Array.from(await m.decode(await m.encode(values, 3), [10, 10, 3]))"
    assert run("pixels", code, values) == values


def test_a_drawing_of_another_shape_is_none(run):
    code = "async (m, text) => m.decode(text ?? (await m.encode([1, 2], 1)), [3, 1, 1])"
    assert run("pixels", code, None) is None
    assert run("pixels", code, "no drawing") is None


CENTER = """(m, x, y) => {
    const canvas = new OffscreenCanvas(280, 280);
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, 280, 280);
    context.fillStyle = "white";
    context.fillRect(x, y, 40, 100);
    return Array.from(m.inputFrom(canvas, [28, 28, 1], true));
}"""


@pytest.mark.parametrize("corner", [(0, 0), (200, 170), (33, 101)])
def test_a_digit_fills_a_box_in_the_middle_wherever_it_was_drawn(run, corner):
    image = np.array(run("digits", CENTER, *corner)).reshape(28, 28)
    rows, columns = np.nonzero(image > 60)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (20, 8)
    center = [(image.sum(axis) * (np.arange(28) + 0.5)).sum() / image.sum() for axis in (0, 1)]
    np.testing.assert_allclose(center, 14, atol=0.3)


def test_an_empty_drawing_is_black(run):
    code = "(m) => Array.from(m.inputFrom(new OffscreenCanvas(9, 9), [28, 28, 1], true))"
    assert run("digits", code) == [0] * 784


def test_a_large_network_sees_a_picture_in_its_colors(run):
    code = """(m) => {
        const canvas = new OffscreenCanvas(100, 100);
        const context = canvas.getContext("2d");
        context.fillStyle = "rgb(10 20 30)";
        context.fillRect(0, 0, 100, 100);
        return Array.from(m.inputFrom(canvas, [50, 50, 3], true));
    }"""
    image = np.array(run("digits", code)).reshape(50, 50, 3)
    assert (image == [10, 20, 30]).all()


def formula(run: Run, code: str) -> str:
    return run("formulas", f"(m) => ({code}).textContent")


def test_formulas_have_the_numbers(run):
    terms = "[{input: 0.5, weight: -2}, {input: 3, weight: 4}]"
    code = f"m.sumWithNumbers({{bias: 0.25, terms: {terms}, count: 2, value: 11.25}})"
    assert formula(run, code) == "0.25+0.5·(−2)+3·4=11.25"
    assert formula(run, "m.maximumWithNumbers([1, 3], 3)") == "max(1,3)=3"
    assert formula(run, "m.crossEntropyWithNumbers(0.5, 0.6931472)") == "−ln0.5=0.6931"


def test_long_sums_are_cut(run):
    code = (
        """m.sumWithNumbers({terms: Array(9).fill({input: 1, weight: 2}), count: 9, value: 18})"""
    )
    assert formula(run, code) == "1·2+1·2+…=18"


def test_formulas_are_mathml(run):
    code = "(m) => [m.inLetters('convolution').firstChild.namespaceURI, m.inLetters('nothing')]"
    assert run("formulas", code) == ["http://www.w3.org/1998/Math/MathML", None]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-12.3456, "−12.35"), (0.5, "0.5"), (1.25e-7, "1.25·10⁻⁷"), (-3e9, "−3·10⁹")],
)
def test_numbers_are_written_short(run, value, text):
    assert run("numbers", "(m, value) => m.short(value)", value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.314, "−.31"), (1.72, "1.7"), (-12.3, "−12"), (1e-3, "≈0"), (0.999, "1")],
)
def test_numbers_in_cells_are_written_in_four_letters(run, value, text):
    assert run("numbers", "(m, value) => m.tiny(value)", value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 %"), (0.00001, "< 0.1 %"), (0.088, "8.8 %"), (0.914, "91 %"), (0.9999, "100.0 %")],
)
def test_probabilities_are_written_in_percent(run, value, text):
    assert run("numbers", "(m, value) => m.percent(value)", value) == text


def test_a_text_that_is_no_edit_is_shown_as_it_is(run):
    code = """(m, edits) => {
        const panel = new m.EditsPanel({ onchange() {} });
        panel.show(edits);
        return panel.list.textContent;
    }"""
    assert run("edits", code, ["no edit"]) == "no editUndo"


def test_an_edit_is_read_and_replaced(run):
    edit = "parameter:conv1/kernel:0,0,0,3=0.5"
    found = run("edits", "(m, edit) => m.parseEdit(edit)", edit)
    assert found == {"parameter": "conv1/kernel", "at": "0,0,0,3", "value": 0.5}
    code = "(m, list) => m.withEdit(list, {parameter: 'conv1/kernel', at: '0,0,0,3', value: 2})"
    assert run("edits", code, ["pixel:1,1,0=3", edit]) == [
        "pixel:1,1,0=3",
        "parameter:conv1/kernel:0,0,0,3=2",
    ]
    code = "(m, list) => m.withoutEdit(list, {parameter: null, at: '1,1,0'})"
    assert run("edits", code, ["pixel:1,1,0=3", edit]) == [edit]


def test_only_the_newest_task_is_done(run):
    code = """async (m) => {
        const done = [];
        const task = m.newest(async (one) => {
            await new Promise((then) => setTimeout(then, 20));
            done.push(one);
        });
        task(1); task(2); task(3);
        await task(4);
        return done;
    }"""
    assert run("newest", code) == [1, 4]


def test_a_trail_is_written_as_it_is_read(run):
    trail = "1:10,8,3*conv1/kernel:0,0,0,3*-1:4,4,0*10:"
    assert run("trail", "(m, trail) => m.formatTrail(m.parseTrail(trail))", trail) == trail


GRID = (
    "(m, terms, window) => m.grid(terms, window).map((row) => row.map((one) => one?.index ?? null))"
)
WINDOW = {"y": -1, "x": 4, "height": 2, "width": 2}


def test_terms_without_weights_are_where_they_read(run):
    terms = [{"index": 0, "place": None}, {"index": 1, "place": [0, 5, 0]}]
    assert run("terms", GRID, terms, WINDOW) == [[None, None], [None, 1]]


def test_terms_with_weights_are_where_their_weights_are(run):
    terms = [{"index": k, "place": None, "weightPlace": [k // 3, k % 3, 0, 0]} for k in range(6)]
    assert run("terms", GRID, terms, WINDOW) == [[0, 1, 2], [3, 4, 5]]


def test_the_largest_differences_are_found(run):
    code = """(m) => m.largestPlaces({shape: [1, 2, 2], data: [0, -5, 1, 3]}, 2)"""
    assert run("pair_row", code) == [[0, 0, 1], [0, 1, 1]]


def test_places_of_maps_are_framed_together(run):
    terms = [{"step": 3, "place": place} for place in ([1, 2, 0], [4, 0, 0], [2, 2, 5], None)]
    assert run("boxes", "(m, terms) => m.boxesOf(terms)", terms) == [
        {"step": 3, "channel": 0, "y": 1, "x": 0, "height": 4, "width": 3},
        {"step": 3, "channel": 5, "y": 2, "x": 2, "height": 1, "width": 1},
    ]


FUSED = """(m, groups) => {
    const rows = [-1, 0, 1, 2, 3].map((index) => {
        const element = document.createElement("section");
        element.textContent = `step ${index}. `;
        return {step: {index}, element};
    });
    return m.bracketed(rows, groups, (index) => rows[index + 1]).map((one) => one.textContent);
}"""


def test_steps_of_one_kernel_are_in_a_bracket(run):
    found = run("fused", FUSED, [{"steps": [1, 2], "text": "One kernel."}])
    assert found == ["step -1. ", "step 0. ", "In one go One kernel.step 1. step 2. ", "step 3. "]


def test_steps_with_others_between_them_keep_their_order(run):
    found = run("fused", FUSED, [{"steps": [1, 3], "text": "One kernel."}])
    assert found[2:] == ["step 1. ", "step 2. ", "step 3. In one go with step 1. One kernel."]


def test_what_a_step_reads_is_said_where_it_is_not_the_step_above(run):
    code = "(m, step) => m.readsText(step)"
    assert run("step_row", code, {"index": 4, "reads": [{"step": 3}]}) == ""
    assert run("step_row", code, {"index": 0, "reads": [{"input": 0}]}) == ""
    found = run("step_row", code, {"index": 7, "reads": [{"input": 0}, {"step": 6}]})
    assert found == "reads the input and step 6"


def test_pixels_and_what_a_network_is_fed_are_converted(run):
    code = """(m, tensor, network) => Array.from(m.asPixels(tensor, network).data)"""
    network = {"black": [-1, 1], "white": [1, 0]}
    tensor = {"shape": [1, 2, 2], "data": [-1, 1, 1, 0.8]}
    np.testing.assert_allclose(run("units", code, tensor, network), [0, 0, 255, 51], atol=1e-4)
    assert run("units", "(m, n) => m.inputRange(n)", network) == {"minimum": -1, "maximum": 1}
