"""The monthly inventory by the real commands: a scan of the room, history, drift, exports and reports."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lab.processes import wait_until
from lab.recorded import RecordedServer
from lab.workspace import public_half
from sopauto.assets.model import Place, Server, ServerState
from tests.acceptance.commands import ROOT
from tests.acceptance.office import Office, open_office

RECORDED = ROOT / "tests" / "unit" / "inventory" / "reading" / "recorded" / "debian.txt"
JAKARTA = ZoneInfo("Asia/Jakarta")
NAMES = ("simpus-01", "web-01", "web-02")


@dataclass(slots=True, kw_only=True)
class Room:
    """An office with servers in its room, each at an address of its own on loopback."""

    office: Office
    servers: dict[str, RecordedServer]

    def inv(self, *arguments: str, expect: int = 0) -> str:
        done = self.office.inv(*arguments, expect=expect)
        return done.stderr if expect else done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.inv(*arguments, "--json"))


def answer(name: str, address: str, unit: int) -> bytes:
    """Return what a server of this name, in this place, answers."""
    text = RECORDED.read_text().replace("web-01", name).replace("192.0.2.30/24", f"{address}/24")
    return text.replace("GigabitEthernet1/0/7", f"Gi1/0/{unit}").encode()


def placed(name: str, address: str, unit: int) -> Server:
    return Server(
        id=name,
        unit="dinkes",
        ticket="-",
        brand="Dell",
        model="R650",
        serial=f"SN-{name}",
        height=1,
        state=ServerState.PLACED,
        place=Place(
            rack="R1",
            bottom_unit=unit,
            height=1,
            switch="sw1",
            port=f"GigabitEthernet1/0/{unit}",
            vlan=30,
            pool="titipan",
            address=IPv4Address(address),
        ),
    )


@contextmanager
def open_room(home: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        office = stack.enter_context(open_office(home))
        servers: dict[str, RecordedServer] = {}
        for i, name in enumerate(NAMES, 1):
            server = RecordedServer(
                authorized=public_half(home / "login"), host=f"127.0.31.{10 + i}", port=office.server.port
            )
            server.answer = answer(name, server.host, i)
            servers[name] = stack.enter_context(server)
        with office.workspace.app().store.write() as writer:
            for i, (name, server) in enumerate(servers.items(), 1):
                writer.assets.save_server(placed(name, server.host, i))
        office.edit(
            "sopauto.toml", lambda text: text + '\n[inventory]\nparallel = 4\nseconds = 50\nskip = ["updates"]\n'
        )
        yield Room(office=office, servers=servers)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path) as opened:
        yield opened


def test_a_scan_of_the_room(room: Room) -> None:
    assert "no server could be read" in room.inv("inventory.scan", expect=1)
    assert "no host key is pinned" in room.inv("inventory.scans")
    told = room.inv("inventory.scan", "--pin")
    assert "3 of 3 servers read" in told
    room.servers["web-01"].unplug()
    room.servers["web-02"].change_host_key()
    told = room.inv("inventory.scan")
    assert "1 of 3 servers read" in told
    assert "nothing listens there" in told
    assert "the host key changed" in told
    answer = room.json("inventory.scan", "--host", "simpus-01")
    assert (answer["wanted"], answer["read"], answer["unread"]) == (1, 1, [])
    assert [scan["wanted"] for scan in room.json("inventory.scans")["scans"]] == [1, 3, 3, 3]


def test_what_cannot_be_scanned_is_said_in_one_line(room: Room) -> None:
    assert "no server 'nobody'" in room.inv("inventory.scan", "--host", "nobody", expect=2)
    assert "no scan was broken off" in room.inv("inventory.scan", "--resume", expect=2)
    room.office.settings_replace("[credentials.inventory]", "[credentials.other]")
    assert "there is no login inventory" in room.inv("inventory.scan", expect=2)
    assert room.json("inventory.scans")["scans"] == []


def test_without_the_ssh_client_nothing_is_scanned(room: Room, tmp_path: Path) -> None:
    room.office.environment = {**room.office.environment, "PATH": str(tmp_path)}
    assert "there is no ssh; install openssh-client" in room.inv("inventory.scan", "--pin", expect=2)
    room.inv("inventory.monthly", expect=2)
    assert room.json("inventory.scans")["scans"] == []


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_is_taken_up_where_it_was(room: Room, ending: signal.Signals) -> None:
    room.inv("inventory.scan", "--pin")
    hanging = room.servers["web-02"]
    hanging.delay = 30.0
    run = room.office.run_until("inventory.scan", as_="", told=["2 of 3 servers"])
    run.send_signal(ending)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 1, errors
    assert "interrupted after 2 of 3 servers" in errors
    assert "broken off" in room.inv("inventory.scans")
    before = len(room.servers["web-01"].commands)
    hanging.delay = 0.0
    begun = time.monotonic()
    room.inv("inventory.scan", "--host", "web-01")
    before += 1
    assert "1 of 1 servers read" in room.inv("inventory.scan", "--resume")
    assert time.monotonic() - begun < 25
    assert len(room.servers["web-01"].commands) == before


def test_what_changed_between_two_dates_is_told_and_nothing_else(room: Room) -> None:
    room.inv("inventory.scan", "--pin")
    first = room.office.workspace.app().history
    months = {"web-01": b"package\ttor\t0.4\n", "web-02": b""}
    for name, more in months.items():
        room.servers[name].answer = room.servers[name].answer.replace(b"end\t1", more + b"end\t1")
    backdate(room, days=31)
    room.inv("inventory.scan")
    (_, before), (_, after) = dates(first)
    told = room.inv("inventory.diff", before, after)
    assert "web-01: 1 perubahan" in told
    assert "- paket tor dipasang, versi 0.4" in told
    assert "web-02" not in told
    (found,) = room.json("inventory.diff", before, after)
    assert found["changes"] == [
        {"topic": "paket", "item": "tor", "before": None, "after": "0.4", "words": "paket tor dipasang, versi 0.4"}
    ]
    assert "does not come before" in room.inv("inventory.diff", after, before, expect=2)
    assert "is no date" in room.inv("inventory.diff", "kemarin", after, expect=2)


def test_drift_is_every_difference_without_a_ticket(room: Room) -> None:
    room.inv("inventory.scan", "--pin")
    assert "semua server sesuai" in room.inv("inventory.drift")
    for name, old, new in (
        ("simpus-01", b"127.0.31.11/24", b"10.9.9.9/24"),
        ("web-01", b"Gi1/0/2", b"Gi1/0/9"),
        ("web-02", b"permitrootlogin no", b"permitrootlogin yes"),
    ):
        room.servers[name].answer = room.servers[name].answer.replace(old, new)
    room.inv("inventory.scan")
    found = {one["server"]: [change["words"] for change in one["changes"]] for one in room.json("inventory.drift")}
    assert found["simpus-01"][0] == "alamat IP yang disetujui 127.0.31.11, yang terbaca 10.9.9.9"
    assert found["web-01"][0] == "port switch yang disetujui sw1 GigabitEthernet1/0/2, yang terbaca sw1 Gi1/0/9"
    assert found["web-02"] == ["pengaturan keamanan sshd permitrootlogin diubah dari no menjadi yes"]
    told = room.inv("inventory.drift", "--host", "web-02")
    assert "web-02: 1 perbedaan tanpa tiket" in told
    assert "simpus-01" not in told


def last_month(room: Room) -> None:
    """Let the present month's run have been that of the month before."""
    from sqlalchemy import update

    from sopauto.inventory.kept.tables import months, scans

    begun = datetime.now(JAKARTA).replace(day=1) - timedelta(days=3)
    backdate(room, days=(datetime.now(JAKARTA) - begun).days)
    with room.office.workspace.app().store.connected(writes=True) as connection:
        connection.execute(update(months).values(month=f"{begun:%Y-%m}"))
        connection.execute(update(scans).values(begun_at=begun))


def backdate(room: Room, *, days: int) -> None:
    """Let all that was read so far have been read some days ago."""

    from sqlalchemy import select, update

    from sopauto.inventory.kept.tables import readings

    store = room.office.workspace.app().store
    with store.connected(writes=True) as connection:
        for row in connection.execute(select(readings)).all():
            same = (readings.c.scan == row.scan) & (readings.c.server == row.server)
            connection.execute(update(readings).where(same).values(taken_at=row.taken_at - timedelta(days=days)))


def dates(history: Any) -> list[tuple[str, str]]:
    """Return server and day of its first and its newest snapshot."""
    first, *_, last = history.all_of("web-01")
    return [(known.server, f"{known.taken_at.astimezone(JAKARTA):%Y-%m-%d}") for known in (first, last)]


def test_other_systems_take_the_inventory(room: Room, tmp_path: Path) -> None:
    room.inv("inventory.scan", "--pin")
    assert "4 files" in room.inv("inventory.export", "netbox", "--to", str(tmp_path / "netbox"))
    assert "6 files" in room.inv("inventory.export", "glpi", "--to", str(tmp_path / "glpi"))
    told = json.loads((tmp_path / "glpi" / "web-01.json").read_text())
    assert told["content"]["hardware"]["name"] == "web-01"
    assert len((tmp_path / "netbox" / "devices.csv").read_text().splitlines()) == 4
    assert len(json.loads(room.inv("inventory.export", "prometheus"))) == 3
    assert "needs a directory" in room.inv("inventory.export", "glpi", expect=2)
    assert "no format" in room.inv("inventory.export", "excel", expect=2)


def test_what_glpi_would_refuse_is_not_written(room: Room, tmp_path: Path) -> None:
    room.inv("inventory.scan", "--pin")
    schema, folder = tmp_path / "inventory.schema.json", tmp_path / "glpi"
    export = ("inventory.export", "glpi", "--to", str(folder), "--schema", str(schema))
    schema.write_text(json.dumps({"properties": {"itemtype": {"const": "Phone"}}}))
    assert "simpus-01: itemtype: 'Phone' was expected" in room.inv(*export, expect=2)
    assert not folder.exists()
    schema.write_text(json.dumps({"properties": {"itemtype": {"const": "Computer"}}}))
    assert "6 files" in room.inv(*export)
    assert "not checked by a schema" in room.inv("inventory.export", "prometheus", "--schema", str(schema), expect=2)


def test_ansible_reads_the_inventory_of_the_assets(room: Room) -> None:
    program = Path(sys.executable).parent / "ansible-inventory"
    done = subprocess.run(
        [program, "-i", ROOT / "inventory" / "servers", "--list"],
        env=room.office.variables(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    assert sorted(told["unit_dinkes"]["hosts"]) == sorted(NAMES)
    assert told["_meta"]["hostvars"]["web-01"]["ansible_host"] == "127.0.31.12"


def test_the_month_is_reported_in_three_kinds_of_file(room: Room, tmp_path: Path) -> None:
    room.inv("inventory.scan", "--pin")
    told = room.inv("inventory.report", "--to", str(tmp_path / "laporan")).split()
    assert sorted(Path(path).suffix for path in told) == [".html", ".pdf", ".xlsx"]
    assert all(Path(path).stat().st_size > 1000 for path in told)
    summary = dict(room.json("inventory.report")["ringkasan"])
    assert (summary["Server di ruang server"], summary["Server terbaca"], summary["Server baru"]) == (3, 3, 3)
    assert "yet to come" in room.inv("inventory.report", "--month", "2099-01", expect=2)


def test_each_server_that_was_read_has_its_form(room: Room, tmp_path: Path) -> None:
    assert "no server was read until then" in room.inv("inventory.form", expect=2)
    room.inv("inventory.scan", "--pin", "--host", "simpus-01", "--host", "web-01")
    with room.office.workspace.app().store.write() as writer:
        writer.assets.save_server(replace(placed("simpus-01", "127.0.31.11", 1), unit="unit-yang-bubar"))
    folder = tmp_path / "formulir"
    assert "never read: web-02" in room.inv("inventory.form", "--to", str(folder))
    names = [f"inventaris-{name}{suffix}" for name in ("simpus-01", "web-01") for suffix in (".json", ".pdf")]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "inventaris-web-01.pdf").read_bytes().startswith(b"%PDF")
    sheet = json.loads((folder / "inventaris-web-01.json").read_text())
    assert ["Alamat IP", "127.0.31.12"] in sheet["tempat"]
    assert ["Nama host", "web-01"] in sheet["jaringan"]
    assert "no server was read until then" in room.inv("inventory.form", "--at", "2026-01", expect=2)
    orphan = json.loads((folder / "inventaris-simpus-01.json").read_text())
    assert ["Pemilik", "unit-yang-bubar"] in orphan["terdaftar"]
    only = room.json("inventory.form", "--host", "web-01", "--to", str(tmp_path / "satu"))
    assert (only["written"], only["unread"]) == (["web-01"], [])


def text_of(message: EmailMessage) -> str:
    body = message.get_body()
    assert body is not None
    return str(body.get_content())


@pytest.mark.real_start("the timer starts it alone, every month")
def test_a_month_is_scanned_reported_and_mailed_once(room: Room) -> None:
    pin_all(room)
    told = room.inv("inventory.monthly")
    assert "scanned, reported and mailed" in told
    (message,) = room.office.mailbox.messages
    assert message["To"] == "bambang@kominfo.example.go.id"
    assert message["Subject"].startswith("Rekapitulasi inventaris server")
    assert "Server terbaca: 3" in text_of(message)
    assert "terlewat" not in text_of(message)
    (carried,) = message.iter_attachments()
    assert carried.get_filename() == f"inventaris-{datetime.now(JAKARTA):%Y-%m}.pdf"
    assert carried.get_content() == (room.office.home / "laporan" / str(carried.get_filename())).read_bytes()
    assert len(list((room.office.home / "laporan").iterdir())) == 3
    asked = len(room.servers["web-01"].commands)
    assert "nothing to do" in room.inv("inventory.monthly")
    assert room.json("inventory.monthly")["done_now"] is False
    assert len(room.servers["web-01"].commands) == asked
    assert len(room.office.mailbox.messages) == 1


def test_a_month_that_broke_off_goes_on_and_is_mailed_once(room: Room) -> None:
    pin_all(room)
    room.servers["web-02"].delay = 30.0
    run = room.office.run_until("inventory.monthly", as_="", told=["2 of 3 servers"])
    assert "another scan runs" in room.inv("inventory.monthly", expect=1), "never two at a time"
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert "go on with `inv inventory.monthly`" in errors
    assert room.office.mailbox.messages == []
    room.inv("inventory.scan", "--host", "web-01")
    asked = len(room.servers["web-01"].commands)
    room.servers["web-02"].delay = 0.0
    room.inv("inventory.monthly")
    assert len(room.servers["web-01"].commands) == asked
    assert "Server terbaca: 3" in text_of(room.office.mailbox.messages[0])
    assert "nothing to do" in room.inv("inventory.monthly")


def test_a_run_that_was_killed_is_taken_up(room: Room) -> None:
    pin_all(room)
    room.servers["web-02"].delay = 30.0
    run = room.office.run_until("inventory.monthly", as_="", told=["2 of 3 servers"])
    assert clients_of(room.servers["web-02"])
    run.kill()
    run.communicate(timeout=60)
    assert wait_until(lambda: not clients_of(room.servers["web-02"]), seconds=5), "no ssh outlives a killed scan"
    room.servers["web-02"].delay = 0.0
    assert "scanned, reported and mailed" in room.inv("inventory.monthly")
    assert len(room.office.mailbox.messages) == 1


def clients_of(server: RecordedServer) -> list[Path]:
    """Return the processes of ssh that are connected, or connecting, to a server."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if words[0] == b"ssh" and server.host.encode() in words:
                found.append(path)
    return found


def test_missed_months_are_named_and_mail_waits_for_its_server(room: Room) -> None:
    from sqlalchemy import insert, update

    from sopauto.inventory.kept.tables import months
    from sopauto.store.tables import outbox

    pin_all(room)
    here = room.office.workspace.app()
    scan = here.history.begin(here.clock.now(), 0)
    before = here.clock.now().replace(day=1) - timedelta(days=70)
    with here.store.connected(writes=True) as connection:
        connection.execute(insert(months).values(month=f"{before:%Y-%m}", scan=scan.id, reported_at=before))
    room.office.mailbox.down()
    told = room.inv("inventory.monthly")
    assert "1 wait" in told
    assert "scanned and reported; the mail waits" in told
    room.office.mailbox.up()
    with here.store.connected(writes=True) as connection:
        connection.execute(update(outbox).values(next_try=here.clock.now()))
    room.inv("mail.send")
    assert "terlewat dan tidak dapat didata lagi" in text_of(room.office.mailbox.messages[0])


def test_a_month_that_broke_off_and_is_over_is_reported_too(room: Room) -> None:
    pin_all(room)
    room.servers["web-02"].delay = 30.0
    run = room.office.run_until("inventory.monthly", as_="", told=["2 of 3 servers"])
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    room.servers["web-02"].delay = 0.0
    last_month(room)
    assert "scanned, reported and mailed" in room.inv("inventory.monthly")
    before, now = map(text_of, room.office.mailbox.messages)
    assert "Server terbaca: 2" in before
    assert "Server terbaca: 3" in now
    assert "terlewat" not in before + now
    assert len(list((room.office.home / "laporan").iterdir())) == 6


def test_a_month_in_which_nothing_could_be_read_stays_open(room: Room) -> None:
    pin_all(room)
    for server in room.servers.values():
        server.unplug()
    for _ in range(2):
        assert "no server could be read" in room.inv("inventory.monthly", expect=1)
    assert room.office.mailbox.messages == []
    for server in room.servers.values():
        server.plug_in()
    assert "scanned, reported and mailed" in room.inv("inventory.monthly")
    assert "Server terbaca: 3" in text_of(room.office.mailbox.messages[0])


def test_the_report_of_a_month_that_is_over_is_that_of_its_end(room: Room) -> None:
    room.inv("inventory.scan", "--pin")
    begun = datetime.now(JAKARTA).replace(day=1)
    backdate(room, days=(datetime.now(JAKARTA) - begun).days + 5)
    server = room.servers["web-01"]
    server.answer = server.answer.replace(b"end\t1", b"package\ttor\t0.4\nend\t1")
    room.inv("inventory.scan")
    over = room.json("inventory.report", "--month", f"{begun - timedelta(days=3):%Y-%m}")
    assert dict(over["ringkasan"])["Server berbeda dari yang disetujui"] == 0
    assert dict(room.json("inventory.report")["ringkasan"])["Server berbeda dari yang disetujui"] == 1


def test_dates_and_servers_that_cannot_be_meant_are_refused(room: Room) -> None:
    room.inv("inventory.scan", "--pin")
    now = datetime.now(JAKARTA)
    time.sleep(1.1)  # commands count whole seconds
    moments = [f"{at:%Y-%m-%dT%H:%M:%S}" for at in (now, now + timedelta(seconds=1))]
    assert "tidak ada perubahan" in room.inv("inventory.diff", *moments), "no scan between them could not read anything"
    for arguments, fault in (
        (("inventory.diff", "2099-01", "2099-02"), "yet to come"),
        (("inventory.diff", "2026-01", "2026-02"), "no server was read until then"),
        (("inventory.diff", "0001-01-01T00:00", "2026-11"), "is no date"),
        (("inventory.diff", "2026-01", "2026-02", "--host", "nobdy"), "was never read"),
        (("inventory.drift", "--since", "2099-01"), "yet to come"),
        (("inventory.report", "--month", "0000-01"), "is no month"),
        (("inventory.report", "--month", "9999-12"), "is no month"),
    ):
        assert fault in room.inv(*arguments, expect=2)


def test_a_month_that_nobody_would_be_told_of_is_not_begun(room: Room) -> None:
    room.office.settings_replace("[inventory]", '[inventory]\nreport_to = "kepala-tata-usaha"')
    room.inv("inventory.monthly", expect=2)
    assert room.json("inventory.scans")["scans"] == []


def pin_all(room: Room) -> None:
    with room.office.workspace.app().store.write() as writer:
        for name, server in room.servers.items():
            writer.pin_host_key(name, server.host_key, datetime.now(UTC))


FORM = """\
perangkat: {merek: HPE, model: DL380, nomor_seri: "=1+1<script>\\e[31m"}
memori: 64 GiB
sistem_operasi: {nama: Windows Server, versi: 2022, id: windows-server}
jaringan: {antarmuka: [{nama: Ethernet, alamat: 127.0.31.13/24}]}
perangkat_lunak:
  - {nama: "@SQL Server", versi: 16.0.1}
"""


def by_form(room: Room, tmp_path: Path, **days: str) -> list[Path]:
    """Let web-02 be recorded by form; return a filled form of each of these days."""
    room.office.settings_replace("[inventory]", '[inventory]\nby_form = ["web-02"]')
    files = [tmp_path / f"{name}.yaml" for name in days]
    for path, day in zip(files, days.values(), strict=True):
        path.write_text(f"tanggal: {day}\n{FORM}")
    return files


def a_month_ago() -> str:
    return f"{datetime.now(JAKARTA).replace(day=1) - timedelta(days=3):%Y-%m-%d}"


def test_a_server_recorded_by_form_is_in_history_drift_forms_and_exports(room: Room, tmp_path: Path) -> None:
    today = f"{datetime.now(JAKARTA):%Y-%m-%d}"
    before, after = by_form(room, tmp_path, before=a_month_ago(), after=today)
    told = room.json("inventory.record", "web-02", str(before))
    assert told["taken_at"].startswith(f"{a_month_ago()}T23:59:59")
    after.write_text(after.read_text().replace("16.0.1", "16.0.2"))
    assert f"web-02: recorded as of {today}" in room.inv("inventory.record", "web-02", str(after))
    (found,) = room.json("inventory.diff", a_month_ago(), today)
    words = "paket @SQL Server diperbarui dari versi 16.0.1 ke 16.0.2"
    assert [change["words"] for change in found["changes"]] == [words]
    assert [one["words"] for drifted in room.json("inventory.drift") for one in drifted["changes"]] == [words]
    room.inv("inventory.export", "glpi", "--to", str(tmp_path / "glpi"))
    content = json.loads((tmp_path / "glpi" / "web-02.json").read_text())["content"]
    assert content["bios"]["ssn"] == r"=1+1<script>\x1b[31m"
    assert content["softwares"] == [{"name": "@SQL Server", "version": "16.0.2"}]
    assert content["networks"][0]["ipaddress"] == "127.0.31.13"
    room.inv("inventory.export", "netbox", "--to", str(tmp_path / "netbox"))
    assert "web-02,Ethernet" in (tmp_path / "netbox" / "interfaces.csv").read_text()
    room.inv("inventory.form", "--host", "web-02", "--to", str(tmp_path / "formulir"))
    assert (tmp_path / "formulir" / "inventaris-web-02.pdf").read_bytes().startswith(b"%PDF")
    sheet = json.loads((tmp_path / "formulir" / "inventaris-web-02.json").read_text())
    assert sheet["asal"] == "Dicatat dengan formulir, keadaan"
    assert ["Di antaranya keamanan", "-"] in sheet["server"]
    hosts = json.loads(room.inv("inventory.export", "ansible"))["_meta"]["hostvars"]
    assert sorted(hosts) == ["simpus-01", "web-01"], "nobody logs in to a server that is recorded by form"
    assert "0 of 1 servers read" in room.inv("inventory.scan", "--host", "web-02"), "and that is no failure"


def test_a_form_recorded_anew_for_the_same_day_corrects_the_former(room: Room, tmp_path: Path) -> None:
    wrong, right = by_form(room, tmp_path, wrong=a_month_ago(), right=a_month_ago())
    wrong.write_text(wrong.read_text().replace("64 GiB", "46 GiB"))
    for path in (wrong, right):
        room.inv("inventory.record", "web-02", str(path))
    room.inv("inventory.export", "glpi", "--to", str(tmp_path / "glpi"))
    content = json.loads((tmp_path / "glpi" / "web-02.json").read_text())["content"]
    assert content["hardware"]["memory"] == 64 * 1024


def test_the_month_counts_what_was_recorded_by_form(room: Room, tmp_path: Path) -> None:
    today = f"{datetime.now(JAKARTA):%Y-%m-%d}"
    (path,) = by_form(room, tmp_path, form=today)
    names = ("Server terbaca", "Server tidak terbaca", "Didata dengan formulir")

    def counted() -> tuple[list[int], list[list[str]], list[list[Any]]]:
        recap = room.json("inventory.report")
        summary = dict(recap["ringkasan"])
        unread = next(table["baris"] for table in recap["tabel"] if table["judul"] == "Server yang tidak terbaca")
        return [summary[name] for name in names], unread, recap["grafik"][0]["batang"]

    room.inv("inventory.scan", "--pin")
    here = room.office.workspace.app()
    for _ in range(100):  # as many forms of others leave the month's scan behind them
        here.history.begin(here.clock.now(), 1, ["web-01"])
    debian = ["Debian GNU/Linux 12", 2]
    assert counted() == ([2, 1, 0], [["web-02", "formulir bulan ini belum diisi", ""]], [debian])
    room.inv("inventory.record", "web-02", str(path))
    assert counted() == ([2, 0, 1], [], [debian, ["Windows Server 2022", 1]])
    room.inv("inventory.scan")
    assert counted()[:2] == ([2, 0, 1], []), "a form that was filled before the month's scan counts as well"


def test_what_cannot_be_recorded_is_said_in_one_line_and_nothing_is_kept(room: Room, tmp_path: Path) -> None:
    tomorrow = f"{datetime.now(JAKARTA) + timedelta(days=1):%Y-%m-%d}"
    future, good = by_form(room, tmp_path, future=tomorrow, good=a_month_ago())
    bad = tmp_path / "bad.yaml"
    for old, new, told in (
        ("memori:", "memory:", "bad.yaml:3 memory: unknown key"),
        ("64 GiB", "-64 GiB", "bad.yaml:3 memori: is no size"),
        ("127.0.31.13/24", "web-02", "bad.yaml:5 jaringan.antarmuka.0.alamat.0: is no address"),
    ):
        bad.write_text(good.read_text().replace(old, new))
        assert told in room.inv("inventory.record", "web-02", str(bad), expect=2)
    assert "is yet to come" in room.inv("inventory.record", "web-02", str(future), expect=2)
    assert "cannot be read" in room.inv("inventory.record", "web-02", str(tmp_path / "none"), expect=2)
    assert "no server 'nobody'" in room.inv("inventory.record", "nobody", str(good), expect=2)
    told = room.inv("inventory.record", "web-01", str(good), expect=2)
    assert 'add "web-01" to [inventory] by_form' in told
    assert "not recorded by form" in room.inv("inventory.blank", "web-01", expect=2)
    assert room.json("inventory.scans")["scans"] == []


def test_a_blank_form_is_filled_from_the_assets_and_can_be_recorded(room: Room, tmp_path: Path) -> None:
    by_form(room, tmp_path)
    path = tmp_path / "web-02.yaml"
    path.write_text(room.inv("inventory.blank", "web-02"))
    assert 'nomor_seri: "SN-web-02"' in path.read_text()
    room.inv("inventory.record", "web-02", str(path))
    assert "semua server sesuai" in room.inv("inventory.drift")


def test_a_form_does_not_hide_a_scan_that_broke_off(room: Room, tmp_path: Path) -> None:
    (path,) = by_form(room, tmp_path, form=a_month_ago())
    pin_all(room)
    here = room.office.workspace.app()
    here.history.begin(here.clock.now(), 3)
    room.inv("inventory.record", "web-02", str(path))
    assert "2 of 3 servers read" in room.inv("inventory.scan", "--resume")


def test_doctor_names_what_is_recorded_by_form_and_not_known(room: Room) -> None:
    room.office.settings_replace("[inventory]", '[inventory]\nby_form = ["web-02", "wim-01"]')
    rows = {row["what"]: row for row in json.loads(room.office.inv("doctor", "--json", expect=1).stdout)}
    assert rows["inventory"]["state"] == "WRONG"
    assert "the assets do not know: wim-01;" in rows["inventory"]["told"]
    room.office.settings_replace(', "wim-01"', "")
    rows = {row["what"]: row for row in json.loads(room.office.inv("doctor", "--json").stdout)}
    assert (rows["inventory"]["state"], rows["inventory"]["told"]) == ("ok", "1 servers are recorded by form")
