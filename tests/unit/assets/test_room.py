"""Is there room? Rack units, a free port and a free address."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from sopauto.assets.drawing import draw_rack
from sopauto.assets.model import Place, Pool, Rack, Server, ServerState, SwitchPort, natural
from sopauto.assets.room import Estate, NoRoom, find_place

POOL = Pool(
    id="titipan",
    vlan=30,
    network=IPv4Network("10.0.0.0/24"),
    gateway=IPv4Address("10.0.0.1"),
    first=IPv4Address("10.0.0.1"),
    last=IPv4Address("10.0.0.20"),
)


def estate(*, racks: tuple[Rack, ...] = (), ports: int = 20, rack: str | None = None, **changes: object) -> Estate:
    made = Estate(
        racks=racks or (Rack(id="R1", location="", height=10, blocked=frozenset({5})),),
        ports=[SwitchPort(switch="sw1", name=f"p{i}", rack=rack) for i in range(ports)],
        pools=[POOL],
        servers=(),
    )
    return replace(made, **changes)


def placed(estate_before: Estate, name: str, height: int) -> tuple[Estate, Place | NoRoom]:
    place = find_place(estate_before, height=height)
    if isinstance(place, NoRoom):
        return estate_before, place
    server = Server(
        id=name,
        unit="dinkes",
        ticket="-",
        brand="",
        model="",
        serial="",
        height=height,
        state=ServerState.RESERVED,
        place=place,
    )
    return estate_before.with_server(server), place


def test_the_lowest_fitting_units_are_taken_around_blocked_ones() -> None:
    after, first = placed(estate(), "a", 3)
    assert isinstance(first, Place)
    assert (first.bottom_unit, first.address) == (1, IPv4Address("10.0.0.2"))  # the gateway's address is not given out
    _, second = placed(after, "b", 2)
    assert isinstance(second, Place)
    assert second.bottom_unit == 6


def test_each_thing_that_is_short_is_named() -> None:
    for short, told in (
        (estate(racks=(Rack(id="R1", location="", height=1),)), "no rack has 2 free units in a row"),
        (estate(ports=0), "no switch port is free in R1"),
        (estate(rack="R2"), "no switch port is free in R1"),
        (estate(pools=[]), "no address is free"),
    ):
        place = find_place(short, height=2)
        assert isinstance(place, NoRoom)
        assert told in "; ".join(place.reasons)


def test_a_rack_without_a_port_gives_way_to_one_that_has_one() -> None:
    racks = (Rack(id="R1", location="", height=10), Rack(id="R2", location="", height=10))
    place = find_place(estate(racks=racks, rack="R2"), height=2)
    assert isinstance(place, Place)
    assert place.rack == "R2"


@given(st.lists(st.integers(min_value=1, max_value=4), max_size=12), st.data())
def test_places_never_overlap_and_freed_room_is_found_again(heights: list[int], data: st.DataObject) -> None:
    now = estate()
    for i, height in enumerate(heights):
        now, _ = placed(now, f"s{i}", height)
    units = [
        (place.rack, unit)
        for place in now.places
        for unit in range(place.bottom_unit, place.bottom_unit + place.height)
    ]
    assert len(units) == len(set(units))
    assert all(unit != 5 and 1 <= unit <= 10 for _, unit in units)
    assert len({(place.switch, place.port) for place in now.places}) == len(now.places)
    assert len({place.address for place in now.places}) == len(now.places)
    if now.servers:
        leaving = data.draw(st.sampled_from(list(now.servers)))
        assert isinstance(find_place(now.without(leaving), height=leaving.height), Place)


def test_ports_are_sorted_as_people_do() -> None:
    names = ["Gi1/0/10", "Gi1/0/2", "tap1"]
    assert sorted(names, key=natural) == ["Gi1/0/2", "Gi1/0/10", "tap1"]


def test_a_rack_is_drawn_with_servers_blocked_and_free_units() -> None:
    after, _ = placed(estate(), "web-01", 2)
    drawn = draw_rack(after, after.racks[0]).splitlines()
    assert " 2 |web-01 (dinkes)" in drawn[10]
    assert "#" * 40 in drawn[7]
    assert drawn[-1].strip() == "7 of 10 units free"
    assert max(map(len, drawn)) <= 46
