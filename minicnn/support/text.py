"""Text for terminals and pages: escape what they cannot show, shorten, fold and format it.

A file's name may have bytes that are not UTF-8, which Python reads as lone surrogates, and control
characters, which a terminal would execute: ESC moves the cursor and rewrites lines.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import IO, Any, Literal

from minicnn.support.main_process import by_main_only

# Control characters, those that change the direction of writing, and lone surrogates.
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINES, _IN_A_LINE = re.compile(f"[{_CONTROL}]"), re.compile(rf"[\t\n{_CONTROL}]")


def printable(text: object) -> str:
    """Return the text as one line, with escapes for control characters and lone surrogates.

    >>> printable("caf\\udce9\\n.png"), printable("\\x1b[2J"), printable("grün 日本")
    ('caf\\\\udce9\\\\n.png', '\\\\x1b[2J', 'grün 日本')
    """
    return _IN_A_LINE.sub(_escape, str(text))


def printable_lines(text: str) -> str:
    """Return the text with the same escapes, but keep its line breaks and tabs."""
    return _IN_LINES.sub(_escape, text)


def shortened(text: str, most: int) -> str:
    """Return the text, with its middle left out if it has more than `most` characters.

    >>> shortened("abcdefghijklmnopqrstuvwxyz", 15)
    'abcdefg ... xyz'
    """
    if len(text) <= most:
        return text
    end = (most - 5) // 3
    return f"{text[: most - 5 - end]} ... {text[len(text) - end :]}"


def screen_width(stream: Any = None) -> int | None:
    """Return the width of the stream's terminal in columns; None for a file or a pipe."""
    file = sys.stdout if stream is None else stream
    shown = getattr(file, "isatty", None)
    return shutil.get_terminal_size().columns if shown is not None and shown() else None


def folded(line: str, width: int | None, indent: str = "    ") -> str:
    """Fold a line to this width; the lines after the first are indented.

    >>> print(folded("y = conv2d_forward(x, w, b; window=3x3)", 24))
    y = conv2d_forward(x, w,
        b; window=3x3)
    """
    if width is None or len(line) <= width:
        return line
    lines = textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines)


def quoted(value: object, most: int = 80) -> str:
    """Return the `repr` of a value for a message, shortened to `most` characters.

    >>> quoted("(a+)+$"), quoted("x" * 100, 12), quoted(10**5000)
    ("'(a+)+$'", "'xxxx ... x'", 'an int')
    """
    try:
        text = repr(value)
    except Exception:  # a user's __repr__ may raise anything, and 10**5000 a ValueError
        kind = type(value).__name__
        return f"an {kind}" if kind[0] in "aeiouAEIOU" else f"a {kind}"
    return shortened(text, most)


def format_seconds(seconds: float, style: Literal["clock", "words", "units"]) -> str:
    """Return a time as text: "1:05" (clock), "2.0 hours" (words) or "00h 01m 05s" (units).

    >>> [format_seconds(s, "clock") for s in (31.2, 65, 3723)]
    ['31s', '1:05', '1:02:03']
    >>> [format_seconds(s, "words") for s in (43.2, 300, 7300)]
    ['43 s', '5.0 minutes', '2.0 hours']
    >>> format_seconds(3731.4, "units")
    '01h 02m 11s'
    """
    if style == "words":
        if seconds < 120:
            return f"{seconds:.0f} s"
        return f"{seconds / 60:.1f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
    minutes, s = divmod(round(seconds), 60)
    h, m = divmod(minutes, 60)
    if style == "units":
        return f"{h:02d}h {m:02d}m {s:02d}s"
    if h:
        return f"{h}:{m:02d}:{s:02d}"
    return f"{m}:{s:02d}" if m else f"{s}s"


def encodable(text: str, stream: Any) -> str:
    """Return the text with escapes for characters that the stream's encoding lacks."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@by_main_only
def say(text: str, file: IO[str] | None = None) -> None:
    """Print a text, with escapes for what the terminal cannot show; only the main process does.

    Parameters
    ----------
    text : one or several lines
    file : the stream to print to; default: standard output
    """
    stream = sys.stdout if file is None else file
    print(encodable(printable_lines(text), stream), file=stream, flush=True)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
