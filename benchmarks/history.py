"""Five years of monthly inventories: size of the database, and the time of a diff, a drift list and a report."""

from __future__ import annotations

import copy
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, seconds
from sopauto.assets.model import Place, Rack, Server, ServerState
from sopauto.inventory.comparing.difference import Comparison, compare
from sopauto.inventory.comparing.drift import drift
from sopauto.inventory.kept.history import Reading
from sopauto.inventory.kept.store import SqlHistory
from sopauto.inventory.reading.snapshot import parse
from sopauto.inventory.reports.month import moments, recapitulate
from sopauto.inventory.reports.papers import recap_pdf
from sopauto.inventory.reports.recap import Bounds, Counting
from sopauto.inventory.reports.support import load_support
from sopauto.settings import Agency, Settings
from sopauto.store.engine import open_store

SERVERS = int(os.environ.get("BENCH_SERVERS", "2000"))
MONTHS = int(os.environ.get("BENCH_MONTHS", "60"))
PACKAGES = 600
UPDATED = 12
"""Packages that a server gets in a new version each month."""
FIRST = datetime(2021, 12, 1, 2, tzinfo=UTC)
MONTH = timedelta(days=30)
BATCH = 100
RECORDED = Path(__file__).parents[1] / "tests" / "unit" / "inventory" / "reading" / "recorded" / "debian.txt"


def run() -> list[Figure]:
    """Measure with BENCH_SERVERS servers (default: 2,000) and BENCH_MONTHS months (60)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        store = open_store(f"sqlite:///{root / 'sopauto.db'}")
        history = SqlHistory(store)
        fleet = _Fleet()
        written = seconds(lambda: _write(history, fleet))
        store.engine.dispose()  # the log is folded into the file
        size = sum(path.stat().st_size for path in root.glob("sopauto.db*")) / (1 << 20)
        figures = _read(history, fleet, root)
        store.engine.dispose()
    of = f"{MONTHS} months of {SERVERS} servers"
    return [
        Figure(what=f"{of}: written", unit="s", ours=written),
        Figure(what=f"{of}: database", unit="MiB", ours=size, peer=fleet.plain / (1 << 20), peer_name="plain JSON"),
        *(Figure(what=f"{of}: {what}", unit="s", ours=spent) for what, spent in figures.items()),
    ]


class _Fleet:
    """Servers that change each month: some packages, how full the disks are, the time since the start."""

    def __init__(self) -> None:
        self._random = random.Random(7)  # the same figures each time
        self._snapshot = parse(RECORDED.read_bytes(), FIRST)
        self._packages = [[0] * PACKAGES for _ in range(SERVERS)]
        self.plain = 0
        self.servers = [_server(i) for i in range(SERVERS)]

    def month(self, number: int) -> Iterator[Reading]:
        """Yield each server's reading of a month; `plain` counts the bytes that JSON files of them would have."""
        for i, server in enumerate(self.servers):
            for changed in self._random.sample(range(PACKAGES), UPDATED if number else 0):
                self._packages[i][changed] += 1
            snapshot = self._of(i, server)
            taken_at = FIRST + number * MONTH
            snapshot["taken_at"] = taken_at.isoformat()
            if i % 100 == 0:
                self.plain += 100 * len(str(snapshot))
            yield Reading(server=server.id, taken_at=taken_at, snapshot=snapshot)

    def _of(self, i: int, server: Server) -> dict[str, Any]:
        snapshot = copy.deepcopy(self._snapshot)
        machine, network = snapshot["server"], snapshot["network"]
        machine["serial"] = server.serial
        machine["packages"] = [
            {"name": f"paket-{n:04}", "version": f"1.{n % 9}.{version}-1+deb12u{version}"}
            for n, version in enumerate(self._packages[i])
        ]
        machine["packages_count"] = PACKAGES
        machine["uptime_seconds"] = self._random.randrange(10_000_000)
        for one in machine["filesystems"]:
            one["used_bytes"] = self._random.randrange(one["size_bytes"])
        network["host_name"] = server.id
        assert server.place is not None
        network["interfaces"][0]["addresses"] = [f"{server.place.address}/16"]
        network["neighbours"][0]["port"] = server.place.port
        return snapshot


def _server(number: int) -> Server:
    place = Place(
        rack=f"R{number // 40}",
        bottom_unit=number % 40 + 1,
        height=1,
        switch="sw1",
        port=f"Gi1/0/{number}",
        vlan=30,
        pool="titipan",
        address=IPv4Address("10.20.0.10") + number,
    )
    return Server(
        id=f"server-{number:05}",
        unit="dinkes",
        ticket="-",
        brand="Dell",
        model="R650",
        serial=f"SN{number:05}",
        height=1,
        state=ServerState.PLACED,
        place=place,
    )


def _write(history: SqlHistory, fleet: _Fleet) -> None:
    for number in range(MONTHS):
        scan = history.begin(FIRST + number * MONTH, SERVERS)
        batch: list[Reading] = []
        for reading in fleet.month(number):
            batch.append(reading)
            if len(batch) == BATCH:
                history.record(scan.id, batch)
                batch.clear()
        history.record(scan.id, batch)
        history.end(scan.id, FIRST + number * MONTH)


def _read(history: SqlHistory, fleet: _Fleet, root: Path) -> dict[str, float]:
    last = FIRST + (MONTHS - 1) * MONTH
    end = last + timedelta(hours=1)
    settings = Settings(root=root, agency=Agency(name="Contoh"), templates=root / "templates")
    racks = [Rack(id=f"R{i}", location="", height=42) for i in range(SERVERS // 40 + 1)]

    def report() -> None:
        bounds = Bounds(full_at=80, warn_days=60)
        counting = Counting(today=last.date(), support=load_support(root), bounds=bounds)
        month = last.date().replace(day=1)
        before, at = moments(month, UTC)[0], end
        recap = recapitulate(Comparison(history), counting, fleet.servers, racks, [], month=month, before=before, at=at)
        recap_pdf(settings, recap, end)

    works: dict[str, Callable[[], object]] = {
        "diff of two months": lambda: list(compare(Comparison(history), last - MONTH, last)),
        "drift since last month": lambda: list(
            drift(Comparison(history), fleet.servers, [], {}, now=end, since=last - MONTH)
        ),
        "report": report,
    }
    return {what: seconds(work) for what, work in works.items()}
