"""Offices for acceptance tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.office import Office, open_office

PLAYBOOK_SOP = """\
kode: zona-waktu
awalan: ZW
kepala: {instansi: Contoh, nama: Zona waktu server}
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
      - no: 2
        kegiatan: Mengatur zona waktu
        pelaksana: technical-support
        waktu: 1 jam
        lanjut: selesai
        teknis:
          modul: playbook.run
          pelaksana: technical-support
          penyetuju: kasi-layanan-infrastruktur
          parameter: {playbook: tulis_berkas.yml, variables: {isi: halo}}
"""
PLAYBOOK = """\
- name: Write a file
  hosts: all
  gather_facts: false
  tasks:
    - name: Write it
      ansible.builtin.copy:
        content: "{{ isi }}\\n"
        dest: TARGET
        mode: "0644"
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as opened:
        yield opened


@pytest.fixture
def office_with_playbook(office: Office, tmp_path: Path) -> tuple[Office, str]:
    """An office with an SOP of its own that runs a playbook, and a ticket whose plan for it is approved."""
    placed = office.ticket_at("konfigurasi.4")
    office.inv("custody.check", placed, as_="joko")
    for folder, name, text in (
        ("procedures", "zona.yaml", PLAYBOOK_SOP),
        ("playbooks", "tulis_berkas.yml", PLAYBOOK.replace("TARGET", str(tmp_path / "target"))),
    ):
        (office.home / folder).mkdir(exist_ok=True)
        (office.home / folder / name).write_text(text)
    letter = office.home / "letter.yaml"
    letter.write_text("sop: zona-waktu\nopd: dinkes\npemohon: siti\nsurat: {nama_host: simpus-01}\n")
    office.inv("ticket.open", str(letter), as_="siti")
    ticket = office.newest_ticket()
    office.plan_and_approve(ticket)
    return office, ticket
