"""Keras's `get_file` for files on this machine: copied into a cache, checked and unpacked."""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from minicnn.checks import check_choice, quoted
from minicnn.data.tar import members
from minicnn.errors import ArgumentError, ChecksumError, FormatError, SizeLimitError
from minicnn.support.atomic_files import copy_file, write_atomically
from minicnn.support.files import open_regular

HASHES = {32: "md5", 64: "sha256"}  # by the number of hexadecimal digits
CHUNK = 1 << 20
MAX_UNPACKED = 64 << 30
ARCHIVE_FORMATS = ("auto", "tar", "zip")


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file in the cache, after copying it there from this machine if needed.

    Nothing is downloaded. A file that is in Keras's cache already, from a download by Keras or by
    hand, is found there.

    Parameters
    ----------
    fname : its name in the cache; default: the last part of `origin`
    origin : a path, or an address file://...; one of the network only says what is missing
    untar, extract : unpack the archive, and return the folder
    md5_hash, file_hash, hash_algorithm : the checksum that the file must have, "md5" or "sha256"
    archive_format : "tar", "zip" or "auto"
    cache_dir, cache_subdir : the folder of the cache, by default ~/.keras, and the one in it
    force_download : copy the file even if it is there

    Raises
    ------
    FileNotFoundError : the file is neither there nor on this machine
    ChecksumError : it has another checksum
    """
    if origin is None:
        raise ArgumentError('get_file needs origin="the path of the file"')
    name = os.fspath(fname) if fname else PurePosixPath(urlsplit(origin).path).name
    if not name or os.sep in name:
        raise ArgumentError(
            f"fname must be the name of a file, without folders; got {quoted(name)}"
        )
    folder = Path.home() / ".keras" if cache_dir is None else Path(cache_dir).expanduser()
    folder = folder / cache_subdir
    unpacked = extract or untar
    file, target = _places(folder, name, named=bool(fname), unpacked=unpacked)
    if force_download or not file.is_file():
        _bring(origin, file)
    if file_hash or md5_hash:
        _check(file, str(file_hash or md5_hash), "md5" if not file_hash else hash_algorithm)
    if not unpacked:
        return str(file)
    kind = check_choice(archive_format or "auto", "archive_format", ARCHIVE_FORMATS)
    _unpack(file, target, "tar" if untar else kind)
    return str(target)


def _places(folder: Path, name: str, *, named: bool, unpacked: bool) -> tuple[Path, Path]:
    """Return where the file and its unpacked content are, as Keras names them."""
    if not unpacked:
        return folder / name, folder / name
    if named and "." in name:
        return folder / name, folder / f"{name.partition('.')[0]}_extracted"
    return folder / f"{name}_archive", folder / name


def _bring(origin: str, file: Path) -> None:
    """Copy the file from where it is on this machine."""
    parts = urlsplit(origin)
    if parts.scheme == "file":
        source = Path(url2pathname(unquote(parts.path)))
    elif len(parts.scheme) > 1:  # one letter is a drive of Windows
        raise FileNotFoundError(
            errno.ENOENT,
            f"not here, and get_file downloads nothing: fetch {origin} yourself and save it as",
            str(file),
        )
    else:
        source = Path(origin).expanduser()
    if not source.is_file():
        raise FileNotFoundError(errno.ENOENT, "origin is no file on this machine", str(source))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    copy_file(source, file)


def _check(file: Path, wanted: str, algorithm: str) -> None:
    """Raise ChecksumError if the file has another checksum."""
    kind = HASHES.get(len(wanted)) if algorithm == "auto" else algorithm
    known = check_choice(kind, "hash_algorithm", [*HASHES.values()])
    digest = hashlib.new(known)
    with open_regular(file) as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    found = digest.hexdigest()
    if found != wanted.lower():
        raise ChecksumError(file, f"has the {known} {found[:12]}..., not {wanted[:12]}...")


# --- archives -----------------------------------------------------------------------------------


def _unpack(file: Path, target: Path, kind: str) -> None:
    """Write the files of an archive below `target`."""
    if kind == "zip" or (kind == "auto" and zipfile.is_zipfile(file)):
        _unzip(file, target)
        return
    with open_regular(file) as opened:
        for member in members(opened, file):
            path = _inside(target, member.name, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, [member.read()])


def _unzip(file: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise SizeLimitError(f"{file}: would unpack to more than {MAX_UNPACKED:,} bytes")
            for entry in entries:
                path = _inside(target, entry.filename, file)
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as content:
                    write_atomically(path, iter(lambda: content.read(CHUNK), b""))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise FormatError(file, f"cannot be unpacked ({error})") from error


def _inside(target: Path, name: str, file: Any) -> Path:
    """Return the path of a file of an archive, if its name leads nowhere else."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name.startswith("/") or ".." in parts or ":" in parts[0]:
        raise FormatError(file, f"holds a file whose name leads out of the folder: {quoted(name)}")
    return target.joinpath(*parts)
