"""Weights of PyTorch: state dicts of `.pth`, `.pt` and `.safetensors` files, in and out.

`model.load_weights` and `model.save_weights` take these files, too. PyTorch is not needed.
"""

from minicnn.interop.torch.mapping import load_weights
from minicnn.interop.torch.state_dicts import read
from minicnn.interop.torch.writing import write_weights

__all__ = ["load_weights", "read", "read_weights", "write_weights"]

read_weights = load_weights  # the name by which `model.load_weights` finds it
