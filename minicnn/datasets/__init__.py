"""Data sets, a module each with a `load_data()`."""

from minicnn.datasets import cifar10, mnist

__all__ = ["cifar10", "mnist"]
