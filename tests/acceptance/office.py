"""An office for acceptance tests: a workspace, a simulated switch, a server, a mail server, and the real commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cast import STATEMENTS, drop_off
from lab.ios import IosSwitch
from lab.loopback import LoopbackServer
from lab.mailbox import Mailbox
from lab.walking import Walk
from lab.workspace import make_key, public_half, workspace_on_loopback
from tests.acceptance.commands import ROOT, Commands

PORT = "GigabitEthernet1/0/1"
ADDRESS = "127.0.31.10"


@dataclass(slots=True, kw_only=True)
class Office(Commands):
    """Everything that the main job needs, on loopback."""

    switch: IosSwitch
    server: LoopbackServer
    mailbox: Mailbox
    port: str = PORT

    def walk(self, **further: Any) -> Walk:
        """Return a walk along SOPs in this office, in this process."""
        return Walk(app=self.workspace.app(), keys=self.keys, statements=STATEMENTS, **further)

    def ticket_at(self, step: str, **letter: object) -> str:
        """Return a drop-off ticket that stands at a row."""
        walk = self.walk()
        ticket = walk.until(walk.open(drop_off(**letter), person="siti"), step)
        assert ticket.step == step
        return ticket.id

    def plan_and_approve(self, ticket: str) -> None:
        """Let joko plan and bambang approve."""
        self.inv("ticket.plan", ticket, as_="joko")
        self.approve_plan(ticket, as_="bambang")

    def newest_ticket(self) -> str:
        """Return the id of the ticket that was opened last."""
        return str(json.loads(self.inv("ticket.list", "--limit", "1", "--json").stdout)[0]["ticket"])

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change a file of the workspace; fails when nothing changes."""
        path = self.home / name
        before = path.read_text()
        after = change(before)
        assert after != before
        path.write_text(after)

    def settings_replace(self, old: str, new: str) -> None:
        """Change sopauto.toml."""
        self.edit("sopauto.toml", lambda text: text.replace(old, new))

    def override_template(self, name: str, change: Callable[[str], str]) -> None:
        """Give the agency a switch template of its own, made from the shipped one."""
        shipped = ROOT / "sopauto" / "custody" / "switches" / "cisco_ios" / name
        own = self.home / "templates" / "switch" / "cisco_ios" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(change(shipped.read_text()))

    def end_holding(self, person: str, *, until: str) -> None:
        """Let a person have left their position."""
        self._person(person)(lambda found: found["memegang"][0].update(sampai=until))

    def add_holding(self, person: str, *, position: str, unit: str) -> None:
        """Give a person a further position."""
        held = {"jabatan": position, "unit": unit, "sejak": "2020-01-01"}
        self._person(person)(lambda found: found["memegang"].append(held))

    def _person(self, person: str) -> Callable[[Callable[[dict[str, Any]], object]], None]:
        def change(how: Callable[[dict[str, Any]], object]) -> None:
            path = self.home / "people.yaml"
            data = json.loads(path.read_text())
            how(next(found for found in data["orang"] if found["id"] == person))
            path.write_text(json.dumps(data))

        return change


@contextmanager
def open_office(home: Path, *, rack_height: int = 42) -> Iterator[Office]:
    """Open an office in an empty directory."""
    login = make_key(home / "login")
    with (
        IosSwitch(authorized=public_half(login)) as switch,
        LoopbackServer(authorized=public_half(login), host=ADDRESS) as server,
        Mailbox(directory=home / "mail") as mailbox,
    ):
        workspace = workspace_on_loopback(
            home / "kominfo",
            switch=switch,
            server=server,
            mailbox=mailbox,
            key_file=login,
            rack_height=rack_height,
        )
        yield Office(workspace=workspace, switch=switch, server=server, mailbox=mailbox)
