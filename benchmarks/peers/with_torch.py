"""PyTorch in its own process: channels-last memory, functional operations, its own SGD."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from peers.networks import Conv, Network, Pool

VARIANTS = ("eager", "compile")


class Model:
    """LeNet and the like from functional operations; variant "compile" uses `torch.compile`."""

    def __init__(self, network: Network, variant: str, threads: int) -> None:
        torch.set_num_threads(threads)
        self.network = network
        wrap = torch.compile if variant == "compile" else _as_it_is
        self._loss = wrap(self._mean_loss)
        self._predict = wrap(self._probabilities)
        self.parameters: list[torch.Tensor] = []

    def load(self, weights: list[np.ndarray]) -> None:
        """Start over: these weights, no momentum yet."""
        if not self.parameters:
            self.parameters = [_own_layout(w).requires_grad_() for w in weights]
        with torch.no_grad():
            for parameter, w in zip(self.parameters, weights, strict=True):
                parameter.copy_(_own_layout(w))
        self.optimizer = torch.optim.SGD(
            self.parameters,
            lr=self.network.optimizer.learning_rate,
            momentum=self.network.optimizer.momentum,
        )

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch in the form that this engine likes best: no copy is left for the timed part."""
        return torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y).long()

    def train(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """One step; waits for the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def predict(self, x: torch.Tensor) -> np.ndarray:
        """Probabilities, (N, classes)."""
        with torch.inference_mode():
            return self._predict(x).numpy()

    def weights(self) -> list[np.ndarray]:
        """All weights, in the order of `load`."""
        return [_keras_layout(parameter.detach()) for parameter in self.parameters]

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        x = x.to(torch.float32) * self.network.scale
        weights = iter(self.parameters)
        for layer in self.network.layers:
            if isinstance(layer, Pool):
                x = F.max_pool2d(x, layer.size, layer.size)
                continue
            w, b = next(weights), next(weights)
            if isinstance(layer, Conv):
                x = F.conv2d(x, w, b)
            else:  # channels last, so that this flattening is a view
                x = F.linear(x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x, w, b)
            x = F.relu(x) if layer.activation == "relu" else x
        return x

    def _probabilities(self, x: torch.Tensor) -> torch.Tensor:
        return F.softmax(self._logits(x), dim=1)

    def _mean_loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self._logits(x), y)


def _as_it_is(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return function


def _own_layout(w: np.ndarray) -> torch.Tensor:
    """(CO, CI, KH, KW) in channels-last memory; (out, in) for dense weights."""
    if w.ndim == 4:
        moved = torch.tensor(w.transpose(3, 2, 0, 1).copy())
        return moved.contiguous(memory_format=torch.channels_last)
    return torch.tensor(np.ascontiguousarray(w.T))


def _keras_layout(w: torch.Tensor) -> np.ndarray:
    return w.permute(2, 3, 1, 0).numpy() if w.ndim == 4 else w.numpy().T


def versions() -> dict[str, str]:
    """What ran: package, version."""
    return {"torch": torch.__version__, "numpy": np.__version__}
