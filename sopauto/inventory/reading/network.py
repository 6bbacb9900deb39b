"""How the server stands in the network: interfaces, addresses, routes, name servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from sopauto.inventory.model import Interface, Network, Route
from sopauto.inventory.reading import procfs
from sopauto.inventory.reading.answer import Answer, address, destination, interface_address, number, text, text_or_none
from sopauto.inventory.reading.surroundings import read_neighbours

MAC: Final = re.compile(r"([0-9a-f]{2}:){5,19}[0-9a-f]{2}")
"""Six bytes on Ethernet, twenty on InfiniBand."""


def read_network(answer: Answer) -> Network:
    """Return the server's network data."""
    routes = answer.bounded("network.routes", chain(_routes(answer), procfs.routes(answer)))
    gateways = [route.gateway for route in routes if route.destination == "default" and route.gateway]
    return Network(
        host_name=text_or_none(answer.first("host_name")),
        interfaces=answer.bounded("network.interfaces", _interfaces(answer)),
        gateway=next(iter(gateways), None),
        dns=answer.bounded("network.dns", _name_servers(answer)),
        routes=routes,
        neighbours=read_neighbours(answer),
    )


def _interfaces(answer: Answer) -> Iterator[Interface]:
    held: dict[str, list[str]] = {}
    listed = answer.bounded("network.interfaces.addresses", chain(_addresses(answer), procfs.addresses(answer)))
    for name, shown in listed:
        held.setdefault(name, []).append(shown)
    for name, mac, state, mtu in answer.things("interface", 4):
        yield Interface(
            name=text(name),
            mac=mac if MAC.fullmatch(mac) else None,
            state=text_or_none(state),
            mtu=number(mtu),
            addresses=tuple(held.get(name, ())),
        )


def _addresses(answer: Answer) -> Iterator[tuple[str, str]]:
    """Read `ip -o addr show`: number, interface, family, address with prefix length, and more.

    Temporary ones, which IPv6 makes up every day to hide who asks, are left out.
    """
    for line in answer.lines("address"):
        fields = line.split(maxsplit=4)
        if fields[2:3] == ["inet6"] and " temporary " in line:
            continue
        if len(fields) > 3 and fields[2] in {"inet", "inet6"}:  # noqa: PLR2004 - the fourth column is the address
            shown = interface_address(fields[3])
            if shown:
                yield fields[1].partition("@")[0], shown


def _routes(answer: Answer) -> Iterator[Route]:
    """Read `ip route show`. A route over several gateways stands on a line of its own, its `nexthop`s follow it."""
    leads_to: str | None = None
    for line in chain(answer.lines("route4"), answer.lines("route6")):
        fields = line.split()
        if fields and fields[0] != "nexthop":
            leads_to = destination(fields[0])
        if leads_to and "dev" in fields:
            yield Route(
                destination=leads_to,
                gateway=address(_after(fields, "via") or ""),
                interface=text_or_none(_after(fields, "dev")),
            )


def _after(fields: list[str], word: str) -> str | None:
    """Return the field after a word; `via inet6 ADDRESS` is how an IPv4 route over an IPv6 gateway is written."""
    if word not in fields:
        return None
    rest = [field for field in fields[fields.index(word) + 1 :] if field not in {"inet", "inet6"}]
    return rest[0] if rest else None


def _name_servers(answer: Answer) -> Iterator[str]:
    for line in answer.lines("resolv"):
        fields = line.split()
        shown = address(fields[1]) if len(fields) > 1 and fields[0] == "nameserver" else None
        if shown:
            yield shown
