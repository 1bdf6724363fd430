"""The main process among several that do the same work: it alone writes files and prints.

Processes that train one network together call the same functions with the same arguments. Each
file must be written once, and each line printed once, so functions that do this for a training ask
here whether this process is the main one. A process that runs alone is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")

_main = True
_alone = True


def is_main() -> bool:
    """Return whether this process writes files and prints."""
    return _main


def is_alone() -> bool:
    """Return whether no other process does the same work."""
    return _alone


def set_main(main: bool, *, alone: bool = False) -> None:
    """Set whether this process is the main one, and whether it is the only one."""
    global _main, _alone
    _main, _alone = main, alone


def by_main_only(function: Callable[P, None]) -> Callable[P, None]:
    """Decorate a function that returns nothing: on all processes but the main one it does nothing.

    >>> @by_main_only
    ... def report(text):
    ...     print(text)
    >>> report("epoch 1")
    epoch 1
    >>> set_main(False)
    >>> report("epoch 1")
    >>> set_main(True, alone=True)
    """

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> None:
        if _main:
            function(*args, **kwargs)

    return called
