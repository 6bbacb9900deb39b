"""What `sop.check` finds, each with line and mend."""

from __future__ import annotations

import pytest

from sopauto.app import OFFERS
from sopauto.procedures.check import check
from sopauto.procedures.known import Known, machine_words
from sopauto.procedures.library import Library

SOP = """\
kode: contoh
awalan: CO
kepala: {nama: Contoh, jumlah_waktu: 45 menit}
pelaksana:
  - {id: pemohon, nama: Pemohon, pemohon: true}
  - {id: kasi, nama: Kasi}
surat:
  - {nama: kontak_email, label: E-mail, jenis: email}
  - {nama: nama_host, label: Nama host, jenis: nama-host}
tabel:
  - id: satu
    judul: Tabel
    baris:
      - {no: 1, kegiatan: Minta, pelaksana: pemohon, waktu: 15 menit, lanjut: 2}
      - {no: 2, kegiatan: Setuju?, pelaksana: kasi, jenis: keputusan, waktu: 15 menit, ya: 3, tidak: 1}
      - no: 3
        kegiatan: Kerja
        pelaksana: kasi
        waktu: 15 menit
        lanjut: selesai
        pesan: {templat: kabar, kepada: kontak, wajib: [kontak_email]}
        teknis: {modul: custody.connect, pelaksana: kasi, penyetuju: kasi}
"""
JAM = "{nama: jam, label: Jam}"
AGAIN = "{no: 7, kegiatan: x, pelaksana: kasi, waktu: '-', lanjut: 2, isian: [{nama: jam, label: X, jenis: tanggal}]}"
MACHINE_WORDS = machine_words(OFFERS.marks)
KNOWN = Known(
    modules={"custody.connect": OFFERS.modules["custody.connect"]},
    effects=OFFERS.marks,
    forms={"bast"},
    messages={"kabar"},
)


def found(text: str) -> list[str]:
    return [str(finding) for finding in check(text.encode(), "contoh.yaml", KNOWN)]


def test_a_sound_sop_has_no_findings() -> None:
    assert found(SOP) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("lanjut: 2}", "lanjutt: 2}", "unknown key 'lanjutt'; did you mean 'lanjut'?"),
        ("lanjut: 2}", "}", "contoh.yaml:14 satu.1: a dead end"),
        *(
            ("lanjut: 2}", f"lanjut: 2, isian: [{{nama: {name}, label: X}}]}}", f"asks for {name!r}, which the machine")
            for name in sorted(MACHINE_WORDS)
        ),
        ("nama: kontak_email, label", "nama: outcome, label", "contoh.yaml:8 surat: asks for 'outcome'"),
        (
            "nama: kontak_email, label",
            "nama: nama_host, label",
            "contoh.yaml:9 surat: 'nama_host' is asked for by the letter",
        ),
        ("lanjut: 2}", "lanjut: 2, isian: [{nama: '', label: X}]}", "satu.1: a field has no name"),
        ("lanjut: 2}", f"lanjut: 2, isian: [{JAM}, {JAM}]}}", "satu.1: 'jam' is asked for by the row already"),
        (
            "lanjut: 2}",
            "lanjut: 2, isian: [{nama: nama_host, label: X}]}",
            "'nama_host' is asked for by the letter already",
        ),
        (
            "lanjut: 2}",
            f"lanjut: 7, isian: [{JAM}]}}\n      - {AGAIN}",
            "satu.7: 'jam' is teks at an earlier row",
        ),
        ("teknis: {", "isian: [{nama: jam, label: Jam}]\n        teknis: {", "machine work states nothing"),
        ("lanjut: 2}", "lanjut: 9}", "contoh.yaml:14 satu.1: leads to satu.9, which does not exist"),
        ("lanjut: 2}", "lanjut: selesai}", "satu.2: no row leads here"),
        ("ya: 3, tidak: 1}", "ya: 3}", "the decision has no `tidak`"),
        ("ya: 3, tidak: 1}", "tidak: 1}", "the decision has no `ya`"),
        ("ya: 3, tidak: 1}", "ya: 1, tidak: 1}", "no way leads from here to an end"),
        ("lanjut: selesai", "lanjut: 3", "no way leads from here to an end"),
        ("ya: 3, tidak: 1}", "ya: {menurut: 1, ya: 3, tidak: 3}, tidak: 1}", "depends on satu.1, which is no decision"),
        ("pelaksana: pemohon, waktu", "waktu", "nobody carries out this row"),
        ("pelaksana: pemohon, waktu", "pelaksana: pemohn, waktu", "did you mean 'pemohon'?"),
        ("pelaksana: pemohon, waktu: 15 menit", "pelaksana: pemohon", "'waktu' is missing"),
        ("waktu: 15 menit, lanjut", "waktu: sebentar, lanjut", "'sebentar' is no time"),
        ("modul: custody.connect", "modul: custody.konnect", "no module implements 'custody.konnect'"),
        ("modul: custody.connect", "modul: custody.connect, parameter: {vlan: 9}", "no parameter 'vlan'"),
        ("penyetuju: kasi", "penyetuju: kadis", "unknown actor 'kadis'"),
        ("penyetuju: kasi", "baris_rencana: 1", "together"),
        ("templat: kabar", "templat: kaber", "unknown pesan 'kaber'"),
        ("kepada: kontak", "kepada: bupati", "unknown addressee 'bupati'"),
        ("wajib: [kontak_email]", "wajib: [ip_baru]", "must contain 'ip_baru', which nobody states"),
        ("nama: nama_host,", "wajib: false, nama: nama_host,", "needs 'nama_host', which the letter need not state"),
        ("jenis: email", "jenis: teks", "needs 'kontak_email', which the letter need not state"),
        (", penyetuju: kasi", "", "nobody approves the plan of custody.connect"),
        (", penyetuju: kasi", ", baris_rencana: 1, baris_persetujuan: 2", "satu.2 signs the plan, but is no approval"),
        (", penyetuju: kasi", ", baris_rencana: 3, baris_persetujuan: 3", "stand in one row"),
        ("penyetuju: kasi", "penyetuju: kasi, baris_rencana: 1, baris_persetujuan: 2", "keep one of them"),
        ("penyetuju: kasi", "rencana_dari: 2", "satu.2 holds no plan that somebody approves there"),
        ("penyetuju: kasi", "rencana_dari: 3", "satu.3 holds no plan that somebody approves there"),
        ("penyetuju: kasi", "penyetuju: kasi, berulang: bulanan", "each round of `berulang` would need an approval"),
        ("ya: 3, tidak: 1}", "ya: 3, tidak: 1, lanjut: 3}", "a decision has no `lanjut`"),
        ("ya: 3, tidak: 1}", "ya: 3, tidak: 1, kembali: 1}", "a decision has no `kembali`"),
        ("lanjut: 2}", "lanjut: 2, ya: 2}", "a process has no `ya`"),
        ("jumlah_waktu: 45 menit", "jumlah_waktu: sebentar", "'sebentar' is no time"),
        ("jumlah_waktu: 45", "jumlah_waktu: 50", "the rows add up to 45 menit, not to 50 menit"),
        ("no: 3", "no: 2", "'satu.2' stands twice"),
        ("jenis: email", "jenis: surel", "'surel' is unknown"),
        ("kode: contoh", "kode: Contoh SOP", "is no kode"),
        ("awalan: CO", "awalan: co1", "is no awalan"),
        ("lanjut: selesai", "lanjut: selesai\n        aset: pindah", "unknown aset 'pindah'"),
        ("lanjut: selesai", "lanjut: selesai\n        dokumen: [nota]", "unknown dokumen 'nota'"),
        ("lanjut: selesai", "lanjut: selesai\n        inferred: [ya]", "names 'ya', which does not stand here"),
        ("tabel:", "tabel: []\nlain:", "there is no row"),
    ],
)
def test_each_fault_is_found_with_its_place(old: str, new: str, told: str) -> None:
    assert old in SOP
    findings = found(SOP.replace(old, new, 1))
    assert any(told in finding for finding in findings), findings
    assert all(finding.startswith("contoh.yaml:") for finding in findings)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "kode: &a x\nb: *a\n", "--- 1\n--- 2\n"])
def test_what_is_no_sop_at_all_is_one_finding_or_more(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    ("code", "old", "new", "told"),
    [
        (
            "akses-ruang-server",
            "aset: akses-diberikan",
            "aset: akses-disetujui",
            "is not written",
        ),
        (
            "akses-ruang-server",
            "aset: akses-disetujui",
            "aset: akses-diberikan",
            "without access.grant",
        ),
        ("penghapusan-akses", "modul: access.revoke", "modul: access.grant", "akses-dihapus without access.revoke"),
        ("akses-ruang-server", "jenis: identitas", "panjang: 40", "needs 'nip_pengakses'"),
        ("review-akses", "nama: peninjau", "nama: peninjaw", "needs 'peninjau'"),
    ],
)
def test_the_register_of_access_says_only_what_the_doors_were_told(code: str, old: str, new: str, told: str) -> None:
    library = Library(())
    source = library.source(library.get(code)).decode()
    assert old in source
    findings = check(source.replace(old, new).encode(), "x.yaml", Known(modules=OFFERS.modules, effects=OFFERS.marks))
    assert told in "; ".join(map(str, findings))
