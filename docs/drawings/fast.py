"""The drawings of docs/fast.md, as SVG files in docs/images: python docs/drawings/fast.py

Each drawing is a handful of rectangles, arrows and words; the script is kept so that a figure and
its text can be changed together.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent.parent / "images"
INK, SOFT, PAPER = "#1f2937", "#9ca3af", "#ffffff"
BLUE, ORANGE, GREEN, GRAY = "#bfdbfe", "#fdba74", "#bbf7d0", "#e5e7eb"
CELL = 26


class Drawing:
    """An SVG drawing to which shapes are added one after the other."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.parts: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, fill: str, line: str = INK) -> None:
        """Add a rectangle."""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{fill}" stroke="{line}"/>'
        )

    def text(self, x: float, y: float, words: str, size: int = 14, anchor: str = "middle") -> None:
        """Text whose baseline is at (x, y)."""
        self.parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">'
            f"{escape(words)}</text>"
        )

    def arrow(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Add an arrow from one point to another."""
        self.parts.append(
            f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{INK}" stroke-width="1.5" '
            'marker-end="url(#head)"/>'
        )

    def grid(self, x: float, y: float, fills: list[list[str]], words: dict | None = None) -> None:
        """Add a grid of cells; `words` are written into the cells (row, column)."""
        for i, row in enumerate(fills):
            for j, fill in enumerate(row):
                self.box(x + j * CELL, y + i * CELL, CELL, CELL, fill, SOFT)
        for (i, j), word in (words or {}).items():
            self.text(x + (j + 0.5) * CELL, y + (i + 0.68) * CELL, word, 12)

    def save(self, name: str) -> None:
        """Write the drawing to a file."""
        width, height = self.size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="DejaVu Sans, Arial, sans-serif">'
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            f'markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="{INK}"/></marker>'
            f'</defs><rect width="{width}" height="{height}" fill="{PAPER}"/>'
        )
        (FOLDER / name).write_text(head + "\n".join(self.parts) + "</svg>\n")


def one_pass() -> Drawing:
    """Show the image that is never written: a band of its rows exists in cache only."""
    d = Drawing(860, 250)
    d.text(105, 24, "x, in memory")
    d.grid(27, 36, [[BLUE if 2 <= i <= 5 else GRAY for _ in range(6)] for i in range(7)])
    d.text(105, 236, "2 rows of z need 4 rows of x", 12)
    d.arrow(195, 125, 268, 125)
    d.text(232, 112, "conv", 13)
    d.text(350, 24, "z, two rows, in cache")
    z = [["3", "-1", "0", "2"], ["1", "4", "-2", "-3"]]
    words = {(i, j): z[i][j] for i in range(2) for j in range(4)}
    wins = {(1, 1), (0, 3)}
    d.grid(
        298, 98, [[ORANGE if (i, j) in wins else GREEN for j in range(4)] for i in range(2)], words
    )
    d.text(350, 180, "never written to memory", 12)
    d.arrow(412, 125, 490, 125)
    d.text(450, 112, "max, ReLU", 13)
    d.text(565, 24, "y, in memory")
    d.grid(513, 111, [[ORANGE, ORANGE, GRAY, GRAY]], {(0, 0): "4", (0, 1): "2"})
    d.text(565, 170, "one value for four", 12)
    d.text(745, 24, "argmax, in memory")
    d.grid(693, 111, [[ORANGE, ORANGE, GRAY, GRAY]], {(0, 0): "3", (0, 1): "1"})
    d.text(745, 170, "which of the four was the largest", 12)
    return d


def argmax() -> Drawing:
    """Show one entry of the pooled gradient and the nine weights that it changes."""
    d = Drawing(960, 270)
    d.text(92, 24, "gradient of y")
    d.grid(40, 60, [[GRAY] * 4, [GRAY, ORANGE, GRAY, GRAY], [GRAY] * 4], {(1, 1): "g"})
    d.text(92, 165, "and its argmax: 3", 12)
    d.arrow(160, 100, 228, 100)
    d.text(340, 24, "gradient of z: never stored")
    cells = [[GRAY for _ in range(8)] for _ in range(6)]
    cells[3][3] = ORANGE
    d.grid(236, 44, cells, {(3, 3): "g"})
    d.text(340, 222, "three of four are zero,", 12)
    d.text(340, 238, "and all four where ReLU gave zero", 12)
    d.arrow(460, 122, 530, 122)
    d.text(668, 24, "x: the 3 x 3 patch that g depends on")
    patch = [[BLUE if 3 <= i <= 5 and 3 <= j <= 5 else GRAY for j in range(10)] for i in range(8)]
    d.grid(538, 36, patch)
    d.text(885, 100, "dw += g · patch", 14)
    d.text(885, 130, "dx patch += g · w", 14)
    d.text(885, 160, "and nothing else", 12)
    return d


def winograd() -> Drawing:
    """Show how a tile of the image becomes a tile of the output by 36 products."""
    d = Drawing(900, 240)
    d.text(105, 24, "6 x 6 tile of x")
    d.grid(27, 40, [[BLUE] * 6 for _ in range(6)])
    d.arrow(190, 118, 262, 118)
    d.text(226, 106, "BᵀxB", 13)
    d.text(345, 24, "36 values v")
    d.grid(268, 40, [[GREEN] * 6 for _ in range(6)])
    d.text(345, 218, "for each of C channels", 12)
    d.arrow(430, 118, 520, 118)
    d.text(475, 90, "36 products", 13)
    d.text(475, 106, "m = v · u", 13)
    d.text(603, 24, "36 values m")
    d.grid(526, 40, [[ORANGE] * 6 for _ in range(6)])
    d.text(603, 218, "for each of K filters", 12)
    d.arrow(690, 118, 742, 118)
    d.text(716, 106, "AᵀmA", 13)
    d.text(800, 50, "4 x 4 of y")
    d.grid(748, 66, [[GRAY] * 4 for _ in range(4)])
    d.text(800, 192, "16 outputs:", 12)
    d.text(800, 208, "36 products, not 144", 12)
    return d


def arena() -> Drawing:
    """Show buffers as bars: steps of a program to the right, bytes of the arena upward."""
    d = Drawing(860, 260)
    d.text(60, 24, "bytes", 13)
    d.arrow(60, 220, 60, 34)
    d.arrow(60, 220, 840, 220)
    d.text(730, 244, "steps of one training step", 13)
    bars = [  # name, first step, last step, offset, size
        ("y1, argmax", 0, 11, 0, 55, BLUE),
        ("y2, argmax", 1, 10, 55, 35, BLUE),
        ("y3", 2, 9, 90, 22, BLUE),
        ("logits", 3, 6, 112, 16, GREEN),
        ("d y3", 7, 9, 112, 22, ORANGE),
        ("d y2", 9, 10, 134, 35, ORANGE),
        ("d y1", 10, 11, 112, 22, ORANGE),
    ]
    step = 62
    for name, first, last, offset, size, fill in bars:
        x, w = 66 + first * step, (last - first + 1) * step - 4
        d.box(x, 216 - offset - size, w, size, fill, SOFT)
        d.text(x + w / 2, 216 - offset - size / 2 + 5, name, 12)
    d.text(250, 60, "forward: kept for the gradients", 12)
    d.text(620, 36, "backward: short-lived buffers share memory", 12)
    return d


def main() -> None:
    """Write every drawing."""
    for drawing in (one_pass, argmax, winograd, arena):
        drawing().save(f"fast-{drawing.__name__.replace('_', '-')}.svg")


if __name__ == "__main__":
    main()
