"""What counts as a difference, and how it is told."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sopauto.inventory.comparing.difference import changes, unknown_facts
from sopauto.inventory.comparing.facts import READERS, facts_of
from sopauto.inventory.comparing.words import SENTENCES
from sopauto.inventory.kept.sections import split
from tests.unit.inventory.reading.test_snapshot import recorded


def facts(snapshot: dict[str, Any]) -> dict[tuple[str, str], str]:
    parts = split(snapshot)
    return {fact: value for name in READERS for fact, value in facts_of(name, parts[name]).items()}


def told(change: Any, *missing: str) -> list[str]:
    """Return what is told after something of a recorded server was changed."""
    before, after = recorded("debian"), recorded("debian")
    change(after["server"], after["network"])
    return [one.words for one in changes(facts(before), facts(after), unknown_facts(missing))]


def test_each_topic_has_its_sentences() -> None:
    topics = {topic for topic, _ in facts(recorded("debian"))} | {topic for topic, _ in facts(recorded("alpine"))}
    assert topics <= set(SENTENCES)
    for came, went, changed in SENTENCES.values():
        assert "{item}" in came
        assert "{item}" in went
        assert "{item}" in changed


def test_nothing_changed_nothing_told() -> None:
    assert told(lambda server, network: None) == []


def test_what_changes_by_itself_is_no_difference() -> None:
    def hours_later(server: Any, network: Any) -> None:
        server["uptime_seconds"] += 3600
        server["time"]["offset_seconds"] = -1
        server["filesystems"][0]["used_bytes"] += 4096
        server["updates"]["pending"] = 5

    assert told(hours_later) == []


def service(name: str, state: str, starts: str | None) -> dict[str, str | None]:
    return {"name": name, "state": state, "starts": starts}


@pytest.mark.parametrize("starts", ["static", "indirect"])
def test_a_service_that_is_called_for_a_moment_is_no_difference_unless_it_fails(starts: str) -> None:
    assert told(lambda s, n: s["services"].append(service("apt-daily", "running", starts))) == []
    failed = told(lambda s, n: s["services"].append(service("apt-daily", "failed", starts)))
    assert failed == ["layanan apt-daily ditambahkan (failed)"]


@pytest.mark.parametrize("starts", ["disabled", "transient", None])
def test_a_service_that_somebody_started_by_hand_is_a_difference_while_it_runs(starts: str) -> None:
    assert told(lambda s, n: s["services"].append(service("ukur", "dead", starts))) == []
    assert told(lambda s, n: s["services"].append(service("ukur", "running", starts))) != []


@pytest.mark.parametrize("starts", ["enabled", "generated"])
def test_a_service_of_the_boot_that_ended_is_a_difference(starts: str | None) -> None:
    def ended(server: Any, network: Any) -> None:
        server["services"][0] = service("cron", "dead", starts)

    assert told(ended) == ["layanan cron berubah dari running menjadi dead"]


def test_a_service_that_ended_is_a_difference_where_the_server_does_not_tell_what_starts_it() -> None:
    running, stopped = (facts_of("services", {"services": [service("cron", s, None)]}) for s in ("running", "stopped"))
    assert [one.words for one in changes(running, stopped)] == ["layanan cron berubah dari running menjadi stopped"]


@pytest.mark.parametrize("name", ["run-u77", "run-r0123456789abcdef0123456789abcdef", "run-p4321-i4322"])
@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_service_whose_name_is_another_each_time_is_no_difference(name: str, state: str) -> None:
    assert told(lambda s, n: s["services"].append(service(name, state, "transient"))) == []
    assert told(lambda s, n: s["services"].append(service(name.replace("run-", "lari-"), state, "transient"))) != []


@pytest.mark.parametrize(
    ("protocol", "number", "differences"), [("udp", 32768, 0), ("udp", 32767, 1), ("tcp", 45000, 1)]
)
def test_ports_of_clients_are_no_difference(protocol: str, number: int, differences: int) -> None:
    port = {"protocol": protocol, "address": "*", "port": number, "process": None}
    assert len(told(lambda s, n: s["listening_ports"].append(port))) == differences


@pytest.mark.parametrize(("name", "differences"), [("veth1a2b3c4", 0), ("vnet0", 0), ("tap100i0", 0), ("wg0", 4)])
def test_interfaces_of_guests_are_no_difference(name: str, differences: int) -> None:
    def started(server: Any, network: Any) -> None:
        mac = "fe:54:00:00:00:01"
        network["interfaces"].append(
            {"name": name, "mac": mac, "state": "up", "mtu": 1500, "addresses": ["10.9.0.1/32"]}
        )
        network["routes"].append({"destination": "10.9.0.2/32", "gateway": None, "interface": name})

    assert len(told(started)) == differences


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s, n: s["packages"].append({"name": "tor", "version": "0.4"}), "paket tor dipasang, versi 0.4"),
        (lambda s, n: s["packages"].pop(0), "paket adduser dihapus (versi 3.134)"),
        (
            lambda s, n: s["packages"][0].update(version="3.135"),
            "paket adduser diperbarui dari versi 3.134 ke 3.135",
        ),
        (
            lambda s, n: s["users"].append({"name": "tamu", "uid": 1001, "shell": "/bin/sh"}),
            "pengguna tamu ditambahkan (UID 1001, /bin/sh)",
        ),
        (
            lambda s, n: n["interfaces"][0]["addresses"].append("192.0.2.99/24"),
            "alamat IP 192.0.2.99/24 pada eno1 ditambahkan",
        ),
        (
            lambda s, n: n["neighbours"][0].update(port="Gi1/0/8"),
            "antarmuka eno1 pindah dari sw1 GigabitEthernet1/0/7 ke sw1 Gi1/0/8",
        ),
        (lambda s, n: s["disks"][1].update(health="FAILED!"), "kesehatan disk sda berubah dari PASSED menjadi FAILED!"),
        (
            lambda s, n: s["arrays"][0].update(healthy=True),
            "larik disk md0 berubah dari raid1, rusak menjadi raid1, sehat",
        ),
        (
            lambda s, n: s["arrays"][0].update(level=None),
            "larik disk md0 berubah dari raid1, rusak menjadi tidak berjalan",
        ),
        (
            lambda s, n: s["listening_ports"].append({"protocol": "tcp", "address": "*", "port": 23, "process": None}),
            "port tcp 23 pada * dibuka oleh proses yang tidak terbaca",
        ),
        (
            lambda s, n: s["hardening"][1].update(value="yes"),
            "pengaturan keamanan sshd permitrootlogin diubah dari no menjadi yes",
        ),
    ],
)
def test_a_change_is_named_and_nothing_else(change: Any, sentence: str) -> None:
    assert told(change) == [sentence]


def test_what_can_no_longer_be_read_is_not_told_as_gone() -> None:
    def without_root(server: Any, network: Any) -> None:
        server["memory_modules"] = []
        server["disks"][1]["health"] = None
        server["volume_groups"] = []
        network["neighbours"] = []
        for port in server["listening_ports"]:
            port["process"] = None

    missing = ("server.memory_modules: needs root", "server.disks.health: needs root", "server.volumes: needs root")
    assert told(without_root, *missing, "network.neighbours: needs root") == []
    assert len(told(without_root)) == 6


@pytest.mark.parametrize(
    ("line", "part", "field"),
    [
        ("server.packages: no answer", "server", "packages"),
        ("server.packages: more than 10000 entries", "server", "packages"),
        ("server.services: no answer", "server", "services"),
        ("server.services.starts: no answer", "server", "services"),
        ("server.users: more than 2000 entries", "server", "users"),
        ("server.listening_ports: no answer", "server", "listening_ports"),
        ("server.filesystems: no answer", "server", "filesystems"),
        ("server.volume_groups: more than 2000 entries", "server", "volume_groups"),
        ("server.disks: more than 2000 entries", "server", "disks"),
        ("server.arrays: more than 2000 entries", "server", "arrays"),
        ("network.interfaces: more than 2000 entries", "network", "interfaces"),
        ("network.routes: no answer", "network", "routes"),
    ],
)
def test_of_a_list_that_was_not_read_to_its_end_nothing_is_told_as_gone_or_come(
    line: str, part: str, field: str
) -> None:
    def unread(server: Any, network: Any) -> None:
        (server if part == "server" else network)[field].clear()

    assert told(unread, line) == []
    assert told(unread) != []


@pytest.mark.parametrize(
    "line", ["network.addresses: no answer", "network.interfaces.addresses: more than 2000 entries"]
)
def test_addresses_that_were_not_read_are_not_told_as_gone(line: str) -> None:
    def unread(server: Any, network: Any) -> None:
        network["interfaces"][0]["addresses"].clear()

    assert told(unread, line) == []
    assert told(unread) != []


def test_ports_are_known_though_their_processes_are_not() -> None:
    line = "server.listening_ports.process: needs root and ss"
    assert told(lambda s, n: s["listening_ports"].pop(1), line) == [
        "port tcp 80 pada * ditutup, sebelumnya dipakai nginx"
    ]


def test_a_failing_disk_is_told_though_another_was_not_read() -> None:
    def failing(server: Any, network: Any) -> None:
        server["disks"][1]["health"] = "FAILED!"

    sentence = "kesehatan disk sda berubah dari PASSED menjadi FAILED!"
    assert told(failing, "server.disks.health: needs root", "server.disks.health sdb: no answer") == [sentence]


def test_services_that_were_read_before_it_was_known_what_starts_them_are_compared() -> None:
    def facts_of_services(*states: str) -> dict[tuple[str, str], str]:
        return facts_of("services", {"services": [{"name": "cron", "state": state} for state in states]})

    (change,) = changes(facts_of_services("running"), facts_of_services("dead"))
    assert change.words == "layanan cron berubah dari running menjadi dead"


def test_hostile_names_stay_words() -> None:
    server = copy.deepcopy(recorded("debian"))
    server["server"]["packages"].append({"name": "{0.__class__}", "version": "{item}"})
    found = changes(facts(recorded("debian")), facts(server))
    assert [one.words for one in found] == ["paket {0.__class__} dipasang, versi {item}"]
