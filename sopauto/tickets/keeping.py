"""What is kept of a reading beside its entry: the server's host key at first contact, and each inventory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sopauto.tickets.record import Change
from sopauto.work import Artifact, Json, WorkOrder, sha256

SNAPSHOT = "inventaris.json"
"""The artifact that holds an inventory."""


def changes_of(order: WorkOrder, facts: Json, artifacts: Sequence[Artifact], at: datetime) -> tuple[Change, ...]:
    """Return what a reading adds to the store, in the transaction of its entry."""
    server = order.parameters.get("server")
    if server is None:
        return ()
    changes: list[Change] = []
    key = facts.get("host_key")
    if key and order.parameters.get("host_key") is None:
        changes.append(lambda writer: writer.pin_host_key(server, key, at))
    changes += [_snapshot(server, artifact, at) for artifact in artifacts if artifact.name == SNAPSHOT]
    return tuple(changes)


def _snapshot(server: str, artifact: Artifact, at: datetime) -> Change:
    digest = sha256(artifact.content)
    return lambda writer: writer.add_snapshot(server, at, digest)
