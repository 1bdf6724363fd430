"""The HTML of report.html: one page that needs no other file and loads nothing."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from minicnn.apps.runs.gallery import GalleryImage, data_url, file_url
from minicnn.support.text import printable_lines

# Readable on phones and on paper, in light and dark mode.
STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --quiet: #5c5c5c; --paper: #ffffff;
  --line: #d9d9d9; --soft: #f4f5f7; --right: #2c6fa6; --wrong: #c0392b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --quiet: #a8a8a8; --paper: #16181b;
  --line: #3a3d42; --soft: #202327; --right: #6aa9dd; --wrong: #ff9a90; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 62rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p.lead { color: var(--quiet); margin: 0 0 1rem; }
p.note { background: var(--soft); border-left: 4px solid var(--right); padding: .6rem .9rem; }
.key-numbers { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; }
.key-numbers div { background: var(--soft); border-radius: .5rem; padding: .6rem .9rem;
  flex: 1 1 9rem; }
.key-numbers b { display: block; font-size: 1.5rem; line-height: 1.2; }
.key-numbers span { color: var(--quiet); font-size: .85rem; }
.wide { overflow-x: auto; }
.wide + .wide { margin-top: 1rem; }
table { border-collapse: collapse; min-width: 60%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); font-size: .85rem; }
th, .number, .share { white-space: nowrap; }
td:first-child { min-width: 7rem; }
td.number, th.number { text-align: right; }
.cell { display: inline-block; min-width: 2.6rem; padding: .05rem .4rem; border-radius: .25rem; }
.bar { display: inline-block; width: 7rem; height: .55rem; background: var(--line);
  border-radius: .3rem; overflow: hidden; margin-right: .5rem; }
.bar i { display: block; height: 100%; background: var(--right); }
img.figure { max-width: 100%; height: auto; background: #fff; border-radius: .4rem; }
.gallery { display: flex; flex-wrap: wrap; gap: .8rem; }
.gallery figure { margin: 0; width: 8.7rem; }
.gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--soft);
  border-radius: .4rem; display: block; }
.gallery figcaption { font-size: .85rem; line-height: 1.35; margin-top: .25rem;
  overflow-wrap: anywhere; }
@media (max-width: 40rem) { .bar { width: 4rem; } img.figure { max-width: none; width: 44rem; } }
.right { color: var(--right); } .wrong { color: var(--wrong); }
.quiet { color: var(--quiet); }
pre { overflow-x: auto; background: var(--soft); padding: .8rem; border-radius: .4rem;
  font-size: .8rem; line-height: 1.35; }
"""


def escape(text: object) -> str:
    """Return a text as HTML, with control characters as visible escapes."""
    return html.escape(printable_lines(str(text)))


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page with these parts, each HTML, as its body."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Return a heading with the parts below it, or "" if all parts are empty."""
    inside = [part for part in parts if part]
    return "\n".join([f"<h2>{escape(title)}</h2>", *inside]) if inside else ""


def key_numbers(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the pairs (number, what it counts) as large numbers side by side."""
    boxes = (f"<div><b>{escape(n)}</b><span>{escape(what)}</span></div>" for n, what in pairs)
    return f'<div class="key-numbers">{"".join(boxes)}</div>'


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> str:
    """Return a table whose columns at the indices `right` are right-aligned.

    Cells are escaped, except those that are `Html` already.
    """

    def line(cells: Sequence[Any], tag: str) -> str:
        shown = (
            f"<{tag}{' class=number' if i in right else ''}>{_cell(cell)}</{tag}>"
            for i, cell in enumerate(cells)
        )
        return f"<tr>{''.join(shown)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table>\n{line(headings, "th")}\n{body}\n</table></div>'


class Html(str):
    """A text that is HTML already and must not be escaped."""


def bar(share: float) -> Html:
    """Return a share, 0...1, as a bar and a percentage."""
    width = max(0.0, min(1.0, share))
    drawn = f'<span class="bar"><i style="width:{width:.1%}"></i></span>'
    return Html(f'<span class="share">{drawn}{share:.1%}</span>')


def confusion_cell(count: int, is_right: bool, share: float, severity: float) -> Html:
    """Return a cell of a confusion matrix, colored by what its count means.

    Parameters
    ----------
    count : number of images
    is_right : whether the cell is on the diagonal, which is blue; mistakes are red
    share : share of the row's images, 0...1, which sets the depth of the blue
    severity : the count divided by that of the most frequent mistake, which sets the red
    """
    if not count:
        return Html('<span class="quiet">0</span>')
    blue, red = f"44, 111, 166, {0.15 + 0.5 * share:.2f}", f"192, 57, 43, {0.6 * severity:.2f}"
    color = f"background: rgba({blue if is_right else red})"
    return Html(f'<span class="cell" style="{color}">{count:,}</span>')


def figure(path: Path, description: str) -> str:
    """Return a PNG or JPEG file embedded in the page, or "" if the file does not exist.

    On a narrow screen it keeps a width at which its words can be read, and can be scrolled.
    """
    if not path.exists():
        return ""
    shown = f'<img class="figure" src="{file_url(path)}" alt="{escape(description)}">'
    return f'<div class="wide">{shown}</div>'


def gallery(shown: Sequence[GalleryImage]) -> str:
    """Return the images with their predictions and, where those are wrong, the true classes."""
    return f'<div class="gallery">{"".join(map(_gallery_item, shown))}</div>' if shown else ""


def note(text: str) -> str:
    """Return a highlighted paragraph."""
    return f'<p class="note">{escape(text)}</p>'


def lead(text: str) -> str:
    """Return the paragraph below the title."""
    return f'<p class="lead">{escape(text)}</p>'


def preformatted(text: str) -> str:
    """Return a text with its own line breaks and columns."""
    return f"<pre>{escape(text)}</pre>"


def _cell(value: Any) -> str:
    return value if isinstance(value, Html) else escape(value)


def _gallery_item(one: GalleryImage) -> str:
    kind = "right" if one.is_right else "wrong"
    actual = "" if one.is_right else f"<br>is {escape(one.actual)}"
    alt = f"{one.actual or 'image'}, predicted as {one.predicted}"
    return (
        f'<figure><img src="{data_url(one.image)}" alt="{escape(alt)}">'
        f'<figcaption><b class="{kind}">{escape(one.predicted)}</b> {one.confidence:.0%}{actual}'
        f'<br><span class="quiet">{escape(one.file)}</span></figcaption></figure>'
    )
