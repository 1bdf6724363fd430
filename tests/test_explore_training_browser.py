"""Networks are built and trained on the page, in Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
pytest.importorskip("playwright", reason="pip install -e '.[dev]'")
from browser_tools import running_chromium, windows
from explore_pages import of_module
from playwright.sync_api import Locator, Page, expect
from served_explorer import serving_explorer

AXE = Path(__file__).parent / "axe" / "axe.min.js"
BUILD = "/explore/?view=build"
# The second convolution is larger than the image that it reads.
WRONG = f"{BUILD}&blocks=maxpooling2d_7_7-conv2d_8_3-conv2d_8_5-flatten-dense_24"
SMALL = "blocks=maxpooling2d_4_4-conv2d_8_3-flatten-dense_24&batch=32&rate=0.03"
TRAINING = f"/explore/?view=training&{SMALL}"


@pytest.fixture(scope="module")
def served():
    with serving_explorer() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(served):
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def open_page(chromium, served):
    with windows(chromium, served) as opened:
        yield opened


def titles(page: Page) -> list[str]:
    """The kinds of the blocks on the page, in their order."""
    return page.locator(".blocks .block-title").all_text_contents()


def card(page: Page, number: int) -> Locator:
    return page.locator(".blocks .block").nth(number - 1)


def kinds(page: Page, *expected: str) -> None:
    expect(page.locator(".blocks .block-title")).to_have_text(list(expected))


def test_a_network_with_an_error_is_mended_and_trained(open_page):
    page = open_page(WRONG)
    problem = card(page, 3).locator(".block-problem")
    expect(problem).to_contain_text(
        "Block 3, Conv2D: the image is only 2 x 2 here, and the kernel is 5 x 5; use padding "
        "'same', a smaller kernel, or fewer pooling layers."
    )
    train = page.get_by_role("button", name="Train it")
    expect(train).to_be_disabled()
    expect(card(page, 2).locator(".block-shape")).to_contain_text("2 × 2, 8 maps")
    expect(card(page, 4).locator(".block-shape")).to_have_text("not known")
    card(page, 3).get_by_label("Padding").select_option("same")
    expect(problem).to_be_hidden()
    expect(card(page, 3).locator(".block-shape")).to_contain_text("2 × 2, 8 maps")
    expect(page.locator(".build-summary")).to_contain_text("2,730 weights; 16 thousand operations")
    train.click()
    expect(page.get_by_role("list", name="Layers")).to_contain_text("Output")
    assert "conv2d_8_5_1_same" in page.url
    page.get_by_role("button", name="Start the training").click()
    reach(page, 20)


def test_blocks_are_added_moved_and_removed_with_the_keyboard(open_page):
    page = open_page(WRONG)
    kinds(page, "MaxPooling2D", "Conv2D", "Conv2D", "Flatten", "Dense")
    page.get_by_role("button", name="Move block 1, MaxPooling2D:").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    kinds(page, "Conv2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense")
    expect(page.locator("#said")).to_have_text("MaxPooling2D is block 3 of 5 now")
    page.keyboard.press("ArrowUp")
    kinds(page, "Conv2D", "MaxPooling2D", "Conv2D", "Flatten", "Dense")
    page.get_by_role("button", name="Remove block 1, Conv2D").press("Enter")
    kinds(page, "MaxPooling2D", "Conv2D", "Flatten", "Dense")
    page.get_by_role("button", name="+ Dropout").press("Enter")
    page.get_by_role("button", name="+ AveragePooling2D").press("Enter")
    kinds(page, "MaxPooling2D", "Conv2D", "AveragePooling2D", "Flatten", "Dense", "Dropout")
    page.get_by_role("button", name="Move down block 4, Flatten").press("Enter")
    kinds(page, "MaxPooling2D", "Conv2D", "AveragePooling2D", "Dense", "Flatten", "Dropout")
    expect(card(page, 2).locator(".block-problem")).to_contain_text("only 4 x 4 here")


def test_blocks_are_dragged(open_page):
    page = open_page(f"{BUILD}&blocks=conv2d_8_3-maxpooling2d-flatten")
    kinds(page, "Conv2D", "MaxPooling2D", "Flatten")
    card(page, 1).locator(".block-handle").drag_to(card(page, 2))
    kinds(page, "MaxPooling2D", "Conv2D", "Flatten")


def test_a_link_restores_the_blocks(open_page):
    page = open_page(BUILD)
    kinds(page, "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense")
    card(page, 1).get_by_label("Kernels").fill("7")
    card(page, 1).get_by_label("Activation").select_option("gelu")
    page.get_by_role("button", name="Remove block 2").click()
    page.get_by_role("button", name="+ Dropout").click()
    page.wait_for_url("**blocks=*dropout*")
    other = open_page(page.url.partition("/explore/")[2].join(["/explore/", ""]))
    kinds(other, *titles(page))
    expect(card(other, 1).get_by_label("Kernels")).to_have_value("7")
    expect(card(other, 1).get_by_label("Activation")).to_have_value("gelu")


def test_an_address_with_nonsense_shows_what_can_be_read(open_page):
    page = open_page(f"{BUILD}&data=nothing&blocks=conv2d_9999_x-alert(1)-flatten_3--dense")
    kinds(page, "Conv2D", "Flatten", "Dense")
    expect(card(page, 1).get_by_label("Kernels")).to_have_value("256")
    expect(card(page, 1).get_by_label("Size")).to_have_value("3")


def test_numbers_out_of_range_become_possible_ones(open_page):
    page = open_page(f"{BUILD}&blocks=conv2d-flatten")
    kernels = card(page, 1).get_by_label("Kernels")
    kernels.fill("100000")
    kernels.press("Tab")
    expect(kernels).to_have_value("256")
    page.get_by_role("button", name="LeNet-5").click()
    expect(page.locator(".build-summary")).to_contain_text("61,706 weights")


def test_packed_blocks_are_read_as_they_were(open_page):
    page = open_page(BUILD)
    kinds(page, "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense")
    code = """async (m, text) => {
        const {kinds} = await (await fetch("/explore/api/blocks")).json();
        return m.packBlocks(m.unpackBlocks(text, kinds), kinds);
    }"""
    for text in ("conv2d_20_5-flatten", "dropout_0.5-activation_tanh", "conv2d_16_3_1_same"):
        assert of_module(page, "blocks_address", code, text) == text
    assert of_module(page, "blocks_address", code, "conv2d_16_3_1_valid_relu") == "conv2d"


def test_numbers_are_made_for_people(open_page):
    page = open_page(BUILD)
    kinds(page, "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense")
    rates = of_module(page, "training_controls", "(m) => [-6, -1.5, 0, 1].map(m.rateAt)")
    assert rates == [1e-6, 0.032, 1, 10]
    means = of_module(page, "charts", "(m) => [...m.smoothed([4, 1, 1], 0.5)]")
    assert means == pytest.approx([4, 2, 10 / 7])
    text = "(m) => [[28, 28, 1], [800], null].map(m.shapeText)"
    assert of_module(page, "blocks_volume", text) == ["28 × 28, 1 map", "800 values", "not known"]


def reach(page: Page, step: int) -> None:
    """Wait until a training has come to a step."""
    shown = page.locator("#view")
    for _ in range(600):
        if int(shown.get_attribute("data-step") or 0) >= step:
            return
        page.wait_for_timeout(100)
    raise TimeoutError(f"it has not reached step {step}")


def still(page: Page, state: str = "paused") -> str:
    """Wait until a training does not run; return the fingerprint of its weights."""
    expect(page.locator(f'#view[data-state="{state}"]')).to_be_attached()
    return page.locator("#view").get_attribute("data-fingerprint")


def press(page: Page, name: str, step: int) -> str:
    """Press a button that leads to a step; return the fingerprint of the weights there."""
    page.get_by_role("button", name=name, exact=True).click()
    return at(page, step)


def at(page: Page, step: int) -> str:
    expect(page.locator(f'#view[data-state="paused"][data-step="{step}"]')).to_be_attached()
    return page.locator("#view").get_attribute("data-fingerprint")


def start(page: Page, steps: int) -> int:
    """Start a training, let it take some steps and pause it; return the step that it is at."""
    page.get_by_role("button", name="Start the training").click()
    reach(page, steps)
    page.get_by_role("button", name="Pause").click()
    still(page)
    return int(page.locator("#view").get_attribute("data-step"))


def slide(page: Page, name: str, value: float) -> None:
    page.get_by_role("slider", name=name).fill(str(value))


def shown(page: Page, curve: str) -> float:
    """The number of a curve on test images, as a screen reader hears it."""
    label = page.get_by_role("img", name=re.compile(f"^{curve}")).get_attribute("aria-label")
    return float(re.search(r"it is ([0-9.]+)", label)[1])


def test_a_network_learns_in_front_of_the_reader(open_page):
    page = open_page(TRAINING)
    page.get_by_role("button", name="Start the training").click()
    reach(page, 1)
    expect(page.get_by_role("img", name=re.compile("^Loss"))).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    still(page)
    slide(page, "Go to step", 0)
    at(page, 0)
    loss, right = shown(page, "Loss"), shown(page, "Right answers")
    page.get_by_role("button", name="Run").click()
    reach(page, 250)
    page.get_by_role("button", name="Pause").click()
    still(page)
    assert shown(page, "Loss") < 0.6 * loss
    assert shown(page, "Right answers") > right + 25
    expect(page.locator(".kernels canvas")).to_have_count(8)
    expect(page.locator(".layer-table tbody tr")).to_have_count(3)
    expect(page.locator(".is-gradients .histogram")).to_have_count(3)
    expect(page.locator("#said")).to_contain_text("of the test images right")


def test_a_step_is_undone(open_page):
    page = open_page(TRAINING)
    step = start(page, 12)
    before = still(page)
    after = press(page, "One step", step + 1)
    assert after != before
    assert press(page, "Undo a step", step) == before
    assert press(page, "One step", step + 1) == after
    assert press(page, "Undo a step", step) == before


def test_any_step_can_be_gone_to(open_page):
    page = open_page(TRAINING)
    step = start(page, 15)
    end = still(page)
    slide(page, "Go to step", 3)
    third = at(page, 3)
    slide(page, "Go to step", step)
    assert at(page, step) == end
    slide(page, "Go to step", 3)
    assert at(page, 3) == third


def test_the_learning_rate_is_changed(open_page):
    page = open_page(TRAINING)
    step = start(page, 5)
    slider = page.get_by_role("slider", name="Learning rate")
    expect(slider).to_have_attribute("aria-valuetext", "0.03")
    usual = press(page, "One step", step + 1)
    press(page, "Undo a step", step)
    slide(page, "Learning rate", -3)
    expect(page.locator("#view")).to_have_attribute("data-rate", "0.001")
    expect(slider).to_have_attribute("aria-valuetext", "0.001")
    assert press(page, "One step", step + 1) != usual
    slider.press("ArrowRight")
    expect(page.locator("#view")).to_have_attribute("data-rate", "0.0011")
    press(page, "Undo a step", step)
    slide(page, "Go to step", 0)
    at(page, 0)
    expect(slider).to_have_attribute("aria-valuetext", "0.03")  # as it was at that step


def test_the_doctor_says_that_a_learning_rate_is_too_high(open_page):
    page = open_page(f"{TRAINING}&optimizer=adam&rate=5".replace("&rate=0.03", ""))
    start(page, 3)
    slide(page, "Go to step", 0)
    at(page, 0)
    expect(page.locator(".findings")).to_contain_text("Learning rate 5 is too high for Adam")


def test_a_training_that_fails_says_why_and_can_go_back(open_page):
    blocks = "maxpooling2d_4_4-conv2d_8_3_1_valid_linear-flatten-dense_24_linear"
    page = open_page(f"/explore/?view=training&blocks={blocks}&rate=10&batch=32")
    page.get_by_role("button", name="Start the training").click()
    still(page, "failed")
    expect(page.locator(".training-note")).to_contain_text("The loss became nan at step")
    expect(page.locator(".findings")).to_contain_text("no activation between them")
    slide(page, "Go to step", 0)
    at(page, 0)
    expect(page.locator(".training-note")).to_be_hidden()
    expect(page.locator(".training-hint")).to_contain_text("with the slider")
    slide(page, "Learning rate", -2)
    press(page, "One step", 1)
    expect(page.locator(".training-hint")).to_be_hidden()


def test_the_network_that_is_trained_can_be_looked_into(open_page):
    page = open_page(TRAINING)
    start(page, 3)
    page.get_by_role("button", name="Explore this network").click()
    page.wait_for_url("**network=training-*")
    expect(page.get_by_role("link", name="Network")).to_have_attribute("aria-current", "page")


def test_a_link_to_a_training_that_is_not_kept(open_page):
    page = open_page(f"{TRAINING}&training=99999")
    expect(page.get_by_text("This training no longer exists.")).to_be_visible()
    expect(page.get_by_role("button", name="Start the training")).to_be_enabled()


def test_going_back_in_the_history_leads_to_the_beginning(open_page):
    page = open_page(TRAINING)
    start(page, 3)
    page.go_back()
    expect(page.get_by_role("button", name="Start the training")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("button", name="One step")).to_be_visible()
    still(page)


def test_curves_follow_the_window_and_large_type(open_page):
    page = open_page(TRAINING, viewport={"width": 1280, "height": 900})
    start(page, 5)
    box = page.locator(".chart-box").first
    width = box.locator("canvas").bounding_box()["width"]
    page.set_viewport_size({"width": 700, "height": 900})
    expect(box.locator(".uplot")).not_to_have_css("width", f"{width}px")
    assert box.locator("canvas").bounding_box()["width"] <= box.bounding_box()["width"]
    height = box.locator("canvas").bounding_box()["height"]
    page.get_by_role("button", name="Large type").click()
    expect(box.locator(".uplot")).not_to_have_css("height", f"{height}px")


def problems_of(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hinders(open_page, width, scheme):
    """Nothing is wider than the window, and axe finds nothing in the views."""
    size = {"width": width, "height": 800}
    page = open_page(WRONG, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(".block-problem").nth(2)).to_be_visible()
    is_well_made(page, width)
    page.goto(page.url.partition("/explore/")[0] + TRAINING)
    expect(page.locator(".setup-layers .volume")).to_have_count(6)
    is_well_made(page, width)
    start(page, 12)
    is_well_made(page, width)


def is_well_made(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems_of(page) == []
