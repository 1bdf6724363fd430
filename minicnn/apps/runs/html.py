"""report.html: one file with everything in it, that opens anywhere and asks nobody for anything."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from minicnn.apps.runs.gallery import Card, data_url, file_url
from minicnn.support.text import printable_lines

# Readable on a telephone and on paper, in light and in dark.
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
.figures { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; }
.figures div { background: var(--soft); border-radius: .5rem; padding: .6rem .9rem;
  flex: 1 1 9rem; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.2; }
.figures span { color: var(--quiet); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; min-width: 60%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); font-size: .85rem; }
td.number, th.number { text-align: right; }
.cell { display: inline-block; min-width: 2.6rem; padding: .05rem .4rem; border-radius: .25rem; }
.bar { display: inline-block; width: 7rem; height: .55rem; background: var(--line);
  border-radius: .3rem; overflow: hidden; margin-right: .5rem; }
.bar i { display: block; height: 100%; background: var(--right); }
img.picture { max-width: 100%; height: auto; background: #fff; border-radius: .4rem; }
.gallery { display: flex; flex-wrap: wrap; gap: .8rem; }
.gallery figure { margin: 0; width: 8.7rem; }
.gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--soft);
  border-radius: .4rem; display: block; }
.gallery figcaption { font-size: .85rem; line-height: 1.35; margin-top: .25rem;
  overflow-wrap: anywhere; }
.right { color: var(--right); } .wrong { color: var(--wrong); }
.quiet { color: var(--quiet); }
pre { overflow-x: auto; background: var(--soft); padding: .8rem; border-radius: .4rem;
  font-size: .8rem; line-height: 1.35; }
"""


def escape(text: object) -> str:
    """A text as HTML; what is no text, or would act on who reads the source, as its escape."""
    return html.escape(printable_lines(str(text)))


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page of these parts, each an HTML text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A headline and what stands below it; nothing if there is nothing below."""
    inside = [part for part in parts if part]
    return "\n".join([f"<h2>{escape(title)}</h2>", *inside]) if inside else ""


def figures(pairs: Iterable[tuple[str, str]]) -> str:
    """Large numbers side by side: (number, what it is)."""
    boxes = (f"<div><b>{escape(n)}</b><span>{escape(what)}</span></div>" for n, what in pairs)
    return f'<div class="figures">{"".join(boxes)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = ()) -> str:
    """A table; the columns in `numbers` stand to the right. A `Html` cell is taken as it is."""

    def line(cells: Sequence[Any], tag: str) -> str:
        shown = (
            f"<{tag}{' class=number' if i in numbers else ''}>{_cell(cell)}</{tag}>"
            for i, cell in enumerate(cells)
        )
        return f"<tr>{''.join(shown)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table>\n{line(head, "th")}\n{body}\n</table></div>'


class Html(str):
    """A text that is HTML already."""


def bar(share: float) -> Html:
    """A share of 1 as a bar and a number."""
    width = max(0.0, min(1.0, share))
    return Html(f'<span class="bar"><i style="width:{width:.1%}"></i></span>{share:.1%}')


def shade(count: int, right: bool, share: float, wrongness: float) -> Html:
    """A cell of a confusion matrix: blue where it is right, redder the commoner the mistake."""
    if not count:
        return Html('<span class="quiet">0</span>')
    blue, red = f"44, 111, 166, {0.15 + 0.5 * share:.2f}", f"192, 57, 43, {0.6 * wrongness:.2f}"
    color = f"background: rgba({blue if right else red})"
    return Html(f'<span class="cell" style="{color}">{count:,}</span>')


def picture(path: Path, words: str) -> str:
    """A PNG file, in the page itself; nothing if there is no such file."""
    if not path.exists():
        return ""
    return f'<img class="picture" src="{file_url(path)}" alt="{escape(words)}">'


def gallery(shown: Sequence[Card]) -> str:
    """The images of the cards, each with the network's word and, where it is wrong, the truth."""
    return f'<div class="gallery">{"".join(map(_card, shown))}</div>' if shown else ""


def note(text: str) -> str:
    """A paragraph that stands out."""
    return f'<p class="note">{escape(text)}</p>'


def lead(text: str) -> str:
    """A quiet paragraph below a headline."""
    return f'<p class="lead">{escape(text)}</p>'


def plain(text: str) -> str:
    """A text with its own line ends and columns."""
    return f"<pre>{escape(text)}</pre>"


def _cell(value: Any) -> str:
    return value if isinstance(value, Html) else escape(value)


def _card(card: Card) -> str:
    kind = "right" if card.right else "wrong"
    truth = "" if card.right else f"<br>is {escape(card.truth)}"
    alt = f"{card.truth or 'image'}, called {card.says}"
    return (
        f'<figure><img src="{data_url(card.image)}" alt="{escape(alt)}">'
        f'<figcaption><b class="{kind}">{escape(card.says)}</b> {card.sure:.0%}{truth}'
        f'<br><span class="quiet">{escape(card.file)}</span></figcaption></figure>'
    )
