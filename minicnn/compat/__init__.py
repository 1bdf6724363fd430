"""What older scripts call differently; `minicnn` itself uses none of it."""

from minicnn.compat.keras2_install import install

__all__ = ["install"]
