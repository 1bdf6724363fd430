"""Texts as they may be shown: whatever a file is called, a terminal or a page can hold it.

A name on the disk may have bytes that are no UTF-8 (Python reads them as lone surrogates), and
control characters, which a terminal would obey: ESC moves the cursor and rewrites lines.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import IO, Any, Literal

# Control characters, those that turn the direction of writing, and halves of characters.
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINES, _IN_A_LINE = re.compile(f"[{_CONTROL}]"), re.compile(rf"[\t\n{_CONTROL}]")


def printable(text: object) -> str:
    """The text on one line; what would act on a terminal or cannot be written as its escape.

    >>> printable("caf\\udce9\\n.png"), printable("\\x1b[2J"), printable("grün 日本")
    ('caf\\\\udce9\\\\n.png', '\\\\x1b[2J', 'grün 日本')
    """
    return _IN_A_LINE.sub(_escape, str(text))


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which keeps its line ends and tabs."""
    return _IN_LINES.sub(_escape, text)


def shortened(text: str, most: int) -> str:
    """The beginning and the end of a text that is too long for a message.

    >>> shortened("abcdefghijklmnopqrstuvwxyz", 15)
    'abcdefg ... xyz'
    """
    if len(text) <= most:
        return text
    end = (most - 5) // 3
    return f"{text[: most - 5 - end]} ... {text[len(text) - end :]}"


def screen_width(stream: Any = None) -> int | None:
    """Columns of the terminal that a text goes to; None for a file or a pipe, which take any."""
    file = sys.stdout if stream is None else stream
    shown = getattr(file, "isatty", None)
    return shutil.get_terminal_size().columns if shown is not None and shown() else None


def folded(line: str, width: int | None, indent: str = "    ") -> str:
    """A line that is too long as several, of which those after the first are indented.

    >>> print(folded("y = conv2d_forward(x, w, b; window=3x3)", 24))
    y = conv2d_forward(x, w,
        b; window=3x3)
    """
    if width is None or len(line) <= width:
        return line
    lines = textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines)


def quoted(value: object, most: int = 80) -> str:
    """A value as a message shows it: as Python writes it, but never longer than a line.

    >>> quoted("(a+)+$"), quoted("x" * 100, 12), quoted(10**5000)
    ("'(a+)+$'", "'xxxx ... x'", 'an int')
    """
    try:
        text = repr(value)
    except Exception:  # whatever its class raises; Python itself writes no integer of 5,000 digits
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
    """The text with escapes for what the stream's encoding does not have."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say(text: str, file: IO[str] | None = None) -> None:
    """Print the text and a line end, whatever is in it and whatever the terminal can show.

    Parameters
    ----------
    text : one line or several
    file : default: standard output
    """
    stream = sys.stdout if file is None else file
    print(encodable(printable_lines(text), stream), file=stream, flush=True)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
