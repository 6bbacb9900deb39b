"""`server.provision` and `server.harden`: a new server, prepared and secured (SOP 000, row 15).

Each is one playbook whose role proves at its end what it did; a hardening brings evidence, control by control.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.servers.profiles import OF_PROFILE
from sopauto.technical.playbook import PlaybookRun, PlaybookRunner
from sopauto.technical.server_playbook import ServerPlaybook
from sopauto.work import Artifact, Json, WorkOrder

WAIVED: Final = "dikecualikan"
TO_LOOK_AT: Final = "perlu dilihat"
"""Words of `roles/hardening/library/control_audit.py` for how a control stands."""


class Provision(ServerPlaybook):
    """The technical module `server.provision`."""

    name = "server.provision"
    playbook = "provision_server.yml"


class Harden(ServerPlaybook):
    """The technical module `server.harden`. `form` makes the evidence a PDF."""

    name = "server.harden"
    playbook = "harden_server.yml"

    def __init__(
        self,
        runner: PlaybookRunner,
        *,
        roots: Sequence[Path],
        now: Callable[[], datetime],
        form: Callable[[Json], bytes],
    ) -> None:
        super().__init__(runner, roots=roots, now=now)
        self._form = form

    def _given(self, parameters: Json) -> Iterable[str]:
        """Return what a profile states under `hardening`."""
        return [name for name in parameters.get("variables", {}) if name not in OF_PROFILE]

    def _artifacts(self, order: WorkOrder, run: PlaybookRun) -> tuple[Artifact, ...]:
        kept = super()._artifacts(order, run)
        if run.evidence is None:
            return kept
        evidence = {
            **_with_our_waivers(run.evidence, order.parameters),
            # Last: what we know is never overwritten by what a server says.
            "server": order.parameters["server"],
            "profile": order.parameters.get("profile", ""),
            "taken_at": self._now().isoformat(timespec="seconds"),
        }
        text = json.dumps(evidence, ensure_ascii=False, indent=1, sort_keys=True)
        kept = (*kept, Artifact(name="bukti-pengamanan.json", media_type="application/json", content=text.encode()))
        try:
            form = self._form(evidence)
        except BadInput as error:
            # The work is done, and the server answered strangely: what it said is kept, and why it is no form.
            return (*kept, Artifact(name="bukti-pengamanan.txt", media_type="text/plain", content=str(error).encode()))
        return (*kept, Artifact(name="bukti-pengamanan.pdf", media_type="application/pdf", content=form))


def _with_our_waivers(evidence: Json, parameters: Json) -> dict[str, Any]:
    """Return the evidence with the agency's own waivers: who approved one is nothing that a server can tell."""
    told, controls = dict(evidence), evidence.get("controls")
    if not isinstance(controls, list) or not all(isinstance(control, Mapping) for control in controls):
        return told
    ours = {str(waiver["control"]): waiver for waiver in parameters.get("variables", {}).get("hardening_waivers", [])}
    told["controls"] = [_waived(control, ours.get(str(control.get("id")))) for control in controls]
    if told["controls"] != controls and isinstance(told.get("summary"), Mapping):
        counts = Counter(str(row.get("status")) for row in told["controls"])
        told["summary"] = {**told["summary"], **{name: counts[name] for name in (WAIVED, TO_LOOK_AT)}}
    return told


def _waived(control: Mapping[str, Any], waiver: Json | None) -> dict[str, Any]:
    row = {**control, "waiver": waiver}
    if waiver is None and row.get("status") == WAIVED:
        row["status"] = TO_LOOK_AT
    return row
