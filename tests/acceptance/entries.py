"""Catalogue entries of the tests' own: an archive with checksum and signature, made afresh."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.workspace import make_key, public_half

PROGRAM = "#!/bin/sh\necho agenda 1.0\n"


def packed(members: Mapping[str, str], *, links: Mapping[str, str] | None = None) -> bytes:
    """Return a `.tar.gz` of programs (and links)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return out.getvalue()


def put_entry(folder: Path, target: Path, *, content: bytes = b"", **changes: Any) -> Path:
    """Write the entry `agenda` into a catalogue, its archive signed; `changes` replace parts of `software.yaml`."""
    entry = folder / "agenda"
    entry.mkdir(parents=True, exist_ok=True)
    archive = entry / "agenda-1.0.tar.gz"
    archive.write_bytes(content or packed({"bin/agenda": PROGRAM}))
    signer = folder.parent / "maker"
    if not signer.exists():
        make_key(signer)
    archive.with_name(f"{archive.name}.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(signer), str(archive)]
    subprocess.run(command, check=True, capture_output=True)
    into = target / "opt" / "agenda"
    software = {
        "title": "Agenda",
        "versions": ["1.0"],
        "licence": "Apache-2.0",
        "source": {
            "archive": {
                "file": archive.name,
                "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
                "signature": f"{archive.name}.sig",
                "signers": [public_half(signer)],
                "into": str(into),
            }
        },
        "tests": [
            {"command": [str(into / "bin" / "agenda")], "contains": "agenda 1.0"},
            {"file": str(into / "bin" / "agenda"), "mode": "0755"},
        ],
        "configuration": {
            "settings": {
                "title": {"type": "text", "label": "Judul", "default": "Agenda"},
                "free": {"type": "text", "label": "Bebas", "default": "", "pattern": ".*"},
                "port": {"type": "number", "label": "Port", "default": 8080, "minimum": 1024},
            },
            "templates": [{"template": "agenda.conf.j2", "path": str(target / "agenda.conf")}],
            "check": [f"grep -q port {target / 'agenda.conf'}"],
            "verify": [{"file": str(target / "agenda.conf"), "contains": "port ${port}"}],
        },
    }
    (entry / "agenda.conf.j2").write_text("port {{ port }}\ntitle {{ title }}\nfree {{ free }}\n")
    (entry / "software.yaml").write_text(json.dumps({**software, **changes}, indent=1))
    return entry


def put_package(folder: Path) -> Path:
    """Write an entry `buku-tamu` into a catalogue: a package file with a program and a file below /etc."""
    entry = folder / "buku-tamu"
    tree = entry / "tree"
    for name, text in {
        "DEBIAN/control": "Package: buku-tamu\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@x>\n"
        "Description: test\n",
        "DEBIAN/conffiles": "/etc/buku-tamu.conf\n",
        "usr/bin/buku-tamu": PROGRAM.replace("agenda", "buku tamu"),
        "etc/buku-tamu.conf": "port 1\n",
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
        (tree / name).chmod(0o755 if "bin" in name else 0o644)
    package = entry / "buku-tamu.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, package], check=True, capture_output=True)
    software = {
        "title": "Buku tamu",
        "versions": ["1.0"],
        "licence": "MIT",
        "source": {
            "package_files": [{"file": package.name, "sha256": hashlib.sha256(package.read_bytes()).hexdigest()}]
        },
        "tests": [{"package": "buku-tamu", "version": "1.0"}, {"command": ["buku-tamu"], "contains": "buku tamu 1.0"}],
        "configuration": {
            "settings": {"port": {"type": "number", "label": "Port", "default": 80, "minimum": 1}},
            "templates": [{"template": "buku-tamu.conf.j2", "path": "/etc/buku-tamu.conf"}],
            "check": ["grep -q port /etc/buku-tamu.conf"],
            "verify": [{"file": "/etc/buku-tamu.conf", "contains": "port ${port}"}],
        },
    }
    (entry / "buku-tamu.conf.j2").write_text("port {{ port }}\n")
    (entry / "software.yaml").write_text(json.dumps(software, indent=1))
    return entry
