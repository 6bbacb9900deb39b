"""The namespace of all commands, and the console script `sopauto`."""

from __future__ import annotations

from invoke.collection import Collection

from sopauto.cli import (
    access,
    assets,
    custody,
    inventory,
    mail,
    people,
    schedule,
    server,
    software,
    sop,
    store,
    ticket,
    workspace,
)
from sopauto.cli.doctor import doctor

DOMAINS = (access, assets, custody, inventory, mail, people, schedule, server, software, sop, store, ticket, workspace)


def namespace() -> Collection:
    """Return one collection per domain."""
    commands = Collection()
    for domain in DOMAINS:
        commands.add_collection(Collection.from_module(domain))
    commands.add_task(doctor)
    return commands


def main() -> None:
    """Run a command from outside the checkout."""
    from importlib.metadata import version

    from invoke.program import Program

    Program(namespace=namespace(), name="sopauto", binary="sopauto", version=version("sopauto")).run()
