"""Occasions of SOP 003: the shipped rows, with the evidence that the machine left at each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lab.cast import UNIT
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import DocumentRef, Letter, Outcome, Verb
from sopauto.work import sha256
from tests.unit.documents.occasions import Trail, begin

TICKET = "PL-2026-0001"
LETTER = {
    "nomor_surat": "800/271/IIDC/2026",
    "tanggal": "2026-11-20",
    "perihal": "Permohonan instalasi nginx",
    "unit_kerja": "Bidang Pelayanan",
    "piranti_lunak": "nginx",
    "nama_host": "simpus-01",
    "kontak_nama": "Siti Rahmawati",
    "kontak_email": "siti@dinkes.example.go.id",
}
REQUIREMENTS = {"requirements": [{"what": "processors", "wanted": "1", "found": "2", "met": True}], "failures": []}
INSTALLED = {"installed": ["package nginx: 1.22.1-9 ii, before: nothing"]}
TESTS = {"tests": [{"title": "port 80/tcp", "passed": False, "found": "nobody listens", "seconds": 0.12}]}
TAKEN_BACK = {"removed": ["nginx"], "left": [], "kept": ["/var/www/html"], "others": []}
CONFIGURED = {"settings": {"port": 8080}, "files": ["/etc/nginx/conf.d/sopauto.conf"]}


def installing(*, place: bool = True) -> Trail:
    """Return a ticket at row 4: in the data centre, or at the user's place."""
    letter = Letter(procedure="instalasi-piranti-lunak", unit=UNIT, applicant="sari", fields=LETTER)
    trail = begin(letter, ticket=TICKET)
    trail.act(Verb.DONE, data={"katalog": "nginx", "alamat_ip": "10.20.30.10"})
    trail.act(Verb.APPROVE if place else Verb.REJECT)
    if not place:
        trail.act(Verb.DONE, data={"jadwal_instalasi": "2026-11-24T09:00:00+07:00"})
    return trail


def evidence(trail: Trail, module: str, told: Mapping[str, Any]) -> DocumentRef:
    """Keep what a module left, and return the reference to it."""
    content = json.dumps(told).encode()
    trail.books.papers[sha256(content)] = content
    return DocumentRef(name=f"{module}.json", sha256=sha256(content))


def read(trail: Trail, module: str, told: Mapping[str, Any], *, answer: Verb = Verb.APPROVE) -> Occasion:
    """Let a machine look at a decision, and a person answer it; return the occasion of the answer."""
    step = trail.procedure.step(trail.ticket.step)
    assert step.technical is not None
    kept = [evidence(trail, module, told)]
    trail.act(Verb.EVIDENCE, documents=kept, position=step.technical.executor, outcome=Outcome.DONE)
    return trail.act(answer)


def work(trail: Trail, module: str, told: Mapping[str, Any]) -> Occasion:
    """Let a machine work at a row; return the occasion of its end."""
    kept = [evidence(trail, module, told)]
    return trail.act(Verb.RUN, documents=kept, outcome=Outcome.DONE, facts={"evidence": told})


def taken_back() -> Occasion:
    """Return the occasion of row 8: a default test failed, and the software was taken back."""
    trail = installing()
    read(trail, "software.check", REQUIREMENTS)
    work(trail, "software.install", INSTALLED)
    work(trail, "software.run", {"running": True})
    trail.act(Verb.APPROVE)
    read(trail, "software.test", TESTS, answer=Verb.REJECT)
    return work(trail, "software.remove", TAKEN_BACK)


def signed(*, place: bool) -> Occasion:
    """Return the occasion of the last row: 13 in the data centre, 12 at the user's place."""
    trail = installing(place=place)
    read(trail, "software.check", REQUIREMENTS)
    work(trail, "software.install", INSTALLED)
    work(trail, "software.run", {"running": True})
    trail.act(Verb.APPROVE)
    read(trail, "software.test", {"tests": [{**TESTS["tests"][0], "passed": True, "found": ""}]})
    trail.act(Verb.APPROVE, data={"pengaturan": "nginx"})
    work(trail, "software.configure", CONFIGURED)
    read(trail, "software.verify", TESTS, answer=Verb.REJECT)
    work(trail, "software.configure", {**CONFIGURED, "settings": {"port": 8181}})
    read(trail, "software.verify", TESTS)
    return trail.act(Verb.DONE)
