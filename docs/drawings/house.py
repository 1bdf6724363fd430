"""The drawing of docs/architecture.md, docs/images/house.svg: python docs/drawings/house.py

It is made from the table of tests/test_layering.py, and a test compares the two. A package stands
above everything that it may import, so all imports point down.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "images" / "house.svg"

WIDTH, LEFT, BOX, GAP, ROOF = 940, 210, 30, 8, 70
LETTER, SIZE = 7.6, 13  # width of a letter, and its height
INK, SOFT = "#1f2937", "#8b95a5"  # on boxes, and beside them: readable on light and dark pages
Table = Mapping[str, Set[str]]

# From the roof down: a title, the color of its boxes, and the packages whose floor it is.
FLOORS = (
    ("programs", "#fbcfe8", lambda name, level: name.startswith("apps.")),
    ("around networks", "#fed7aa", lambda name, level: level > 12),
    ("networks", "#fde68a", lambda name, level: level > 10),
    ("layers and functions", "#bbf7d0", lambda name, level: level > 6),
    ("engines and rules", "#bfdbfe", lambda name, level: level > 4),
    ("ground", "#e5e7eb", lambda name, level: True),
)


def levels(table: Table) -> dict[str, int]:
    """Return how high each package stands: one more than the highest that it may import."""
    found: dict[str, int] = {}
    while len(found) < len(table):
        for name, below in table.items():
            known = [found.get(other) for other in below if other in table and other != name]
            if None not in known:
                found[name] = max(known, default=-1) + 1
    return found


def rows(table: Table) -> list[tuple[str, str, list[str]]]:
    """Return (title, color, names) of each row of boxes, the highest first."""
    found: dict[tuple[int, int], list[str]] = {}
    for name, level in levels(table).items():
        if name != "__main__":  # the roof
            floor = next(i for i, one in enumerate(FLOORS) if one[2](name, level))
            row = 0 if FLOORS[floor][0] == "ground" else level
            found.setdefault((floor, -row), []).append(name)
    return [(*FLOORS[floor][:2], shown(names)) for (floor, _), names in sorted(found.items())]


def shown(names: list[str]) -> list[str]:
    """Return the names of boxes; those of the ground's parts are one."""
    kept = {name if not name.startswith("support.") else "support" for name in names}
    return sorted(name.removeprefix("apps.") for name in kept)


def wrapped(names: list[str]) -> list[list[str]]:
    """Divide the boxes of a row so that each part fits into the house."""
    lines: list[list[str]] = [[]]
    used = 0.0
    for name in names:
        used += width(name) + GAP
        if used > WIDTH - LEFT - 2 * GAP and lines[-1]:
            lines.append([])
            used = width(name) + GAP
        lines[-1].append(name)
    return lines


def width(name: str) -> float:
    """Return the width of a box."""
    return len(name) * LETTER + 20


def box(x: float, y: float, name: str, color: str) -> str:
    """Return a box with a name in it."""
    place = f'x="{x:.1f}" y="{y}" width="{width(name):.1f}" height="{BOX}"'
    middle = f'x="{x + width(name) / 2:.1f}" y="{y + 20}" text-anchor="middle"'
    return f'<rect {place} rx="4" fill="{color}"/><text {middle} fill="{INK}">{escape(name)}</text>'


def label(y: float, words: str) -> str:
    """Return words at the left of the house."""
    return f'<text x="{LEFT - 24}" y="{y + 20}" text-anchor="end" fill="{SOFT}">{words}</text>'


def drawing(table: Table) -> str:
    """Return the house as SVG."""
    parts, y, before = [], ROOF + GAP, ""
    for title, color, names in rows(table):
        y += GAP * (title != before and bool(before))
        if title != before:
            parts.append(label(y, title))
        before = title
        for line in wrapped(names):
            x = LEFT + (WIDTH - LEFT - sum(width(name) + GAP for name in line) + GAP) / 2
            for name in line:
                parts.append(box(x, y, name, color))
                x += width(name) + GAP
            y += BOX + GAP
    y += GAP
    parts += [label(y, "C++"), *cellar(y)]
    return svg(y + BOX + 3 * GAP, [roof(), outline(y), *parts])


def cellar(y: float) -> list[str]:
    """Return the boxes of the C++ code."""
    names = ("csrc/bindings", "csrc/kernels", "csrc/core")
    x = LEFT + (WIDTH - LEFT - sum(width(name) + 5 * GAP for name in names)) / 2
    found = []
    for name in names:
        found.append(box(x, y, name, "#ddd6fe"))
        x += width(name) + 5 * GAP
        if name != names[-1]:
            found.append(arrow(x - 4 * GAP - 2, y + BOX / 2, x - GAP + 2, y + BOX / 2))
    return found


def arrow(x0: float, y0: float, x1: float, y1: float) -> str:
    """Return an arrow."""
    ends = f'x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"'
    return f'<line {ends} stroke="{SOFT}" stroke-width="2" marker-end="url(#head)"/>'


def roof() -> str:
    """Return the roof: what `python -m minicnn` runs."""
    middle, eaves = (LEFT + WIDTH) / 2, f"{LEFT - 12},{ROOF} {WIDTH - 1},{ROOF}"
    return (
        f'<polygon points="{eaves} {middle},6" fill="none" stroke="{SOFT}" stroke-width="2"/>'
        f'<text x="{middle}" y="{ROOF - 14}" text-anchor="middle" fill="{SOFT}">'
        "python -m minicnn</text>"
    )


def outline(bottom: float) -> str:
    """Return the walls, the line above the cellar, and the arrow that says where imports point."""
    place, height = f'x="{LEFT - 12}" y="{ROOF}"', bottom - ROOF + BOX + GAP
    size = f'width="{WIDTH - LEFT + 11}" height="{height}"'
    return (
        f'<rect {place} {size} fill="none" stroke="{SOFT}" stroke-width="2"/>'
        f"{arrow(14, ROOF + 40, 14, bottom - 20)}"
        f'<text transform="translate(32 {(bottom + ROOF) / 2 + 60}) rotate(-90)" fill="{SOFT}">'
        "imports point down</text>"
    )


def svg(height: float, parts: list[str]) -> str:
    """Return a whole file."""
    head = (
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" '
        f'markerHeight="6" orient="auto"><path d="M0 0L10 5L0 10z" fill="{SOFT}"/></marker></defs>'
    )
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="DejaVu Sans, Arial, sans-serif" '
        f'font-size="{SIZE}">'
    )
    return "\n".join([start, head, *parts, "</svg>", ""])


def main() -> None:
    """Write the drawing of today's table."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_layering import MAY_IMPORT

    FILE.write_text(drawing(MAY_IMPORT), encoding="utf-8")
    print(FILE)


if __name__ == "__main__":
    main()
