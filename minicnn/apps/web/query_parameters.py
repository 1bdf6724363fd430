"""What a visitor asks for: the pictures to compare with, and what counts. It is all in the address.

`/search?upload=ID` compares with an upload, `/search?like=12&like=40&unlike=7` with pictures of the
library; `weight-color=30` and the like say what counts, and `label=cat` which pictures are wanted.
"""

from __future__ import annotations

import math
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict

from minicnn.apps.web.refusals import NOTHING, Refused

WEIGHT = "weight-"
TOP = 24  # pictures on a page; it fills rows of 2, 3 and 4
MOST = 20  # pictures that a query is made of


class Asked(NamedTuple):
    """One search."""

    upload: str = ""  # its id; "" if the query has only pictures of the library
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()
    weights: dict[str, float] | None = None  # of the parts of the score; None: the usual ones
    label: str = ""  # only pictures of this class; "": of all

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The names and values of the address, without those of the sliders."""
        pairs = [("upload", self.upload)] if self.upload else []
        pairs += [("like", str(one)) for one in self.like]
        return pairs + [("unlike", str(one)) for one in self.unlike]

    @property
    def address(self) -> str:
        """The part of the address after "?"."""
        pairs = list(self.pairs)
        for name, weight in (self.weights or {}).items():
            pairs.append((WEIGHT + name, f"{weight:g}"))
        return urlencode(pairs + [("label", self.label)] * bool(self.label))

    def without(self, picture: int) -> Asked:
        """Return the search without a picture of the library."""
        like = tuple(one for one in self.like if one != picture)
        return self._replace(like=like, unlike=tuple(o for o in self.unlike if o != picture))

    def more(self, picture: int) -> Asked:
        """Return the search for what is also like a picture."""
        rest = self.without(picture)
        return rest._replace(like=(*rest.like, picture))

    def less(self, picture: int) -> Asked:
        """Return the search for what is less like a picture."""
        rest = self.without(picture)
        return rest._replace(unlike=(*rest.unlike, picture))

    @property
    def is_single(self) -> bool:
        """Whether the query is one picture; then a network can say what is on it."""
        return bool(self.upload) + len(self.like) == 1 and not self.unlike

    @property
    def is_full(self) -> bool:
        """Whether no further picture may be added."""
        return len(self.like) + len(self.unlike) >= MOST


def asked(words: QueryDict) -> Asked:
    """Return the search that an address asks for.

    Raises
    ------
    Refused : 400: it names no picture, or what it names is no number
    """
    like, unlike = _numbers(words.getlist("like")), _numbers(words.getlist("unlike"))
    upload = words.get("upload", "")
    if not (upload or like):
        raise Refused(400, NOTHING, "no_image")
    if len(like) + len(unlike) > MOST:
        raise Refused(400, f"A search takes at most {MOST} pictures.", "too_many")
    return Asked(upload, like, unlike, _weights(words), words.get("label", ""))


def _numbers(texts: list[str]) -> tuple[int, ...]:
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in texts):
        raise Refused(400, "A picture is named by its number.", "no_number")
    return tuple(dict.fromkeys(int(one) for one in texts))


def _weights(words: QueryDict) -> dict[str, float] | None:
    """Return the weights that the sliders sent; None if there are none, or if all of them are 0."""
    found = {name: _weight(words[name]) for name in words if name.startswith(WEIGHT)}
    if not any(found.values()):
        return None
    return {name.removeprefix(WEIGHT): value for name, value in found.items()}


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e6:
        raise Refused(400, "A weight is a number of 0 or more.", "no_weight")
    return value
