"""The commands that need the lab: `lab.*`, `demo`, `test` and `bench`."""

from __future__ import annotations

from pathlib import Path

from invoke.collection import Collection

from sopauto.cli.console import Context, command, print_json, say, table
from sopauto.errors import BadInput


@command(help={"machines": "how many custody servers (virtual machines)"})
def up(c: Context, machines: int = 1) -> None:
    """Start the lab: a real switch, a gateway and virtual machines (root on Debian). Says what it installs."""
    from lab.datacentre import Datacentre

    del c
    lab = Datacentre.up(machines=machines, say=say)
    for machine in lab.machines:
        say(f"{machine.name}  {machine.address}  port {machine.port}  {machine.mac}")
    say("type: inv lab.status; inv lab.down")


@command()
def down(c: Context) -> None:
    """Stop the lab and leave nothing behind; also after a crash."""
    from lab.datacentre import STATE, Datacentre

    del c
    lab = Datacentre.of(STATE, 16)
    lab.down()
    left = lab.left_behind()
    say("nothing is left" if not left else f"left: {', '.join(left)}")


@command(help={"json": "print JSON"})
def status(c: Context, json: bool = False) -> None:
    """Tell which servers of the lab answer the gateway."""
    from lab.datacentre import Datacentre

    del c
    lab = Datacentre.load()
    rows = [
        {"server": m.name, "address": m.address, "port": m.port, "answers": lab.gateway.banner(m.address) or "no"}
        for m in lab.machines
    ]
    if json:
        print_json(rows)
    else:
        table(["server", "address", "port", "answers"], [list(row.values()) for row in rows])


@command(
    help={
        "sop": "001 (default: a server in custody), 000 (a new server) or 003 (software installed, and taken back)",
        "lab": "sim (default: no root) or vm (virtual machines; root on Debian); SOP 000 and 003 need vm",
    }
)
def demo(c: Context, sop: str = "001", lab: str = "sim") -> None:
    """Play an SOP in a throw-away workspace, from the letter to its last row."""
    from tempfile import TemporaryDirectory

    from lab.demo import PLAYS, play_new_server, play_simulated, play_software, play_virtual

    del c
    if lab not in {"sim", "vm"}:
        raise BadInput(f"there is no lab {lab!r}", where="--lab", mend="use sim or vm")
    if sop not in PLAYS:
        raise BadInput(f"there is no play of SOP {sop!r}", where="--sop", mend=f"use one of {', '.join(PLAYS)}")
    on_a_server = {"000": play_new_server, "003": play_software}
    if sop in on_a_server and lab != "vm":
        raise BadInput(f"SOP {sop} needs a real server", where="--lab", mend="add `--lab=vm`")
    play = on_a_server.get(sop) or (play_simulated if lab == "sim" else play_virtual)
    with TemporaryDirectory(prefix="sopauto-demo-") as home:
        play(Path(home))


@command(
    help={
        "only": "one stage: lint, unit, integration, acceptance, lab, molecule, emulated",
        "changed": "only what concerns files that differ from where the branch left main (on main: the last commit)",
    }
)
def test(c: Context, only: str = "", changed: bool = False) -> None:
    """Run every check of the project, and tell how long each took."""
    from lab.testing.changed import run_changed
    from lab.testing.running import run_stages

    del c
    if only and changed:
        raise BadInput("it runs one stage, or what concerns a change", where="--changed", mend="leave one of them out")
    run_changed() if changed else run_stages(only)


@command(help={"only": "one benchmark", "json": "print JSON"})
def bench(c: Context, only: str = "", json: bool = False) -> None:
    """Measure against peers, as ratios in the same run (medians)."""
    from benchmarks.run import run

    del c
    run(only, json=json)


def add_to(namespace: Collection) -> None:
    """Add the lab's commands to the namespace."""
    commands = Collection("lab")
    for task in (up, down, status):
        commands.add_task(task)
    namespace.add_collection(commands)
    for task in (demo, test, bench):
        namespace.add_task(task)
