"""The `.mcnn` file: named documents and named arrays in one checked container."""

from minicnn.models.saving.archive.mcnn import Archive, parse_archive, read_archive, write_archive

__all__ = ["Archive", "parse_archive", "read_archive", "write_archive"]
