"""What an inventory makes of recorded answers (Debian, Alpine's busybox, an old RHEL) and of hostile ones."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopauto.errors import StepFailed
from sopauto.inventory.comparing.facts import READERS, facts_of
from sopauto.inventory.exports import glpi, netbox
from sopauto.inventory.kept.sections import split
from sopauto.inventory.reading import script
from sopauto.inventory.reading.answer import MAX_ITEMS, MAX_TEXT, TooLarge
from sopauto.inventory.reading.snapshot import parse
from tests.unit.inventory.placed import SERVER

AT = datetime(2026, 11, 20, 9, 30, 15, 999, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> dict[str, Any]:
    return parse((RECORDED / f"{name}.txt").read_bytes(), AT)


def answer(*lines: str) -> dict[str, Any]:
    return parse("\n".join((*lines, "end\t1", "")).encode(), AT)


def port(protocol: str, address: str, number: int, process: str | None = None) -> dict[str, Any]:
    return {"protocol": protocol, "address": address, "port": number, "process": process}


def test_a_server_cannot_pass_its_answer_off_as_a_form_that_people_filled_in() -> None:
    told = answer("missing\tserver.disks: recorded by form")["missing"]
    assert "server.disks: recorded by form (the server says)" in told
    assert not any(line.endswith(": recorded by form") for line in told)


def test_a_debian_server_tells_its_hardware() -> None:
    server = recorded("debian")["server"]
    assert (server["vendor"], server["model"], server["serial"]) == ("Dell Inc.", "PowerEdge R650", "7XK2P93")
    assert server["bios_date"] == "2021-06-14"
    model = "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz"
    assert server["cpu"] == {"model": model, "sockets": 2, "cores": 4, "threads": 8}
    assert server["memory_bytes"] == 65535000 * 1024
    nvme = {"name": "nvme0n1", "size_bytes": 960197103616, "model": "SAMSUNG MZQL2960HCJR", "serial": "S64"}
    spinning = {"name": "sda", "size_bytes": 4000787030016, "model": "ST4000NM", "serial": None}
    assert server["disks"] == [
        {**nvme, "rotational": False, "health": None},
        {**spinning, "rotational": True, "health": "PASSED"},
    ]


def test_a_debian_server_tells_what_runs_on_it() -> None:
    snapshot = recorded("debian")
    server = snapshot["server"]
    assert server["os"] == {"name": "Debian GNU/Linux", "version": "12 (bookworm)", "id": "debian"}
    assert (server["kernel"], server["architecture"]) == ("6.1.0-18-amd64", "x86_64")
    assert (server["uptime_seconds"], server["packages_count"]) == (86400, 3)
    assert [(one["name"], one["state"], one["starts"]) for one in server["services"]] == [
        ("cron", "running", "enabled"),
        ("getty@tty1", "running", "enabled"),
        ("nginx", "failed", "enabled"),
        ("ssh", "running", "enabled"),
        ("systemd-timedated", "running", "static"),
    ]
    assert server["users"][1] == {"name": "opd", "uid": 1000, "shell": "/bin/bash"}
    assert snapshot["missing"] == []
    assert snapshot["taken_at"] == "2026-11-20T09:30:15+00:00"


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["chrony\tLeap status     : Normal", "timesync\tno"], True),
        (["chrony\tLeap status     : Not synchronised", "timesync\tyes"], False),
        (["ntpq\tleap=00"], True),
        (["ntpq\tleap=11"], False),
        (["timesync\tyes"], True),
        (["timesync\tno"], False),
        ([], None),
    ],
)
def test_who_keeps_the_clock_tells_whether_it_does(lines: list[str], kept: bool | None) -> None:
    assert answer(*lines)["server"]["time"]["synchronised"] is kept


def test_a_debian_server_tells_how_its_disks_fill() -> None:
    server = recorded("debian")["server"]
    assert [
        (one["mount"], one["kind"], one["used_bytes"] * 100 // one["size_bytes"]) for one in server["filesystems"]
    ] == [
        ("/", "ext4", 48),
        ("/srv/data lama", "xfs", 94),
    ]
    volumes = [["root", 21474836480], ["data", 107374182400]]
    group = {"name": "vg0", "size_bytes": 137438953472, "free_bytes": 10737418240, "volumes": volumes}
    assert server["volume_groups"] == [group]
    assert server["arrays"] == [{"name": "md0", "level": "raid1", "healthy": False}]
    (module,) = server["memory_modules"]
    assert (module["slot"], module["size_bytes"], module["part"]) == ("A1", 32 << 30, "HMA84GR7DJR4N-XN")


@pytest.mark.parametrize(
    ("lines", "arrays"),
    [
        ("md0 : active raid1 sdb1[1] sda1[0]|  1047552 blocks super 1.2 [2/2] [UU]", [("md0", "raid1", True)]),
        ("md0 : active raid1 sdb1[1](F) sda1[0]|  1047552 blocks super 1.2 [2/1] [U_]", [("md0", "raid1", False)]),
        ("md5 : active (auto-read-only) raid5 sdb[1]|  9 blocks level 5 [3/3] [UUU]", [("md5", "raid5", True)]),
        ("md0 : inactive sda1[0](S)|  1047552 blocks super 1.2", [("md0", None, False)]),
        ("md126 : inactive sdb[1] sda[0]|  9 blocks super external:/md127/0", [("md126", None, False)]),
        ("md127 : inactive sdb[1](S) sda[0](S)|  6306 blocks super external:imsm", []),
        ("md1 : active raid0 sdc1[0] sdd1[1]|  9 blocks super 1.2 512k chunks", []),
        (
            "md1 : active raid0 sdc1[0]|  9 blocks||md0 : active raid1 sda1[0]|  9 blocks [2/1] [_U]|  [=>.] recovery",
            [("md0", "raid1", False)],
        ),
    ],
)
def test_arrays_are_healthy_degraded_or_stand_still(lines: str, arrays: list[tuple[str, str | None, bool]]) -> None:
    server = answer(*(f"mdstat\t{line}" for line in lines.split("|")))["server"]
    assert [(one["name"], one["level"], one["healthy"]) for one in server["arrays"]] == arrays


def test_a_debian_server_tells_what_is_installed_and_what_is_due() -> None:
    server = recorded("debian")["server"]
    assert server["packages"][1] == {"name": "libssl3:amd64", "version": "3.0.15-1~deb12u1"}
    assert server["updates"] == {"pending": 2, "security": [{"name": "libssl3", "version": "3.0.17-1~deb12u2"}]}
    (certificate,) = server["certificates"]
    assert certificate["expires"] == "2026-11-21T09:30:00+00:00"
    settings = {one["name"]: one["value"] for one in server["hardening"]}
    assert settings == {"kernel.kptr_restrict": "2", "sshd permitrootlogin": "no"}
    assert (server["virtualisation"], server["time"]) == ("none", {"offset_seconds": 3, "synchronised": True})


def test_a_debian_server_tells_the_switch_port_that_it_hears() -> None:
    heard = {"interface": "eno1", "switch": "sw1", "port": "GigabitEthernet1/0/7"}
    assert recorded("debian")["network"]["neighbours"] == [heard]


def test_what_costs_a_server_time_can_be_left_out() -> None:
    assert script.source(["updates"]).startswith(b"skip='updates'\n")
    assert script.source(["$(reboot)"]).startswith(b"skip=''\n")


@pytest.mark.parametrize(
    "line",
    [
        "certificate\t/x\tno date\tCN=x",
        "df\tnothing",
        "health\tsda",
        "lldp\tlldp.eno1.chassis.name=",
        "apt_update\tInst",
        "clock\t999999999999999",
        "bios_date\t31/31/31",
        "dimm\t\tSize: much",
        "mdstat\t[U_]",
        "volume_group\tvg0\tx",
    ],
)
def test_a_line_that_makes_no_sense_is_left_out(line: str) -> None:
    server = answer(line)["server"]
    kept = [server[name] for name in ("certificates", "filesystems", "disks", "memory_modules", "arrays")]
    assert kept == [[]] * 5
    assert (server["time"]["offset_seconds"], server["updates"]["pending"]) == (None, None)


def test_a_port_that_several_sockets_share_is_listed_once() -> None:
    assert recorded("debian")["server"]["listening_ports"] == [
        port("tcp", "::", 22, "sshd"),
        port("tcp", "*", 80, "nginx"),
        port("tcp", "127.0.0.1", 9000, "php-fpm"),
        port("udp", "fe80::1", 546),
    ]


def test_a_debian_server_tells_its_network() -> None:
    network = recorded("debian")["network"]
    assert network["host_name"] == "web-01"
    assert network["interfaces"][0] == {
        "name": "eno1",
        "mac": "b0:7b:25:00:00:01",
        "state": "up",
        "mtu": 1500,
        "addresses": ["192.0.2.30/24", "fe80::1/64"],
    }
    assert network["dns"] == ["192.0.2.53", "fe80::53"]
    assert network["gateway"] == "192.0.2.1"


def test_a_default_route_over_two_gateways_is_two_routes() -> None:
    routes = [(one["destination"], one["gateway"]) for one in recorded("debian")["network"]["routes"]]
    assert routes == [
        ("default", "192.0.2.1"),
        ("default", "192.0.2.2"),
        ("192.0.2.0/24", None),
        ("fe80::/64", None),
    ]


def test_a_server_with_busybox_only_is_read_from_the_kernels_tables() -> None:
    snapshot = recorded("alpine")
    assert snapshot["server"]["listening_ports"] == [
        port("tcp", "::", 22),
        port("tcp", "127.0.0.1", 8080),
        port("udp", "0.0.0.0", 68),
    ]
    network = snapshot["network"]
    assert network["interfaces"][0]["addresses"] == ["10.0.2.15/24", "fe80::5054:ff:fe12:3456/64"]
    assert network["gateway"] == "10.0.2.2"
    assert network["routes"] == [
        {"destination": "default", "gateway": "10.0.2.2", "interface": "eth0"},
        {"destination": "10.0.2.0/24", "gateway": None, "interface": "eth0"},
    ]


def test_what_needs_root_is_named_as_missing() -> None:
    snapshot = recorded("alpine")
    assert snapshot["server"]["serial"] is None
    assert snapshot["missing"] == ["server.listening_ports.process: needs root and ss", "server.serial: needs root"]


def test_processors_that_name_no_model_are_counted_all_the_same() -> None:
    assert recorded("alpine")["server"]["cpu"] == {"model": None, "sockets": None, "cores": None, "threads": 2}


def test_an_old_rhel_is_read_from_its_release_file_and_lscpu() -> None:
    server = recorded("rhel")["server"]
    assert server["os"]["name"] == "Red Hat Enterprise Linux Server release 7.9 (Maipo)"
    assert server["cpu"] == {"model": "Neoverse-N1", "sockets": 1, "cores": 2, "threads": 1}
    assert server["serial"] is None, "what the maker forgot to fill in is no serial number"
    assert [one["name"] for one in server["services"]] == ["kdump", "sshd"]


def test_the_notations_of_an_old_ss_are_understood() -> None:
    ports = recorded("rhel")["server"]["listening_ports"]
    assert ports == [port("tcp", "*", 22), port("tcp", "::", 22), port("udp", "*", 68)]


def test_an_ipv4_route_over_an_ipv6_gateway_is_understood() -> None:
    assert recorded("rhel")["network"]["routes"][1]["gateway"] == "fe80::9"


def test_infiniband_addresses_are_kept() -> None:
    assert recorded("rhel")["network"]["interfaces"][1]["mac"].count(":") == 19


def test_an_answer_that_breaks_off_is_no_inventory() -> None:
    whole = (RECORDED / "debian.txt").read_bytes()
    with pytest.raises(StepFailed, match="broke off"):
        parse(whole.removesuffix(b"end\t1\n"), AT)


def test_the_reason_of_an_answer_that_is_none_is_shown_escaped() -> None:
    with pytest.raises(StepFailed) as caught:
        parse(b"hello\n\x1b[2Jsh: not found\n", AT)
    assert "not found" in str(caught.value)
    assert str(caught.value).isprintable()


def test_control_characters_are_escaped_and_long_texts_cut() -> None:
    server = answer("vendor\t\x1b]0;owned\x07\u202e<script>", "model\t" + "A" * 100_000, "disk\t../..\t8\t7\t\x00\t")[
        "server"
    ]
    assert server["vendor"] == "\\x1b]0;owned\\x07\\u202e<script>"
    assert server["model"] == "A" * MAX_TEXT + "…"
    assert server["disks"][0]["model"] == "\\x00"
    assert server["disks"][0]["rotational"] is None


def test_numbers_that_are_none_are_left_out() -> None:
    snapshot = answer(
        "memory\tMemTotal: 9999999999999999999999 kB",
        "package\tno version",
        "uptime\tinf",
        "user\troot:x:\u0661:0::/:/bin/sh",
        "user\tbig:x:4294967296:0::/:/bin/sh",
        "ss\ttcp LISTEN 0 0 *:65536 *:*",
        "ss\ttcp LISTEN 0 0 $(reboot):22 *:*",
        "address\t1: lo inet 999.0.0.1/8 x",
        "resolv\tnameserver evil",
        "interface\teth0\tnot-a-mac\tup\t1e9",
    )
    server = snapshot["server"]
    assert (server["memory_bytes"], server["packages_count"], server["uptime_seconds"]) == (None, None, None)
    assert server["users"] == []
    assert server["listening_ports"] == []
    assert snapshot["network"]["dns"] == []
    assert snapshot["network"]["interfaces"] == [
        {"name": "eth0", "mac": None, "state": "up", "mtu": None, "addresses": []}
    ]


def test_a_list_without_end_is_cut_and_the_cut_is_recorded() -> None:
    snapshot = answer(*(f"service\ts{number:06}\trunning" for number in range(MAX_ITEMS + 5)))
    assert len(snapshot["server"]["services"]) == MAX_ITEMS
    assert snapshot["missing"] == [f"server.services: more than {MAX_ITEMS} entries"]


def test_a_name_that_comes_again_gets_nothing_again() -> None:
    many = range(MAX_ITEMS)
    volumes = [f"volume\tg\t{'v' * 190}{n}\t1" for n in many] + [f"volume_group\tg\t{n}\t1" for n in many]
    addresses = [f"address\t2: eth0 inet 10.9.{n // 250}.{n % 250}/16" for n in many]
    snapshot = answer(*volumes, *addresses, *(f"interface\teth0\t\tup\t{n}" for n in many))
    assert [len(group["volumes"]) for group in snapshot["server"]["volume_groups"]] == [MAX_ITEMS]
    assert [len(one["addresses"]) for one in snapshot["network"]["interfaces"]] == [MAX_ITEMS]


def test_an_answer_that_swells_beyond_its_bound_is_no_inventory() -> None:
    unseen = "\x01" * MAX_TEXT
    with pytest.raises(TooLarge, match="larger than 4 MiB"):
        answer(*(f"disk\t{n}{unseen}\t8\t1\t{unseen}\t{unseen}" for n in range(MAX_ITEMS)))


def test_a_server_that_says_nothing_but_end_has_an_empty_inventory() -> None:
    snapshot = answer()
    assert snapshot["server"]["cpu"]["threads"] is None
    assert snapshot["network"]["interfaces"] == []


def test_the_same_answer_gives_the_same_snapshot() -> None:
    assert recorded("debian") == recorded("debian")


def test_an_address_that_is_another_tomorrow_is_left_out() -> None:
    network = answer(
        "interface\teth0\t\tup\t1500",
        "address\t2: eth0    inet6 2001:db8::a1/64 scope global temporary dynamic \\       valid_lft 600sec",
        "address\t2: eth0    inet6 2001:db8::1/64 scope global dynamic mngtmpaddr \\       valid_lft 600sec",
        "if_inet6\t20010db80000000000000000000000a2 02 40 00 01 eth0",
        "if_inet6\t20010db8000000000000000000000002 02 40 00 00 eth0",
    )["network"]
    assert network["interfaces"][0]["addresses"] == ["2001:db8::1/64", "2001:db8::2/64"]


NAMES = """
vendor cpuinfo lscpu memory disk os uptime systemd unit_file service ss user proc_tcp proc_tcp6 proc_udp fib_route
fib_trie if_inet6 interface address route4 route6 resolv missing chrony ntpq timesync
"""
SECTIONS = st.sampled_from(NAMES.split())
WORDS = st.sampled_from(
    [
        "default",
        "via",
        "dev",
        "nexthop",
        "inet",
        "tcp",
        "LISTEN",
        "*:22",
        "0A",
        "/32 host LOCAL",
        "|-- 1.2.3.4",
        ":",
        "\t",
    ]
)
LINES = st.builds(
    lambda section, words: f"{section}\t{' '.join(words)}",
    SECTIONS,
    st.lists(WORDS | st.text(max_size=12).map(lambda word: word.replace("\n", "")), max_size=9),
)


HEX = st.integers(0, 255).map("{:02x}".format)
ADDRESSES = st.sampled_from(["2001:db8::9", "fe80::1", "::", "192.0.2.9", "0.0.0.0", "255.255.255.255"])
PLACES = st.builds("{}{}/{}".format, ADDRESSES, st.sampled_from(["", "%eth9", "%\x1b[31mEVIL"]), st.integers(0, 256))
SHAPED = st.one_of(
    st.builds("if_inet6\t20010db8000000000000000000000001 02 {} 00 {} eth9".format, HEX, HEX),
    st.builds("address\t9: eth9 inet6 {} scope global".format, PLACES),
    st.builds("route6\t{} via fe80::9 dev eth9".format, PLACES),
    st.builds("route4\tdefault via {} dev eth9".format, ADDRESSES),
)
"""Lines of which most are nearly right."""


@given(st.lists(SHAPED | LINES, max_size=20))
def test_no_answer_breaks_the_reader_or_what_reads_its_snapshot(lines: list[str]) -> None:
    whole = ("interface\teth9\t52:54:00:00:00:01\tup\t1500", *lines, "end\t1")
    snapshot = parse("\n".join(whole).encode("utf-8", "surrogatepass"), AT)
    assert json.loads(json.dumps(snapshot)) == snapshot
    assert "\x1b" not in json.dumps(snapshot["network"], ensure_ascii=False)
    assert netbox.write(netbox.rows(SERVER, None, snapshot))
    assert glpi.document("web-01", snapshot)
    assert {name: facts_of(name, part) for name, part in split(snapshot).items() if name in READERS}


def test_a_zone_is_no_part_of_an_address_and_a_prefix_has_its_length() -> None:
    network = answer(
        "interface\teth9\t\tup\t1500",
        "address\t9: eth9 inet6 2001:db8::9%\x1b[31mEVIL/64",
        "if_inet6\t20010db8000000000000000000000001 02 ff 00 80 eth9",
        "if_inet6\t20010db8000000000000000000000002 02 40 00 80 eth9",
        "route6\tfe80::%eth9/64 dev eth9",
    )["network"]
    assert network["interfaces"][0]["addresses"] == ["2001:db8::9/64", "2001:db8::2/64"]
    assert network["routes"][0]["destination"] == "fe80::/64"


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    assert parse(noise + b"\nend\t1\n", AT)["taken_at"]


def test_long_tables_are_read_in_time_that_grows_with_their_length_only() -> None:
    routes = [f"fib_route\te\t{n:06X}0A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t" for n in range(20_000)]
    locals_ = [f"fib_trie\t |-- 10.9.{n // 250}.{n % 250}\nfib_trie\t/32 host LOCAL" for n in range(20_000)]
    begun = time.process_time()
    answer(*routes, *locals_)
    assert time.process_time() - begun < 10, "each address against each route would take minutes"
