"""Make the golden files of PyTorch in tests/golden/interop/torch, with PyTorch itself.

    python tools/make_torch_files.py

Each is a small network's state dict in one kind of file, and `outputs.npz` has inputs and outputs
in PyTorch's order of axes. The version of PyTorch is printed, and stands in `VERSIONS`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).parent.parent / "tests/golden/interop/torch"


def network() -> nn.Module:
    """Return a network with every kind of layer that is read."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 8, (3, 2), groups=2),
        nn.PReLU(8),
        nn.ConvTranspose2d(8, 5, 3, stride=2),
        nn.GroupNorm(5, 5),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(5 * 9 * 9, 6),
        nn.LayerNorm(6),
        nn.Linear(6, 3),
    )


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = network()
    x = torch.randn(4, 3, 6, 5)
    for _ in range(3):
        model(x)  # gives the running statistics values
    model.eval()
    state = model.state_dict()
    kept = {name: one.clone() for name, one in state.items()}  # the optimizer changes the others
    np.savez(FOLDER / "outputs.npz", x=x.numpy(), y=model(x).detach().numpy())
    torch.save(state, FOLDER / "state.pth")
    torch.save(state, FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.Adam(model.parameters())
    model(x).sum().backward()
    optimizer.step()
    parallel = {f"module.{name}": one.half() for name, one in kept.items()}
    checkpoint = {"epoch": 3, "state_dict": parallel, "optimizer": optimizer.state_dict()}
    torch.save(checkpoint, FOLDER / "checkpoint.pt")
    torch.save(checkpoint, FOLDER / "checkpoint_legacy.pt", _use_new_zipfile_serialization=False)
    kinds = {
        "bfloat16": torch.arange(6).bfloat16().reshape(2, 3),
        "half": torch.arange(3).half(),
        "double": torch.arange(3).double(),
        "bool": torch.tensor([True, False]),
        "byte": torch.arange(3, dtype=torch.uint8),
        "int": torch.arange(3, dtype=torch.int32),
        "transposed": torch.arange(6.0).reshape(2, 3).t(),
        "part": torch.arange(10.0)[3:9:2],
        "shared": torch.arange(4.0),
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(2.5),
        "parameter": nn.Parameter(torch.ones(2)),
    }
    kinds["again"] = kinds["shared"][1:]
    torch.save(kinds, FOLDER / "kinds.pt")
    torch.save(model, FOLDER / "whole_model.pt")
    (FOLDER / "VERSIONS").write_text(f"torch {torch.__version__}, numpy {np.__version__}\n")
    print((FOLDER / "VERSIONS").read_text())


if __name__ == "__main__":
    main()
