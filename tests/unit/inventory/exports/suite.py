"""What every export keeps to: a test of a format inherits it and names its `export`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from sopauto.assets.model import Server
from sopauto.inventory.exports.export import Export, Source
from sopauto.settings import Agency, Settings
from tests.unit.inventory.placed import RACK, SERVER
from tests.unit.inventory.read_before import ReadBefore
from tests.unit.inventory.reading.test_snapshot import recorded

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GONE = "gone-01"
"""A server that was read, and is no longer in the room."""


def source(root: Path, *servers: Server, read: tuple[str, ...] = ("web-01",)) -> Source:
    """Return servers in the room, of which some were read."""
    readings = ReadBefore()
    for name in (*read, GONE):
        readings.add(name, NOW, recorded("debian"))
    settings = Settings(root=root, agency=Agency(name="Dinas"))
    racks = {RACK.id: RACK}
    return Source(settings=settings, servers=servers, racks=racks, history=readings.history, at=NOW)


class ExportSuite:
    """The tests that each format has to pass."""

    export: ClassVar[Export]

    def files(self, here: Source) -> dict[str, str]:
        """Return what is written, by name; whatever is no text has to be JSON."""
        found = list(self.export.files(here))
        assert len({name for name, _ in found}) == len(found), "each file has a name of its own"
        return {name: text if isinstance(text, str) else json.dumps(text) for name, text in found}

    def test_it_tells_of_a_server_in_the_room_and_of_no_other(self, tmp_path: Path) -> None:
        told = "".join(self.files(source(tmp_path, SERVER)).values())
        assert SERVER.id in told
        assert GONE not in told

    def test_what_is_written_twice_is_the_same(self, tmp_path: Path) -> None:
        assert self.files(source(tmp_path, SERVER)) == self.files(source(tmp_path, SERVER))

    def test_an_empty_room_is_none_to_stumble_over(self, tmp_path: Path) -> None:
        assert GONE not in "".join(self.files(source(tmp_path)).values())

    def test_a_server_that_was_never_read_does_not_stop_the_others(self, tmp_path: Path) -> None:
        fresh = replace(SERVER, id="fresh-01")
        assert SERVER.id in "".join(self.files(source(tmp_path, fresh, SERVER)).values())

    def test_no_name_of_a_server_leads_out_of_the_directory(self, tmp_path: Path) -> None:
        server = replace(SERVER, id="../../web-01")
        for name in self.files(source(tmp_path, server, read=(server.id,))):
            assert (tmp_path / name).resolve().parent == tmp_path.resolve()

    def test_what_is_one_document_is_one_file_however_many_servers_there_are(self, tmp_path: Path) -> None:
        for servers in ((), (SERVER,), (SERVER, replace(SERVER, id="fresh-01"))):
            assert not self.export.single or len(self.files(source(tmp_path, *servers))) == 1

    def test_what_a_schema_checks_is_what_is_written(self, tmp_path: Path) -> None:
        if self.export.checked is not None:
            here = source(tmp_path, SERVER)
            written = [json.loads(text) for text in self.files(here).values()]
            assert all(document in written for _, document in self.export.checked(here))
