"""Drift over readings that are really kept: what a ticket's work explains is approved, anything else is listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sopauto.app import OFFERS
from sopauto.inventory.comparing.difference import Comparison
from sopauto.inventory.comparing.drift import Work, drift
from sopauto.inventory.kept.store import SqlHistory
from sopauto.store.sqlstore import SqlStore
from tests.integration.store.test_inventory import MONTH, NOW, reading, scanned
from tests.unit.inventory.placed import SERVER

NGINX = {"name": "nginx", "version": "1.22.1-9+deb12u1"}
TOR = {"name": "tor", "version": "0.4"}
REDIS = {"name": "redis", "version": "7.0"}


def read(store: SqlStore, month: int, *packages: dict[str, str]) -> None:
    scanned(store, reading(months=month, packages=[NGINX, *packages], packages_count=1 + len(packages)))


def work(module: str, months: float, *evidence: str) -> Work:
    told = evidence or None
    return Work(server="web-01", module=module, ticket="PL-2026-0001", at=NOW + months * MONTH, told=told)


def told(store: SqlStore, *works: Work) -> list[str]:
    found = drift(Comparison(SqlHistory(store)), [SERVER], works, OFFERS.explains, now=NOW + 99 * MONTH)
    return [change.words for one in found for change in one.changes]


def test_without_a_ticket_a_new_package_is_drift(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS)
    assert told(store) == ["paket redis dipasang, versi 7.0"]


def test_what_a_ticket_installed_is_approved_and_what_came_later_is_not(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS)
    read(store, 2, REDIS, TOR)
    assert told(store, work("software.install", 0.5)) == ["paket tor dipasang, versi 0.4"]
    assert told(store, work("software.install", 1.5)) == ["paket redis dipasang, versi 7.0"]


def test_of_what_changed_in_the_month_of_a_ticket_only_what_its_evidence_names_is_approved(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS, TOR)
    evidence = ("package redis: 7.0 ii, before: nothing", "file /etc/tor/torrc: 1234, before: nothing")
    assert told(store, work("software.install", 0.5, *evidence)) == ["paket tor dipasang, versi 0.4"]
    assert told(store, work("software.configure", 0.5, *evidence)) == ["paket tor dipasang, versi 0.4"]


def test_a_port_is_approved_where_the_evidence_names_it(store: SqlStore) -> None:
    def listening(*ports: int) -> list[dict[str, object]]:
        return [{"protocol": "tcp", "address": "*", "port": port, "process": "nc"} for port in ports]

    scanned(store, reading(months=0, listening_ports=listening()))
    scanned(store, reading(months=1, listening_ports=listening(80, 4444)))
    evidence = "port 80/tcp: to be opened, before: nothing"
    assert told(store, work("software.install", 0.5, evidence)) == ["port tcp 4444 pada * dibuka oleh nc"]


def test_an_installation_without_evidence_explains_nothing(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS)
    nothing = replace(work("software.install", 0.5), told=())
    assert told(store, nothing) == ["paket redis dipasang, versi 7.0"]


def test_what_a_ticket_installed_and_somebody_removed_is_no_longer_there(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS)
    read(store, 2)
    assert told(store, work("software.install", 0.5)) == ["paket redis dihapus (versi 7.0)"]


def test_work_about_something_else_explains_nothing(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS)
    assert told(store, work("custody.connect", 0.5)) == ["paket redis dipasang, versi 7.0"]
    assert told(store, work("custody.check", 0.5)) == ["paket redis dipasang, versi 7.0"]
    assert told(store, work("playbook.run", 0.5)) == []


def test_a_day_may_be_taken_as_approved(store: SqlStore) -> None:
    read(store, 0)
    read(store, 1, REDIS)
    read(store, 2, REDIS, TOR)
    since = NOW + MONTH + timedelta(days=1)
    (found,) = drift(Comparison(SqlHistory(store)), [SERVER], [], {}, now=NOW + 99 * MONTH, since=since)
    assert [change.item for change in found.changes] == ["tor"]
    assert found.since == NOW + MONTH


def test_addresses_that_the_server_could_not_tell_are_no_drift(store: SqlStore) -> None:
    silent = reading()
    assert silent.snapshot is not None
    snapshot = {**silent.snapshot, "missing": ["network.addresses: no answer"]}
    snapshot["network"] = {**snapshot["network"], "interfaces": []}
    scanned(store, replace(silent, snapshot=snapshot))
    assert told(store) == []
