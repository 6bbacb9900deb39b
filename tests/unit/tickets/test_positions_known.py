"""What a ticket would need of the people file is there before it is opened; the direct superior is one person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sopauto.cli.doctor import _examined
from sopauto.cli.ticket_text import tell_action
from sopauto.errors import BadInput, Refused
from sopauto.tickets.acting import open_from_letter
from sopauto.tickets.model import Letter, State, Ticket, Verb
from sopauto.tickets.verifying import verify_ticket
from tests.unit.tickets.signing_room import Room, open_room
from tests.unit.tickets.test_people_of_their_day import edited, forged, hold, row, without

SOP = """\
kode: izin
awalan: IZ
kepala: {instansi: Contoh, nama: Izin}
pelaksana:
  - {id: unit-kerja-pemohon, nama: Unit Kerja, pemohon: true}
surat:
  - {nama: perihal, label: Perihal}
tabel:
  - id: izin
    judul: Izin
    baris:
      - {no: 1, kegiatan: Meminta, pelaksana: unit-kerja-pemohon, waktu: "-", lanjut: 2}
      - no: 2
        kegiatan: Menyetujui
        pelaksana: unit-kerja-pemohon
        waktu: "-"
        persetujuan: true
        atasan_langsung: true
        kembali: 1
        lanjut: selesai
"""


@pytest.fixture
def room(tmp_path: Path) -> Room:
    opened = open_room(tmp_path)
    (opened.home / "procedures" / "izin.yaml").write_text(SOP)
    return opened


def tickets(room: Room) -> int:
    with room.app.store.read() as reader:
        return reader.counts()["tickets"]


def told_by_doctor(room: Room) -> dict[str, tuple[str, str]]:
    return {name: (state, told) for name, state, told in _examined(room.app)}


# --- positions


@pytest.mark.parametrize("missing", ["technical-support", "kasi-layanan-infrastruktur"])
def test_an_sop_whose_positions_nobody_defined_is_refused_before_anything_is_written(room: Room, missing: str) -> None:
    def change(data: dict[str, list[dict[str, object]]]) -> None:
        data["jabatan"] = [found for found in data["jabatan"] if found["id"] != missing]
        for person in data["orang"]:
            person["memegang"] = [h for h in person["memegang"] if h["jabatan"] != missing]  # type: ignore[attr-defined]

    later = edited(room, change)
    for _ in range(2):
        with pytest.raises(BadInput, match=f"uji names positions that nobody defined: {missing}; add them"):
            later.opened()
    assert tickets(later) == 0
    state, told = told_by_doctor(later)["positions"]
    assert state == "WRONG"
    assert f"uji names {missing}" in told


def test_other_sops_go_on(room: Room) -> None:
    text = (room.home / "procedures" / "berkas.yaml").read_text()
    (room.home / "procedures" / "berkas.yaml").write_text(text.replace("kasi-layanan-infrastruktur", "kepala-baru"))
    with pytest.raises(BadInput, match="berkas names positions that nobody defined: kepala-baru"):
        room.opened("berkas")
    assert room.opened().state is State.OPEN
    state, told = told_by_doctor(room)["positions"]
    assert state == "WRONG"
    assert told.endswith(
        "nobody defined: berkas names kepala-baru; add them under `jabatan`; until then these SOPs stay closed"
    )


def test_what_is_defined_is_sound(room: Room) -> None:
    assert told_by_doctor(room)["positions"][0] == "ok"


def test_a_position_that_goes_while_a_ticket_is_open_does_not_make_an_action_look_refused(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = room.opened()

    def change(data: dict[str, list[dict[str, object]]]) -> None:
        data["jabatan"] = [found for found in data["jabatan"] if found["id"] != "kasi-layanan-infrastruktur"]
        data["orang"] = [found for found in data["orang"] if found["id"] != "bambang"]

    later = edited(room, change)
    done = later.act(ticket, Verb.DONE, "joko", data={"jadwal": "2026-11-24 09:00"})
    planned = later.plan(done)[0]
    for json in (False, True):
        tell_action(later.app, planned, "plan", json=json)
        assert "kasi-layanan-infrastruktur (nobody)" in capsys.readouterr().out


# --- the direct superior


def asked(room: Room, *, applicant: str = "siti") -> Ticket:
    letter = Letter(procedure="izin", unit="dinkes", applicant=applicant, fields={"perihal": "Uji"})
    return open_from_letter(room.desk("siti"), letter, person="siti")


def of_dinkes(room: Room, *, superior: str | None, position: str | None = None) -> Room:
    """Return the room in which hadi and ratna are of the unit too."""

    def change(data: dict[str, list[dict[str, object]]]) -> None:
        for person in ("hadi", "ratna"):
            hold(person, "unit-kerja-pemohon", since="2019-11-01", unit="dinkes")(data)
        if superior:
            row(data, "siti")["atasan_langsung"] = superior
        if position:
            hold("siti", "technical-support", since="2019-11-01", unit="dinkes")(data)
            hold("hadi", position, since="2019-11-01", unit="dinkes")(data)
            next(p for p in data["jabatan"] if p["id"] == "technical-support")["atasan"] = position

    return edited(room, change)


@pytest.mark.parametrize(("superior", "position"), [("hadi", None), (None, "kadis")])
def test_the_direct_superior_approves_and_nobody_else_of_the_unit(
    room: Room, superior: str | None, position: str | None
) -> None:
    later = of_dinkes(room, superior=superior, position=position)
    ticket = asked(later)
    for verb in (Verb.APPROVE, Verb.REJECT):
        with pytest.raises(Refused, match="ratna is not the direct superior of siti; who is: hadi"):
            later.act(ticket, verb, "ratna")
    with pytest.raises(Refused):
        later.act(ticket, Verb.APPROVE, "siti")
    assert later.act(ticket, Verb.APPROVE, "hadi").state is State.DONE


def test_an_approval_by_somebody_else_of_the_unit_is_a_finding(room: Room) -> None:
    later = of_dinkes(room, superior="hadi")
    ticket = asked(later)
    forged(later, ticket, Verb.APPROVE, "ratna", "unit-kerja-pemohon")
    with later.app.store.read() as reader:
        found = verify_ticket(later.app, reader, ticket.id).findings
    assert "ratna is not the direct superior of siti" in found[0]


def test_the_superior_of_the_day_counts_in_history(room: Room) -> None:
    later = of_dinkes(room, superior="hadi")
    ticket = later.act(asked(later), Verb.APPROVE, "hadi")
    last = edited(later, lambda data: row(data, "siti").update(atasan_langsung="ratna"))
    with last.app.store.read() as reader:
        assert verify_ticket(last.app, reader, ticket.id).findings == ()


def test_without_a_direct_superior_nothing_is_opened_and_it_is_said_what_to_state(room: Room) -> None:
    alone = "no direct superior of siti, and dinkes has nobody else; state `atasan_langsung: PERSON` at siti"
    with pytest.raises(BadInput, match=alone):
        asked(room)
    with pytest.raises(BadInput, match="no direct superior of siti; state `atasan_langsung: PERSON` at siti"):
        asked(of_dinkes(room, superior=None))
    assert tickets(room) == 0


def test_somebody_of_another_unit_is_no_applicant(room: Room) -> None:
    with pytest.raises(BadInput, match="joko holds no position for dinkes"):
        asked(of_dinkes(room, superior="hadi"), applicant="joko")


def test_the_superior_who_left_is_told_at_the_row(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    later = of_dinkes(room, superior="hadi")
    ticket = asked(later)

    def change(data: dict[str, list[dict[str, object]]]) -> None:
        del row(data, "siti")["atasan_langsung"]
        without("hadi")(data)

    last = edited(later, change)
    with pytest.raises(Refused, match="names no direct superior of siti; state `atasan_langsung"):
        last.act(ticket, Verb.APPROVE, "ratna")
    tell_action(last.app, ticket, "x", json=False)
    assert "Unit Kerja Pemohon (nobody)" in capsys.readouterr().out
    assert replace(ticket).step == "izin.2"
