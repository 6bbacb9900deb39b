"""The servers in the room for Prometheus (file_sd)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sopauto.assets.model import Server
from sopauto.inventory.exports.export import Export, Files, Source

EXPORTER_PORT: Final = 9100
"""Where Prometheus' node_exporter listens."""


def targets(servers: Iterable[Server], *, port: int) -> list[dict[str, Any]]:
    """Return targets with labels as `file_sd_configs` reads them."""
    return [
        {
            "targets": [f"{server.place.address}:{port}"],
            "labels": {"server": server.id, "unit": server.unit, "rack": server.place.rack, "ticket": server.ticket},
        }
        for server in servers
        if server.place is not None
    ]


def _files(source: Source) -> Files:
    yield "prometheus.json", targets(source.servers, port=EXPORTER_PORT)


PROMETHEUS: Final = Export(name="prometheus", files=_files, single=True)
