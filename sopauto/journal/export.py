"""One archive of a ticket that an auditor can check with `ssh-keygen` and `sha256sum` alone, without sopauto."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sopauto.journal.anchor import NAMESPACE as ANCHORS
from sopauto.journal.anchor import Anchor, write_anchor
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.sshsig import NAMESPACE
from sopauto.people import Key, People, Person

SCRIPT: Final = Path(__file__).with_name("periksa.sh")
CLOSING: Final = "penutup.jsonl"
LONGEST_NAME: Final = 60
UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
README: Final = """\
BERKAS TIKET {ticket}

{entries} entri; entri terakhir: {verb} pada {step} oleh {person}, {at}
Keadaan menurut entri terakhir: {row}
Kepala (sha256sum entri terakhir): {head}
{closed}

Setiap tindakan pada tiket ini adalah satu berkas di entri/: isi yang ditandatangani (.json) dan tanda tangannya (.sig).
dokumen/ berisi lampiran: formulir, rencana, bukti, dan surat elektronik yang dikirim; DAFTAR.txt menyebut sidiknya.
Untuk memeriksa semuanya tanpa sopauto, dengan ssh-keygen, sha256sum dan perkakas dasar, ketik di dalam folder ini:

    sh periksa.sh
    sh periksa.sh --anchor JANGKAR    # dibandingkan dengan jangkar yang Anda simpan di luar instansi ini

periksa.sh sama untuk semua arsip: pakailah salinan dari tempat yang Anda percaya (sh /tempat/lain/periksa.sh FOLDER),
karena skrip di dalam arsip dapat diganti bersama isinya. Yang dikerjakannya, dapat juga diketik satu per satu:

1. Isi berkas tidak berubah sejak arsip dibuat:
       sha256sum -c SHA256SUMS
2. Setiap entri ditandatangani oleh orang yang disebut di dalamnya ("person"), dengan kunci yang berlaku waktu itu:
       ssh-keygen -Y verify -f allowed_signers -I PERSON -n {namespace} -s entri/0001.json.sig < entri/0001.json
   (tambahkan -O verify-time=WAKTU untuk memeriksa kunci yang sudah tidak berlaku). Kunci FIDO (sk-...) hanya berlaku
   jika disentuh: byte kelima dari belakang tanda tangannya ganjil
       sed '/^-----/d' entri/0001.json.sig | base64 -d | tail -c 5 | od -An -tu1 -N1
3. Rantai: "prev" di setiap entri sama dengan sha256sum berkas entri sebelumnya:
       sha256sum entri/0001.json      ->  "prev" di entri/0002.json
4. Lampiran: setiap "sha256" di bawah "documents" adalah sha256sum sebuah berkas di dokumen/:
       sha256sum dokumen/*
5. Akhir: rantai saja tidak menunjukkan bahwa entri terakhir dipotong. {closing} menyebut jumlah entri dan kepala;
   ditandatangani atau tidak, bandingkan dengan jangkar yang Anda simpan sendiri:
       ssh-keygen -Y verify -f allowed_signers -I PERSON -n {anchors} -s JANGKAR.sig < JANGKAR
       grep '"ticket":"{ticket}"' JANGKAR    ->  "entries" dan "head" seperti di atas

allowed_signers berasal dari daftar pegawai instansi. Bandingkan kunci di dalamnya dengan kunci yang Anda peroleh
sendiri dari orangnya (--signers DAFTAR): tanda tangan membuktikan kunci, dan instansi menyatakan kunci itu milik siapa.

(English: run `sh periksa.sh`. It checks digests, signatures, the chain and the attached documents, and tells how many
entries there are and where they end; `--anchor FILE` compares that with an anchor kept elsewhere.)
"""


PeopleOf = Callable[[Entry], People | None]
"""The people of an entry's day (None: their file is not kept)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What an archive says of its own end: an anchor of this ticket alone, who signed it (None: nobody) and how."""

    anchor: Anchor
    signer: Person | None = None
    signature: str | None = None

    @property
    def content(self) -> bytes:
        """The bytes that are signed."""
        return write_anchor(self.anchor)


def archive(
    entries: Sequence[Entry], *, documents: Mapping[str, bytes], people_of: PeopleOf, closing: Closing
) -> bytes:
    """Return the archive (tar.gz): same ticket, same closing, same bytes.

    `documents` holds the content of each attached document by its SHA-256.
    """
    files = _files(entries, documents, people_of, closing)
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


def _files(
    entries: Sequence[Entry], documents: Mapping[str, bytes], people_of: PeopleOf, closing: Closing
) -> dict[str, bytes]:
    bodies = [read_body(entry.body) for entry in entries]
    names = names_of(bodies)
    files = {names[digest]: content for digest, content in documents.items()}
    for entry in entries:
        files[f"entri/{entry.number:04}.json"] = entry.body
        files[f"entri/{entry.number:04}.json.sig"] = entry.signature.encode()
    files["DAFTAR.txt"] = "".join(_listed(bodies, names)).encode()
    files["allowed_signers"] = allowed_signers(entries, people_of, closing.signer).encode()
    files[CLOSING] = closing.content
    if closing.signature is not None:
        files[f"{CLOSING}.sig"] = closing.signature.encode()
    files["BACA-SAYA.txt"] = _readme(entries[-1], bodies[-1], closing).encode()
    files["periksa.sh"] = SCRIPT.read_bytes()
    return files


def names_of(bodies: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return under which name the archive holds each document: the first entry that carries it, and a plain name.

    A name may be hostile: only letters, digits, dot, dash and underscore are left of it.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for body in bodies:
        for name, digest in references(body):
            if digest not in names:
                plain = f"{body['number']:04}-{_plain(name)}"
                plain = f"{digest[:12]}-{plain}" if plain.lower() in taken else plain
                taken.add(plain.lower())
                names[digest] = f"dokumen/{plain}"
    return names


def references(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and digest of each document that an entry refers to, and of the people file that it names."""
    people = [("people.yaml", body["people"])] if "people" in body else []
    return [(reference["name"], reference["sha256"]) for reference in body["documents"]] + people


def _plain(name: str) -> str:
    return UNSAFE.sub("-", name).strip("-.")[-LONGEST_NAME:].lstrip("-.") or "lampiran"


def _listed(bodies: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Iterable[str]:
    """Yield one line for each document of each entry: digest, file, and the name that was signed, as JSON writes it."""
    for body in bodies:
        for name, digest in references(body):
            yield f"{digest}  {names[digest]}  entri {body['number']:04}: {json.dumps(name)}\n"


def allowed_signers(entries: Sequence[Entry], people_of: PeopleOf, closer: Person | None = None) -> str:
    """Return the file by which `ssh-keygen -Y verify` knows whose key is whose: by the people of each entry's own day.

    A key that was ended or taken out later stands there with the days that it had when it signed. `closer` is who
    closes the archive.
    """
    lines = dict.fromkeys(line for entry in entries for line in _signers(entry, people_of(entry)))
    lines |= dict.fromkeys(_line(closer.id, key) for key in closer.keys) if closer else {}
    return "".join(sorted(lines))


def _signers(entry: Entry, people: People | None) -> Iterable[str]:
    name = read_body(entry.body)["person"]
    person = people.persons.get(name) if people else None
    return [_line(name, key) for key in (person.keys if person else ()) if key.public == entry.key]


def _line(person: str, key: Key) -> str:
    return f"{person} {_options(key)} {key.public}\n"


def _options(key: Key) -> str:
    """Return the days of a key as OpenSSH writes them; its last day counts to its end."""
    options = f'namespaces="{NAMESPACE},{ANCHORS}",valid-after="{key.since:%Y%m%d}"'
    if key.until is not None:
        options += f',valid-before="{key.until + timedelta(days=1):%Y%m%d}"'
    return options


def _readme(last: Entry, body: Mapping[str, Any], closing: Closing) -> str:
    person = closing.anchor.person
    signed = f"Arsip ini ditutup dengan tanda tangan {person}, {closing.anchor.at.isoformat(timespec='seconds')}."
    return README.format(
        ticket=last.ticket,
        entries=last.number,
        head=last.digest,
        row=body["to"],
        **{name: body[name] for name in ("verb", "step", "person", "at")},
        closed=signed if person else "Arsip ini tidak ditutup dengan tanda tangan.",
        closing=CLOSING,
        namespace=NAMESPACE,
        anchors=ANCHORS,
    )
