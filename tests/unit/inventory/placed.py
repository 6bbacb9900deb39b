"""A server in its rack, for tests of the inventory."""

from __future__ import annotations

from ipaddress import IPv4Address

from sopauto.assets.model import Place, Rack, Server, ServerState

RACK = Rack(id="R1", location="Ruang server", height=42)
SERVER = Server(
    id="web-01",
    unit="dinkes",
    ticket="PS-2026-0001",
    brand="Dell",
    model="R650",
    serial="=7XK2P93",
    height=1,
    state=ServerState.PLACED,
    place=Place(
        rack="R1",
        bottom_unit=7,
        height=1,
        switch="sw1",
        port="Gi1/0/7",
        vlan=30,
        pool="titipan",
        address=IPv4Address("192.0.2.30"),
    ),
)
