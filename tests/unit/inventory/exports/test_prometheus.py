"""Prometheus: where servers answer."""

from __future__ import annotations

from sopauto.inventory.exports.prometheus import PROMETHEUS, targets
from tests.unit.inventory.exports.suite import ExportSuite
from tests.unit.inventory.placed import SERVER


class TestPrometheus(ExportSuite):
    export = PROMETHEUS


def test_prometheus_is_told_where_servers_answer() -> None:
    (target,) = targets([SERVER], port=9100)
    assert target["targets"] == ["192.0.2.30:9100"]
    assert target["labels"] == {"server": "web-01", "unit": "dinkes", "rack": "R1", "ticket": "PS-2026-0001"}
