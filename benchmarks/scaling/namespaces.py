"""Network namespaces on this machine, joined by a network with a given delay and rate.

Each namespace is to the network like a machine of its own: it has one address, and its packets
reach only the other namespaces. They travel through the kernel's netem where the kernel has it, and
through `emulator.cpp` where not. It needs root, iproute2 and a C++ compiler.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scaling.tun import open_tun

SUBNET = "10.77.0"
SWITCH = "minicnn-switch"  # the namespace of the bridge that joins the others
QUEUE = 100_000  # packets that netem may hold; fewer would be lost at these rates
# Without this TCP starts slowly again after each pause, such as a training step's computations.
SETTINGS = {"tcp_slow_start_after_idle": "0", "tcp_congestion_control": "reno"}


class Link(NamedTuple):
    """The link of each namespace to the switch."""

    delay: float  # seconds from a namespace to another; an answer takes as long again
    rate: float  # bits per second in each direction


def name(rank: int) -> str:
    """The name of a namespace."""
    return f"minicnn-{rank}"


def address(rank: int) -> str:
    """The address of a namespace."""
    return f"{SUBNET}.{rank + 1}"


def why_not() -> str | None:
    """Why this machine cannot make namespaces, and what to do; None if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root: run this as root, for example with sudo"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "network namespaces need ip and tc: install iproute2 (Debian: apt install iproute2)"
    if has_netem():
        return None
    if not Path("/dev/net/tun").exists():
        return "the kernel has neither netem nor /dev/net/tun: it cannot delay packets"
    if shutil.which("c++") is None:
        return "the kernel has no netem: to delay packets, install a compiler (apt install g++)"
    return None


def has_netem() -> bool:
    """Whether the kernel can delay packets itself."""
    with contextlib.ExitStack() as stack:
        _add_namespace(SWITCH, stack)
        command = _inside(
            SWITCH, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"
        )
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def slow_network(count: int, link: Link) -> Iterator[str]:
    """Make namespaces 0...count - 1 and the network between them; yield who delays the packets."""
    netem = has_netem()
    with contextlib.ExitStack() as stack:
        for rank in range(count):
            _add_namespace(name(rank), stack)
        (_join_by_netem if netem else _join_by_emulator)(count, link, stack)
        for rank in range(count):
            _bring_up(name(rank), f"{address(rank)}/24")
        yield "netem" if netem else "emulator.cpp"


def _add_namespace(namespace: str, stack: contextlib.ExitStack) -> None:
    """Add a namespace that is deleted with the stack; replace one that a killed run left."""
    delete = ["ip", "netns", "delete", namespace]
    subprocess.run(delete, capture_output=True, check=False)
    _do("ip", "netns", "add", namespace)
    stack.callback(_do, *delete)


def _join_by_netem(count: int, link: Link, stack: contextlib.ExitStack) -> None:
    """Join the namespaces by a bridge, with netem in front of each link in each direction."""
    _add_namespace(SWITCH, stack)
    _do(*_inside(SWITCH, "ip", "link", "add", "bridge", "type", "bridge"))
    _do(*_inside(SWITCH, "ip", "link", "set", "bridge", "up"))
    rate = ["rate", f"{link.rate:.0f}bit", "limit", str(QUEUE)]
    for rank in range(count):
        port = f"port{rank}"
        pair = ["type", "veth", "peer", "name", "net", "netns", name(rank)]
        _do(*_inside(SWITCH, "ip", "link", "add", port, *pair))
        _do(*_inside(SWITCH, "ip", "link", "set", port, "master", "bridge", "up"))
        delay = ["netem", "delay", f"{link.delay * 1e6:.0f}us", *rate]
        _do(*_inside(name(rank), "tc", "qdisc", "add", "dev", "net", "root", *delay))
        _do(*_inside(SWITCH, "tc", "qdisc", "add", "dev", port, "root", "netem", *rate))


def _join_by_emulator(count: int, link: Link, stack: contextlib.ExitStack) -> None:
    """Give each namespace a TUN device, and start the process that forwards their packets."""
    fds = [open_tun(name(rank)) for rank in range(count)]
    for rank in range(count):
        _do("ip", "link", "set", name(rank), "netns", name(rank), "name", "net")
    program = _compiled(stack)
    process = subprocess.Popen([program, *map(str, (*link, *fds))], pass_fds=fds)
    for fd in fds:
        os.close(fd)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _compiled(stack: contextlib.ExitStack) -> str:
    """Compile the emulator, and return the path of the program."""
    program = f"{stack.enter_context(tempfile.TemporaryDirectory())}/emulator"
    source = str(Path(__file__).with_name("emulator.cpp"))
    _do("c++", "-std=c++17", "-O2", "-o", program, source)
    return program


def _bring_up(namespace: str, own_address: str) -> None:
    """Give the namespace its address and let packets through."""
    _do(*_inside(namespace, "ip", "address", "add", own_address, "dev", "net"))
    for device in ("lo", "net"):
        _do(*_inside(namespace, "ip", "link", "set", device, "up"))
    for setting, value in SETTINGS.items():
        _do(*_inside(namespace, "sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{setting}"))


def _inside(namespace: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", namespace, *command]


def _do(*command: str) -> None:
    """Run a command that must succeed; the error shows what it has printed."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: {result.stderr.strip()}")
