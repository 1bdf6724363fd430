"""PyTorch as an engine: channels-last memory, functional operations, fused optimizers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from peers.networks import SGD, BatchNorm, Conv, Dropout, Network, Pool, weights_of

BOTH = ("training", "inference")
VARIANTS = {"eager": BOTH, "compile": BOTH}


class Net(nn.Module):
    """A network of functional operations; weights are w0, w1, ... in the order of `load`."""

    def __init__(self, network: Network, weights: list[np.ndarray]) -> None:
        super().__init__()
        self.network, self.count = network, len(weights)
        for i, (weight, w) in enumerate(zip(weights_of(network), weights, strict=True)):
            register = self.register_parameter if weight.learned else self.register_buffer
            tensor = _own_layout(w)
            register(f"w{i}", nn.Parameter(tensor) if weight.learned else tensor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of uint8 images, (N, C, H, W) in channels-last memory."""
        x = x.to(torch.float32) * self.network.scale
        weights = iter([getattr(self, f"w{i}") for i in range(self.count)])
        for layer in self.network.layers:
            if isinstance(layer, Pool):
                x = F.max_pool2d(x, layer.size)
            elif isinstance(layer, Dropout):
                x = F.dropout(x, layer.rate, self.training)
            elif isinstance(layer, BatchNorm):
                x = self._batch_norm(x, layer, *(next(weights) for _ in range(4)))
            elif isinstance(layer, Conv):
                x = F.conv2d(x, next(weights), next(weights))
                x = F.relu(x) if layer.activation == "relu" else x
            else:  # channels last, so that this flattening is a view
                x = x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x
                x = F.linear(x, next(weights), next(weights))
                x = F.relu(x) if layer.activation == "relu" else x
        return x

    def _batch_norm(
        self,
        x: torch.Tensor,
        layer: BatchNorm,
        gamma: nn.Parameter,
        beta: nn.Parameter,
        *moving: torch.Tensor,
    ) -> torch.Tensor:
        new = 1 - layer.momentum
        return F.batch_norm(x, *moving, gamma, beta, self.training, new, layer.epsilon)


class Model:
    """A network; variant "compile" uses `torch.compile`, separately for each batch size."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network, self.variant = network, variant
        self.net: Net | None = None

    def load(self, weights: list[np.ndarray]) -> None:
        """Set these weights and clear the optimizer's state."""
        if self.net is None:
            self._make(weights)
        with torch.no_grad():
            for tensor, w in zip(self._tensors(), weights, strict=True):
                tensor.copy_(_own_layout(w))
        self.optimizer = _optimizer(self.network, list(self.net.parameters()))

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch in the form that is fastest for this engine, so that no copy is timed."""
        return torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y).long()

    def train(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """Train for one step and return the loss."""
        self.net.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def predict(self, x: torch.Tensor) -> np.ndarray:
        """Predict the probabilities (N, classes)."""
        self.net.eval()
        with torch.inference_mode():
            return self._predict(x).numpy()

    def weights(self) -> list[np.ndarray]:
        """All weights in the order of `load`."""
        return [_keras_layout(tensor.detach()) for tensor in self._tensors()]

    def _make(self, weights: list[np.ndarray]) -> None:
        self.net = Net(self.network, weights)
        compiled = _compile if self.variant == "compile" else _as_it_is
        self._loss = compiled(self._mean_loss)
        self._predict = compiled(self._probabilities)

    def _tensors(self) -> list[torch.Tensor]:
        return [getattr(self.net, f"w{i}") for i in range(self.net.count)]

    def _probabilities(self, x: torch.Tensor) -> torch.Tensor:
        return F.softmax(self.net(x), dim=1)

    def _mean_loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.net(x), y)


def _optimizer(network: Network, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    numbers = network.optimizer
    if isinstance(numbers, SGD):
        rate, momentum = numbers
        return torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)
    rate, *betas, epsilon = numbers
    return torch.optim.Adam(parameters, lr=rate, betas=tuple(betas), eps=epsilon, fused=True)


def _compile(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return torch.compile(function, dynamic=False)


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


def use_threads(threads: int) -> None:
    """Set the number of threads."""
    torch.set_num_threads(threads)


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"torch": torch.__version__, "numpy": np.__version__}
