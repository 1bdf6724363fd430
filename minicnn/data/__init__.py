"""Reading and preparing data."""

from minicnn.data.augment import RandomShift
from minicnn.data.idx import parse_idx, read_idx, read_labelled_images
from minicnn.data.preprocess import Preprocess

__all__ = ["Preprocess", "RandomShift", "parse_idx", "read_idx", "read_labelled_images"]
