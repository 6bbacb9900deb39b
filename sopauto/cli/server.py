"""New servers: prepare and secure them (SOP 000, row 15), and see what that would do."""

from __future__ import annotations

from sopauto.cli.console import Context, command
from sopauto.cli.running import HELP, run_module


@command(help=HELP)
def provision(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Prepare a ticket's server, exactly as approved: system, administrators, disks, network (pemasangan.15)."""
    run_module(c, ticket, "server.provision", person=as_, key=key, json=json)


@command(help=HELP)
def harden(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Secure a ticket's server, exactly as approved, without locking anybody out (pemasangan.15)."""
    run_module(c, ticket, "server.harden", person=as_, key=key, json=json)
