"""Data sets, a module each with a `load_data()`."""

from minicnn.datasets import mnist

__all__ = ["mnist"]
