"""Parsing links strictly, so that the host that is connected to is the one that was checked."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote

from minicnn.data.tools.fetch.addresses import is_public
from minicnn.errors import FetchRefused

MAX_LINK = 2048
PORTS = {"http": 80, "https": 443}

# scheme://host[:port][/path][?query][#fragment]; a host has no "@", no "\" and no "%".
_LINK = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/[^?#]*)?(?:\?[^#]*)?)(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# Resolvers read these as parts of an IPv4 address: 2130706433, 0x7f, 0177. No host name ends so.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]")


class Link(NamedTuple):
    """The parts of a checked link."""

    scheme: str
    host: str  # lower case; an IPv6 address without its brackets
    port: int
    target: str  # path and query, ASCII

    @property
    def authority(self) -> str:
        """The value of the `Host:` header: the port is included if it is not the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def address(self) -> str | None:
        """The host if it is an address, or None if it is a name."""
        return self.host if _is_address(self.host) else None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_link(text: str, *, allow_private: bool = False) -> Link:
    """Parse a link, or raise FetchRefused.

    Allowed are http and https on their default ports, with a host name or a public address.
    `allow_private` also allows private addresses, names without a dot, and any port.

    >>> str(parse_link("HTTP://Example.com:80/a b.jpg#top".replace(" ", "%20")))
    'http://example.com/a%20b.jpg'
    """
    if len(text) > MAX_LINK:
        raise FetchRefused(f"the link has {len(text):,} characters; at most {MAX_LINK:,}")
    if _UNPRINTABLE.search(text):
        raise FetchRefused("the link has spaces, control characters or backslashes")
    found = _LINK.fullmatch(text)
    if found is None:
        raise FetchRefused("not a link of the form http://host/path or https://host/path")
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    port = int(found["port"] or PORTS[scheme])
    _check_port(scheme, port, allow_private)
    _check_host(host, allow_private)
    # Non-ASCII letters become %XX; "%" stays, so that nothing is escaped twice.
    target = quote(found["target"] or "/", safe="/?&=%:@!$'()*+,;~-._[]|")
    return Link(scheme, host, port, target if target.startswith("/") else f"/{target}")


def _check_port(scheme: str, port: int, allow_private: bool) -> None:
    if not 1 <= port <= 65535 or (not allow_private and port != PORTS[scheme]):
        raise FetchRefused(f"port {port}: only {PORTS[scheme]} is allowed for {scheme}")


def _check_host(host: str, allow_private: bool) -> None:
    if _is_address(host):
        if not (allow_private or is_public(host)):
            raise FetchRefused(f"{host} is not an address of the public internet")
        return
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
        raise FetchRefused(f"{host} is not a host name")
    if len(labels) < 2 and not allow_private:
        raise FetchRefused(f"{host} is a name of the local network")


def _is_address(host: str) -> bool:
    try:
        return getattr(ipaddress.ip_address(host), "scope_id", None) is None
    except ValueError:
        return False
