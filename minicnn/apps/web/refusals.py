"""What the server does not do, with the status of HTTP and the text that a person reads."""

from __future__ import annotations

MAX_UPLOAD = 10_000_000  # bytes of an image file, as for downloads
NOTHING = "Choose an image file or enter an image address."
NOT_AN_IMAGE = "This file is not an image we can read (PNG, JPEG, …)."
TOO_LARGE = f"This file is too large; at most {MAX_UPLOAD // 1_000_000} MB are accepted."
UNREACHABLE = "That address is not reachable from here."
NO_ADDRESSES = (
    "Addresses are not fetched by this server; choose a file, or start it with --allow-urls."
)
BUSY = "The server is busy; try again in a moment."
GONE = "This picture is not kept any more; uploads are removed after an hour. Upload it again."
NO_PICTURE = "There is no such picture in this library."
RETRY_SECONDS = 1  # after which a busy server is worth another try


class Refused(Exception):
    """A request that is refused.

    Parameters
    ----------
    status : the status of HTTP, 400 to 599
    message : a sentence for the person who sent the request
    code : a word for programs, such as "too_large"
    """

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


def busy() -> Refused:
    """Return the refusal of a server that has enough to do."""
    return Refused(503, BUSY, "busy")
