"""What a regular expression finds in names, in a limited time.

Some expressions try out every way of dividing a name before they give up: `(a+)+$` doubles its time
with each further letter. Nothing can stop Python's `re` once it has begun, so another process
searches, and is ended when it takes too long.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from minicnn.errors import ArgumentError
from minicnn.support.text import quoted

MAX_SECONDS = 10.0  # 60,000 names take a usual expression 0.1
PROGRAM = """
import json, re, sys
pattern, names = json.load(sys.stdin)
found = [re.search(pattern, name) for name in names]
json.dump([m and m[1 if m.re.groups else 0] for m in found], sys.stdout)
"""


def find_in_each(pattern: str, names: Sequence[str], argument: str) -> list[str | None]:
    """What `pattern` finds in each name: its first parenthesis, or the whole match if it has none.

    Raises
    ------
    ArgumentError
        It is no regular expression, or takes more than `MAX_SECONDS`; `argument` is its name.
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
            f"{MAX_SECONDS:g} s. A repetition in a repetition, like (a+)+, tries out every way "
            "to divide a name; write it with one"
        ) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise ArgumentError(
            f"{argument}={quoted(pattern)} cannot be searched for ({''.join(said[-1:])[:100]})"
        ) from error
    found: list[str | None] = json.loads(done.stdout)
    return found
