"""Searching the web by keyword, as paper 4 does: the name of the class is sent to a search engine.

It is off by default. A class's name says little of a picture: all pictures of the class find the
same, which the paper itself criticizes. And it leaves this machine. `minicnn serve
--keyword-search ADDRESS` offers it; then a visitor is asked each time.

Another search engine is a class with the two members of `KeywordProvider`.
"""

from __future__ import annotations

import json
from typing import NamedTuple, Protocol
from urllib.parse import quote

from minicnn.data.tools.fetch import FetchLimits, Transport, download, parse_link
from minicnn.errors import ArgumentError, FetchRefused

WORD = "{word}"  # where the keyword goes in an address
MOST = 50  # links that are shown
MAX_BYTES = 1_000_000  # of the list


class FoundLink(NamedTuple):
    """A picture that a search engine lists."""

    address: str  # http or https
    title: str


class KeywordProvider(Protocol):
    """A search engine."""

    host: str  # its name, for the person who decides whether to ask it

    def search(self, word: str) -> list[FoundLink]:
        """Return what it lists for a word; raise FetchRefused if it does not answer."""


class KeywordSearch:
    """A search engine that answers with JSON: {"pictures": [{"address": ..., "title": ...}]}.

    Parameters
    ----------
    address : of the search engine, with {word} where the keyword goes
    limits : of time and size
    transport : opens the connections; default: that of the system

    Raises
    ------
    ArgumentError : the address has no {word}, or is not one of the web

    Examples
    --------
    >>> KeywordSearch("https://pictures.example.org/find?q={word}").host
    'pictures.example.org'
    """

    def __init__(
        self,
        address: str,
        limits: FetchLimits | None = None,
        transport: Transport | None = None,
    ) -> None:
        if WORD not in address:
            raise ArgumentError(f"the address must have {WORD} where the keyword goes")
        self._address, self._transport = address, transport
        self._limits = limits or FetchLimits(MAX_BYTES, content_type="application/json")
        private = self._limits.allow_private
        try:
            self.host = parse_link(self._for_word("word"), allow_private=private).host
        except FetchRefused as error:
            raise ArgumentError(f"the address is not fetched: {error.reason}") from error

    def search(self, word: str) -> list[FoundLink]:
        """Return what it lists for a word.

        Raises
        ------
        FetchRefused : it cannot be reached, or its answer is not such a list
        """
        content = download(self._for_word(word), self._limits, self._transport).content
        try:
            entries = json.loads(content)["pictures"]
            found = [FoundLink(str(one["address"]), str(one["title"])) for one in entries]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FetchRefused("its answer is not a list of pictures") from error
        return [one for one in found[:MOST] if _is_link(one.address)]

    def _for_word(self, word: str) -> str:
        return self._address.replace(WORD, quote(word, safe=""))


def _is_link(address: str) -> bool:
    """Return whether an address is one of the public web, and not, for example, a script."""
    try:
        parse_link(address)
    except FetchRefused:
        return False
    return True
