"""The cable between a server and the world outside: qemu's user network, without a right or a rule on this machine."""

from __future__ import annotations

from pathlib import Path


def cable_to_outside(folder: Path, forward: str, card: str) -> list[str]:
    """Return the command of a qemu that is nothing but a network.

    `forward` is where the server's SSH answers on this machine, `card` (`dgram,id=card,…`) how the server is plugged
    in. It is ended by `network.pid` in `folder`.
    """
    return [
        *("qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", "-daemonize"),
        *("-netdev", f"user,id=cable,hostfwd=tcp:{forward}-:22"),
        *("-netdev", card),
        *("-netdev", "hubport,id=left,hubid=0,netdev=cable", "-netdev", "hubport,id=right,hubid=0,netdev=card"),
        *("-pidfile", f"{folder}/network.pid", "-qmp", f"unix:{folder}/qmp.sock,server=on,wait=off"),
    ]
