"""`custody.check` with a made-up SSH: what it finds, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from sopauto.custody.check import SECONDS, Reach
from sopauto.errors import BadInput, Refused, StepFailed
from sopauto.machines.host_keys import fingerprint
from sopauto.machines.met import Greeting, Silence
from sopauto.work import Probe, WorkOrder

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJIJFtrKaq5WzdTAB2KdY9mf5ZbXxHrWVWuCfV609+5"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@dataclass
class FakeSsh:
    met: Greeting | Silence | None = None
    greeted: list[tuple[str, int, str | None, float]] = field(default_factory=list)

    def greet(self, address: str, port: int, *, pinned: str | None, seconds: float) -> Greeting | Silence:
        assert self.met is not None
        self.greeted.append((address, port, pinned, seconds))
        return self.met


def order(**more: Any) -> WorkOrder:
    return WorkOrder(
        ticket="PS-2026-0001",
        step="konfigurasi.4",
        attempt=1,
        person="budi",
        module="custody.check",
        parameters={"server": "web-01", "address": "192.0.2.30", "port": 22, "host_key": None, **more},
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
    result = Reach(FakeSsh(met=met)).apply(order(host_key=host_key), quiet)
    assert not result.changed
    return {**result.facts, "summary": result.summary}


def test_the_first_contact_tells_the_host_key_so_that_it_can_be_pinned() -> None:
    facts = check(greeting())
    assert facts["reachable"] is True
    assert facts["host_key"] == KEY
    assert facts["fingerprint"].startswith("SHA256:")
    assert facts["tcp_ms"] == 0.4
    assert facts["summary"].endswith("(first contact, to be pinned)")


def test_the_pinned_key_is_recognised_whatever_comment_follows_it() -> None:
    assert check(greeting(), f"{KEY} root@web-01")["summary"].endswith("(as pinned)")


def test_a_changed_host_key_stops_the_step_and_names_both_fingerprints() -> None:
    with pytest.raises(StepFailed) as caught:
        check(greeting(OTHER), KEY)
    assert fingerprint(KEY) in str(caught.value)
    assert fingerprint(OTHER) in str(caught.value)


@pytest.mark.parametrize("reason", ["timeout", "refused", "unreachable", "not-ssh", "flood"])
def test_a_server_that_does_not_answer_is_evidence_and_not_a_failure(reason: str) -> None:
    facts = check(Silence(reason=reason, tcp_ms=3.0), KEY)
    assert (facts["reachable"], facts["reason"], facts["tcp_ms"]) == (False, reason, 3.0)
    assert facts["summary"] == f"web-01 does not answer on 192.0.2.30 port 22: {reason}"
    assert "host_key" not in facts


def test_control_characters_of_a_banner_are_escaped() -> None:
    assert check(greeting(banner="SSH-2.0-\x1b[2J"))["ssh_banner"] == "SSH-2.0-\\x1b[2J"


def test_a_pinned_key_that_is_none_is_bad_input() -> None:
    with pytest.raises(BadInput, match="not a public key"):
        check(greeting(), "rubbish")


def test_the_server_is_greeted_once_where_the_order_says_and_asked_for_its_pinned_key_first() -> None:
    ssh, heard = FakeSsh(met=greeting()), list[str]()
    result = Reach(ssh).apply(order(port=2222, host_key=KEY), heard.append)
    assert ssh.greeted == [("192.0.2.30", 2222, KEY, SECONDS)]
    assert heard == ["greeting web-01 on 192.0.2.30 port 2222"]
    assert result.summary.startswith("web-01 answers on 192.0.2.30 port 2222 in 0.4 ms; host key SHA256:")
    assert result.facts["host_key_type"] == "ssh-ed25519"


def test_it_only_reads_no_line_is_planned_and_nothing_undone() -> None:
    module = Reach(FakeSsh())
    plan = module.plan(order().parameters, quiet)
    assert (plan.targets, plan.lines, dict(plan.before), dict(plan.after)) == (("web-01",), (), {}, {})
    assert (module.mutates, plan.module, module.materials({})) == (False, "custody.check", {})
    assert module.probe(order(), quiet) is Probe.NOT_BEGUN
    with pytest.raises(Refused, match=r"PS-2026-0001: custody\.check changes nothing that could be undone"):
        module.undo(order(), quiet)
