"""The callbacks of one call of `fit`, `evaluate` or `predict`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.callbacks import BackupAndRestore, CallbackList, History, ProgbarLogger
from minicnn.callbacks.callback_list import flat
from minicnn.models.batches import Batches
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.support.progress import Progress


def callbacks_of_fit(given: Any, model: CompiledNetwork) -> CallbackList:
    """Return the callbacks with a History, those last that save the states of the others."""
    several = flat(given)
    if not any(isinstance(one, History) for one in several):
        several.insert(0, History())
    ordered = sorted(several, key=lambda one: isinstance(one, BackupAndRestore))
    return CallbackList(ordered, model=model)


@contextmanager
def running(
    model: CompiledNetwork, batches: Batches, callbacks: Any, verbose: int | str
) -> Iterator[CallbackList]:
    """Tell the callbacks of `evaluate` or `predict` what runs; at the end call their `on_exit`."""
    hooks = CallbackList(
        callbacks, model=model, verbose=verbose, epochs=1, steps=len(batches) or None
    )
    try:
        yield hooks
    finally:
        hooks.on_exit()


def progress_for(callbacks: CallbackList, verbose: int | str | None = None) -> Progress:
    """Return the progress to show, which is none if a callback shows it."""
    if any(isinstance(one, ProgbarLogger) for one in callbacks):
        return Progress(0)
    shown = (callbacks.params or {}).get("verbose", "auto") if verbose is None else verbose
    return Progress(shown)
