"""Searching names for a regular expression, with a time limit.

Some expressions try every way to divide a name: the time of `(a+)+$` doubles with each further
letter. Python's `re` cannot be interrupted, so another process searches and is killed when the time
is over.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from minicnn.errors import ArgumentError
from minicnn.support.text import quoted

MAX_SECONDS = 10.0  # a common expression takes 0.1 seconds for 60,000 names
PROGRAM = """
import json, re, sys
pattern, names = json.load(sys.stdin)
found = [re.search(pattern, name) for name in names]
json.dump([m and m[1 if m.re.groups else 0] for m in found], sys.stdout)
"""


def find_in_each(pattern: str, names: Sequence[str], argument: str) -> list[str | None]:
    """Search each name for `pattern`; return its first group, or the whole match if it has none.

    Parameters
    ----------
    pattern : a regular expression
    names : the texts to search
    argument : the name of the argument `pattern`, for error messages

    Returns
    -------
    The text that was found in each name, or None

    Raises
    ------
    ArgumentError
        `pattern` is not a regular expression, or takes more than `MAX_SECONDS`.
    """
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ArgumentError(
            f"{argument} must be a regular expression; got {quoted(pattern)} ({error})"
        ) from error
    command = [sys.executable, "-I", "-S", "-c", PROGRAM]
    task = json.dumps([pattern, list(names)])
    try:
        done = subprocess.run(
            command, input=task.encode(), capture_output=True, check=True, timeout=MAX_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ArgumentError(
            f"{argument}={quoted(pattern)} takes too long for {len(names):,} names: more than "
            f"{MAX_SECONDS:g} s. A nested repetition such as (a+)+ tries every way to divide a "
            "name; write a single one"
        ) from error
    except subprocess.CalledProcessError as error:
        output = error.stderr.decode(errors="replace").strip().splitlines()
        raise ArgumentError(
            f"{argument}={quoted(pattern)} cannot be searched for ({''.join(output[-1:])[:100]})"
        ) from error
    found: list[str | None] = json.loads(done.stdout)
    return found
