"""The outbox: messages written with the action that causes them, sent afterwards. Fulfils `mail.outbox.OutboxStore`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from sopauto.store import tables
from sopauto.store.alone import DELIVERY, held
from sopauto.store.tables import documents
from sopauto.work import Artifact

if TYPE_CHECKING:
    from sopauto.store.sqlstore import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message of the outbox and how far it came."""

    id: int
    ticket: str
    to: str
    subject: str
    body: str
    queued_at: datetime
    attempts: int
    next_try: datetime | None
    sent_at: datetime | None
    message_id: str | None
    reason: str | None
    refused: bool
    attached: Artifact | None = None


class SqlOutbox:
    """The messages of a store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def alone(self) -> AbstractContextManager[None]:
        """Hold off any other delivery from this store meanwhile; raises Conflict when one runs and goes on."""
        return held(self._store.engine, DELIVERY)

    def pending(self, now: datetime, limit: int) -> Sequence[Queued]:
        """Return the messages whose next try is due, the oldest first."""
        c = tables.outbox.c
        found = select(tables.outbox, documents.c.media_type, documents.c.content).outerjoin(documents)
        query = found.where(c.next_try <= now).order_by(c.id).limit(limit)
        with self._store.connected(writes=False) as connection:
            return [_queued(row) for row in connection.execute(query).mappings()]

    def due(self, now: datetime) -> int:
        """Return how many messages' next try is due."""
        query = select(func.count()).select_from(tables.outbox).where(tables.outbox.c.next_try <= now)
        with self._store.connected(writes=False) as connection:
            return connection.scalar(query) or 0

    def rows(self, limit: int) -> Sequence[Queued]:
        """Return the newest messages, sent or not, without what they carry."""
        query = select(tables.outbox).order_by(tables.outbox.c.id.desc()).limit(limit)
        with self._store.connected(writes=False) as connection:
            return [_queued(row) for row in connection.execute(query).mappings()]

    def mark_sent(self, message: int, at: datetime, message_id: str) -> None:
        """Write that the mail server took a message."""
        self._change(message, sent_at=at, message_id=message_id, next_try=None, reason=None)

    def mark_failed(self, message: int, reason: str, next_try: datetime | None) -> None:
        """Write why a message was not taken, and when to try again (None: never, the addressee was refused)."""
        self._change(message, reason=reason, next_try=next_try, refused=next_try is None)

    def _change(self, message: int, **values: object) -> None:
        c = tables.outbox.c
        with self._store.connected(writes=True) as connection:
            connection.execute(update(tables.outbox).where(c.id == message).values(attempts=c.attempts + 1, **values))


def _queued(row: Mapping[Any, Any]) -> Queued:
    """Return a message; it carries its document where that was read too."""
    values = dict(row)
    name, content, kind = values.pop("attached_name"), values.pop("content", None), values.pop("media_type", None)
    del values["attached"]
    carried = Artifact(name=name, media_type=kind, content=content) if content is not None else None
    return Queued(**values, attached=carried)
