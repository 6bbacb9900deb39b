"""A workspace with small SOPs and a machine that is none: what people state, are shown and sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.office import make_office
from sopauto.app import App
from sopauto.tickets.acting import act, open_from_letter
from sopauto.tickets.desk import Desk
from sopauto.tickets.model import Letter, Ticket, Verb
from sopauto.tickets.plan_record import PlanRecord
from sopauto.tickets.running import make_plan, run
from sopauto.work import Json, Plan, Probe, Report, Result, WorkOrder

NIK = "3504010203040005"
SOP = """\
kode: uji
awalan: UJ
kepala: {instansi: Contoh, nama: Uji}
pelaksana:
  - {id: unit-kerja-pemohon, nama: Unit Kerja, pemohon: true}
  - {id: kasi-layanan-infrastruktur, nama: Kasi}
  - {id: technical-support, nama: Technical Support}
surat:
  - {nama: nama_host, label: Server, jenis: nama-host}
  - {nama: nik, label: NIK, jenis: identitas}
tabel:
  - id: kerja
    judul: Kerja
    baris:
      - {no: 1, kegiatan: Meminta, pelaksana: unit-kerja-pemohon, waktu: "-", lanjut: 2}
      - no: 2
        kegiatan: Menjadwalkan
        pelaksana: technical-support
        waktu: "-"
        lanjut: 3
        isian:
          - {nama: jadwal, label: Jadwal, jenis: tanggal-jam}
          - {nama: nip, label: NIP, jenis: identitas, wajib: false}
      - no: 3
        kegiatan: Mengerjakan
        pelaksana: technical-support
        waktu: "-"
        lanjut: 4
        teknis:
          modul: custody.connect
          pelaksana: technical-support
          penyetuju: kasi-layanan-infrastruktur
      - no: 4
        kegiatan: Menerima
        pelaksana: unit-kerja-pemohon
        jenis: keputusan
        waktu: "-"
        ya: selesai
        tidak: 3
"""
LAID_BEFORE = """\
kode: berkas
awalan: BK
kepala: {instansi: Contoh, nama: Rencana yang ditandatangani di baris lain}
pelaksana:
  - {id: unit-kerja-pemohon, nama: Unit Kerja, pemohon: true}
  - {id: kasi-layanan-infrastruktur, nama: Kasi}
  - {id: technical-support, nama: Technical Support}
surat:
  - {nama: nama_host, label: Server, jenis: nama-host}
tabel:
  - id: kerja
    judul: Kerja
    baris:
      - {no: 1, kegiatan: Meminta, pelaksana: unit-kerja-pemohon, waktu: "-", lanjut: 2}
      - {no: 2, kegiatan: Menyusun, pelaksana: technical-support, waktu: "-", lanjut: 3}
      - no: 3
        kegiatan: Menandatangani
        pelaksana: kasi-layanan-infrastruktur
        jenis: keputusan
        persetujuan: true
        waktu: "-"
        ya: 4
        tidak: 2
      - no: 4
        kegiatan: Mengerjakan
        pelaksana: technical-support
        waktu: "-"
        lanjut: selesai
        teknis:
          modul: custody.connect
          pelaksana: technical-support
          baris_rencana: 2
          baris_persetujuan: 3
"""


@dataclass(slots=True, kw_only=True)
class Machine:
    """Plans what the test says, and does nothing. Fulfils `work.TechnicalModule`."""

    lines: tuple[str, ...] = ("interface 1", "vlan 30")
    diff: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: {"port.j2": b"one"})
    given: dict[str, Any] = field(default_factory=dict)
    name: str = "custody.connect"
    mutates: bool = True

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        return self.files

    def plan(self, parameters: Json, report: Report) -> Plan:
        return Plan(
            module=self.name,
            targets=("web-01",),
            parameters=parameters,
            before={},
            lines=self.lines,
            after={},
            diff=self.diff,
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        return Result(changed=True, summary="done")

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        return Probe.DONE

    def undo(self, order: WorkOrder, report: Report) -> Result:
        return Result(changed=True, summary="undone")


@dataclass(slots=True, kw_only=True)
class Parameters:
    """What the machine's module is given; it can use whatever is stated."""

    machine: Machine

    def __call__(self, *_: object) -> dict[str, Any]:
        return {"server": "web-01", **self.machine.given}

    def refuse(self, *_: object) -> None:
        """Refuse nothing."""


@dataclass(slots=True, kw_only=True)
class Room:
    """One workspace in which siti asks, joko works and bambang approves."""

    app: App
    keys: Mapping[str, Path]
    home: Path
    machine: Machine = field(default_factory=Machine)

    def desk(self, person: str) -> Desk:
        desk = self.app.desk(person, key=self.keys[person])
        machine = self.machine
        return replace(desk, modules={machine.name: machine}, parameters=Parameters(machine=machine))

    def act(self, ticket: Ticket, verb: Verb, person: str, **more: Any) -> Ticket:
        return act(self.desk(person), ticket.id, verb, person=person, **{"seen_plan": None, **more})

    def plan(self, ticket: Ticket) -> tuple[Ticket, PlanRecord]:
        return make_plan(self.desk("joko"), ticket.id, person="joko")

    def run(self, ticket: Ticket) -> Ticket:
        return run(self.desk("joko"), ticket.id, person="joko")[0]

    def opened(self, sop: str = "uji", **fields: str) -> Ticket:
        stated = {"nama_host": "web-01", **({"nik": NIK} if sop == "uji" else {}), **fields}
        letter = Letter(procedure=sop, unit="dinkes", applicant="siti", fields=stated)
        return open_from_letter(self.desk("siti"), letter, person="siti")

    def at_work(self) -> Ticket:
        """Return a ticket at its machine work, with a plan that nobody approved yet."""
        scheduled = self.act(self.opened(), Verb.DONE, "joko", data={"jadwal": "2026-11-24 09:00"})
        return self.plan(scheduled)[0]

    def look(self, ticket: Ticket, person: str, **more: Any) -> None:
        """Let a person look at a ticket, as `inv ticket.show` does."""
        from sopauto.cli.ticket_sheet import tell_ticket

        tell_ticket(self.app, ticket.id, person=person, **{"json": False, **more})


def open_room(folder: Path) -> Room:
    """Return a room in an empty folder."""
    workspace = make_office(folder)
    procedures = workspace.home / "procedures"
    procedures.mkdir(exist_ok=True)
    (procedures / "uji.yaml").write_text(SOP)
    (procedures / "berkas.yaml").write_text(LAID_BEFORE)
    return Room(app=workspace.app(), keys=workspace.keys, home=workspace.home)
