"""Before a training begins: do all processes train the same network on the same data?

If not, each would compute its part of another training, and the sum of the parts would be worth
nothing. So each says what it is about to do, and a difference is an error on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minicnn.distributed.communicator import Communicator
from minicnn.errors import DistributedError
from minicnn.support.text import shortened

Facts = Mapping[str, str]

MAX_VALUE = 40  # letters of a value in a message
# What to do about a difference, by the beginning of the fact's name.
REMEDIES = {
    "version": "Install the same version on all machines",
    "instruction set": "Set MINICNN_ISA on all machines to the lowest of these levels",
    "data": "Give all machines the same files, or the same arrays",
}
REMEDY = "Start the same program with the same arguments everywhere"


class _Statement(NamedTuple):
    """What one process says."""

    host: str
    facts: Facts


def check_agreement(communicator: Communicator, facts: Facts) -> None:
    """Compare facts on all processes; every process calls this with its own.

    Parameters
    ----------
    facts : {name: value}; values that are equal on all processes

    Raises
    ------
    DistributedError
        Values differ, on every process. The message has the first difference, with the value of
        each rank and its host, the names of the other ones, and what to do.
    """
    said = communicator.gather(_Statement(communicator.host, facts))
    text = difference_text(said)
    if text:
        raise DistributedError(text)


def difference_text(said: Sequence[_Statement]) -> str:
    """Return what differs between the processes, by rank; "" if nothing does.

    >>> a, b = _Statement("node1", {"seed": "1"}), _Statement("node2", {"seed": "2"})
    >>> print(difference_text([a, a, b]))
    the processes differ in seed: 1 on ranks 0, 1 (node1); 2 on rank 2 (node2). Start the same \
program with the same arguments everywhere
    """
    names = dict.fromkeys(name for one in said for name in one.facts)
    differing = [name for name in names if len({one.facts.get(name, "-") for one in said}) > 1]
    if not differing:
        return ""
    first, *others = differing
    also = f" They also differ in {', '.join(others)}." if others else ""
    return f"the processes differ in {first}: {_values(first, said)}.{also} {_remedy(first)}"


def _values(name: str, said: Sequence[_Statement]) -> str:
    """Return the values of a fact, each with the ranks that have it and their hosts."""
    ranks: dict[str, list[int]] = {}
    for rank, one in enumerate(said):
        ranks.setdefault(one.facts.get(name, "-"), []).append(rank)
    texts = []
    for value, having in ranks.items():
        hosts = ", ".join(dict.fromkeys(said[rank].host for rank in having))
        where = f"rank{'s' * (len(having) > 1)} {', '.join(map(str, having))}"
        texts.append(f"{shortened(value, MAX_VALUE)} on {where} ({hosts})")
    return "; ".join(texts)


def _remedy(name: str) -> str:
    return next((text for start, text in REMEDIES.items() if name.startswith(start)), REMEDY)
