"""A playbook that sopauto ships for one kind of machine work, as of `servers/` and `software/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sopauto.technical.playbook import PlaybookRun, RunPlaybook
from sopauto.work import Artifact, Json, Report, WorkOrder


class ServerPlaybook(RunPlaybook):
    """A playbook of our own: nobody names another one, and its role ends with the proof of what it did."""

    playbook: str
    _proof = "every one is proven by reading back"
    _proves_itself = True

    def _playbook(self, parameters: Json) -> str:  # noqa: ARG002 - it is always the same
        return f"playbooks/{self.playbook}"

    def _given(self, parameters: Json) -> Iterable[str]:  # noqa: ARG002 - the Protocol's signature
        """Return nothing: sopauto states them itself."""
        return ()

    def _artifacts(self, order: WorkOrder, run: PlaybookRun) -> tuple[Artifact, ...]:
        """Return log and times under the module's own name: another module may stand on the same row."""
        kept = super()._artifacts(order, run)
        return tuple(Artifact(name=f"{self.name}-{a.name}", media_type=a.media_type, content=a.content) for a in kept)

    def _prove(
        self, order: WorkOrder, files: Mapping[str, bytes], report: Report, evidence: tuple[Artifact, ...]
    ) -> None:
        """Do nothing further: the role's last task read everything back, or the run had failed."""
