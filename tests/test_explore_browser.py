"""The explorer in a real browser: drawing, tracing numbers, gradients, changes by hand, links."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("playwright", reason="pip install -e '.[dev]'")
from browser_tools import running_chromium, windows
from explore_pages import EXPLORER, draw, is_computed, of_module
from playwright.sync_api import Page, expect
from served_explorer import ServedExplorer, serving_explorer
from served_library import image_bytes

THREE = [(0.3, 0.25), (0.5, 0.2), (0.65, 0.3), (0.45, 0.48), (0.65, 0.62), (0.55, 0.8), (0.3, 0.75)]
ONE = [(0.5, 0.15), (0.5, 0.85)]
PLACES = 50  # random ones of each kind of layer
CERTAIN = f"{EXPLORER}?image=mnist:18&label=3"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    (folder / "blue.png").write_bytes(image_bytes("blue", "PNG"))
    with serving_explorer(folder=folder) as started:
        yield started


@pytest.fixture(scope="module")
def chromium(served):
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def open_page(chromium, served):
    with windows(chromium, served) as opened:
        yield opened


@pytest.fixture
def show(open_page) -> Callable[..., Page]:
    """Open an address of the explorer; nothing is animated."""

    def opened(address: str = EXPLORER, **options: object) -> Page:
        page = open_page(address, **{"reduced_motion": "reduce", **options})
        is_computed(page)
        return page

    return opened


def answer(page: Page):
    return page.locator(".says strong")


def map_of(page: Page, step: int, channel: int = 0):
    row = page.locator(f"section[aria-labelledby='step-title-{step}']")
    return row.locator(".strip").first.locator("canvas.map").nth(channel)


def colors_of(page: Page, step: int, channel: int = 0) -> str:
    return map_of(page, step, channel).evaluate("(canvas) => canvas.toDataURL()")


def click_number(page: Page, step: int, place: tuple[int, ...]) -> None:
    """Click a number of a map."""
    canvas = map_of(page, step, place[2])
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    width, height = (canvas.evaluate(f"(canvas) => canvas.{side}") for side in ("width", "height"))
    x, y = (place[1] + 0.5) / width * box["width"], (place[0] + 0.5) / height * box["height"]
    canvas.click(position={"x": x, "y": y}, force=True)


def panel_of(page: Page, title: str | re.Pattern[str]):
    """The window of a number, once it shows the one with this title."""
    panel = page.locator(".number-panel")
    expect(panel.locator(".number-title")).to_have_text(title)
    return panel


def test_a_drawing_has_its_class_and_its_maps(show):
    page = show()
    page.get_by_role("button", name="Clear").click()
    page.wait_for_url("**pixels=*")
    before = colors_of(page, 1)
    draw(page, ONE)
    expect(answer(page)).to_have_text("1")
    assert colors_of(page, 1) != before
    page.locator("#step-title-9").scroll_into_view_if_needed()  # rows are drawn when they are seen
    expect(page.locator(".step .bars .is-best")).to_contain_text("1")


def test_maps_appear_while_one_draws(show):
    page = show()
    page.get_by_role("button", name="Clear").click()
    page.wait_for_url("**pixels=*")
    before = colors_of(page, -1)
    box = page.locator(".pad").bounding_box()
    page.mouse.move(box["x"] + 140, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 200, steps=8)
    row = page.locator("section[aria-labelledby='step-title--1'] canvas.map").first
    handle = row.element_handle()
    page.wait_for_function("([canvas, old]) => canvas.toDataURL() !== old", arg=[handle, before])
    page.mouse.up()


def test_a_link_restores_a_drawing(show, served):
    page = show()
    page.get_by_role("button", name="Clear").click()
    said = page.locator("#said")
    expect(said).to_contain_text("Prediction: ")
    said.evaluate("(node) => { node.textContent = ''; }")
    draw(page, THREE)
    expect(said).to_contain_text("Prediction: ")  # the address has the drawing now
    seen, link = colors_of(page, -1), page.url.removeprefix(served.url)
    text = answer(page).text_content()
    other = show(link)
    expect(answer(other)).to_have_text(text)
    assert colors_of(other, -1) == seen


def test_the_eraser_takes_ink_away(show):
    page = show()
    page.get_by_role("button", name="Clear").click()
    draw(page, ONE)
    expect(answer(page)).to_have_text("1")
    ink = page.locator(".pad").evaluate(INK)
    page.get_by_role("button", name="Eraser").click()
    draw(page, ONE)
    assert page.locator(".pad").evaluate(INK) < 0.02 * ink


INK = """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    .data.reduce((sum, byte, k) => sum + (k % 4 ? 0 : byte), 0)"""


def test_an_image_is_chosen(show):
    page = show()
    page.get_by_role("button", name="Choose an image").click()
    expect(page.get_by_role("button", name="blue.png")).to_be_visible()
    page.get_by_role("button", name="Handwritten digits").click()
    page.get_by_role("button", name="digit 7, test image 0").click()
    page.wait_for_url("**image=mnist:0*label=7*")
    expect(answer(page)).to_have_text("7")
    expect(page.get_by_label("True class")).to_have_value("7")
    page.get_by_role("button", name="Choose an image").click()
    page.get_by_role("button", name="The folder").click()
    page.get_by_role("button", name="blue.png").click()
    page.wait_for_url("**image=folder:blue.png*")


def test_a_file_is_opened_and_can_be_linked_to(show, tmp_path):
    file = tmp_path / "green.png"
    file.write_bytes(image_bytes("green", "PNG"))
    page = show()
    page.get_by_role("button", name="Choose an image").click()
    page.get_by_label("Or open a file").set_input_files(file)
    page.wait_for_url("**pixels=*")
    data = page.evaluate_handle(DATA_OF, [list(image_bytes("white", "PNG")), "w.png", "image/png"])
    before = page.url
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    page.wait_for_function("(old) => location.href !== old && location.search.includes('pixels')",
                           arg=before)  # fmt: skip


DATA_OF = """([bytes, name, type]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, {type}));
    return data;
}"""


def test_a_file_that_is_no_image_is_refused_in_words(show):
    page = show()
    data = page.evaluate_handle(DATA_OF, [[1, 2], "a.txt", "text/plain"])
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(page.get_by_role("alert")).to_contain_text("This is not an image.")


@pytest.mark.parametrize(
    ("step", "place", "title"),
    [
        (1, (12, 9, 5), "Convolution · conv1, row 12, column 9, channel 5"),
        (2, (6, 6, 5), "Maximum of 2 x 2 · pool1, row 6, column 6, channel 5"),
        (3, (2, 3, 7), "Convolution · conv2, row 2, column 3, channel 7"),
    ],
)
def test_a_number_that_is_clicked_is_computed_again(show, step, place, title):
    page = show(CERTAIN)
    click_number(page, step, place)
    panel = panel_of(page, title)
    expect(panel.locator(".comparison")).to_contain_text("equal, as far as float32 can tell")
    values = (float(panel.get_attribute(f"data-{name}")) for name in ("own", "value"))
    np.testing.assert_allclose(*values, rtol=1e-5, atol=1e-6)
    assert re.search(rf"step={step}&.*at={','.join(map(str, place))}", page.url)
    frames = page.locator(f"section[aria-labelledby='step-title-{step - 1}'] .frame.is-read")
    expect(frames).to_have_count({1: 1, 2: 1, 3: 20}[step])


def test_pointing_at_a_number_says_its_value_and_its_place(show):
    page = show(CERTAIN)
    map_of(page, 1, 5).hover(position={"x": 30, "y": 30})
    tooltip = page.locator(".tooltip-box")
    expect(tooltip).to_contain_text(re.compile(r"^−?[0-9.]+row \d+, column \d+, channel 5$"))
    page.mouse.move(0, 0)
    expect(tooltip).to_be_hidden()


def test_a_dense_sum_shows_its_largest_terms(show):
    page = show(f"{CERTAIN}&step=8&at=3")
    panel = panel_of(page, "Dense · ip2, number 3")
    expect(panel.locator(".terms tbody tr")).to_have_count(13)
    expect(panel.locator(".terms .others")).to_contain_text("the other 488 together")


# The page's own functions on the server's answers, for a whole list of places at once.
OWN_VALUES = """async (m, pass, questions) => {
    const {getBinary} = await import("/static/explore/server.js");
    const {termsOf} = await import("/static/explore/terms.js");
    return Promise.all(questions.map(async (parameters) => {
        const {answer, tensors} = await getBinary("number", {parameters: {pass, ...parameters}});
        const own = m.ownValue({...answer, of: parameters.of}, termsOf(tensors));
        return [own.value, answer.value, own.equal];
    }));
}"""
VALUES_AT = """async (m, pass, of, step) => {
    const {tensors} = await m.getBinary("values", {parameters: {pass, of, step, count: 4096}});
    return [tensors.values.shape, Array.from(tensors.values.data)];
}"""


def pass_of(served: ServedExplorer, network: str = "lenet", image: int = 18, label: int = 3) -> str:
    address = f"pass?network={network}&image=mnist:{image}&label={label}"
    return served.post_answer(address).answer["id"]


def random_places(shape: list[int], seed: int) -> list[tuple[int, ...]]:
    numbers = np.random.default_rng(seed).integers(0, np.prod(shape), PLACES)
    return list(zip(*(axis.tolist() for axis in np.unravel_index(numbers, shape)), strict=True))


def asked(step: int, places: list[tuple[int, ...]], of: str) -> list[dict[str, object]]:
    return [{"step": step, "at": ",".join(map(str, place)), "of": of} for place in places]


@pytest.mark.parametrize("of", ["value", "gradient"])
@pytest.mark.parametrize("step", range(10))
def test_the_page_computes_what_the_engine_computed(show, served, step, of):
    """50 random places of each layer: rescaling, convolution, pooling, dense, ReLU, softmax."""
    page = show(CERTAIN)
    name = pass_of(served)
    shape, data = of_module(page, "server", VALUES_AT, name, of, step)
    places = random_places(shape, step)
    found = of_module(page, "own_value", OWN_VALUES, name, asked(step, places, of))
    shown = np.reshape(data, shape)
    for place, (own, engine, equal) in zip(places, found, strict=True):
        assert equal, place
        assert engine == shown[place]
        assert own == pytest.approx(engine, rel=2e-4, abs=2e-6)


def test_the_page_computes_the_loss(show, served):
    page = show(CERTAIN)
    [(own, engine, equal)] = of_module(
        page, "own_value", OWN_VALUES, pass_of(served), [{"step": 10}]
    )
    assert equal
    assert own == pytest.approx(engine, abs=1e-6)


def test_maps_show_gradients(show):
    page = show(f"{EXPLORER}?image=mnist:18")
    expect(page.get_by_role("button", name="Gradients", exact=True)).to_be_disabled()
    page.get_by_label("True class").select_option("3")
    expect(page.get_by_role("button", name="Loss ")).to_be_visible()
    before = colors_of(page, 1)
    page.get_by_role("button", name="Gradients", exact=True).click()
    page.wait_for_url("**show=gradient*")
    expect(page.locator(".backward .hint")).to_contain_text("How the loss changes")
    canvas = map_of(page, 1).element_handle()
    page.wait_for_function("([canvas, old]) => canvas.toDataURL() !== old", arg=[canvas, before])
    click_number(page, 2, (6, 6, 5))
    panel = panel_of(page, re.compile("^Gradient: Maximum"))
    expect(panel.locator(".comparison")).to_contain_text("equal")


def test_gradients_are_finite_differences(show, served):
    """50 random numbers of the input and 50 weights, with the button's own question."""
    page = show(CERTAIN)
    name = pass_of(served, "lenet-epoch-0")
    pixels = [{"step": -1, "at": ",".join(map(str, at))} for at in random_places([28, 28, 1], 1)]
    weights = [
        {"parameter": "conv1/kernel", "at": ",".join(map(str, at))}
        for at in random_places([5, 5, 1, 20], 2)
    ]
    found = of_module(page, "server", CHECKS, name, [*pixels, *weights])
    for one in found:
        if not one["kinks"]:
            scale = abs(one["gradient"]) + 1e-6
            assert abs(one["difference"] - one["gradient"]) < 1e-3 * scale
    assert sum(not one["kinks"] for one in found) >= PLACES


CHECKS = """(m, pass, questions) => Promise.all(questions.map((parameters) =>
    m.postJson("check", {}, {parameters: {pass, ...parameters}})))"""


def test_a_weight_shows_where_its_gradient_comes_from_and_is_checked(show):
    page = show(CERTAIN)
    click_number(page, 1, (12, 9, 5))
    panel = panel_of(page, re.compile("^Convolution · conv1"))
    panel.get_by_role("button", name=re.compile("^weight ")).nth(12).click()
    panel = panel_of(page, "Weight conv1/kernel [2,2,0,5]")
    expect(panel).to_contain_text("is used at 576 places")
    expect(panel.locator(".comparison")).to_contain_text("equal")
    expect(panel.locator(".weight-maps canvas")).to_have_count(3)
    expect(page.locator(".step .overlay")).to_have_count(1)
    panel.get_by_role("button", name="Check it").click()
    expect(panel.locator(".check-table")).to_contain_text("difference quotient")
    expect(panel.locator(".check-out")).to_contain_text("They agree")


def test_a_number_is_traced_back_to_the_image(show):
    page = show(f"{CERTAIN}&step=2&at=6,6,5")
    panel = panel_of(page, re.compile("^Maximum"))
    panel.get_by_role("button", name=re.compile("row 12, column 12")).click()
    panel = panel_of(page, re.compile("^Convolution · conv1, row 12, column 12, channel 5"))
    panel.locator(".heat button").first.click()
    panel = panel_of(page, re.compile("^Rescaling"))
    panel.locator(".number-chip").click()
    panel = panel_of(page, "Input, row 12, column 12, channel 0")
    trail = panel.get_by_role("navigation", name="Path to this number")
    expect(trail.get_by_role("button")).to_have_count(3)
    trail.get_by_role("button").first.click()
    panel_of(page, re.compile("^Maximum"))
    page.go_back()
    panel_of(page, re.compile("^Input"))


def test_the_sum_runs_up_term_by_term(show):
    page = show(f"{CERTAIN}&step=1&at=12,9,5")
    panel = panel_of(page, re.compile("^Convolution"))
    slider = panel.get_by_role("slider", name="Term")
    slider.fill("3")
    expect(panel.locator(".sum-words")).to_contain_text("3 of 25")
    expect(panel.locator(".heat-cell.is-now")).to_have_count(3)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("after 3 terms"))


def test_the_sum_is_animated(show):
    page = show(f"{CERTAIN}&step=1&at=12,9,5", reduced_motion="no-preference")
    panel = panel_of(page, re.compile("^Convolution"))
    expect(panel.get_by_role("button", name="Pause")).to_be_visible()
    expect(panel.get_by_role("button", name="Play")).to_be_visible()
    expect(panel.locator(".sum-words")).to_contain_text("25 of 25")


def test_a_weight_that_is_changed_moves_the_probabilities(show, served):
    page = show(f"{CERTAIN}&parameter=conv1/kernel&at=2,2,0,5")
    panel = panel_of(page, "Weight conv1/kernel [2,2,0,5]")
    before = page.locator(".says").text_content()
    panel.get_by_label("New value", exact=True).fill("40")
    page.wait_for_url("**edit=parameter:conv1/kernel:2,2,0,5%3D40**")
    expect(page.locator(".says")).not_to_have_text(before)
    expect(page.locator(".why-words")).to_contain_text("conv1/kernel")
    expect(page.locator(".says ~ .bars .bar-before:visible").first).to_be_visible()
    other = show(page.url.removeprefix(served.url))
    expect(other.locator(".says")).to_have_text(page.locator(".says").text_content())
    page.locator(".edits").get_by_role("button", name="Undo").click()
    expect(page.locator(".says")).to_have_text(before)
    expect(page.locator(".edits-panel")).to_be_hidden()


def test_a_pixel_is_changed(show):
    page = show(f"{CERTAIN}&step=-1&at=12,12,0")
    panel = panel_of(page, "Input, row 12, column 12, channel 0")
    panel.get_by_role("slider", name="New value, with a slider").fill("0")
    page.wait_for_url("**edit=pixel:12,12,0%3D0*")
    expect(panel.locator(".number-value")).to_have_text("0")
    expect(page.locator(".edits li")).to_have_text(re.compile("^Pixel"))
    page.get_by_role("button", name="Undo all").click()
    expect(panel.locator(".number-value")).not_to_have_text("0")


def test_weights_are_shown_and_chosen(show):
    page = show(CERTAIN)
    row = page.locator("section[aria-labelledby='step-title-3']")
    row.get_by_text("Weights", exact=True).click()
    expect(row.locator(".parameter canvas.map").first).to_be_visible()
    row.locator(".parameter input").fill("7")
    kernel = row.get_by_role("application", name="Values of conv2/kernel, map 7.")
    kernel.locator("canvas").nth(2).click(position={"x": 2, "y": 2}, force=True)
    panel_of(page, "Weight conv2/kernel [0,0,2,7]")


def test_the_back_button_goes_back(show):
    page = show(CERTAIN)
    click_number(page, 1, (3, 3, 0))
    panel_of(page, re.compile("row 3, column 3"))
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".pair").first).to_be_visible()
    page.go_back()
    panel_of(page, re.compile("row 3, column 3"))
    page.go_back()
    expect(page.locator(".number-panel")).to_be_hidden()
    expect(answer(page)).to_have_text("3")


def test_two_epochs_are_compared(show):
    page = show(f"{CERTAIN}&view=compare&with=lenet-epoch-0")
    expect(page.locator(".says")).to_have_count(2)
    expect(page.locator(".pair")).to_have_count(10)
    words = page.locator(".pair-words")
    expect(words.first).to_have_text("no difference")
    expect(words.nth(1)).to_contain_text("largest difference")
    second = page.locator(".pair").nth(1).locator(".pair-side").nth(1).locator("canvas").nth(1)
    before = second.evaluate("(canvas) => canvas.toDataURL()")
    page.get_by_role("button", name="Second minus first").click()
    page.wait_for_function(
        "([canvas, old]) => canvas.toDataURL() !== old", arg=[second.element_handle(), before]
    )


def test_the_keyboard_is_enough(show):
    page = show(CERTAIN)
    strip = page.locator("section[aria-labelledby='step-title-1'] .strip").first
    strip.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "PageDown"):
        page.keyboard.press(key)
    expect(page.locator("#said")).to_contain_text("row 1, column 2, channel 1")
    page.keyboard.press("Enter")
    panel = panel_of(page, re.compile("row 1, column 2, channel 1"))
    expect(panel.locator(".number-title")).to_be_focused()
    panel.locator(".heat button").first.focus()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".heat button").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    panel_of(page, re.compile("^Rescaling"))
    page.keyboard.press("Escape")
    expect(page.locator(".number-panel")).to_be_hidden()


def test_another_network_is_chosen(show):
    page = show(CERTAIN)
    page.locator("#network-choice").select_option("lenet-epoch-0")
    page.wait_for_url("**network=lenet-epoch-0*")
    expect(page.locator(".says")).not_to_contain_text("100")
    expect(page.locator(".fused").first).to_contain_text("In one go")


def test_large_type_is_for_projectors(show):
    page = show(CERTAIN)
    before = page.evaluate("getComputedStyle(document.documentElement).fontSize")
    page.get_by_role("button", name="Large type").click()
    page.wait_for_url("**projector=1*")
    after = page.evaluate("getComputedStyle(document.documentElement).fontSize")
    assert float(after.removesuffix("px")) > 1.3 * float(before.removesuffix("px"))


def test_the_maps_have_room_beside_a_number_in_large_type(show):
    page = show(f"{CERTAIN}&projector=1&show=gradient&step=3&at=2,2,3&of=gradient")
    expect(page.locator(".number-panel .number-text")).to_be_visible()
    boxes = [page.locator(one).bounding_box() for one in (".steps-column", ".number-panel")]
    assert min(box["width"] for box in boxes) > 0.4 * page.viewport_size["width"]


def test_an_address_with_a_change_that_is_none_says_so(show):
    page = show(CERTAIN)
    page.goto(page.url + "&edit=zz")
    expect(page.locator("#toasts")).to_contain_text("an edit is written as")
    page.get_by_role("button", name="Undo: zz").click()
    expect(answer(page)).to_have_text("3")


def test_a_pass_that_the_server_forgot_is_made_again(show, served):
    page = show(CERTAIN)
    served.explorer.passes = type(served.explorer.passes)()
    click_number(page, 1, (3, 3, 0))
    panel_of(page, re.compile("row 3, column 3"))


AXE = Path(__file__).parent / "axe" / "axe.min.js"
VIEWS = {
    "values": CERTAIN,
    "gradients": f"{CERTAIN}&show=gradient&step=1&at=12,9,5&of=gradient",
    "a window": f"{CERTAIN}&step=3&at=2,3,7&edit=pixel:1,1,0=9",
    "a weight": f"{CERTAIN}&parameter=conv1/kernel&at=2,2,0,5",
    "a dense unit": f"{CERTAIN}&step=8&at=3",
    "a comparison": f"{CERTAIN}&view=compare",
}


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hinders(show, served, scheme, width):
    """Nothing is wider than the window, and axe finds nothing in any view."""
    size = {"width": width, "height": 800}
    page = show(viewport=size, color_scheme=scheme)
    for address in VIEWS.values():
        page.goto(served.url + address)
        is_computed(page)
        if "at=" in address:
            expect(page.locator(".comparison")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run()")
        problems = [
            (one["id"], one["impact"], [node["html"] for node in one["nodes"]])
            for one in found["violations"]
        ]
        assert problems == [], address
