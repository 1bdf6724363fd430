"""A network that delays packets and limits their rate: a process between network namespaces.

    python benchmarks/scaling/emulator.py DELAY_SECONDS BITS_PER_SECOND FD...

It does what the kernel's traffic shaper netem does, for kernels that were built without netem. Each
namespace has a TUN device, at whose other end is one of the file descriptors FD. This process reads
the packets, holds them back, and writes them to the device of their destination.

Every device has a link of its own to a switch, with BITS_PER_SECOND in each direction. A packet
waits until its sender's link is free, then until the link of its destination is free. It arrives
DELAY_SECONDS after its last bit was sent, or later. No packet is lost, and queues are not limited.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import select
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

# From linux/if_tun.h.
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x1, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4 = 0x1, 0x2

# A packet as it is read: virtio's header, whose bytes 1 and 4 say whether and into which payloads
# the network card of a real machine would cut it, then an IPv4 header.
VIRTIO_HEADER = 10
DESTINATION = slice(VIRTIO_HEADER + 16, VIRTIO_HEADER + 20)
LARGEST = VIRTIO_HEADER + 65536
HEADERS = 20 + 32  # bytes of IPv4 and of TCP with timestamps
FRAMING = 8 + 14 + 4 + 12  # bytes of Ethernet: preamble, header, checksum, gap
PRIORITY = 10  # above all ordinary processes, as the kernel's own network code


class Event(NamedTuple):
    """What happens at a time: an action with its arguments."""

    time: float
    number: int  # orders events with the same time
    action: Callable[..., None]
    arguments: tuple[Any, ...]


class Port:
    """The link between a namespace and the switch, with a queue for each destination."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.queues: dict[Port, deque[bytes]] = {}  # only those that hold packets
        self.is_sending = False
        self.arrived = 0.0  # when the last bit of all packets so far reaches the namespace

    def queue(self, packet: bytes, target: Port) -> None:
        """Let a packet wait for its turn."""
        self.queues.setdefault(target, deque()).append(packet)

    def next(self) -> tuple[bytes, Port]:
        """Take the next packet: the destinations take turns, as in Linux's fq_codel."""
        target = next(iter(self.queues))
        waiting = self.queues.pop(target)
        packet = waiting.popleft()
        if waiting:
            self.queues[target] = waiting  # at the end of the turn
        return packet, target


def open_tun(name: str) -> int:
    """Create a TUN device that exchanges packets of up to 64 KiB; it ends with this descriptor."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)
    return fd


class Switch:
    """Forwards packets between ports; port k has the IPv4 address that ends with k + 1."""

    def __init__(self, fds: list[int], delay: float, rate: float) -> None:
        self.ports = [Port(fd) for fd in fds]
        self.delay, self.rate = delay, rate / 8  # seconds, bytes per second
        self.events: list[Event] = []
        self.numbers = count()

    def serve(self) -> None:
        """Forward packets until the process is ended."""
        by_fd = {port.fd: port for port in self.ports}
        while True:
            while self.events and self.events[0].time <= time.monotonic():
                event = heapq.heappop(self.events)
                event.action(event.time, *event.arguments)
            wait = max(0.0, self.events[0].time - time.monotonic()) if self.events else None
            for fd in select.select(by_fd, [], [], wait)[0]:
                self._take(by_fd[fd])

    def _at(self, moment: float, action: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self.events, Event(moment, next(self.numbers), action, arguments))

    def _take(self, source: Port) -> None:
        """Read a packet, and send it when the link is free."""
        packet = os.read(source.fd, LARGEST)
        host = packet[DESTINATION][3] - 1 if packet[VIRTIO_HEADER] >> 4 == 4 else -1
        if 0 <= host < len(self.ports):  # and neither IPv6 nor multicast
            source.queue(packet, self.ports[host])
            if not source.is_sending:
                self._send_next(time.monotonic(), source)

    def _send_next(self, now: float, source: Port) -> None:
        source.is_sending = bool(source.queues)
        if source.is_sending:
            packet, target = source.next()
            sent = now + on_wire(packet) / self.rate
            self._at(sent, self._send_next, source)
            self._at(sent + self.delay, self._reach, target, packet)

    def _reach(self, now: float, target: Port, packet: bytes) -> None:
        """Let a packet pass the link of its destination when this is free."""
        target.arrived = max(target.arrived + on_wire(packet) / self.rate, now)
        self._at(target.arrived, self._deliver, target, packet)

    def _deliver(self, now: float, target: Port, packet: bytes) -> None:
        os.write(target.fd, packet)


def on_wire(packet: bytes) -> int:
    """The bytes of a packet on Ethernet, cut into frames each of which has all headers."""
    size = len(packet) - VIRTIO_HEADER
    if packet[1] == 0:  # not to be cut
        return size + FRAMING
    payload = int.from_bytes(packet[4:6], sys.byteorder)
    frames = -(-(size - HEADERS) // payload)
    return size + (frames - 1) * HEADERS + frames * FRAMING


def main(arguments: list[str]) -> None:
    """Forward packets between the given devices until this process is ended."""
    delay, rate, *fds = arguments
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    Switch([int(fd) for fd in fds], float(delay), float(rate)).serve()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1:])
