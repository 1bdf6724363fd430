"""The addresses of the public internet, the only ones to which downloads connect.

A link in a list may come from an attacker. It could otherwise read what only this machine can
reach: its own services, the pages of the router, the keys that a cloud provides to its machines.
"""

from __future__ import annotations

import ipaddress

# All blocks of https://www.iana.org/assignments/iana-ipv4-special-registry, even if global.
SPECIAL_V4 = [
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # looks public, but belongs to Azure's internal services
    )
]  # fmt: skip
# All public addresses are in this block; loopback, link-local, unique local, multicast,
# IPv4-mapped, IPv4-compatible and NAT64 addresses are outside.
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
SPECIAL_V6 = [
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocols: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which contains an IPv4 address of any kind
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]


def is_public(address: str) -> bool:
    """Return whether a text is an address of the public internet.

    >>> is_public("93.184.215.14"), is_public("127.0.0.1"), is_public("0x7f.1")
    (True, False, False)
    """
    try:
        parsed = ipaddress.ip_address(address)  # strict: four decimal numbers, or IPv6
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in block for block in SPECIAL_V4)
    if parsed.scope_id is not None or parsed not in GLOBAL_V6:
        return False
    return not any(parsed in block for block in SPECIAL_V6)
