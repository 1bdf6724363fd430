"""How often parameters and layers have changed: who keeps what was made of them asks for it.

Comparing parameters bit by bit would tell, too, but reads all: a tenth of the time of one image.
"""

from __future__ import annotations

_changes = 1
_layer_changes = 0


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


def layers_changed() -> None:
    """Count a change of what a layer of the process computes; to be called after it."""
    global _layer_changes
    _layer_changes += 1


def layer_changes() -> int:
    """How many there were: programs that were made before the last one may be out of date."""
    return _layer_changes
