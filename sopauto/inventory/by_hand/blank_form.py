"""An empty form for a server that no scan reads, filled with what the assets know of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sopauto.assets.model import Place, Pool, Server
from sopauto.inventory.reading.answer import text

BLANK: Final = """\
# Formulir Data Inventaris Server {id}
#
# Isilah, hapus "# " (tanda # dan spasi sesudahnya) di depan bagian yang diisi, lalu: inv inventory.record {id} BERKAS
# Bagian yang kosong atau tidak ditulis berarti tidak didata. Daftar yang ditulis harus lengkap; [] berarti tidak ada.
# Simpan berkas ini: bulan depan cukup ubah tanggal dan yang berubah.
tanggal: {today}
perangkat:
  merek: {brand}
  model: {model}
  nomor_seri: {serial}
  tanggal_firmware:        # 2023-06-14
prosesor:
  model:                   # Intel Xeon Silver 4310
  soket:                   # 2
  inti:                    # dari semua soket: 24
  utas:                    # dari semua soket: 48
memori:                    # 64 GiB
# disk:
#   - nama: Disk 0
#     ukuran: 480 GB       # seperti pada label; atau 447,1 GiB
#     model:
#     nomor_seri:
sistem_operasi:
  nama:                    # Windows Server
  versi:                   # 2022
  id:                      # windows-server, seperti dalam end_of_life.yaml
jaringan:
  nama_host:
  antarmuka:
    - nama: Ethernet       # seperti nama di perangkat
      mac: {mac}
      alamat: {address}
  gateway: {gateway}
  dns: {dns}
# perangkat_lunak:
#   - nama: SQL Server
#     versi: 16.0.1000.6
# layanan:
#   - nama: W3SVC
#     keadaan: running
# sertifikat:
#   - berkas: IIS Default Web Site
#     subjek: CN = contoh.go.id
#     sampai: 2027-11-21
"""


def blank(server: Server, place: Place, pools: Sequence[Pool], today: date) -> str:
    """Return a form (YAML) for a server in its place; all that a person has to do is to add what they see."""
    pool = next((pool for pool in pools if pool.id == place.pool and place.address in pool.network), None)
    return BLANK.format(
        id=server.id,
        today=today.isoformat(),
        brand=_quoted(server.brand),
        model=_quoted(server.model),
        serial=_quoted(server.serial),
        mac=_quoted(server.mac or ""),
        address=f"{place.address}/{pool.network.prefixlen if pool else 32}",
        gateway=pool.gateway if pool else "",
        dns=f"[{', '.join(map(str, pool.dns))}]" if pool and pool.dns else "",
    )


def _quoted(value: str) -> str:
    """Return a text of the assets as YAML reads it, whatever it holds; nothing for an empty one."""
    import yaml

    # The width keeps it on its line.
    return yaml.safe_dump(text(value), default_style='"', allow_unicode=True, width=10_000).strip() if value else ""
