"""How often parameters have changed: who keeps what was made of them asks whether it still holds.

Comparing them bit by bit would tell, too, but reads them all: a tenth of the time of one image.
"""

from __future__ import annotations

_changes = 1


def parameters_changed() -> None:
    """Count a change of any parameter of the process; to be called after it."""
    global _changes
    _changes += 1


def parameter_changes() -> int:
    """How many there were. The same number twice: between the two, no parameter changed.

    >>> parameter_changes() == parameter_changes()
    True
    """
    return _changes
