"""Docstrings of minicnn as reStructuredText: sections become fields, formulas keep their lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

OF_ENTRIES = ("Parameters", "Attributes", "Returns", "Raises", "Warns")
SECTIONS = (*OF_ENTRIES, "Notes", "References", "Examples")
ENTRY = re.compile(r"(?P<names>[\w.*\"', ]+?) : (?P<text>.*)")
FORMULA = re.compile(r"[\w, ]+(\[[^\]]*\])? [-+*]?= .*[^.:]")
SPECIAL = re.compile(r"([\\*|]|_(?=\W|$))")

Link = Callable[[str], str]  # what `name` between backticks becomes


def to_rst(docstring: str, link: Link) -> list[str]:
    """Return the lines of a docstring as reStructuredText."""
    lines: list[str] = []
    for heading, body in sections(docstring.splitlines()):
        if heading in OF_ENTRIES:
            listed, example = until_an_example(body)
            lines += [*field(heading, entries(listed), link), *text(example, link)]
        else:
            lines += [f".. rubric:: {heading}", ""] if heading else []
            lines += text(body, link)
    return lines


def sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Split at headings that are underlined; the first part has none."""
    heading, body = "", list[str]()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line in SECTIONS and set(below) == {"-"}:
            yield heading, body
            heading, body = line, []
        elif not (line and set(line) == {"-"}):
            body.append(line)
    yield heading, body


def until_an_example(body: list[str]) -> tuple[list[str], list[str]]:
    """Split before the first example, which may follow a list without a heading."""
    start = next((i for i, line in enumerate(body) if line.startswith(">>>")), len(body))
    return body[:start], body[start:]


def paragraphs(lines: Iterable[str]) -> Iterator[list[str]]:
    """Split at empty lines."""
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []


def text(lines: list[str], link: Link) -> list[str]:
    """Return paragraphs, examples and formulas."""
    result: list[str] = []
    for paragraph in paragraphs(lines):
        if paragraph[0].lstrip().startswith(">>>"):
            result += block("pycon", paragraph)
        elif is_formula(paragraph):
            result += block("text", paragraph)
        else:
            result += [prose(" ".join(paragraph), link), ""]
    return result


def is_formula(paragraph: list[str]) -> bool:
    """Whether the lines are indented, or are one line that computes something."""
    indented = any(line.startswith(" ") for line in paragraph)
    return indented or (len(paragraph) == 1 and FORMULA.fullmatch(paragraph[0]) is not None)


def block(language: str, lines: list[str]) -> list[str]:
    """Return a block of code, whose lines keep their indentation."""
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    return [f".. code-block:: {language}", "", *(f"   {line[margin:]}" for line in lines), ""]


def prose(sentence: str, link: Link) -> str:
    """Return words whose special characters are escaped, and whose `names` are code or links."""
    parts = re.split(r"`([^`]+)`", sentence)
    parts[0::2] = [SPECIAL.sub(r"\\\1", part) for part in parts[0::2]]
    parts[1::2] = [link(part) for part in parts[1::2]]
    return joined(parts)


def joined(parts: list[str]) -> str:
    """Join words and marked names; a name must not touch a letter, so a mark parts them."""
    result = parts[0]
    for name, after in zip(parts[1::2], parts[2::2], strict=True):
        touches = result and not result[-1].isspace() and result[-1] not in "([{'\"-/"
        before = "\\ " if touches else ""
        behind = "\\ " if after and (after[0].isalnum() or after[0] in "[(=") else ""
        result += before + name + behind + after
    return result


def entries(lines: list[str]) -> list[tuple[str, str]]:
    """Return (names, description) of each entry of a section; a name may be absent."""
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(" ") and found:
            names, before = found[-1]
            found[-1] = names, continued(before, line.strip())
        elif line.strip():
            found.append(entry(line))
    return found


def entry(line: str) -> tuple[str, str]:
    """Return the names and the description in the first line of an entry."""
    match = ENTRY.fullmatch(line)
    if match:
        return match["names"], match["text"]
    return (line, "") if line.isidentifier() else ("", line)


def continued(before: str, line: str) -> str:
    """Add a line; a new sentence after a type, which has no full stop, gets one before it."""
    if not before:
        return line
    new_sentence = line[:1].isupper() and before[-1:] not in ".:;,?!" and len(before) < 60
    return f"{before}{'.' if new_sentence else ''} {line}"


def field(heading: str, found: list[tuple[str, str]], link: Link) -> list[str]:
    """Return a field with a list of names and what they are."""
    lines = [f":{heading}:"]
    for names, description in found:
        name = ", ".join(marked(one, heading, link) for one in names.split(", ")) if names else ""
        words = prose(description, link)
        lines += [f"   - {name}{' – ' if name else ''}{words}"]
    return [*lines, ""]


def marked(name: str, heading: str, link: Link) -> str:
    """Return the name of a parameter in code, of an error as a link."""
    return link(name) if heading in ("Raises", "Warns") else f"``{name}``"
