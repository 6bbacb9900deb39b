"""Verifying a journal, against `ssh-keygen -Y verify` for each of its signatures."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, seconds
from benchmarks.office import make_office
from lab.cast import STATEMENTS, drop_off
from lab.walking import Walk
from lab.workspace import public_half
from sopauto.tickets.verifying import verify_all

TICKETS = 12
ROWS = ("penitipan.2", "penitipan.3", "penitipan.4")


def run() -> list[Figure]:
    """Measure signatures, chain, documents, duties and SOP together (ours) against signatures alone (the peer)."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_office(Path(folder))
        walk = Walk(app=workspace.app(), keys=workspace.keys, statements=STATEMENTS)
        for i in range(TICKETS):
            walk.until(walk.open(drop_off(nama_host=f"web-{i}"), person="siti"), "penitipan.5")
        app = workspace.app()
        with app.store.read() as reader:
            entries = [entry for opening in reader.openings() for entry in reader.entries(opening.ticket)]
            verify_all(app, reader)  # keys are parsed once per process
            ours = seconds(lambda: verify_all(app, reader))
        signers = Path(folder) / "signers"
        signers.write_text("".join(f"{name} {public_half(key)}\n" for name, key in workspace.keys.items()))
        signature = Path(folder) / "signature"

        def one_by_one() -> None:
            for entry in entries:
                signature.write_text(entry.signature)
                person = next(name for name, key in workspace.keys.items() if public_half(key) == entry.key)
                command = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", person, "-n", "sopauto"]
                subprocess.run([*command, "-s", str(signature)], input=entry.body, check=True, capture_output=True)

        peer = seconds(one_by_one)
    return [
        Figure(
            what=f"ticket.verify ({len(entries)} entries)",
            unit="entries/s",
            ours=len(entries) / ours,
            peer=len(entries) / peer,
            peer_name="ssh-keygen -Y verify",
        )
    ]
