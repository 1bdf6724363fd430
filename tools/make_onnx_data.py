"""Write small networks as PyTorch exports them to ONNX, with an input and PyTorch's output.

    pip install torch onnx      # not needed by minicnn or its tests
    python tools/make_onnx_data.py

It writes tests/golden/interop/onnx/NAME.onnx and NAME.npz, in which `x` and `y` are as PyTorch has
them, (N, C, H, W). `versions.json` says which PyTorch made them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = Path(__file__).parent.parent / "tests" / "golden" / "interop" / "onnx"


class ChannelShuffle(nn.Module):
    """Mixes two groups of channels."""

    def forward(self, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class SqueezeExcitation(nn.Module):
    """Scales channels by what their means say."""

    def __init__(self, channels):
        super().__init__()
        self.inner, self.outer = nn.Linear(channels, 4), nn.Linear(4, channels)

    def forward(self, x):
        n, c = x.shape[:2]
        means = F.adaptive_avg_pool2d(x, 1).view(n, c)
        scale = F.hardsigmoid(self.outer(F.relu(self.inner(means)))).view(n, c, 1, 1)
        return x * scale.expand_as(x)


class Classifier(nn.Module):
    """A network of today's parts, whose last images are flattened into a linear layer."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16),
            nn.Hardswish(), ChannelShuffle(), SqueezeExcitation(16),
            nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=16), nn.ReLU6(), nn.PReLU(16),
            nn.AvgPool2d(3, 2, 1),
        )  # fmt: skip
        self.drop, self.head = nn.Dropout(0.3), nn.Linear(16 * 3 * 2, 5)

    def forward(self, x):
        x = self.features(x)
        return self.head(self.drop(x.view(x.size(0), -1)))


class Segmenter(nn.Module):
    """Images to images: strided and transposed convolutions, resizing, normalization of samples."""

    def __init__(self):
        super().__init__()
        self.first, self.down = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 4, 2, 1)
        self.up, self.last = nn.ConvTranspose2d(8, 8, 2, 2), nn.ConvTranspose2d(16, 8, 3, 2, 1, 1)
        self.groups, self.images = nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True)

    def forward(self, x):
        first = self.images(F.leaky_relu(self.first(x)))
        low = F.silu(self.groups(self.down(first)))
        y = self.last(torch.cat([self.up(low), first], 1))
        y = F.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False)
        y = F.interpolate(y, size=(12, 10), mode="nearest")
        return torch.softmax(F.pad(F.pixel_shuffle(y, 2), (1, 2, 0, 1), mode="reflect"), 1)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm of images (N, C, H, W), along C."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """One block of ConvNeXt, which turns its images to (N, H, W, C) and back."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 16, 4, 4), ChannelNorm(16)
        self.depthwise = nn.Conv2d(16, 16, 7, padding=3, groups=16)
        self.inner_norm, self.expand = nn.LayerNorm(16), nn.Linear(16, 32)
        self.project, self.gamma = nn.Linear(32, 16), nn.Parameter(torch.rand(16))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = self.norm(self.stem(x))
        y = self.inner_norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.project(F.gelu(self.expand(y))) * self.gamma
        return self.head((x + y.permute(0, 3, 1, 2)).mean([-2, -1]))


class Transformer(nn.Module):
    """One layer of attention over the patches of an image."""

    def __init__(self):
        super().__init__()
        self.patches, self.places = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.rand(1, 30, 16))
        self.norm, self.qkv = nn.LayerNorm(16), nn.Linear(16, 48)
        self.out, self.head = nn.Linear(16, 16), nn.Linear(16, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.places
        n, t, c = x.shape
        q, k, v = (
            self.qkv(self.norm(x)).reshape(n, t, 3, 4, c // 4).permute(2, 0, 3, 1, 4).unbind(0)
        )
        weights = (q @ k.transpose(-2, -1) * 0.5).softmax(-1)
        return self.head((x + self.out((weights @ v).transpose(1, 2).reshape(n, t, c))).mean(1))


class Sequences(nn.Module):
    """Convolutions of sequences (N, C, L)."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv1d(2, 8, 5, padding=2), nn.BatchNorm1d(8)
        self.second, self.head = nn.Conv1d(8, 8, 3, stride=2), nn.Linear(8, 3)

    def forward(self, x):
        x = F.elu(self.second(F.max_pool1d(F.relu(self.norm(self.first(x))), 2)))
        return self.head(F.adaptive_max_pool1d(x, 1).squeeze(-1))


# name: network, shape of the input, opset
NETWORKS = {
    "classifier": (Classifier, (3, 3, 24, 16), 9),
    "segmenter": (Segmenter, (2, 3, 16, 12), 13),
    "convnext": (ConvNeXt, (2, 3, 24, 16), 17),
    "transformer": (Transformer, (2, 3, 24, 20), 20),
    "sequences": (Sequences, (2, 2, 40), 11),
}


def write(name, network, shape, opset):
    """Export one network with random weights and moving averages."""
    network.eval()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    x = torch.randn(shape)
    y = network(x).detach().numpy()
    np.savez_compressed(FOLDER / f"{name}.npz", x=x.numpy(), y=y)
    torch.onnx.export(
        network, x, FOLDER / f"{name}.onnx", opset_version=opset, dynamo=False,
        input_names=["x"], dynamic_axes={"x": {0: "n"}},
    )  # fmt: skip


def main():
    """Write all files."""
    torch.manual_seed(0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (network, shape, opset) in NETWORKS.items():
        write(name, network(), shape, opset)
    versions = {"torch": torch.__version__, "onnx": onnx.__version__}
    (FOLDER / "versions.json").write_text(json.dumps(versions) + "\n")


if __name__ == "__main__":
    main()
