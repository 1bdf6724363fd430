"""The callback that evaluates a network with the moving averages of its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.callbacks.base import Callback, Logs
from minicnn.checks import check_flag
from minicnn.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Replaces the weights by their moving averages while the network is evaluated.

    The optimizer must keep averages: `Adam(use_ema=True)`. The training goes on with the weights
    themselves, and ends with the averages, as it does without this callback.

    Parameters
    ----------
    swap_on_epoch : True keeps the averages in the network from the end of an epoch to the begin of
        the next one, for a ModelCheckpoint that follows in the list of callbacks

    Raises
    ------
    ArgumentError : the optimizer keeps no averages
    """

    adds_logs = False

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = check_flag(swap_on_epoch, "swap_on_epoch")
        self._own: list[np.ndarray] | None = None  # the weights, while averages are in their place
        self._hook = ""  # that put the averages there

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training; raise ArgumentError if there are no averages."""
        self._own = None
        self._check()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the weights back."""
        self._put_back("epoch")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the averages in the place of the weights, if wanted."""
        if self.swap_on_epoch:
            self._swap("epoch")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leave the averages where they are: `fit` has put them there, too."""
        self._own = None

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Put the averages in the place of the weights."""
        self._swap("test")

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Put the weights back."""
        self._put_back("test")

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Put the averages in the place of the weights."""
        self._swap("predict")

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Put the weights back."""
        self._put_back("predict")

    def get_state(self) -> dict[str, Any]:
        """Return whether the averages are in the place of the weights."""
        return {"swapped": self._own is not None}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state; the weights themselves are among the arrays."""
        self._hook = "epoch" if check_flag(state["swapped"], "swapped") else ""

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the weights that the averages have replaced, numbered."""
        return {str(i): weight for i, weight in enumerate(self._own or [])}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Restore the weights that the averages have replaced."""
        own = [arrays[str(i)] for i in range(len(arrays))]
        self._own = own if self._hook else None

    def _swap(self, hook: str) -> None:
        self._check()
        if self._own is None:
            self._own, self._hook = self.model.get_weights(), hook
            self.model.overwrite_with_averages()

    def _check(self) -> None:
        if not getattr(self.model.optimizer, "use_ema", False):
            raise ArgumentError(
                "SwapEMAWeights needs an optimizer that keeps moving averages of the weights, as "
                "Adam(use_ema=True)"
            )

    def _put_back(self, hook: str) -> None:
        if self._own is not None and self._hook == hook:
            self.model.set_weights(self._own)
            self._own = None
