"""Import Optuna, which is an optional package, and keep it quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.installed import missing_extra


def import_optuna() -> Any:
    """Import Optuna; the error for a missing one says how to install it."""
    try:
        import optuna
    except ModuleNotFoundError as err:
        raise missing_extra("a search needs Optuna", "tune") from err
    return optuna


@contextmanager
def quiet_optuna() -> Iterator[Any]:
    """Yield Optuna, which prints only warnings inside the block."""
    optuna = import_optuna()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield optuna
    finally:
        optuna.logging.set_verbosity(verbosity)
