"""What the explorer's pages work with. There is one explorer per process."""

from __future__ import annotations

from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.web.decoding import Decoders

DECODERS = 1  # processes that decode images which are sent; the explorer has few visitors
_current: list[Explorer] = []
_decoders: list[Decoders] = []
_token: list[str | None] = []


def start(explorer: Explorer, token: str | None = None) -> Explorer:
    """Show this explorer; with a token, only to those who know it."""
    stop()
    _current.append(explorer)
    _decoders.append(Decoders(DECODERS))
    _token.append(token)
    return explorer


def is_started() -> bool:
    """Return whether this process shows an explorer."""
    return bool(_current)


def current() -> Explorer:
    """Return the explorer of this process."""
    return _current[0]


def decoders() -> Decoders:
    """Return the processes that decode images which are sent."""
    return _decoders[0]


def token() -> str | None:
    """Return the secret without which the explorer answers nobody; None: it answers all."""
    return _token[0] if _token else None


def stop() -> None:
    """End the explorer of this process, if there is one."""
    _token.clear()
    while _decoders:
        _decoders.pop().close()
    while _current:
        _current.pop().close()
