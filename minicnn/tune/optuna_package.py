"""Import Optuna, which is an optional package."""

from __future__ import annotations

from typing import Any

from minicnn.installed import missing_extra


def import_optuna() -> Any:
    """Import Optuna; the error for a missing one says how to install it."""
    try:
        import optuna
    except ModuleNotFoundError as err:
        raise missing_extra("a search needs Optuna", "tune") from err
    return optuna
