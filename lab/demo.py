"""`inv demo`: SOPs from the letter to their last row.

`--sop=001` (default) is SOP/04/406.020/2019: a server is taken into custody, inventoried, and returned. `--sop=000`
prepares and secures a new server; `--sop=003` installs a software, and takes another one back. Both need a virtual
machine.

Without root: a simulated switch, a real SSH server on loopback that answers with this machine's real inventory, and a
real SMTP server. With `--lab=vm`, as root on Debian: a virtual machine on a port of a real Open vSwitch.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.cast import STATEMENTS, drop_off, give_back
from lab.walking import Passed, Walk
from sopauto.app import App
from sopauto.cli.console import say
from sopauto.errors import StepFailed
from sopauto.tickets.model import State, Ticket

PLAYS = ("001", "000", "003")
"""The SOPs that can be played, by the number of their paper in the collection."""
SERVER_ADDRESS = "127.0.30.10"


def play_simulated(home: Path) -> None:
    """Play on loopback: a simulated switch, a real SSH server with this machine's inventory, a real mail server."""
    from lab.ios import IosSwitch
    from lab.loopback import LoopbackServer
    from lab.mailbox import Mailbox
    from lab.workspace import make_key, public_half, workspace_on_loopback

    login = make_key(home / "login")
    with (
        IosSwitch(authorized=public_half(login)) as switch,
        LoopbackServer(authorized=public_half(login), host=SERVER_ADDRESS) as server,
        Mailbox(directory=home / "mail") as mailbox,
    ):
        workspace = workspace_on_loopback(
            home / "kominfo", switch=switch, server=server, mailbox=mailbox, key_file=login
        )
        Demo(app=workspace.app(), keys=workspace.keys, stage=server).play()


def play_virtual(home: Path) -> None:
    """Play on a virtual machine behind a real switch, seen from the gateway's namespace."""
    from lab.datacentre import Datacentre

    lab = Datacentre.up(machines=1, say=say)
    try:
        # Only who stands in the namespace reaches the switch and the server: the rest of the demo runs there.
        command = lab.gateway.inside([sys.executable, "-m", "lab.demo", str(home)])
        ended = subprocess.run(command, cwd=Path(__file__).parent.parent, check=False)
    finally:
        lab.down()
    left = lab.left_behind()
    if ended.returncode or left:
        raise StepFailed("; ".join(left) or "the demo failed", where="lab", mend="see above")
    say("the lab is down; nothing is left of it")


def play_new_server(home: Path) -> None:
    """Play SOP 000 on a bare virtual machine: from the letter to its confirmation, row 19."""
    from lab.guest import Guest
    from lab.mailbox import Mailbox
    from lab.newserver import profile, request, walk_of, workspace_for

    begun = time.monotonic()
    guest = Guest.up(home / "lab", disks=(2,), say=say)
    try:
        with Mailbox(directory=home / "mail") as mailbox:
            wanted = profile(guest.vm.data_disks[0])
            workspace = workspace_for(home / "dtiki", server=guest, mailbox=mailbox, profile=wanted)
            walk = walk_of(workspace, guest, passed=tell, report=lambda line: say(f"     {line}"))
            ticket = walk.to_the_end(walk.open(request(guest), person="siti"))
            _expect_done(ticket)
            finish(workspace.app(), ticket)
    finally:
        guest.down()
    say()
    say(f"SOP 000, rows 1 to 19: {time.monotonic() - begun:.0f} s; the virtual machine is gone")


def play_software(home: Path) -> None:
    """Play SOP 003 on a virtual machine: one software to row 13, and one whose default test fails, back to row 1."""
    from lab.guest import Guest
    from lab.installing import break_test, request, walk_of, workspace_for
    from lab.mailbox import Mailbox

    begun = time.monotonic()
    guest = Guest.up(home / "lab", memory=1024, say=say)
    try:
        with Mailbox(directory=home / "mail") as mailbox:
            workspace = workspace_for(home / "kominfo", server=guest, mailbox=mailbox)
            judges = {row: lambda facts: not facts["failed"] for row in ("instalasi.7", "instalasi.11")}
            told = {"passed": tell, "report": lambda line: say(f"     {line}"), "judges": judges}
            say()
            say("nginx, installed and configured")
            (workspace.home / "settings" / "nginx.yaml").write_text("port: 8181\n")
            walk = walk_of(workspace, guest, "nginx", **told)
            installed = walk.to_the_end(walk.open(request(guest, "nginx"), person="yoga"))
            _expect_done(installed)
            say()
            say("redis, with a default test that fails on purpose")
            break_test(workspace, "redis", "PONG", "PING")
            walk = walk_of(workspace, guest, "redis", **told)
            opened = walk.until(walk.open(request(guest, "redis"), person="yoga"), "instalasi.8")
            taken_back = walk.row(opened)
            if taken_back.step != "instalasi.1":
                raise StepFailed(f"{taken_back.id} stands at {taken_back.step}", where="demo")
            finish(workspace.app(), installed, taken_back)
    finally:
        guest.down()
    say()
    say(f"SOP 003, there and back: {time.monotonic() - begun:.0f} s; the virtual machine is gone")


def play_inside(home: Path) -> None:
    """Play on the lab that is up; runs in the gateway's namespace."""
    from lab.datacentre import Datacentre
    from lab.mailbox import Mailbox
    from lab.workspace import workspace_of_lab

    lab = Datacentre.load()
    machine = lab.machines[0]
    with Mailbox(directory=home / "mail") as mailbox:
        workspace = workspace_of_lab(home / "kominfo", lab=lab, mailbox=mailbox)
        Demo(app=workspace.app(), keys=workspace.keys, stage=machine, banner=lambda: greeting(machine.address)).play()


def greeting(address: str) -> str | None:
    """Return what the server's SSH says to whoever connects (None: no answer comes)."""
    try:
        with socket.create_connection((address, 22), timeout=5) as line:
            line.settimeout(5)
            return line.recv(200).decode("ascii", "replace").strip()
    except OSError:
        return None


class Stage(Protocol):
    """Where the demo plays: what can be seen of the server from the gateway, and its network cable."""

    def unplug(self) -> None:
        """Pull the server's network cable."""

    def plug_in(self) -> None:
        """Put it back, and wait until the server is up."""


@dataclass(slots=True, kw_only=True)
class Demo:
    """One run of the main job.

    `banner` returns the SSH banner that the server sends to the gateway (None: no packet comes back); it is there
    when packets follow the switch's configuration.
    """

    app: App
    keys: dict[str, Path]
    stage: Stage
    banner: Callable[[], str | None] | None = None

    def play(self) -> None:
        """Play both procedures to their end and check the journal as an auditor would."""
        begun = time.monotonic()
        walk = Walk(
            app=self.app,
            keys=self.keys,
            statements=STATEMENTS,
            answers={"konfigurasi.4": (False, True)},
            notes={"konfigurasi.4 reject": "Server belum bisa diakses dari kantor kami"},
            before={
                "konfigurasi.1": self._unplugged_at_first,
                "pengembalian.5": lambda _: self._expect(reachable=True),
            },
            after={"konfigurasi.4": self._plugged_in_again, "pengembalian.5": lambda _: self._expect(reachable=False)},
            passed=tell,
        )
        self._expect(reachable=False)
        say()
        say("Penitipan server")
        placed = walk.to_the_end(walk.open(drop_off(), person="siti"))
        _expect_done(placed)
        say()
        say("Pengembalian server")
        returned = walk.to_the_end(walk.open(give_back(placed.id), person="siti"))
        _expect_done(returned)
        finish(self.app, placed, returned)
        say()
        say(f"The main job, there and back: {time.monotonic() - begun:.1f} s")

    def _unplugged_at_first(self, ticket: Ticket) -> None:
        if ticket.rounds["konfigurasi.1"] == 1:
            self.stage.unplug()
            say("     (the server's cable was not pushed in)")

    def _plugged_in_again(self, ticket: Ticket) -> None:
        if ticket.rounds["konfigurasi.4"] == 1:
            self.stage.plug_in()
            say("     (Technical Support pushes the cable in)")

    def _expect(self, *, reachable: bool) -> None:
        if self.banner is None:
            return
        banner = self.banner()
        say(f"     packets: gateway -> server:22  {banner or 'no answer'}")
        if (banner is not None) is not reachable:
            raise StepFailed(f"the server should {'' if reachable else 'not '}answer here", where="lab")


def finish(app: App, *tickets: Ticket) -> None:
    """Deliver what waits, check the journal as an auditor would, and write each ticket's archive."""
    from sopauto.mail.outbox import deliver
    from sopauto.tickets.verifying import export_ticket, verify_all

    delivery = deliver(app.outbox, app.transport, app.clock)
    say()
    say(f"{delivery.sent} e-mails delivered, {delivery.waiting} wait")
    with app.store.read() as reader:
        verdict = verify_all(app, reader)
        archives = {ticket.id: export_ticket(app, reader, ticket.id) for ticket in tickets}
    if verdict.findings:
        raise StepFailed(verdict.findings[0], where="ticket.verify")
    say(f"{verdict.tickets} tickets, {verdict.entries} signed entries: intact")
    for name, content in archives.items():
        path = app.settings.root / f"{name}.tar.gz"
        path.write_bytes(content)
        told = "as `inv ticket.export` writes it, can be checked with ssh-keygen and sha256sum alone"
        say(f"  {path.name} ({len(content):,} bytes), {told}")


def _expect_done(ticket: Ticket) -> None:
    if ticket.state is not State.DONE:
        raise StepFailed(f"{ticket.id} ended {ticket.state.value} at {ticket.step}", where="demo")


def tell(passed: Passed) -> None:
    """Print one row as it passes: number, what the SOP says, and who signed."""
    text = " ".join(passed.step.text.split())
    width = max(40, shutil.get_terminal_size((120, 24)).columns - 60)
    shown = text if len(text) <= width else text[: width - 1] + "…"
    signer = f"{passed.person} ({passed.position})"
    what = passed.verb if not passed.told else f"{passed.verb}: {passed.told}"
    say(f"  {passed.step.id:<16}{shown}")
    say(f"  {'':<16}  {signer}  {what}")


if __name__ == "__main__":
    play_inside(Path(sys.argv[1]))
