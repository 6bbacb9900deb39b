"""Differences in words that an official understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, str, str]]] = {
    "tempat": (
        "{item} kini {after}",
        "{item} {before} tidak ada",
        "{item} yang disetujui {before}, yang terbaca {after}",
    ),
    "perangkat": (
        "{item}: kini {after}",
        "{item}: {before} tidak terbaca lagi",
        "{item} berubah dari {before} menjadi {after}",
    ),
    "modul memori": (
        "modul memori di slot {item} dipasang ({after})",
        "modul memori di slot {item} dilepas ({before})",
        "modul memori di slot {item} diganti: {before} menjadi {after}",
    ),
    "disk": (
        "disk {item} dipasang ({after})",
        "disk {item} dilepas ({before})",
        "disk {item} diganti: {before} menjadi {after}",
    ),
    "kesehatan disk": (
        "kesehatan disk {item}: {after}",
        "kesehatan disk {item} tidak terbaca lagi",
        "kesehatan disk {item} berubah dari {before} menjadi {after}",
    ),
    "larik disk": (
        "larik disk {item} dibuat ({after})",
        "larik disk {item} dihapus ({before})",
        "larik disk {item} berubah dari {before} menjadi {after}",
    ),
    "paket": (
        "paket {item} dipasang, versi {after}",
        "paket {item} dihapus (versi {before})",
        "paket {item} diperbarui dari versi {before} ke {after}",
    ),
    "sertifikat": (
        "sertifikat {item} ditambahkan ({after})",
        "sertifikat {item} dihapus ({before})",
        "sertifikat {item} diganti: {before} menjadi {after}",
    ),
    "pengamanan": (
        "pengaturan keamanan {item} kini {after}",
        "pengaturan keamanan {item} ({before}) hilang",
        "pengaturan keamanan {item} diubah dari {before} menjadi {after}",
    ),
    "layanan": (
        "layanan {item} ditambahkan ({after})",
        "layanan {item} dihapus ({before})",
        "layanan {item} berubah dari {before} menjadi {after}",
    ),
    "port": (
        "port {item} dibuka oleh {after}",
        "port {item} ditutup, sebelumnya dipakai {before}",
        "port {item} kini dipakai {after}, sebelumnya {before}",
    ),
    "pengguna": (
        "pengguna {item} ditambahkan ({after})",
        "pengguna {item} dihapus ({before})",
        "pengguna {item} diubah: {before} menjadi {after}",
    ),
    "sistem berkas": (
        "sistem berkas {item} ditambahkan ({after})",
        "sistem berkas {item} dilepas ({before})",
        "sistem berkas {item} berubah: {before} menjadi {after}",
    ),
    "grup volume": (
        "grup volume {item} dibuat ({after})",
        "grup volume {item} dihapus ({before})",
        "grup volume {item} berubah dari {before} menjadi {after}",
    ),
    "volume": (
        "volume {item} dibuat ({after})",
        "volume {item} dihapus ({before})",
        "volume {item} berubah dari {before} menjadi {after}",
    ),
    "jaringan": ("{item}: kini {after}", "{item}: {before} dihapus", "{item} berubah dari {before} menjadi {after}"),
    "antarmuka": (
        "antarmuka {item} ditambahkan ({after})",
        "antarmuka {item} dilepas ({before})",
        "antarmuka {item} berubah dari {before} menjadi {after}",
    ),
    "alamat MAC": (
        "alamat MAC {item}: {after}",
        "alamat MAC {item} ({before}) hilang",
        "alamat MAC {item} berubah dari {before} menjadi {after}",
    ),
    "alamat IP": ("alamat IP {item} ditambahkan", "alamat IP {item} dihapus", "alamat IP {item} berubah"),
    "rute": ("rute ke {item} ditambahkan", "rute ke {item} dihapus", "rute ke {item} berubah"),
    "port switch": (
        "antarmuka {item} terhubung ke {after}",
        "antarmuka {item} tidak lagi terhubung ke {before}",
        "antarmuka {item} pindah dari {before} ke {after}",
    ),
}
"""By topic: something came, something went, something changed."""

UNTOLD: Final = "proses yang tidak terbaca"


def sentence(topic: str, item: str, before: str | None, after: str | None) -> str:
    """Return a difference in words; None stands for what was not there."""
    came, went, changed = SENTENCES[topic]
    pattern = came if before is None else went if after is None else changed
    return pattern.format(item=item, before=before or UNTOLD, after=after or UNTOLD)
