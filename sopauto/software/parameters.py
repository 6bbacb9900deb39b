"""What the modules `software.*` need: the software that row 1 of SOP 003 names, where it goes, and how it is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sopauto.data_file import read_document
from sopauto.errors import BadInput, Refused
from sopauto.procedures.model import Procedure, Step
from sopauto.procedures.modules import refuse_unknown_login
from sopauto.settings import Settings
from sopauto.software.model import NAME
from sopauto.software.shelf import Entry, Shelf
from sopauto.tickets.domain import Need, Stating
from sopauto.tickets.model import State, Ticket
from sopauto.tickets.placed import server_id
from sopauto.tickets.storage import Reader

STATED: Final = ("katalog", "alamat_ip", "sidik_kunci")
"""What row 1 has to have stated."""
LOGIN: Final = "servers"
FOLDER: Final = "settings"
"""Where a workspace keeps what engineers set for software."""
PAGE: Final = 200
UNITS: Final = "/etc/systemd/system"


def resolve(need: Need) -> dict[str, Any]:
    """Return the parameters of a module as plain JSON; raises Refused, BadInput."""
    settings = need.workspace.settings
    return software_parameters(
        need.module, need.ticket, need.step, shelf=shelf_of(settings), settings=settings.root / FOLDER
    )


def software_parameters(module: str, ticket: Ticket, step: Step, *, shelf: Shelf, settings: Path) -> dict[str, Any]:
    """Return the parameters of a module as plain JSON; `settings` is the workspace's folder of settings.

    Raises: Refused (row 1 has not stated what it has to), BadInput (the entry or a setting is not sound).
    """
    data = ticket.data
    missing = [name for name in STATED if not data.get(name)]
    if missing:
        raise Refused(f"{', '.join(missing)} is not stated yet", where=ticket.id, mend="row 1 asks for it")
    entry = shelf.get(str(data["katalog"]))
    common = {
        "ticket": ticket.id,
        "server": server_id(ticket),
        "address": str(data["alamat_ip"]),
        "port": int(data.get("port_ssh") or 22),
        "fingerprint": str(data["sidik_kunci"]),
        "credentials": str(data.get("login") or LOGIN),
        "software": entry.name,
    }
    if module in OF_ENTRY:
        stated = step.technical.parameters if step.technical else {}
        return {**common, **_installing(entry, delete_data=stated.get("hapus_data") is True)}
    chosen = _chosen(entry, data, settings)
    if module == "software.configure":
        configuration = entry.software.configuration
        files, check, apply = entry.files(chosen), list(configuration.check), list(configuration.apply)
        return {**common, "settings": chosen, "files": files, "check": check, "apply": apply}
    verify = entry.tests(chosen, verify=True) if module == "software.verify" else []
    return {**common, "settings": chosen, "tests": [*entry.tests(chosen), *verify]}


def refuse_unusable(stating: Stating) -> None:
    """Refuse what rows 1 and 9 state and later rows could not use: no such software, login or settings.

    Raises: BadInput.
    """
    if stating.modules.isdisjoint(OF_SOFTWARE):
        return
    stated, settings = stating.stated, stating.workspace.settings
    if stated.get("katalog"):
        shelf_of(settings).get(str(stated["katalog"]))
        refuse_unknown_login(str(stated.get("login") or LOGIN), settings.credentials, stating.where)
    if stated.get("pengaturan"):
        data = {**stating.ticket.data, **stated}
        _chosen(shelf_of(settings).get(str(data.get("katalog", ""))), data, settings.root / FOLDER)


def shelf_of(settings: Settings) -> Shelf:
    """Return the catalogue: the agency's own entries before the shipped ones."""
    return Shelf(settings.root / "catalogue")


def installations(reader: Reader, procedure_of: Callable[[Ticket, Reader], Procedure]) -> Iterator[Ticket]:
    """Yield the tickets that are done and whose software can still be tested, the newest first."""
    after: str | None = None
    while rows := reader.rows(limit=PAGE, after=after, state=State.DONE):
        for row in rows:
            ticket = reader.ticket(row.id)
            works = [step.technical for step in procedure_of(ticket, reader).steps if step.technical]
            if any(work.recurring and "software.test" in work.modules for work in works):
                yield ticket
        after = rows[-1].id


def _installing(entry: Entry, *, delete_data: bool) -> dict[str, Any]:
    """Return what installing and taking back need: the same for rows 4, 5, 6 and 8."""
    software = entry.software
    archive = software.source.archive
    keys = {"title", "versions", "licence", "systems", "source", "requires", "services", "data"}
    incoming = [f"package-{number}.deb" for number in range(len(software.source.package_files))]
    parameters: dict[str, Any] = {
        "entry": software.model_dump(mode="json", include=keys),
        "paths": [template.path for template in software.configuration.templates],
        "incoming": [*incoming, *(["archive.tar.gz"] if archive else [])],
        "delete_data": delete_data,
    }
    if archive is not None:
        names = {unit: f"{UNITS}/{Path(unit).name}" for unit in archive.units}
        parameters["units"] = [{"path": path, "content": entry.text(unit)} for unit, path in names.items()]
    return parameters


def _chosen(entry: Entry, data: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the settings: those of the file that row 9 names, else the defaults."""
    name = str(data.get("pengaturan") or "")
    if not name:
        return entry.settings({}, entry.where)
    path = folder / f"{name}.yaml"
    if not NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.yaml"))) or "none"
        raise BadInput(f"there are no settings {name[:60]!r}", where=str(folder), mend=f"known: {known}")
    given, _ = read_document(path)
    return entry.settings(given, str(path))


OF_ENTRY: Final = frozenset({"software.check", "software.install", "software.run", "software.remove"})
OF_SOFTWARE: Final = OF_ENTRY | {"software.test", "software.configure", "software.verify"}
"""The modules of SOP 003."""
