"""A procedure written from another agency's paper, in YAML only, runs to its end; so does every shipped one."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cast import UNIT, Role
from lab.walking import Walk
from lab.workspace import FIRST_DAY, Workspace, make_key, public_half
from sopauto.app import App, build
from sopauto.procedures.library import Library
from sopauto.procedures.model import DONE, Procedure
from sopauto.tickets.model import Letter, State
from tests.acceptance.office import Office

PAPER = """\
# Peminjaman ruang rapat, Bagian Umum: bukan tentang server, dan bukan salah satu SOP yang ikut.
kode: peminjaman-ruang
awalan: PR
kepala:
  instansi: BAGIAN UMUM
  nama: Peminjaman Ruang Rapat
  nomor: 065/12/2024
  jumlah_waktu: 95 menit
pelaksana:
  - {id: unit-kerja-pemohon, nama: Pemohon, pemohon: true}
  - {id: kasi-layanan-infrastruktur, nama: Pengelola Ruang}
  - {id: kadis, nama: Kepala Bagian}
surat:
  - {nama: ruang, label: Ruang, jenis: pilihan, pilihan: [Aula, Rapat 1]}
  - {nama: tanggal, label: Tanggal, jenis: tanggal}
  - {nama: kontak_email, label: E-mail, jenis: email}
tabel:
  - id: pinjam
    judul: Peminjaman
    baris:
      - {no: 1, kegiatan: Mengajukan permohonan, pelaksana: unit-kerja-pemohon, waktu: 15 menit, lanjut: 2}
      - no: 2
        kegiatan: Memeriksa jadwal. Apakah ruang tersedia?
        pelaksana: kasi-layanan-infrastruktur
        jenis: keputusan
        waktu: 20 menit
        ya: 3
        tidak: ditolak
      - {no: 3, kegiatan: Menyetujui, pelaksana: kadis, waktu: 30 menit, persetujuan: true, kembali: 2, lanjut: 4}
      - no: 4
        kegiatan: Memberitahu pemohon
        pelaksana: kasi-layanan-infrastruktur
        waktu: 30 menit
        isian:
          - {nama: jam, label: Jam, jenis: teks}
        pesan: {templat: ruang-siap, kepada: kontak, wajib: [ruang, jam]}
        lanjut: selesai
"""
MAIL = "Ruang {{ ruang }} siap ({{ tiket }})\n\nRuang {{ ruang }} dapat dipakai pukul {{ jam }}.\n"
LETTER = {"ruang": "Aula", "tanggal": "2026-12-01", "kontak_email": "siti@dinkes.example.go.id"}


@pytest.fixture
def agency(office: Office) -> Office:
    for folder, name, text in (
        ("procedures", "peminjaman.yaml", PAPER),
        ("templates/mail", "ruang-siap.txt.j2", MAIL),
    ):
        (office.home / folder).mkdir(parents=True, exist_ok=True)
        (office.home / folder / name).write_text(text)
    return office


def letter() -> Letter:
    return Letter(procedure="peminjaman-ruang", unit=UNIT, applicant="siti", fields=LETTER)


def test_it_runs_to_its_end_with_its_own_mail(agency: Office) -> None:
    assert "8 SOPs: sound" in agency.inv("sop.check", "all").stdout
    walk = Walk(app=agency.workspace.app(), keys=agency.keys, statements={"jam": "09.00"})
    ticket = walk.to_the_end(walk.open(letter(), person="siti"))
    assert ticket.state is State.DONE
    agency.inv("mail.send")
    assert "dapat dipakai pukul 09.00" in agency.mailbox.messages[-1].get_content()
    agency.inv("ticket.verify", ticket.id)


def test_its_refusal_ends_it(agency: Office) -> None:
    walk = Walk(app=agency.workspace.app(), keys=agency.keys, statements={}, answers={"pinjam.2": (False,)})
    assert walk.to_the_end(walk.open(letter(), person="siti")).state is State.REJECTED


def test_a_ticket_keeps_to_the_version_it_was_opened_with(agency: Office) -> None:
    walk = Walk(app=agency.workspace.app(), keys=agency.keys, statements={"jam": "09.00"})
    ticket = walk.until(walk.open(letter(), person="siti"), "pinjam.3")
    agency.edit("procedures/peminjaman.yaml", lambda text: text.replace("Menyetujui,", "Menyetujui permohonan,"))
    again = Walk(app=agency.workspace.app(), keys=agency.keys, statements={"jam": "09.00"})
    assert again.to_the_end(ticket).state is State.DONE
    agency.inv("ticket.verify", ticket.id)


STATED: dict[str, Any] = {
    "teks": "contoh",
    "bilangan": 1,
    "tanggal": "2026-12-01",
    "tanggal-jam": "2026-12-01 09:00",
    "email": "siti@dinkes.example.go.id",
    "nama-host": "contoh-01",
    "mac": "52:54:00:12:34:56",
    "ip": "10.0.0.1",
}
OTHERS = ["akses-ruang-server", "review-akses", "penghapusan-akses"]


def staffed(office: Office, procedure: Procedure) -> tuple[App, Workspace]:
    """Give each position of a procedure to a person of its own, with a key."""
    import json

    path = office.home / "people.yaml"
    data = json.loads(path.read_text())
    # Two of each: the superior who approves a request is somebody else than who makes it (SOP 004, row 2).
    cast = [
        Role(
            id=f"p{i}-{j}",
            name=f"Pejabat {i}",
            nip=f"{i}{j}",
            position=actor.id,
            unit=UNIT if actor.applicant else "kominfo",
        )
        for i, actor in enumerate(procedure.actors)
        for j in range(2)
    ]
    known = {position["id"] for position in data["jabatan"]}
    data["jabatan"] += [{"id": a.id, "nama": a.title} for a in procedure.actors if a.id not in known]
    keys = {role.id: make_key(office.home / "keys" / role.id) for role in cast}
    data["orang"] = [
        {
            "id": role.id,
            "nama": role.name,
            "nip": role.nip,
            "email": f"{role.id}@x.go.id",
            "kunci": [{"publik": public_half(keys[role.id]), "sejak": FIRST_DAY}],
            "memegang": [{"jabatan": role.position, "unit": role.unit, "sejak": FIRST_DAY}],
        }
        for role in cast
    ]
    path.write_text(json.dumps(data))
    return build(office.home), Workspace(home=office.home, keys=keys)


@pytest.mark.parametrize("code", OTHERS)
def test_a_shipped_procedure_runs_to_its_end_by_hand(office: Office, code: str) -> None:
    procedure = Library(()).get(code)
    app, workspace = staffed(office, procedure)
    fields = (*procedure.letter, *(field for step in procedure.steps for field in step.fields))
    stated = {field.name: field.choices[0] if field.choices else STATED[field.kind] for field in fields}
    walk = Walk(app=app, keys=workspace.keys, statements=stated)
    applicant = next(
        person
        for person in workspace.keys
        if any(app.people.holds(person, actor, app.clock.now().date()) for actor in procedure.steps[0].actors)
    )
    surat = {field.name: stated[field.name] for field in procedure.letter}
    ticket = walk.open(Letter(procedure=code, unit=UNIT, applicant=applicant, fields=surat), person=applicant)
    assert walk.to_the_end(ticket).state is State.DONE
    assert any(DONE in step.targets() for step in procedure.steps)
