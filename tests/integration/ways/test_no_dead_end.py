"""Whatever people answer and machines do: no ticket of a shipped SOP comes to where nobody can bring it on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.office import make_office
from lab import cast, entering, installing, newserver
from lab.workspace import make_key, public_half
from sopauto.assets.importing import read_assets
from sopauto.tickets.acting import open_from_letter
from tests.integration.ways.search import Search, Walked
from tests.integration.ways.world import Clock, Fate, World

NOWHERE: Any = SimpleNamespace(host="127.0.0.1", port=1, url="http://127.0.0.1:1")


def world_of(workspace: Any) -> World:
    return World(app=workspace.app(), keys=workspace.keys, fate=Fate(), clock=Clock())


def bare(folder: Path) -> Any:
    key = make_key(folder / "login")
    return SimpleNamespace(
        name="server-01", host="10.0.0.9", port=22, user="x", key_file=key, host_key=public_half(key)
    )


def walk(world: World, letter: Any, statements: Any, **further: Any) -> Walked:
    opener = next(p for p in world.keys if p in {"siti", "yoga", "wawan"}) if not further.get("opener") else further.pop("opener")
    ticket = open_from_letter(world.desk(opener), letter, person=opener)
    procedure = world.app.library.get(letter.procedure)
    return Search(world=world, procedure=procedure, statements=statements, **further).from_(ticket.id)


def told(walked: Walked) -> str:
    return f"{len(walked.spots)} states, {sum(map(len, walked.edges.values()))} moves"


def hold(walked: Walked, search: Any = None, exempt: frozenset[tuple[str, str]] = frozenset()) -> None:
    stuck = walked.without_an_end()
    lines = [f"{spot.told}\n      " + "\n      ".join(walked.refused[spot.key]) for spot in stuck]
    assert not stuck, f"{told(walked)}; {len(stuck)} without an end:\n" + "\n".join(lines[:8])


def test_003(tmp_path: Path) -> None:
    server = bare(tmp_path)
    workspace = installing.workspace_for(tmp_path / "iidc", server=server, mailbox=NOWHERE)
    (workspace.home / "settings" / "status-page.yaml").write_text("port: 8091\n")
    world = world_of(workspace)
    statements = installing.statements(server, "status-page")
    walked = walk(world, installing.request(server, "status-page"), statements, opener="yoga")
    print(told(walked))
    hold(walked)


def test_000(tmp_path: Path) -> None:
    server = bare(tmp_path)
    workspace = newserver.workspace_for(tmp_path / "ti", server=server, mailbox=NOWHERE, profile=newserver.profile("/dev/vdb"))
    world = world_of(workspace)
    walked = walk(world, newserver.request(server), newserver.statements(server), opener="siti")
    print(told(walked))
    hold(walked)


def test_001(tmp_path: Path) -> None:
    workspace = make_office(tmp_path)
    world = world_of(workspace)
    with world.app.store.write() as writer:
        writer.assets.replace(*read_assets(workspace.home / "assets.yaml"))
    walked = walk(world, cast.drop_off(), cast.STATEMENTS, opener="siti")
    print(told(walked))
    hold(walked)


def test_004(tmp_path: Path) -> None:
    workspace = entering.workspace_for(tmp_path / "kominfo", door=NOWHERE, mailbox=NOWHERE)
    world = world_of(workspace)
    walked = walk(world, entering.request(), {}, opener="siti")
    print(told(walked))
    hold(walked)
