"""The errors that minicnn raises on purpose; each is also the built-in error of its kind."""

from __future__ import annotations

from typing import Any

from minicnn.support.text import printable, shortened

MAX_LETTERS = 300  # of a message, so that it fits on a screen even if it quotes a file


class MiniCNNError(Exception):
    """The base class: `except MiniCNNError` catches every error that minicnn raises on purpose.

    The middle of a message that is too long is left out.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_short(one) for one in args))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the finished message, because constructors take its ingredients."""
        return _rebuilt, (type(self), self.args, vars(self))


class ShapeError(MiniCNNError, ValueError):
    """An array, layer or window has a size that does not fit."""


class DTypeError(MiniCNNError, TypeError):
    """An array has another dtype than is needed."""


class ArgumentError(MiniCNNError, ValueError):
    """An argument has a value that is not allowed."""


class UnknownArgumentError(ArgumentError, TypeError):
    """A class was given a keyword argument that it does not have."""


class UnknownLengthError(MiniCNNError, TypeError):
    """A data set has no end, or its length is known only after a pass over it."""


class SizeLimitError(MiniCNNError, ValueError):
    """Something would be larger than the memory or a limit allows."""


class FormatError(MiniCNNError, ValueError):
    """A file does not have the format that is needed; see `path`, `offset` and `reason`."""

    def __init__(self, path: object, reason: str, offset: int | None = None) -> None:
        reason = shortened(printable(reason), MAX_LETTERS)  # it may quote the file
        self.path, self.reason, self.offset = str(path), reason, offset
        place = printable(path)
        where = place if offset is None else f"{place}@{offset}"
        super().__init__(f"{where}: {reason}")


class TruncatedError(FormatError):
    """A file ends too early."""


class ChecksumError(FormatError):
    """A file's contents do not match its checksum."""


class UnsafeFileError(FormatError):
    """A file contains something that could be dangerous to load."""


class UnsupportedError(FormatError, NotImplementedError):
    """A file contains something that this version does not support."""


class ImageReadError(MiniCNNError, OSError):
    """A file cannot be read as an image; `path` and `reason` say which and why."""

    def __init__(self, path: object, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"cannot read {printable(path)} ({reason})")


class UnreadableImagesError(ImageReadError):
    """More images of a data set are unreadable than may be left out; the first one is `path`."""

    def __init__(self, path: object, reason: str, text: str) -> None:
        super().__init__(path, reason)
        self.args = (_short(text),)


class FetchRefused(MiniCNNError, OSError):
    """A link is not followed, or its contents are refused; `reason` is not part of the message.

    The message is the same for every cause: on a server, different ones would tell strangers which
    addresses the machine can reach.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("That address is not reachable from here.")


class FolderInUseError(MiniCNNError, OSError):
    """Another process is working in a folder; `process` is its id, if it is known."""

    def __init__(self, folder: object, process: int | None) -> None:
        self.folder, self.process = str(folder), process
        who = "another process" if process is None else f"process {process}"
        super().__init__(
            f"{printable(folder)}: {who} is working in this folder; wait for its end, or use "
            "another folder"
        )


class CheckpointError(MiniCNNError, OSError):
    """No checkpoint can be used, or it belongs to another training."""


class NumericError(MiniCNNError, ArithmeticError):
    """A value became NaN or infinite."""


class BackendError(MiniCNNError, RuntimeError):
    """An engine is not available or cannot do what was asked."""


class DeviceMemoryError(BackendError, MemoryError):
    """The GPU has too little memory for `what`: it needs `size` bytes, and `free` are free."""

    def __init__(self, what: str, size: int, free: int) -> None:
        self.what, self.size, self.free = what, size, free
        super().__init__(
            f"the GPU has no room for {what}: it needs {size / 1e6:,.1f} MB and "
            f"{free / 1e6:,.1f} MB are free. Use a smaller batch_size, or smaller images"
        )


class LibraryError(MiniCNNError, RuntimeError):
    """A library of pictures cannot be opened, read or written."""


class ForeignModelError(LibraryError):
    """A library has features of another model that has the same name."""


class DistributedError(MiniCNNError, RuntimeError):
    """Processes that work together do not agree, or one of them has ended too early."""


class StorageError(MiniCNNError, RuntimeError):
    """The database of a hyperparameter search cannot be reached, read or written."""


class MissingExtraError(MiniCNNError, ImportError):
    """An optional package is needed, but not installed."""


def error_text(error: BaseException) -> str:
    """Return the message of an error as one line, after the file that it is about if there is one.

    >>> error_text(FileNotFoundError(2, "No such file or directory", "cats"))
    'cats: No such file or directory'
    """
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        text = ": ".join([" -> ".join(names), error.strerror] if names else [error.strerror])
    return printable(text)


def _short(part: object) -> object:
    return shortened(part, MAX_LETTERS) if isinstance(part, str) else part


def _rebuilt(
    kind: type[MiniCNNError], args: tuple[object, ...], state: dict[str, Any]
) -> MiniCNNError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error
