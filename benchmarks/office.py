"""A workspace for benchmarks; no switch and no server is reached."""

from __future__ import annotations

from pathlib import Path

from lab.workspace import Net, SwitchAt, Workspace, make_key, make_workspace, public_half


def make_office(home: Path) -> Workspace:
    """Make a workspace in an empty directory."""
    login = make_key(home / "login")
    switch = SwitchAt(
        platform="cisco_ios",
        host="127.0.0.1",
        port=1,
        host_key=public_half(login),
        user="x",
        key_file=login,
        ports=["GigabitEthernet1/0/1"],
    )
    net = Net(network="127.0.32.0/24", gateway="127.0.32.1", first="127.0.32.10", last="127.0.32.99", key_file=login)
    return make_workspace(home / "kominfo", switch=switch, net=net, mail=("127.0.0.1", 1))
