"""The LogGOPS model of a network: its parameters, and how they follow from measured messages.

A message of k bytes takes the sender's processor o + k O, and the receiver's as well. The link of
each rank carries one message after the other in each direction, for g + k G each. The last byte
arrives L after it was sent. Before a message of more than S bytes the sender asks the receiver, and
waits for the answer.

References
----------
A. Alexandrov, M. Ionescu, K. Schauser, C. Scheiman, "LogGP: incorporating long messages into the
LogP model", SPAA 1995; T. Hoefler, T. Schneider, A. Lumsdaine, "LogGOPSim: simulating large-scale
applications in the LogGOPS model", HPDC 2010, which adds O and S.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Points = list[tuple[float, float]]  # bytes, seconds

# Open MPI sends longer messages only when they are expected (btl_sm_eager_limit and
# btl_tcp_eager_limit of Open MPI 5).
EAGER = {"memory": 4096, "loopback": 65536, "namespaces": 65536}
HEADER = 64  # bytes of Open MPI's own within these limits, about
LONG = 1 << 17  # bytes from which the time of a message is that of its bytes


class LogGOPS(NamedTuple):
    """The parameters of a network; all times in seconds."""

    L: float  # latency
    o: float  # of the processor per message
    g: float  # of the link per message
    G: float  # of the link per byte
    O: float  # noqa: E741 - of the processor per byte
    S: float  # the largest message in bytes that is sent at once

    def processor(self, messages: int, size: float) -> float:
        """Seconds of the processor to send, or to receive, messages of `size` bytes."""
        return messages * (self.o + size * self.O)

    def link(self, messages: int, size: float) -> float:
        """Seconds of the link to send messages of `size` bytes, and to receive as many."""
        return messages * (max(self.g, self.o) + size * self.G)

    @property
    def short(self) -> float:
        """Seconds from the beginning of a message of no bytes to its end."""
        return self.L + 2 * self.o


def fit(measured: dict[str, Any], place: str) -> LogGOPS:
    """The parameters that explain what `ping_pong.py` has measured.

    Latency and gap are those of exchanges between all ranks, which is what a training does.
    """
    others, overhead, gap = measured["ranks"] - 1, measured["send"], measured["stream"]
    limit = EAGER[place] - HEADER
    _, short = line([point for point in measured["exchange"] if point[0] <= limit])
    per_byte, _ = line([point for point in measured["exchange"] if point[0] >= LONG])
    work, _ = line([point for point in measured["work"] if point[0] >= LONG])
    return LogGOPS(
        L=max(0.0, short - others * max(gap, overhead)),
        o=overhead,
        g=gap,
        G=per_byte / others,
        O=work / 2,  # an exchange of two ranks sends and receives a message
        S=limit,
    )


def line(points: Points) -> tuple[float, float]:
    """Slope and intercept of the line through the points with equal relative errors."""
    sizes, seconds = np.array(points).T
    slope, start = np.polyfit(sizes, seconds, 1, w=1 / seconds)
    return float(slope), float(start)


def ethernet(gigabits: float, tcp: LogGOPS) -> LogGOPS:
    """An assumed Ethernet network between machines, with the processor's work measured for TCP.

    L = 15 us: the interrupt and the wake-up of the receiver (some 10 us with Linux's TCP), network
    cards and cables (3 us), a switch (1 us). 94.9 % of the bits are payload in frames of 1,500
    bytes: 1,460 of 1,538. o, O and g are those of TCP on the loopback device here, because the
    processor does the same work.
    """
    return LogGOPS(15e-6, tcp.o, tcp.o, 8 * 1538 / 1460 / (gigabits * 1e9), tcp.O, tcp.S)
