"""The colors of a drawing by their names, on light and on dark pages."""

from __future__ import annotations

from minicnn.utils.model_drawing import COLORS, OTHER

KINDS = {**COLORS, "Other": OTHER}  # the color of each kind of layer


def kind_of(class_name: str) -> str:
    """Return the name of a color, such as "Conv", for the class of a layer.

    >>> kind_of("DepthwiseConv2D"), kind_of("MyLayer")
    ('Conv', 'Other')
    """
    return next((part for part in COLORS if part in class_name), "Other")


def mixed(color: str, other: str, share: float) -> str:
    """Return a color with a share of another one in it.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    parts = [
        round((1 - share) * int(color[i : i + 2], 16) + share * int(other[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _palette(colors: dict[str, str], face: float, side: float, edge: float) -> dict[str, str]:
    """Return a page's colors; those of a kind are mixed with this much of the page and the ink."""
    kinds = {}
    for kind, color in KINDS.items():
        kinds[kind] = color
        kinds[f"{kind}-face"] = mixed(color, colors["paper"], face)
        kinds[f"{kind}-side"] = mixed(color, colors["paper"], side)
        kinds[f"{kind}-edge"] = mixed(color, colors["ink"], edge)
    return colors | kinds


LIGHT = _palette(
    {
        "paper": "#ffffff", "ink": "#1d2733", "quiet": "#66727f", "line": "#5d6b7a",
        "ray": "#aab4bf", "frame": "#f3f5f8", "frame-edge": "#d3dae2", "box": "#ffffff",
    },
    0.72, 0.5, 0.1,
)  # fmt: skip
DARK = _palette(
    {
        "paper": "#0d1117", "ink": "#e6edf3", "quiet": "#9aa5b1", "line": "#8b98a5",
        "ray": "#59636e", "frame": "#161b22", "frame-edge": "#343c46", "box": "#0d1117",
    },
    0.55, 0.75, 0.35,
)  # fmt: skip
