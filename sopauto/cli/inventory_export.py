"""Writing the inventory for other systems: each format as files in a directory, or on the output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import json_text, print_json, say
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App

EXPORTER_PORT = 9100
"""Where Prometheus' node_exporter listens."""


def export(here: App, kind: str, folder: str, *, schema: str = "") -> None:
    """Write the files of a format; without a directory the one document of a format that has only one.

    Raises: BadInput (unknown format, it needs a directory, `schema` refuses a document), StepFailed (they cannot be
    written).
    """
    if kind not in FORMATS:
        raise BadInput(f"there is no format {kind!r}", mend=f"use one of {', '.join(FORMATS)}")
    if schema:
        if kind != "glpi":
            raise BadInput(f"{kind} is not checked by a schema", where="--schema", mend="use it with glpi")
        _refuse_unfit(here, Path(schema))
    if not folder:
        if kind not in SINGLE:
            raise BadInput(f"{kind} needs a directory", where="--to", mend="add `--to DIRECTORY`")
        print_json(SINGLE[kind](here))
        return
    count = 0
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in FORMATS[kind](here):
            (Path(folder) / name).write_text(content, encoding="utf-8")
            count += 1
    except OSError as error:
        raise StepFailed(f"cannot be written ({error.strerror})", where=folder, mend="check name and rights") from None
    say(f"{count} files in {folder}")


def _glpi(here: App) -> Iterator[tuple[str, str]]:
    from sopauto.inventory.exports.glpi import beside, document

    for server, snapshot in _in_the_room(here):
        name = server.replace("/", "_")
        yield f"{name}.json", _text(document(server, snapshot))
        yield f"{name}.more.json", _text(beside(server, snapshot))


def _in_the_room(here: App) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the newest snapshot of each server in the room; one that was returned is no longer ours to tell of."""
    from sopauto.inventory.kept.latest import snapshots
    from sopauto.inventory.scanning.targets import servers_in_the_room

    with here.store.read() as reader:
        names = [server.id for server in servers_in_the_room(reader.assets)]
    return snapshots(here.history, here.clock.now(), names) if names else iter(())


def _refuse_unfit(here: App, path: Path) -> None:
    """Raise BadInput when GLPI would refuse a document by its own schema."""
    from sopauto.inventory.exports.glpi import document
    from sopauto.inventory.exports.schema import load_schema

    schema = load_schema(path)
    for server, snapshot in _in_the_room(here):
        schema.refuse_unfit(document(server, snapshot), name=server)


def _netbox(here: App) -> Iterator[tuple[str, str]]:
    from sopauto.inventory.exports.netbox import rows, write
    from sopauto.inventory.kept.latest import snapshots
    from sopauto.inventory.scanning.targets import servers_in_the_room

    with here.store.read() as reader:
        servers, racks = servers_in_the_room(reader.assets), {rack.id: rack for rack in reader.assets.racks()}
    # Of thousands of servers only the network is held in memory.
    taken = {name: {"network": one["network"]} for name, one in snapshots(here.history, here.clock.now())}
    found = (
        row
        for server in servers
        for row in rows(server, racks.get(server.place.rack) if server.place else None, taken.get(server.id))
    )
    for name, content in write(found).items():
        yield f"{name}.csv", content


def _ansible(here: App) -> Any:
    from sopauto.inventory.exports.hosts import ansible
    from sopauto.inventory.scanning.targets import servers_in_the_room

    custody = here.settings.custody
    login = here.settings.credentials.get(custody.inventory_credentials)
    with here.store.read() as reader:
        found = servers_in_the_room(reader.assets)
    servers = [server for server in found if server.id not in here.settings.inventory.by_form]
    return ansible(servers, port=custody.ssh_port, user=login.user if login else "root")


def _prometheus(here: App) -> Any:
    from sopauto.inventory.exports.hosts import prometheus
    from sopauto.inventory.scanning.targets import servers_in_the_room

    with here.store.read() as reader:
        return prometheus(servers_in_the_room(reader.assets), port=EXPORTER_PORT)


def _text(value: Any) -> str:
    return json_text(value, indent=1) + "\n"


SINGLE: Mapping[str, Callable[[App], Any]] = {"ansible": _ansible, "prometheus": _prometheus}
"""The formats that are one document, and what makes it."""
FORMATS: Mapping[str, Callable[[App], Iterator[tuple[str, str]]]] = {
    "glpi": _glpi,
    "netbox": _netbox,
    "ansible": lambda here: iter([("ansible.json", _text(_ansible(here)))]),
    "prometheus": lambda here: iter([("prometheus.json", _text(_prometheus(here)))]),
}
"""The formats, and what makes their files."""
