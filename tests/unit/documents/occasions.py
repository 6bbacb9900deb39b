"""Occasions for tests: tickets walked along the shipped SOPs by pure functions; nobody signs, nothing is stored."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from lab.cast import CAST, POSITIONS, UNIT, UNITS, Role, drop_off, give_back
from sopauto.assets.model import Place, Server, ServerState
from sopauto.errors import BadInput
from sopauto.journal.entry import Entry
from sopauto.people import Holding, Key, People, Person, Position
from sopauto.procedures.library import Library
from sopauto.procedures.model import Procedure
from sopauto.settings import Agency, Settings
from sopauto.tickets.desk import Occasion
from sopauto.tickets.machine import advance, open_ticket
from sopauto.tickets.model import Action, Attempt, DocumentRef, Letter, Ticket, Verb
from sopauto.tickets.record import Draft, body_of
from sopauto.tickets.storage import Reader
from tests.unit.inventory.reading.test_snapshot import recorded

ZONE = ZoneInfo("Asia/Jakarta")
BEGIN = datetime(2026, 11, 23, 8, 30, tzinfo=ZONE)
SINCE = date(2019, 11, 1)
INSTALLERS = tuple(
    Role(id=person, name=name, nip=nip, position=position, unit=UNIT if position == "pengguna-admin" else "kominfo")
    for person, name, nip, position in (
        ("wulan", "Wulan Anggraini", "198902142012012001", "pengguna-admin"),
        ("tono", "Tono Subagyo", "198004172005011003", "kasubag-tu"),
        ("dewa", "Dewa Mahendra", "196911301994031001", "direktur-ti"),
        ("indah", "Indah Lestari", "197707192002122002", "kasubdit-infrastruktur"),
        ("kartika", "Kartika Sari", "198306232008012005", "kasie-infrastruktur"),
        ("umar", "Umar Said", "197501052000031004", "kabag-umum"),
        ("yusuf", "Yusuf Ramadhan", "199408262019021002", "jfu"),
    )
)
"""Who plays in SOP 000."""
SOFTWARE_CAST = tuple(
    Role(id=person, name=name, nip=nip, position=position, unit=UNIT if position == "user" else "kominfo")
    for person, name, nip, position in (
        ("sari", "Sari Utami", "199003152014032001", "user"),
        ("tegar", "Tegar Nugroho", "199607182020121003", "staf-ti"),
        ("nina", "Nina Marlina", "198209092006042002", "sub-koordinator-iidc"),
    )
)
"""Who plays in SOP 003."""
OPERATOR = Role(
    id="wawan", name="Wawan Hermawan", nip="199001052015031004", position="operator-ruang-server", unit="kominfo"
)
"""Who makes the cards of SOP 004."""
TITLES = {
    **POSITIONS,
    "operator-ruang-server": "Operator Ruang Server",
    "user": "Pengguna Piranti Lunak",
    "staf-ti": "Staf Teknologi Informasi",
    "sub-koordinator-iidc": "Sub Koordinator Infrastruktur Internet dan Data Center",
    "pengguna-admin": "Pengguna/Admin",
    "kasubag-tu": "Kepala Subbagian Tata Usaha TI",
    "direktur-ti": "Direktur Teknologi Informasi",
    "kasubdit-infrastruktur": "Kepala Subdirektorat Pendukung Infrastruktur",
    "kasie-infrastruktur": "Kepala Seksi Layanan dan Pemeliharaan Infrastruktur",
    "kabag-umum": "Kepala Bagian Umum",
    "jfu": "Jabatan Fungsional Umum",
}
ROLES = (
    tuple(role for role in CAST if role.position not in {own.position for own in INSTALLERS})
    + INSTALLERS
    + SOFTWARE_CAST
    + (OPERATOR,)
)
HOLDERS = {role.position: role.id for role in ROLES}
PLACE = Place(
    rack="R1",
    bottom_unit=3,
    height=2,
    switch="sw1",
    port="GigabitEthernet1/0/1",
    vlan=30,
    pool="titipan",
    address=IPv4Address("10.20.30.10"),
)


def public_key(person: str) -> str:
    """Return a public key that is one in form; no private half exists."""
    name, content = b"ssh-ed25519", person.encode().ljust(32, b".")
    blob = len(name).to_bytes(4, "big") + name + len(content).to_bytes(4, "big") + content
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def people() -> People:
    return People(
        persons={
            role.id: Person(
                id=role.id,
                name=role.name,
                nip=role.nip,
                email=f"{role.id}@{role.unit}.example.go.id",
                keys=(Key(public=public_key(role.id), since=SINCE),),
            )
            for role in ROLES
        },
        positions={name: Position(id=name, title=title) for name, title in TITLES.items()},
        units=UNITS,
        holdings=tuple(
            Holding(person=role.id, position=role.position, unit=role.unit, since=SINCE, until=None) for role in ROLES
        ),
    )


def settings(root: Path, **agency: Any) -> Settings:
    stated = {
        "name": "Dinas Komunikasi dan Informatika",
        "letterhead": ("PEMERINTAH KABUPATEN TRENGGALEK", "DINAS KOMUNIKASI DAN INFORMATIKA"),
        "address": "Jalan Contoh Nomor 1, Trenggalek",
        "city": "Trenggalek",
    }
    return Settings(root=root, agency=Agency(**{**stated, **agency}), templates=root / "templates")


def server(**changes: Any) -> Server:
    stated: dict[str, Any] = {
        "id": "simpus-01",
        "unit": "dinkes",
        "ticket": "PS-2026-0001",
        "brand": "QEMU",
        "model": "Standard PC (Q35)",
        "serial": "VM-0271",
        "height": 2,
        "state": ServerState.PLACED,
        "place": PLACE,
    }
    return Server(**{**stated, **changes})


@dataclass
class Register:
    """The assets, as far as forms and e-mails look at them."""

    known: list[Server]

    def servers(self, state: ServerState | None = None) -> Sequence[Server]:
        return [server for server in self.known if state in {None, server.state}]

    def server(self, server_id: str) -> Server:
        for known in self.known:
            if known.id == server_id:
                return known
        raise BadInput(f"unknown server {server_id!r}")


@dataclass
class Books:
    """The store, as far as forms and e-mails look at it."""

    assets: Register = field(default_factory=lambda: Register([server()]))
    tickets: dict[str, Ticket] = field(default_factory=dict)
    kept: dict[str, list[Entry]] = field(default_factory=dict)
    papers: dict[str, bytes] = field(default_factory=dict)
    tried: list[Attempt] = field(default_factory=list)
    book: Any = None

    def part(self, _: object) -> Any:
        return self.book

    def document(self, digest: str) -> bytes:
        return self.papers[digest]

    def attempts(self, ticket_id: str, step: str) -> Sequence[Attempt]:
        return [attempt for attempt in self.tried if (attempt.ticket, attempt.step) == (ticket_id, step)]

    def ticket(self, ticket_id: str) -> Ticket:
        if ticket_id not in self.tickets:
            raise BadInput(f"unknown ticket {ticket_id!r}")
        return self.tickets[ticket_id]

    def entries(self, ticket_id: str) -> Sequence[Entry]:
        return self.kept.get(ticket_id, [])


@dataclass
class Trail:
    """One ticket; each action comes an hour after the one before."""

    books: Books
    procedure: Procedure
    ticket: Ticket
    hours: int = 0

    def act(
        self,
        verb: Verb,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
        documents: Sequence[str | DocumentRef] = (),
        position: str = "",
        **action: Any,
    ) -> Occasion:
        """Let the person whose row it is act; return the occasion, seen before the entry is kept."""
        step = self.procedure.step(self.ticket.step)
        position = position or (step.technical.executor if verb is Verb.RUN and step.technical else step.actors[0])
        self.hours += 1
        done = Action(
            verb=verb,
            person=HOLDERS[position],
            position=position,
            at=BEGIN + timedelta(hours=self.hours),
            note=note,
            data=data or {},
            documents=tuple(
                DocumentRef(name=name, sha256="ab" * 32) if isinstance(name, str) else name for name in documents
            ),
            **action,
        )
        transition = advance(self.procedure, self.ticket, done)
        kept = list(self.books.entries(self.ticket.id))
        seen = replace(self.books, tickets=dict(self.books.tickets), kept={**self.books.kept, self.ticket.id: kept})
        occasion = Occasion(
            procedure=self.procedure,
            step=step,
            action=done,
            before=self.ticket,
            after=transition.ticket,
            reader=cast(Reader, seen),
            facts=facts or {},
        )
        draft = Draft(procedure=self.procedure, action=done, step=step.id, transition=transition, prev="0" * 64)
        number = len(kept) + 1
        entry = Entry(
            ticket=self.ticket.id,
            number=number,
            prev="0" * 64,
            body=body_of(draft),
            signature="",
            key=public_key(done.person),
        )
        self.books.kept[self.ticket.id] = [*kept, entry]
        self.ticket = transition.ticket.with_changes(entries=number)
        self.books.tickets[self.ticket.id] = self.ticket
        return occasion

    def jump(self, step: str) -> Trail:
        """Put the ticket at a row."""
        self.ticket = self.ticket.with_changes(step=step)
        return self


def begin(
    letter: Letter, books: Books | None = None, *, ticket: str = "PS-2026-0001", procedure: Procedure | None = None
) -> Trail:
    """Open a ticket."""
    procedure = procedure or Library(()).get(letter.procedure)
    position = procedure.step(procedure.start).actors[0]
    action = Action(
        verb=Verb.OPEN,
        person=letter.applicant,
        position=position,
        at=BEGIN,
        data={"letter": letter.fields, "unit": letter.unit, "applicant": letter.applicant},
    )
    transition = open_ticket(procedure, letter, action, ticket)
    books = books or Books()
    draft = Draft(procedure=procedure, action=action, step=procedure.start, transition=transition, prev="0" * 64)
    books.kept[ticket] = [
        Entry(ticket=ticket, number=1, prev="0" * 64, body=body_of(draft), signature="", key=public_key(action.person))
    ]
    books.tickets[ticket] = transition.ticket
    return Trail(books=books, procedure=procedure, ticket=transition.ticket)


FEATURES = {"spesifikasi": "2 prosesor, memori 32 GB", "ciri": "warna hitam, stiker inventaris 0271"}
PARTIES = {"penyerah": "Agus Wibowo", "penerima": "Joko Santoso"}


def handed_over(books: Books | None = None, *, features: Mapping[str, str] = FEATURES, **letter: object) -> Occasion:
    """Return the occasion of penitipan.12."""
    trail = begin(drop_off(**letter), books).jump("penitipan.10")
    trail.act(Verb.DONE)
    trail.act(Verb.DONE, data=features)
    return trail.act(Verb.DONE, data=PARTIES, documents=["serah-terima-barang.pdf"])


def return_at_check(books: Books, **letter: object) -> Trail:
    """Return the ticket of a return that stands at its check (pengembalian.7)."""
    handed_over(books)
    return begin(give_back("PS-2026-0001", **letter), books, ticket="KS-2026-0001").jump("pengembalian.7")


HANDED_BACK = {"keadaan": "baik dan lengkap", "penyerah": "Joko Santoso", "penerima": "Siti Rahmawati"}


def handed_back(books: Books | None = None, **letter: object) -> Occasion:
    """Return the occasion of pengembalian.8."""
    trail = return_at_check(books or Books(), **letter)
    trail.act(Verb.APPROVE)
    return trail.act(Verb.DONE, data=HANDED_BACK)


def snapshot(**server_changes: Any) -> dict[str, Any]:
    """Return an inventory as JSON: a Debian server that was recorded, with changes."""
    taken = recorded("debian")
    taken["taken_at"] = "2026-11-24T02:00:00+00:00"
    taken["server"] |= {"uptime_seconds": 100_000, "memory_bytes": 34359738368, **server_changes}
    taken["missing"] = ["server.serial: needs root"]
    return taken


def inventoried(books: Books | None = None, **server_changes: Any) -> Occasion:
    """Return the occasion of konfigurasi.7."""
    from sopauto.tickets.model import Outcome

    trail = begin(drop_off(), books).jump("konfigurasi.7")
    return trail.act(Verb.RUN, outcome=Outcome.DONE, facts={"snapshot": snapshot(**server_changes)})
