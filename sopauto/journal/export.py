"""One archive of a ticket that an auditor can check with `ssh-keygen` and `sha256sum` alone, without sopauto."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from shlex import quote
from typing import Final

from sopauto.journal.entry import Entry, read_body
from sopauto.journal.sshsig import NAMESPACE
from sopauto.journal.verify import mending
from sopauto.people import Key, People

README: Final = """\
BERKAS TIKET {ticket}

Setiap tindakan pada tiket ini adalah satu berkas di entri/: isi yang ditandatangani (.json) dan tanda tangannya (.sig).
Untuk memeriksa semuanya tanpa sopauto, hanya dengan ssh-keygen dan sha256sum, ketik di dalam folder ini:

    sh periksa.sh

Yang dikerjakan periksa.sh, dapat juga diketik satu per satu:

1. Isi berkas tidak berubah sejak arsip dibuat:
       sha256sum -c SHA256SUMS
2. Setiap entri ditandatangani oleh orang yang disebut di dalamnya ("person"), dengan kunci yang berlaku waktu itu:
       ssh-keygen -Y verify -f allowed_signers -I PERSON -n {namespace} -s entri/0001.json.sig < entri/0001.json
   (tambahkan -O verify-time=WAKTU untuk memeriksa kunci yang sudah tidak berlaku; lihat periksa.sh)
3. Rantai: "prev" di setiap entri sama dengan sha256sum berkas entri sebelumnya:
       sha256sum entri/0001.json      ->  "prev" di entri/0002.json
4. Lampiran: setiap "sha256" di bawah "documents" adalah nama berkas di dokumen/ dan sama dengan sha256sum-nya.

allowed_signers berasal dari daftar pegawai instansi. Bandingkan kunci di dalamnya dengan kunci yang Anda peroleh
sendiri dari orangnya: tanda tangan membuktikan kunci, dan instansi menyatakan kunci itu milik siapa.

(English: run `sh periksa.sh`. It checks digests, signatures, the chain and the attached documents.)
"""

SCRIPT: Final = """\
#!/bin/sh
# Periksa arsip tiket ini hanya dengan ssh-keygen dan sha256sum.
set -eu
cd "$(dirname "$0")"
sha256sum --quiet -c SHA256SUMS
check() { # entri, orang, waktu, prev, dokumen...
    entry=$1; person=$2; at=$3; prev=$4; shift 4
    ssh-keygen -Y verify -f allowed_signers -I "$person" -n {namespace} -O verify-time="$at" \\
        -s "entri/$entry.json.sig" <"entri/$entry.json" >/dev/null
    grep -q "\\"prev\\":\\"$prev\\"" "entri/$entry.json"
    for document in "$@"; do
        grep -q "\\"sha256\\":\\"$document\\"" "entri/$entry.json"
        test "$(sha256sum <"dokumen/$document")" = "$document  -"
    done
    last=$(sha256sum <"entri/$entry.json"); last=${last%% *}
}
last={first}
"""


PeopleOf = Callable[[Entry], People | None]
"""The people of an entry's day (None: their file is not kept)."""


def archive(entries: Sequence[Entry], *, documents: Mapping[str, bytes], people_of: PeopleOf) -> bytes:
    """Return the archive (tar.gz): same ticket, same bytes.

    `documents` holds the content of each attached document by its SHA-256.
    """
    files = _files(entries, documents, people_of)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    folder = entries[0].ticket
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _files(entries: Sequence[Entry], documents: Mapping[str, bytes], people_of: PeopleOf) -> dict[str, bytes]:
    ticket = entries[0].ticket
    bodies = [read_body(entry.body) for entry in entries]
    files = {f"dokumen/{digest}": content for digest, content in documents.items()}
    for entry in entries:
        files[f"entri/{entry.number:04}.json"] = entry.body
        files[f"entri/{entry.number:04}.json.sig"] = entry.signature.encode()
    names = sorted({(ref["sha256"], ref["name"]) for body in bodies for ref in body["documents"]})
    files["dokumen/DAFTAR.txt"] = "".join(f"{digest}  {name}\n" for digest, name in names).encode()
    files["allowed_signers"] = allowed_signers(entries, people_of).encode()
    files["BACA-SAYA.txt"] = README.format(ticket=ticket, namespace=NAMESPACE).encode()
    files["periksa.sh"] = _script(entries).encode()
    return files


def allowed_signers(entries: Sequence[Entry], people_of: PeopleOf) -> str:
    """Return the file by which `ssh-keygen -Y verify` knows whose key is whose: by the people of each entry's own day.

    A key that was ended or taken out later stands there with the days that it had when it signed.
    """
    lines = dict.fromkeys(line for entry in entries for line in _signers(entry, people_of(entry)))
    return "".join(sorted(lines))


def _signers(entry: Entry, people: People | None) -> Iterable[str]:
    name = read_body(entry.body)["person"]
    person = people.persons.get(name) if people else None
    for key in person.keys if person else ():
        if key.public == entry.key:
            yield f"{name} {_options(key)} {key.public}\n"


def _options(key: Key) -> str:
    """Return the days of a key as OpenSSH writes them; its last day counts to its end."""
    options = f'namespaces="{NAMESPACE}",valid-after="{key.since:%Y%m%d}"'
    if key.until is not None:
        options += f',valid-before="{key.until + timedelta(days=1):%Y%m%d}"'
    return options


def _script(entries: Sequence[Entry]) -> str:
    """Return the script that checks all entries. A journal may be forged: each word of it is quoted."""
    script = SCRIPT.replace("{namespace}", NAMESPACE).replace("{first}", quote(entries[0].prev))
    for entry in entries:
        body = read_body(entry.body)
        at = body["at"][:19].replace("-", "").replace(":", "").replace("T", "")
        words = [f"{entry.number:04}", body["person"], at, *(ref["sha256"] for ref in body["documents"])]
        number, person, moment, *documents = map(quote, words)
        script += " ".join(["check", number, person, moment, '"$last"', *documents]) + "\n"
    for mend in mending(entries):
        script += f'echo "Entri {mend} menyatakan entri mana yang dibuat dengan jam yang salah (clock)."\n'
    return script + 'echo "Semua tanda tangan, rantai dan lampiran utuh."\n'
