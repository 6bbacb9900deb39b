"""What `sop.check` finds, each with line and mend."""

from __future__ import annotations

import pytest

from sopauto.procedures.check import Known, check

SOP = """\
kode: contoh
awalan: CO
kepala: {nama: Contoh, jumlah_waktu: 45 menit}
pelaksana:
  - {id: pemohon, nama: Pemohon, pemohon: true}
  - {id: kasi, nama: Kasi}
surat:
  - {nama: kontak_email, label: E-mail, jenis: email}
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
KNOWN = Known(modules={"custody.connect"}, forms={"bast"}, messages={"kabar"})


def found(text: str) -> list[str]:
    return [str(finding) for finding in check(text.encode(), "contoh.yaml", KNOWN)]


def test_a_sound_sop_has_no_findings() -> None:
    assert found(SOP) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("lanjut: 2}", "lanjutt: 2}", "unknown key 'lanjutt'; did you mean 'lanjut'?"),
        ("lanjut: 2}", "}", "contoh.yaml:13 satu.1: a dead end"),
        ("lanjut: 2}", "lanjut: 9}", "contoh.yaml:13 satu.1: leads to satu.9, which does not exist"),
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
        ("penyetuju: kasi", "penyetuju: kadis", "unknown actor 'kadis'"),
        ("penyetuju: kasi", "baris_rencana: 1", "together"),
        ("templat: kabar", "templat: kaber", "unknown pesan 'kaber'"),
        ("kepada: kontak", "kepada: bupati", "unknown addressee 'bupati'"),
        ("wajib: [kontak_email]", "wajib: [ip_baru]", "must contain 'ip_baru', which nobody states"),
        ("jumlah_waktu: 45", "jumlah_waktu: 50", "the rows add up to 45 minutes, not to 50"),
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
