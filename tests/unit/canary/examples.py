"""Examples of every file that people write, each with all fields that its model knows."""

from __future__ import annotations

from typing import Any

from sopauto.procedures.load import HEAD, HEAD_LISTS
from tests.unit.documents.occasions import public_key

SETTINGS: dict[str, Any] = {
    "agency": {"name": "Dinas", "letterhead": ["DINAS"], "address": "Jalan 1", "city": "Trenggalek"},
    "time_zone": "Asia/Jakarta",
    "database": "sqlite:///sopauto.db",
    "people": "people.yaml",
    "procedures": ["procedures"],
    "templates": "templates",
    "office": {
        "country": "ID",
        "hours": {"senin": ["07:30-12:00"]},
        "extra_holidays": ["2026-12-24"],
        "escalate_after": 1,
    },
    "mail": {
        "host": "127.0.0.1",
        "port": 25,
        "sender": "a@b.example",
        "starttls": True,
        "user": "u",
        "password_env": "P",
    },
    "access": {
        "card_prefix": "KA-",
        "card_digits": 6,
        "first_card": 1,
        "last_card": 999,
        "longest_temporary": 180,
        "longest_visit": 7,
        "review_months": 3,
        "remind_after": 7,
        "suspend_after": 14,
        "card_key": "keys/kartu.pem",
        "zones": {"ruang": {"title": "Ruang", "reviewer": "kasi"}},
        "doors": {
            "satu": {
                "kind": "http",
                "zones": ["ruang"],
                "url": "https://10.0.0.9/api",
                "file": "x.csv",
                "token_env": "T",
                "seconds": 5,
                "tries": 3,
            }
        },
        "events": {
            "delimiter": ",",
            "at": "waktu",
            "card": "kartu",
            "zone": "zona",
            "time_format": "%Y-%m-%d",
            "zones": {"R1": "ruang"},
        },
    },
    "custody": {"unused_vlan": 999, "ssh_port": 22, "inventory_credentials": "inventory"},
    "inventory": {
        "parallel": 32,
        "seconds": 60,
        "skip": ["updates"],
        "by_form": ["win-01"],
        "report_to": "kasi",
        "full_at": 80,
        "warn_days": 60,
    },
    "credentials": {
        "inventory": {
            "user": "u",
            "python": "/usr/bin/python3",
            "key_file": "keys/x",
            "password_env": "P",
            "sudo_password_env": "S",
        }
    },
}
PROFILE: dict[str, Any] = {
    "title": "Uji",
    "credentials": "servers",
    "resources": {"cpus": 1, "memory_mb": 256, "disk_gb": 1},
    "time_zone": "Asia/Jakarta",
    "ntp": ["0.id.pool.ntp.org"],
    "locale": "C.UTF-8",
    "package_sources": ["deb http://deb.example bookworm main"],
    "packages": ["curl"],
    "upgrade": True,
    "administrators": ["yoga"],
    "swap_mb": 512,
    "disks": [
        {
            "device": "/dev/vdc",
            "group": "data",
            "volumes": [
                {"name": "srv", "size": "10g", "mount": "/srv", "file_system": "ext4", "options": "nodev,nosuid"}
            ],
        }
    ],
    "network": {
        "interface": "eth0",
        "address": "10.0.0.2/24",
        "gateway": "10.0.0.1",
        "dns": ["10.0.0.3"],
        "search": ["contoh.example"],
    },
    "open_ports": ["443/tcp"],
    "container_host": True,
    "log_host": "log.example:514",
    "hardening": {"banner": "Hanya untuk yang berwenang", "ssh_extra": {"x": "y"}, "closed_ports": ["5353/udp"]},
}
WAIVER: dict[str, Any] = {
    "server": "server-01",
    "control": "5.1.8",
    "reason": "cadangan",
    "approved_by": "Kasubdit",
    "expires": "2099-12-31",
    "ticket": "PP-2026-0001",
    "compensating": "diawasi",
}
TEST: dict[str, Any] = {"version": "1", "status": 200, "contains": "x", "exit": 0, "mode": "0644", "within": 1}
TESTS: list[dict[str, Any]] = [
    {"package": "agenda", **TEST},
    {"service": "agenda"},
    {"port": "${port}/tcp", "address": "127.0.0.1"},
    {"process": "agenda"},
    {"http": "http://127.0.0.1/"},
    {"command": ["agenda", "--version"]},
    {"file": "/etc/agenda.conf"},
    {"sql": "postgresql"},
]
SOFTWARE: dict[str, Any] = {
    "title": "Agenda",
    "versions": ["1.0"],
    "licence": "MIT",
    "systems": ["debian-12"],
    "source": {
        "packages": ["agenda"],
        "package_files": [{"file": "a.deb", "sha256": "ab" * 32}],
        "archive": {
            "file": "a.tar.gz",
            "sha256": "ab" * 32,
            "signature": "a.sig",
            "signers": [public_key("x")],
            "into": "/opt/agenda",
            "units": ["agenda.service"],
        },
    },
    "requires": {
        "cpus": 1,
        "memory_mb": 1,
        "disk_mb": 1,
        "ports": ["80/tcp"],
        "conflicts": ["apache2"],
        "replaces": ["mini-httpd"],
    },
    "services": ["agenda"],
    "tests": TESTS,
    "configuration": {
        "settings": {
            "port": {
                "type": "number",
                "label": "Port",
                "default": 80,
                "pattern": "[a-z]*",
                "longest": 10,
                "minimum": 1,
                "maximum": 99,
            },
            "mode": {"type": "choice", "label": "Cara", "default": "a", "choices": ["a", "b"]},
        },
        "templates": [
            {
                "template": "a.conf.j2",
                "path": "/etc/agenda.conf",
                "mode": "0640",
                "owner": "root",
                "group": "root",
            }
        ],
        "check": ["agenda --check"],
        "apply": ["systemctl restart agenda"],
        "verify": TESTS,
    },
    "data": ["/var/lib/agenda"],
}
ASSETS: dict[str, Any] = {
    "units": [{"id": "dinkes", "name": "Dinas Kesehatan"}],
    "contacts": [{"unit": "dinkes", "name": "Siti", "email": "s@dinkes.example.go.id", "phone": "0355"}],
    "racks": [{"id": "R1", "location": "Lantai 2", "height": 42, "blocked": [42]}],
    "switches": [
        {
            "id": "sw1",
            "platform": "cisco_ios",
            "host": "10.0.0.1",
            "port": 22,
            "credentials": "switch",
            "host_key": public_key("sw1"),
        }
    ],
    "ports": [{"switch": "sw1", "name": "Gi1/0/1", "rack": "R1"}],
    "vlans": [{"id": 30, "name": "titipan"}],
    "pools": [
        {
            "id": "titipan",
            "vlan": 30,
            "network": "10.0.0.0/24",
            "gateway": "10.0.0.1",
            "first": "10.0.0.10",
            "last": "10.0.0.19",
            "dns": ["10.0.0.3"],
        }
    ],
    "servers": [
        {
            "id": "s1",
            "unit": "dinkes",
            "ticket": "PS-2026-0001",
            "brand": "HPE",
            "model": "DL380",
            "serial": "1",
            "height": 2,
            "features": "hitam",
            "mac": "52:54:00:12:34:56",
            "rack": "R1",
            "bottom_unit": 3,
            "switch": "sw1",
            "port": "Gi1/0/1",
            "vlan": 30,
            "pool": "titipan",
            "address": "10.0.0.10",
        }
    ],
}
FIELDS = [
    {
        "nama": "kontak_email",
        "label": "Surel",
        "jenis": "email",
        "wajib": True,
        "panjang": 100,
        "paling_kecil": 1,
        "paling_besar": 9,
        "pilihan": ["a"],
    },
    {"nama": "nama_host", "label": "Server", "jenis": "nama-host"},
]
SOP: dict[str, Any] = {
    "kode": "contoh",
    "awalan": "CO",
    "inferred": ["awalan"],
    "kepala": dict.fromkeys(HEAD, "tulisan") | {name: ["tulisan"] for name in HEAD_LISTS},
    "istilah": {"kegiatan": "Aktivitas"},
    "pelaksana": [
        {"id": "pemohon", "nama": "Pemohon", "pemohon": True, "inferred": True},
        {"id": "kasi", "nama": "Kasi"},
    ],
    "surat": FIELDS,
    "tabel": [
        {
            "id": "satu",
            "judul": "Tabel",
            "inferred": True,
            "kolom": [{"id": "kasi", "nama": "Kepala Seksi"}],
            "baris": [
                {"no": 1, "kegiatan": "Minta", "pelaksana": "pemohon", "waktu": "15 menit", "lanjut": 2},
                {
                    "no": 2,
                    "halaman": 1,
                    "kegiatan": "Setuju?",
                    "pelaksana": ["kasi"],
                    "jenis": "keputusan",
                    "kelengkapan": "surat",
                    "waktu": "15 menit",
                    "output": "disposisi",
                    "keterangan": "-",
                    "ya": 3,
                    "tidak": 1,
                    "jawaban": {"ya": "disetujui", "tidak": "ditolak"},
                    "dokumen_tidak": ["lembar-disposisi"],
                    "inferred": ["halaman"],
                },
                {
                    "no": 3,
                    "kegiatan": "Kerja",
                    "pelaksana": "kasi",
                    "waktu": "15 menit",
                    "lanjut": "selesai",
                    "kembali": 2,
                    "persetujuan": True,
                    "menunggu": "tempat",
                    "aset": "siapkan",
                    "isian": FIELDS[:1],
                    "pesan": {"templat": "kabar", "kepada": "kontak", "wajib": ["kontak_email"], "bila": "ya"},
                    "dokumen": ["lembar-disposisi"],
                    "teknis": {
                        "modul": "playbook.run",
                        "pelaksana": "kasi",
                        "penyetuju": "kasi",
                        "baris_rencana": 1,
                        "baris_persetujuan": 2,
                        "rencana_dari": 1,
                        "berulang": "bulanan",
                        "parameter": {"playbook": "p.yml", "variables": {"isi": "halo"}, "login": "servers"},
                    },
                },
            ],
        }
    ],
}
LETTER: dict[str, Any] = {"sop": "contoh", "opd": "dinkes", "pemohon": "siti", "surat": {"perihal": "x"}}
