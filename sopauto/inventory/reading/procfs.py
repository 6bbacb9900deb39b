"""The kernel's own tables in /proc/net, for servers that have neither `ss` nor `ip`.

IPv4 addresses stand there as words of the processor's own byte order; all architectures met without these programs
are little-endian.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Final

from sopauto.inventory.model import ListeningPort, Route
from sopauto.inventory.reading.answer import Answer, address, interface_address, text

SOCKET: Final = re.compile(r" *[0-9]+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) ")
OPEN: Final = {"tcp": "0A", "udp": "07"}
"""The states TCP_LISTEN and, for UDP, unconnected."""
ROUTE: Final = re.compile(r"(\S{1,15})\t([0-9A-F]{8})\t([0-9A-F]{8})\t(?:[^\t]*\t){4}([0-9A-F]{8})\t")
INET6: Final = re.compile(r"([0-9a-f]{32}) [0-9a-f]{2} ([0-9a-f]{2}) [0-9a-f]{2} [0-9a-f][02468ace] +(\S{1,15})")
"""The fifth column are flags: an odd number is a temporary address, which is left out."""
LEAF: Final = re.compile(r" *\|-- ([0-9.]{7,15})")


def listening(answer: Answer) -> Iterator[ListeningPort]:
    """Return the open ports of /proc/net/{tcp,tcp6,udp,udp6}."""
    for table in ("tcp", "tcp6", "udp", "udp6"):
        protocol = table[:3]
        for line in answer.lines(f"proc_{table}"):
            found = SOCKET.match(line)
            if found and found[3] == OPEN[protocol]:
                yield ListeningPort(protocol=protocol, address=_address(found[1]), port=int(found[2], 16), process=None)


def routes(answer: Answer) -> Iterator[Route]:
    """Return the IPv4 routes of /proc/net/route."""
    for name, network, gateway in _routes(answer):
        yield Route(
            destination="default" if network.prefixlen == 0 else str(network),
            gateway=None if gateway == IPv4Address(0) else str(gateway),
            interface=text(name),
        )


def addresses(answer: Answer) -> Iterator[tuple[str, str]]:
    """Return interface and address with prefix length, from /proc/net/{fib_trie,if_inet6}.

    The first table names no interface: it is the one whose route leads to the address.
    """
    ways = {(int(network[0]), network.prefixlen): name for name, network, _ in _routes(answer)}
    for local in _local(answer):
        # At most 32 looks per address: a hostile table of thousands must not be searched from end to end for each.
        leading = ((int(local) >> 32 - length << 32 - length, length) for length in range(32, 0, -1))
        way = next((way for way in leading if way in ways), None)
        if way is not None:
            yield ways[way], f"{local}/{way[1]}"
    for line in answer.lines("if_inet6"):
        found = INET6.fullmatch(line.strip())
        # The length is any number up to 255.
        shown = found and interface_address(f"{IPv6Address(int(found[1], 16))}/{int(found[2], 16)}")
        if found and shown:
            yield found[3], shown


def _routes(answer: Answer) -> Iterator[tuple[str, IPv4Network, IPv4Address]]:
    for line in answer.lines("fib_route"):
        found = ROUTE.match(line)
        if found:
            network, mask = IPv4Address(_address(found[2])), IPv4Address(_address(found[4]))
            yield found[1], IPv4Network((network, int(mask).bit_count()), strict=False), IPv4Address(_address(found[3]))


def _local(answer: Answer) -> Iterator[IPv4Address]:
    """Return the server's own addresses: each stands on a line before `/32 host LOCAL`, in two tables."""
    leaf, seen = "", set()
    for line in answer.lines("fib_trie"):
        found = LEAF.fullmatch(line.rstrip())
        if found:
            leaf = found[1]
        elif line.strip() == "/32 host LOCAL" and leaf not in seen and address(leaf):
            seen.add(leaf)
            yield IPv4Address(leaf)


def _address(digits: str) -> str:
    """Return the address that 8 or 32 hexadecimal digits stand for, word by word in reversed bytes."""
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    packed = b"".join(words)
    return str(IPv4Address(packed) if len(words) == 1 else IPv6Address(packed))
