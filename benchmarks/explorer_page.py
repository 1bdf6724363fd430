"""How long does it take from a stroke on the explorer's pad until all maps are painted?

    python benchmarks/explorer_page.py                # LeNet and the network of scenes
    python benchmarks/explorer_page.py photo-small --strokes 50

The server is `minicnn explore` in a process of its own, the browser is Chromium. The time begins
when the browser gets the movement of the mouse, and ends when the last map has been painted.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys

from playwright.sync_api import Page, sync_playwright

PAUSE_MS = 1500  # after a movement, in which everything must have been painted
# Notes when the mouse has moved over the pad, and when something was painted last.
NOTES = """() => {
    const context = CanvasRenderingContext2D.prototype;
    for (const name of ["putImageData", "drawImage"]) {
        const paint = context[name];
        context[name] = function (...given) {
            window.painted = performance.now();
            return paint.apply(this, given);
        };
    }
    const moved = () => { window.moved = performance.now(); };
    document.querySelector(".pad").addEventListener("pointermove", moved, { capture: true });
}"""


def stroke_times(page: Page, strokes: int) -> list[float]:
    """Return the milliseconds from each of some movements of the pen to the last painted map."""
    page.evaluate(NOTES)
    box = page.locator(".pad").bounding_box()
    if box is None:
        raise SystemExit("the page shows no pad")
    left, top, size = box["x"], box["y"], box["width"]
    page.mouse.move(left + 0.3 * size, top + 0.2 * size)
    page.mouse.down()
    found = []
    for k in range(1, strokes + 1):
        page.mouse.move(
            left + (0.3 + 0.4 * k / strokes) * size, top + (0.2 + 0.5 * k / strokes) * size
        )
        page.wait_for_timeout(PAUSE_MS)
        found.append(page.evaluate("window.painted - window.moved"))
    page.mouse.up()
    return found


def main() -> None:
    """Start an explorer and a browser, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=["lenet", "scene"])
    parser.add_argument("--strokes", type=int, default=20)
    given = parser.parse_args()
    command = [sys.executable, "-m", "minicnn", "explore", *given.networks, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            measure(address, given.networks, given.strokes)
        finally:
            process.terminate()


def measure(address: str, networks: list[str], strokes: int) -> None:
    """Print the times of each network."""
    with sync_playwright() as playwright:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(**options)
        for network in networks:
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"{address}explore/?network={network}")
            page.locator(".pad").wait_for()
            page.wait_for_timeout(PAUSE_MS)
            times = stroke_times(page, strokes)
            print(
                f"{network}: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"
            )
            page.close()


if __name__ == "__main__":
    main()
