"""`custody.check` and `inventory.collect` with a made-up SSH: what they find, refuse and never send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sopauto.custody.check import Reach
from sopauto.errors import BadInput, Refused, StepFailed
from sopauto.machines.host_keys import fingerprint
from sopauto.machines.met import Greeting, Silence
from sopauto.technical.collect import MAX_BYTES, SECONDS, Collect, Login
from sopauto.work import Probe, WorkOrder

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJIJFtrKaq5WzdTAB2KdY9mf5ZbXxHrWVWuCfV609+5"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@dataclass
class FakeSsh:
    met: Greeting | Silence | None = None
    answer: bytes = b""
    logins: list[Login] = field(default_factory=list)

    def greet(self, address: str, port: int, *, pinned: str | None, seconds: float) -> Greeting | Silence:
        assert self.met is not None
        return self.met

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


def greeting(host_key: str = KEY, banner: str = "SSH-2.0-OpenSSH_9.2p1") -> Greeting:
    return Greeting(tcp_ms=0.4, banner=banner, host_key=host_key)


def check(met: Greeting | Silence, host_key: str | None = None) -> Mapping[str, Any]:
    result = Reach(FakeSsh(met=met)).apply(order("custody.check", host_key=host_key), quiet)
    assert not result.changed
    return {**result.facts, "summary": result.summary}


def test_the_first_contact_tells_the_host_key_so_that_it_can_be_pinned() -> None:
    facts = check(greeting())
    assert facts["reachable"] is True
    assert facts["host_key"] == KEY
    assert facts["fingerprint"].startswith("SHA256:")
    assert facts["tcp_ms"] == 0.4
    assert "first contact" in facts["summary"]


def test_the_pinned_key_is_recognised_whatever_comment_follows_it() -> None:
    assert "as pinned" in check(greeting(), f"{KEY} root@web-01")["summary"]


def test_a_changed_host_key_stops_the_step_and_names_both_fingerprints() -> None:
    with pytest.raises(StepFailed) as caught:
        check(greeting(OTHER), KEY)
    assert fingerprint(KEY) in str(caught.value)
    assert fingerprint(OTHER) in str(caught.value)


@pytest.mark.parametrize("reason", ["timeout", "refused", "unreachable", "not-ssh", "flood"])
def test_a_server_that_does_not_answer_is_evidence_and_not_a_failure(reason: str) -> None:
    facts = check(Silence(reason=reason), KEY)
    assert (facts["reachable"], facts["reason"]) == (False, reason)
    assert facts["summary"] == f"web-01 does not answer on 192.0.2.30 port 22: {reason}"
    assert "host_key" not in facts


def test_control_characters_of_a_banner_are_escaped() -> None:
    assert check(greeting(banner="SSH-2.0-\x1b[2J"))["ssh_banner"] == "SSH-2.0-\\x1b[2J"


def test_a_pinned_key_that_is_none_is_bad_input() -> None:
    with pytest.raises(BadInput, match="not a public key"):
        check(greeting(), "rubbish")


@pytest.mark.parametrize(
    "module", [Reach(FakeSsh()), Collect(FakeSsh(), script=b"script", parse=lambda *_: {}, now=lambda: AT)]
)
def test_modules_that_read_plan_no_line_and_undo_nothing(module: Reach | Collect) -> None:
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
