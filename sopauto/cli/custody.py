"""Custody servers: connect, check and disconnect them (SOP/04/406.020/2019)."""

from __future__ import annotations

from sopauto.cli.console import Context, command
from sopauto.cli.running import HELP, run_module


@command(help=HELP)
def connect(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Connect a ticket's server to the network, exactly as approved (konfigurasi.1)."""
    run_module(c, ticket, "custody.connect", person=as_, key=key, json=json)


@command(help=HELP)
def check(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Check that a ticket's server can be reached, and that it is still the same server (konfigurasi.4)."""
    run_module(c, ticket, "custody.check", person=as_, key=key, json=json)


@command(help=HELP)
def disconnect(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Take a returned server off the network, exactly as approved (pengembalian)."""
    run_module(c, ticket, "custody.disconnect", person=as_, key=key, json=json)
