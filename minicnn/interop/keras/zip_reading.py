"""Reading the members of a `.keras` archive, which is a zip file of another program's making."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib

from minicnn.errors import (
    ChecksumError,
    FormatError,
    SizeLimitError,
    TruncatedError,
    UnsafeFileError,
)
from minicnn.models.saving.archive.container import shown
from minicnn.support.files import Path, open_regular

MAX_MEMBERS = 1000
MAX_EXPANSION = 16  # of a compressed member
FREE_BYTES = 1 << 20  # that a compressed member may have whatever its size in the archive
ENCRYPTED = 1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_members(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the contents of these members, as far as the archive has them.

    Raises
    ------
    UnsafeFileError : a member's name leads out of a folder or is there twice, or it is a link
    SizeLimitError : a member is much larger than its part of the archive
    FormatError : it is no zip archive, or damaged
    """
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = _checked(archive, path, os.fstat(file.fileno()).st_size)
                return {
                    name: _content(archive, members[name], path)
                    for name in wanted
                    if name in members
                }
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ChecksumError(path, f"its archive is damaged: {error}") from error
        except (NotImplementedError, ValueError, OverflowError, RuntimeError) as error:
            if isinstance(error, (FormatError, SizeLimitError)):
                raise
            raise FormatError(path, f"its archive cannot be read: {error}") from error


def _checked(archive: zipfile.ZipFile, path: Path, size: int) -> dict[str, zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise UnsafeFileError(path, f"has {len(entries):,} members, over {MAX_MEMBERS}")
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename
        if name in members:
            raise UnsafeFileError(path, f"member {shown(name)} is there twice")
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or "\0" in name:
            raise UnsafeFileError(path, f"member {shown(name)} leads out of the archive")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UnsafeFileError(path, f"member {shown(name)} is a link")
        _check_size(entry, path)
        if not 0 <= entry.header_offset <= size - entry.compress_size:
            raise TruncatedError(
                path, f"member {shown(name)} declares {entry.compress_size:,} bytes at "
                f"{entry.header_offset:,}; the whole archive has {size:,}"
            )  # fmt: skip
        members[name] = entry
    return members


def _check_size(entry: zipfile.ZipInfo, path: Path) -> None:
    name = shown(entry.filename)
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in METHODS:
        raise FormatError(path, f"member {name} is encrypted, or compressed in an unusual way")
    most = MAX_EXPANSION * entry.compress_size + FREE_BYTES
    if entry.file_size > most:
        raise SizeLimitError(
            f"{path}: member {name} would have {entry.file_size:,} bytes; it takes "
            f"{entry.compress_size:,} in the archive, so at most {most:,} are read"
        )


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    """Return the content; the library compares its checksum when the end is reached."""
    with archive.open(entry) as member:
        content = member.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise FormatError(
            path,
            f"member {shown(entry.filename)} has not the {entry.file_size:,} bytes it declares",
        )
    return content
