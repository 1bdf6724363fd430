"""The table of the formats, and how each is recognized by the first bytes of a file."""

from __future__ import annotations

from minicnn.models.saving.formats import Format

ALL: list[Format] = []
