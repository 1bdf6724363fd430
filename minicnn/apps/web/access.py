"""The secret that a server asks of everybody who is not on this machine."""

from __future__ import annotations

_secret: list[str] = []


def protect(secret: str | None) -> None:
    """Answer only requests with this secret from now on; None: answer all."""
    _secret[:] = [] if secret is None else [secret]


def secret() -> str | None:
    """Return the secret without which no request is answered; None: all are."""
    return _secret[0] if _secret else None
