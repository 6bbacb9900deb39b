"""`inventory.collect` with a made-up SSH: what it finds, refuses and never sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sopauto.errors import Refused, StepFailed
from sopauto.inventory.steps import MAX_BYTES, SECONDS, Collect
from sopauto.machines.login import Login
from sopauto.work import Probe, WorkOrder

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJIJFtrKaq5WzdTAB2KdY9mf5ZbXxHrWVWuCfV609+5"
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@dataclass
class FakeSsh:
    answer: bytes = b""
    logins: list[Login] = field(default_factory=list)

    def run(self, login: Login, script: bytes, *, max_bytes: int, seconds: float) -> bytes:
        assert (script, max_bytes, seconds) == (b"script", MAX_BYTES, SECONDS)
        self.logins.append(login)
        return self.answer


def order(module: str, **more: Any) -> WorkOrder:
    parameters = {"server": "web-01", "address": "192.0.2.30", "port": 22, "host_key": None, **more}
    return WorkOrder(
        ticket="PS-2026-0001",
        step="konfigurasi.4",
        attempt=1,
        person="budi",
        module=module,
        parameters=parameters,
        targets=("web-01",),
        procedure_digest="0" * 64,
        materials={},
        plan=None,
    )


def quiet(_: str) -> None:
    pass


def test_it_plans_no_line_and_undoes_nothing() -> None:
    module = Collect(FakeSsh(), script=b"script", parse=lambda *_: {}, now=lambda: AT)
    plan = module.plan(order(module.name).parameters, quiet)
    assert (plan.targets, plan.lines, dict(plan.before), dict(plan.after)) == (("web-01",), (), {}, {})
    assert module.mutates is False
    assert module.probe(order(module.name), quiet) is Probe.NOT_BEGUN
    with pytest.raises(Refused):
        module.undo(order(module.name), quiet)


def collect(ssh: FakeSsh, **more: Any) -> Any:
    def parse(output: bytes, at: datetime) -> Mapping[str, Any]:
        if output == b"half":
            raise StepFailed("the inventory broke off")
        return {"taken_at": at.isoformat(), "host": output.decode(), "missing": []}

    module = Collect(ssh, script=b"script", parse=parse, now=lambda: AT)
    asked = {"host_key": KEY, "credentials": "inventory", **more}
    return module.apply(order("inventory.collect", **asked), quiet)


def test_an_inventory_is_facts_and_an_artifact_in_canonical_json() -> None:
    result = collect(FakeSsh(answer="ä".encode()))
    (artifact,) = result.artifacts
    assert artifact.name == "inventaris.json"
    assert artifact.content == '{"host":"ä","missing":[],"taken_at":"2026-11-20T09:00:00+00:00"}'.encode()
    assert json.loads(artifact.content) == result.facts["snapshot"]
    assert result.facts["host_key"] == KEY


def test_the_login_goes_where_the_order_says() -> None:
    ssh = FakeSsh()
    collect(ssh, port=2222)
    expected = Login(server="web-01", address="192.0.2.30", port=2222, host_key=KEY, credentials="inventory")
    assert ssh.logins == [expected]


def test_without_a_pinned_host_key_nothing_is_sent() -> None:
    ssh = FakeSsh()
    with pytest.raises(Refused, match=r"run custody\.check first"):
        collect(ssh, host_key=None)
    assert ssh.logins == []


def test_an_answer_that_broke_off_fails_and_names_the_server() -> None:
    with pytest.raises(StepFailed, match="web-01: the inventory broke off"):
        collect(FakeSsh(answer=b"half"))


def test_the_script_is_part_of_what_is_ordered() -> None:
    assert Collect(FakeSsh(), script=b"script", parse=lambda *_: {}, now=lambda: AT).materials({}) == {
        "collect.sh": b"script"
    }
