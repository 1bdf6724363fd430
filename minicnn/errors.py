"""Every error that minicnn raises on purpose; each is also the built-in that fits it."""

from __future__ import annotations

from typing import Any

from minicnn.support.text import printable, shortened

MAX_LETTERS = 300  # of a message: whatever a file holds or an argument is, it fits on a screen


class MiniCNNError(Exception):
    """The family: `except MiniCNNError` catches every mistake that minicnn reports.

    Of a message that is too long the middle is left out.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_short(one) for one in args))

    def __reduce__(self) -> tuple[Any, ...]:
        """From one process to another: the message as it is, not what it was made of."""
        return _rebuilt, (type(self), self.args, vars(self))


class ShapeError(MiniCNNError, ValueError):
    """An array, layer or window has a size that does not fit."""


class DTypeError(MiniCNNError, TypeError):
    """An array holds another kind of number than is needed."""


class ArgumentError(MiniCNNError, ValueError):
    """An argument's value is outside its rule."""


class UnknownArgumentError(ArgumentError, TypeError):
    """A keyword argument that the class does not have."""


class SizeLimitError(MiniCNNError, ValueError):
    """Something would be larger than memory or a set limit allows."""


class FormatError(MiniCNNError, ValueError):
    """A file is not what its reader needs; `path`, `offset` and `reason` say where and why."""

    def __init__(self, path: object, reason: str, offset: int | None = None) -> None:
        reason = shortened(printable(reason), MAX_LETTERS)  # much of it may be the file's own text
        self.path, self.reason, self.offset = str(path), reason, offset
        place = printable(path)
        where = place if offset is None else f"{place}@{offset}"
        super().__init__(f"{where}: {reason}")


class TruncatedError(FormatError):
    """A file ends before its contents do."""


class ChecksumError(FormatError):
    """A file's contents are not those that its checksum was made of."""


class UnsafeFileError(FormatError):
    """A file asks for something that a model file must never do."""


class UnsupportedError(FormatError, NotImplementedError):
    """A file holds something that this version does not know."""


class ImageReadError(MiniCNNError, OSError):
    """A file is no picture that can be read; `path` and `reason` say which and why."""

    def __init__(self, path: object, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"cannot read {printable(path)} ({reason})")


class UnreadableImagesError(ImageReadError):
    """More pictures of a data set cannot be read than may be left out; the first is `path`."""

    def __init__(self, path: object, reason: str, text: str) -> None:
        super().__init__(path, reason)
        self.args = (_short(text),)


class FetchRefused(MiniCNNError, OSError):
    """A link is not followed, or what it leads to is not taken; `reason` is for the owner only.

    The text is the same for every cause: on a server, different ones would let strangers find out
    what the machine can reach.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("That address is not reachable from here.")


class FolderInUseError(MiniCNNError, OSError):
    """Another process is at work in a folder; `process` is its number, where it is known."""

    def __init__(self, folder: object, process: int | None) -> None:
        self.folder, self.process = str(folder), process
        who = "another process" if process is None else f"process {process}"
        super().__init__(
            f"{printable(folder)}: {who} is at work here; wait for its end, or give another folder"
        )


class CheckpointError(MiniCNNError, OSError):
    """No checkpoint can be used, or one belongs to another training."""


class NumericError(MiniCNNError, ArithmeticError):
    """A number became NaN or infinite."""


class BackendError(MiniCNNError, RuntimeError):
    """An engine is not there or cannot do what was asked."""


class DeviceMemoryError(BackendError, MemoryError):
    """The GPU has too little memory; `what`, `size` and `free` say for which array, in bytes."""

    def __init__(self, what: str, size: int, free: int) -> None:
        self.what, self.size, self.free = what, size, free
        super().__init__(
            f"the GPU has no room for {what}: it needs {size / 1e6:,.1f} MB and "
            f"{free / 1e6:,.1f} MB are free. Use a smaller batch_size, or smaller images"
        )


class MissingExtraError(MiniCNNError, ImportError):
    """An optional package is needed and not installed."""


def _short(part: object) -> object:
    return shortened(part, MAX_LETTERS) if isinstance(part, str) else part


def _rebuilt(
    kind: type[MiniCNNError], args: tuple[object, ...], state: dict[str, Any]
) -> MiniCNNError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error
