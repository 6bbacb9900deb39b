"""A procedure written from another agency's paper, in YAML only, runs to its end."""

from __future__ import annotations

import pytest

from lab.cast import UNIT
from lab.walking import Walk
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
