"""A world in which every answer and every outcome of machine work can happen, and be taken back.

Real use cases, gate, store and SOP; only machines, papers and e-mails are stand-ins. A state of the world is the
database's bytes: it can be kept, and gone back to.
"""

from __future__ import annotations

import base64
import sqlite3
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha512
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from sopauto.app import CHANGING, OFFERS, App
from sopauto.errors import OutcomeUnknown, Stale, StepFailed
from sopauto.journal.entry import Signed
from sopauto.journal.sshsig import BEGIN, END, MAGIC, NAMESPACE
from sopauto.tickets.desk import Desk, Occasion
from sopauto.tickets.storage import Mail
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder


class KilledError(BaseException):
    """The process ends in the middle of machine work."""


class Clock:
    """Ticks at each look, from now on: letters and statements speak of today and tomorrow."""

    def __init__(self) -> None:
        self.at = datetime.now(ZoneInfo("Asia/Jakarta")).replace(microsecond=0)

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class Signer:
    """Signs in this process what `ssh-keygen -Y sign` would sign."""

    def __init__(self, key: Path) -> None:
        self._private: Any = load_ssh_private_key(key.read_bytes(), password=None)
        self._public = " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])

    asks = False

    def sign(self, message: bytes) -> Signed:
        parts = (NAMESPACE.encode(), b"", b"sha512")
        signed = MAGIC + b"".join(map(_string, (*parts, sha512(message).digest())))
        signature = _string(b"ssh-ed25519") + _string(self._private.sign(signed))
        key = base64.b64decode(self._public.split()[1])
        whole = MAGIC + struct.pack(">I", 1) + b"".join(map(_string, (key, *parts, signature)))
        text = base64.b64encode(whole).decode()
        lines = "\n".join(text[start : start + 70] for start in range(0, len(text), 70))
        return Signed(signature=f"{BEGIN}\n{lines}\n{END}\n", key=self._public)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


@dataclass(slots=True)
class Fate:
    """What becomes of the next machine work, and what the machine says of an attempt that was cut off."""

    outcome: str = "done"
    probe: Probe = Probe.DONE


class Machine:
    """A technical module whose work ends as fate has it."""

    def __init__(self, name: str, fate: Fate) -> None:
        self.name, self.mutates, self._fate = name, name in CHANGING, fate

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        return {}

    def plan(self, parameters: Json, report: Report) -> Plan:
        # What a switch or a server would say is of no matter here, that something is to be done is.
        return Plan(
            module=self.name,
            targets=("server",),
            parameters=parameters,
            before={"is": "before"},
            lines=("a line",) if self.mutates else (),
            after={"is": "after"},
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        if self._fate.outcome != "done":
            raise _ENDS[self._fate.outcome]()
        return Result(changed=self.mutates, summary="done", facts=_FACTS.get(self.name, {}))

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        return self._fate.probe

    def undo(self, order: WorkOrder, report: Report) -> Result:
        return Result(changed=True, summary="as before")


_FACTS: Mapping[str, Json] = {
    "custody.check": {"reachable": True, "host_key": "ssh-ed25519 AAAA"},
}
_ENDS: Mapping[str, Callable[[], BaseException]] = {
    "failed": lambda: StepFailed("it failed"),
    "unreachable": lambda: StepFailed("it cannot be reached"),
    "unknown": lambda: OutcomeUnknown("nobody can tell"),
    "stale": lambda: Stale("it is not as the approver saw it"),
    "killed": KilledError,
}
OUTCOMES = ("done", *_ENDS)


class Papers:
    """Fills no form."""

    def make(self, form: str, occasion: Occasion) -> Sequence[Artifact]:
        return ()


class Messages:
    """Writes an e-mail that says nothing."""

    def compose(self, message: Any, occasion: Occasion) -> Mail:
        return Mail(to="siti@dinkes.example.go.id", subject="-", body="-", ticket=occasion.after.id)


class Workers:
    """Nobody who was killed lives."""

    me = "walker"

    def alive(self, worker: str) -> bool | None:
        return False


@dataclass
class World:
    """An agency with one person for each position, and what can happen there."""

    app: App
    keys: Mapping[str, Path]
    fate: Fate
    clock: Clock

    def desk(self, person: str) -> Desk:
        """Return the desk of a person."""
        return replace(
            self._template,
            signer=self._signers[person],
        )

    def as_app(self) -> App:
        """Return the application with the desks of this world, for a walk along an SOP."""
        return cast(App, _Desks(self))

    @cached_property
    def _signers(self) -> Mapping[str, Signer]:
        return {person: Signer(key) for person, key in self.keys.items()}

    @cached_property
    def _template(self) -> Desk:
        person, key = next(iter(self.keys.items()))
        return replace(
            self.app.desk(person, key=key),
            clock=self.clock,
            papers=Papers(),
            messages=Messages(),
            modules={name: Machine(name, self.fate) for name in OFFERS.steps},
            workers=Workers(),
        )

    def keep(self) -> bytes:
        """Return the state of the world."""
        with closing(sqlite3.connect(self._file)) as file:
            kept = bytearray(file.serialize())
        kept[18:20] = b"\x01\x01"  # a database in memory has no write-ahead log
        return bytes(kept)

    def go_back(self, state: bytes) -> None:
        """Let the world be as it was."""
        with closing(sqlite3.connect(":memory:")) as kept, closing(sqlite3.connect(self._file)) as file:
            kept.deserialize(state)
            file.execute("PRAGMA synchronous=OFF")
            kept.backup(file)

    @property
    def _file(self) -> str:
        return str(self.app.store.engine.url.database)


@dataclass
class _Desks:
    """An application whose desks are those of a world."""

    world: World

    def desk(self, person: str, **_: object) -> Desk:
        return self.world.desk(person)

    @property
    def clock(self) -> Clock:
        return self.world.clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.app, name)
