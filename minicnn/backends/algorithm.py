"""How convolutions are computed where their caller leaves it open."""

from __future__ import annotations

from minicnn.checks import check_choice
from minicnn.support import environment

ALGORITHMS = ("auto", "direct", "winograd")


def conv_algorithm() -> str:
    """The algorithm of convolutions that ask for "auto"; "auto" itself leaves it to the engine."""
    return _current


def set_conv_algorithm(name: str) -> None:
    """Change it. Programs that are made, and operations that are called, from now on follow."""
    global _current
    _current = check_choice(name, "algorithm", ALGORITHMS)


_current = environment.choice("MINICNN_CONV_ALGORITHM", "auto", ALGORITHMS)
