"""What the Form Instalasi says of each row of SOP 003: requirements, installation, tests, take-back, configuration.

It grows with the rows: a section comes with the evidence that it is made of. What servers answered stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sopauto.documents import machine_work, sections
from sopauto.documents.form import Form
from sopauto.documents.letters import Box, Outline, nobody, outlined, present
from sopauto.documents.parts import Filling
from sopauto.documents.sections import Sections, pairs, table

FORM: Final = "form-instalasi"
YES_NO: Final = {True: "ya", False: "TIDAK"}
TESTS: Final = {"software.test": "Uji default", "software.verify": "Verifikasi konfigurasi"}


def software(filling: Filling) -> Sections:
    """Return what is installed where (rows 1 to 3)."""
    names = ("piranti_lunak", "versi", "katalog", "nama_host", "alamat_ip", "jadwal_instalasi", "pengaturan")
    return pairs("Piranti lunak", filling.stated(*names))


def requirements(filling: Filling) -> Sections:
    """Return each requirement of the last look (row 4)."""
    found = list(_evidence(filling, "software.check"))
    rows = (
        [
            [row.get("what", ""), row.get("wanted", ""), row.get("found", ""), YES_NO[row.get("met") is True]]
            for row in _rows(found[-1][1], "requirements")
        ]
        if found
        else []
    )
    return table("Persyaratan", ("Persyaratan", "Diminta", "Ditemukan", "Terpenuhi"), rows)


def installed(filling: Filling) -> Sections:
    """Return what each installation changed on the server (row 5)."""
    return [
        section
        for at, told in _evidence(filling, "software.install")
        for section in table(f"Pemasangan {at}", ("Yang berubah",), [[line] for line in _texts(told, "installed")])
    ]


def tests(filling: Filling) -> Sections:
    """Return each check of each round with its duration (rows 7 and 11)."""
    return [
        section
        for module, title in TESTS.items()
        for at, told in _evidence(filling, module)
        for section in table(f"{title} {at}", ("Uji", "Berhasil", "Ditemukan", "Detik"), list(_checks(told)))
    ]


def taken_back(filling: Filling) -> Sections:
    """Return each take-back with its proof (rows 6 and 8)."""
    return [
        section
        for module in ("software.run", "software.remove")
        for at, told in _evidence(filling, module)
        if "left" in told
        for section in pairs(f"SW dibawa kembali {at}", _proof(told))
    ]


def configured(filling: Filling) -> Sections:
    """Return the settings of each attempt at the configuration (row 10)."""
    return [
        section
        for at, told in _evidence(filling, "software.configure")
        for section in table(f"Konfigurasi {at}", ("Pengaturan", "Nilai"), [*told.get("settings", {}).items()])
    ]


def _proof(told: Mapping[str, Any]) -> list[list[str]]:
    left = _texts(told, "left")
    rows = [
        ["Sebab", str(told.get("reason") or "")],
        ["Yang dicopot", ", ".join(_texts(told, "removed"))],
        ["Perbedaan dengan keadaan semula", "; ".join(left) or "tidak ada"],
        ["Data yang dibiarkan", ", ".join(_texts(told, "kept"))],
        ["Diubah pihak lain sementara itu", "; ".join(_texts(told, "others"))],
    ]
    return [[label, value] for label, value in rows if value]


def _checks(told: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for check in _rows(told, "tests"):
        yield check.get("title"), YES_NO[check.get("passed") is True], check.get("found"), check.get("seconds")


def _evidence(filling: Filling, module: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the evidence of each run of a module with its moment; that of the present action last."""
    reader, name = filling.occasion.reader, f"{module}.json"
    for body, _ in filling.entries():
        for document in body["documents"]:
            if document["name"] == name:
                yield (
                    filling.moment(datetime.fromisoformat(body["at"])),
                    json.loads(reader.document(document["sha256"])),
                )
    action = filling.occasion.action
    if any(document.name == name for document in action.documents):
        # It is kept together with this form, so the store does not have it yet.
        yield filling.moment(action.at), filling.occasion.facts.get("evidence", {})


def _rows(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _texts(told: Mapping[str, Any], name: str) -> list[str]:
    found = told.get(name)
    return [str(line) for line in found] if isinstance(found, list) else []


def signer(filling: Filling) -> Box:
    """Return the box of who acts now, as the SOP calls them (the user at row 12, Staf TI at row 13)."""
    return present(f"{filling.actors(filling.occasion.step.id)},")(filling)


OUTLINE: Final = Outline(
    title="Form Instalasi",
    address=nobody,
    opening="Instalasi piranti lunak untuk {pemilik} sampai dengan hari {hari}.",
    contents=(
        sections.request,
        software,
        requirements,
        installed,
        tests,
        taken_back,
        configured,
        sections.answers,
        machine_work.work_done,
    ),
    boxes=(signer,),
)
"""The form of SOP 003, rows 4 to 13."""

FORMS: Final[Mapping[str, Form]] = outlined({FORM: OUTLINE})
"""The form by the name that an SOP's `dokumen` gives it."""
