"""What is told to `watch.py` before a run, and what it tells of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sopauto.drivers.differences import masked
from sopauto.work import Foresight, Json, Unforeseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen of a run.

    `stop` is why it was stopped before a task. `unforeseen` are tasks that check mode cannot tell, `restless` the ids
    of those that change something each time, `shown` the texts of commands that check mode would run. `checked` counts
    the tasks that looked at the server, `ran` tells where those stand that ran, `strange` names what changed although
    the plan did not say so. `leave` is what a run after this look may do.
    """

    stop: str
    unforeseen: tuple[Unforeseen, ...]
    restless: Collection[str]
    shown: Mapping[str, str]
    checked: int
    ran: frozenset[str]
    strange: tuple[str, ...]
    leave: bytes


def prepare(folder: Path, *, server: str, check: bool, leave: bytes | None, varies: Sequence[str]) -> None:
    """Write what `watch.py` goes by; `leave` is what the look before told (None: all that is carried was approved)."""
    modules = {
        PurePosixPath(path).stem
        for kind in ("library", "modules", "action_plugins", "action")
        for path in (folder / "project").glob(f"**/{kind}/*")
    }
    told = {
        "server": server,
        "check": check,
        "approved": json.loads(leave) if leave is not None else None,
        "varies": list(varies),
        "own_modules": sorted(modules),
    }
    (folder / "watch.json").write_text(json.dumps(told))


def watched(folder: Path, secrets: Sequence[str]) -> Watched:
    """Return what was told of a run that has ended."""
    report = folder / "watched.jsonl"
    records: list[Json] = [json.loads(line) for line in report.read_bytes().splitlines()] if report.exists() else []
    unforeseen = _unforeseen(records, secrets)
    return Watched(
        stop=next((masked(str(record["stop"]), secrets) for record in records if "stop" in record), ""),
        unforeseen=unforeseen,
        restless={str(record["restless"]) for record in records if "restless" in record},
        shown={str(record["shown"]): masked(str(record["text"]), secrets) for record in records if "shown" in record},
        checked=sum(1 for record in records if record.get("counted")),
        ran=frozenset(str(record["ran"]) for record in records if "ran" in record),
        strange=tuple(masked(str(record["strange"]), secrets) for record in records if "strange" in record),
        leave=_leave(records, unforeseen),
    )


def _unforeseen(records: Sequence[Json], secrets: Sequence[str]) -> tuple[Unforeseen, ...]:
    """Return each task once: as it came up itself, or else as another one named it."""
    told = [record for record in records if "kind" in record]
    seen = {record["looked"] for record in records if "looked" in record}
    seen |= {record["place"] for record in told if record["seen"]}
    # One place may be come to several times: of a task that is included twice each time is another one.
    sure = {(record["place"], record["arguments"]) for record in told if record["kind"] == Foresight.WILL}
    found: dict[Unforeseen, None] = {}
    for record in told:
        if (record["seen"] or record["place"] not in seen) and (
            record["kind"] == "will" or (record["place"], record["arguments"]) not in sure
        ):
            words = {name: masked(str(value), secrets) for name, value in record.items() if name != "seen"}
            found[Unforeseen.from_json(words)] = None
    return tuple(found)


def _leave(records: Sequence[Json], unforeseen: Sequence[Unforeseen]) -> bytes:
    """Return what may run: what check mode carried out, and its arguments where its effect is unknown."""
    looked: dict[str, list[Any]] = {}
    for record in records:
        if "looked" in record:
            looked.setdefault(str(record["looked"]), []).append(record["digest"])
    places = {task.place for task in unforeseen}
    told = {
        "looked": looked,
        "strict": sorted(places & looked.keys()),
        "free": sorted(places - looked.keys()),
        "changed": sorted({str(record["changed"]) for record in records if "changed" in record}),
    }
    return json.dumps(told).encode()
