"""Inventories of servers in custody (SOP/04/406.020/2019, konfigurasi.7)."""

from __future__ import annotations

from sopauto.cli.console import Context, command
from sopauto.cli.running import HELP, run_module


@command(help=HELP)
def collect(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Take the inventory of a ticket's server: server data and network data, as a dated snapshot."""
    run_module(c, ticket, "inventory.collect", person=as_, key=key, json=json)
