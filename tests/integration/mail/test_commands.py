"""`mail.send` and `mail.list` as an administrator types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.cast import drop_off
from lab.mailbox import Mailbox
from sopauto.store.engine import open_store
from sopauto.tickets.storage import Mail
from tests.unit.documents import occasions


@dataclass
class Workspace:
    home: Path
    mail: Mailbox

    def post(self, *, to: str, subject: str = "Alamat IP") -> None:
        with open_store(f"sqlite:///{self.home}/sopauto.db").write() as writer:
            writer.post(
                [Mail(ticket="PS-2026-0001", to=to, subject=subject, body="Isi\n")],
                datetime.now(UTC).replace(microsecond=0),
            )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("sopauto")), *words]
        environment = {**os.environ, "SOPAUTO_HOME": str(self.home)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Mailbox() as mail:
        (tmp_path / "sopauto.toml").write_text(
            f'[agency]\nname = "Kominfo"\n[mail]\nhost = "{mail.host}"\nport = {mail.port}\n'
            'sender = "sopauto@kominfo.example.go.id"\n'
        )
        trail = occasions.begin(drop_off())
        [entry] = trail.books.entries("PS-2026-0001")
        with open_store(f"sqlite:///{tmp_path}/sopauto.db").write() as writer:
            writer.append(entry, trail.ticket.with_changes(entries=1, head=entry.digest), due=None, title="")
        yield Workspace(home=tmp_path, mail=mail)


def test_what_waits_is_sent_and_listed(workspace: Workspace) -> None:
    workspace.mail.refused.add("gone@example.go.id")
    workspace.post(to="gone@example.go.id")
    workspace.post(to="siti@dinkes.example.go.id", subject="Tempat siap \x1b[31m")
    sent = workspace.run("mail.send")
    assert (sent.returncode, sent.stdout) == (0, "1 sent, 0 wait, 1 refused\n")
    rows = json.loads(workspace.run("mail.list", "--json").stdout)
    assert [(row["state"], row["tries"]) for row in rows] == [("sent", 1), ("refused", 1)]
    assert rows[1]["reason"] == "550 5.1.1 no such mailbox here"
    listed = workspace.run("mail.list").stdout
    assert "550 5.1.1 no such mailbox here" in listed
    assert "\x1b[31m" not in listed
    assert "Tempat siap \\x1b[31m" in listed


def test_with_the_mail_server_down_the_command_says_so_and_fails(workspace: Workspace) -> None:
    workspace.mail.down()
    workspace.post(to="siti@dinkes.example.go.id")
    answer = workspace.run("mail.send")
    assert answer.returncode == 1
    assert "1 e-mails wait" in answer.stderr
    assert "refused" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert json.loads(workspace.run("mail.list", "--json", "--limit=1").stdout)[0]["state"] == "waiting"


def test_with_nothing_to_send_nothing_is_said_to_be_wrong(workspace: Workspace) -> None:
    assert json.loads(workspace.run("mail.send", "--json").stdout) == {"sent": 0, "waiting": 0, "refused": 0}
    assert workspace.run("mail.list").stdout == "no e-mails\n"


def test_a_list_of_less_than_one_is_bad_input(workspace: Workspace) -> None:
    answer = workspace.run("mail.list", "--limit=0")
    assert answer.returncode == 2
    assert "--limit" in answer.stderr
