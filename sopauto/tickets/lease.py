"""The lease of an attempt: renewed while its work lives, so that nobody else takes it for dead.

Renewing is a short transaction of a thread of its own; none stays open over the work.
"""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Final

from sopauto.tickets.desk import Desk
from sopauto.tickets.model import Attempt
from sopauto.tickets.storage import Hold

BEATS: Final = 5
"""How often a lease is renewed before it would run out."""
PATIENCE: Final = 30
"""Seconds that the end of the work waits for a renewal that is under way."""


class Lease:
    """Renews an attempt's lease while the block runs, and stops the work when that fails for longer than the lease."""

    def __init__(self, desk: Desk, attempt: Attempt, hold: Hold) -> None:
        self._desk = desk
        self._attempt = attempt
        self._hold = hold
        self._ended = Event()
        self._thread = Thread(target=self._renew_again_and_again, name=f"lease {attempt.ticket}", daemon=True)

    def __enter__(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End renewing."""
        self._ended.set()
        self._thread.join(PATIENCE)

    def _renew_again_and_again(self) -> None:
        lease = self._desk.lease
        renewed = _now()
        while not self._ended.wait(lease.total_seconds() / BEATS):
            begun = _now()
            try:
                mine = self._renew(lease)
            except Exception:  # the database is away, in whatever way; it may come back
                if _now() - renewed < lease.total_seconds():
                    continue
                why = f"the lease could not be renewed for {lease.total_seconds():.0f} s: the database is away"
            else:
                if mine:
                    renewed = begun
                    continue
                why = f"another worker took over attempt {self._attempt.number}"
            self._desk.workers.stop(f"stopped: {why}")
            return

    def _renew(self, lease: timedelta) -> bool:
        self._hold.still()
        with self._desk.store.write() as writer:
            return writer.renew(self._attempt, writer.now() + lease)


def _now() -> float:
    """Return seconds that also count while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
