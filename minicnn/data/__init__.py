"""Reading and preparing data."""

from minicnn.data.augment import RandomShift
from minicnn.data.idx import parse_idx, read_idx, read_labelled_images

__all__ = ["RandomShift", "parse_idx", "read_idx", "read_labelled_images"]
