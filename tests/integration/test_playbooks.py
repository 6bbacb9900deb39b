"""Playbooks on a real SSH server: what is kept is bounded, nothing outlives the run, secrets stay secret."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.loopback import LoopbackServer
from lab.workspace import make_key, public_half
from sopauto.drivers.differences import masked, told, why
from sopauto.drivers.keeper import CUT, MAX_EVENT, MAX_TEXT, TOKEN, Filter
from sopauto.drivers.playbook import MAX_LOG, Ansible
from sopauto.errors import BadInput, StepFailed
from sopauto.machines.host_keys import fingerprint
from sopauto.settings import Credentials
from sopauto.technical.playbook import PlaybookRun

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Stage:
    server: LoopbackServer
    key: Path
    heard: list[str]
    roles: str = ""
    further: dict[str, bytes] = field(default_factory=dict)

    def play(self, tasks: str, *, check: bool = False, **parameters: Any) -> PlaybookRun:
        playbook = f"- name: Play\n  hosts: all\n  gather_facts: false\n{self.roles}  tasks:\n{tasks}"
        logins: Mapping[str, Credentials] = {
            "servers": Credentials(user=self.server.user, key_file=self.key, python=sys.executable)
        }
        given = {
            "server": "server-01",
            "address": self.server.host,
            "port": self.server.port,
            "host_key": self.server.host_key,
            "credentials": "servers",
            **parameters,
        }
        files = {"playbooks/p.yml": playbook.encode(), **self.further}
        return Ansible(credentials=logins).run("playbooks/p.yml", files, given, check=check, report=self.heard.append)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    key = make_key(tmp_path / "login")
    with LoopbackServer(authorized=public_half(key), host="127.0.33.10") as server:
        yield Stage(server, key, [])


def test_each_task_is_told_as_it_ends_with_its_time_and_result(stage: Stage, tmp_path: Path) -> None:
    run = stage.play(
        f"""
    - name: Write
      ansible.builtin.copy: {{content: "baru\\n", dest: {tmp_path}/x, mode: "0644"}}
    - name: Look
      ansible.builtin.command: "true"
      changed_when: false
"""
    )
    assert run.failure is None
    assert [(task.task, task.how) for task in run.tasks] == [("Write", "changed"), ("Look", "ok")]
    assert [line.split()[2] for line in stage.heard] == ["changed", "ok"]
    assert "+baru" in run.changes[0].diff


def test_a_playbook_that_prints_50_mb_is_run_and_its_log_is_bounded(stage: Stage) -> None:
    run = stage.play(
        """
    - name: Say much
      ansible.builtin.debug: {msg: "{{ 'x' * 50000000 }}"}
"""
    )
    assert run.failure is None
    assert len(run.log) <= MAX_LOG + len(CUT)
    assert "output was cut here" in run.log


def test_a_failure_names_the_task_and_keeps_to_one_line(stage: Stage) -> None:
    run = stage.play(
        """
    - name: Break
      ansible.builtin.fail: {msg: "so\\nnicht\\u001b[31m"}
"""
    )
    assert run.failure is not None
    assert run.failure.startswith("Break: so nicht")
    assert "\x1b" not in run.failure


def test_a_server_that_is_away_is_unreachable(stage: Stage) -> None:
    stage.server.unplug()
    run = stage.play('\n    - name: Look\n      ansible.builtin.command: "true"\n')
    assert run.unreachable
    assert "unreachable" in str(run.failure)


def test_a_host_key_with_another_fingerprint_stops_before_anything_is_sent(stage: Stage) -> None:
    right = fingerprint(stage.server.host_key)
    assert stage.play("    []\n", host_key=None, fingerprint=right).failure is None
    with pytest.raises(StepFailed, match="nothing was sent"):
        stage.play("    []\n", host_key=None, fingerprint="SHA256:" + "A" * 43)


def test_a_login_that_the_settings_lack_is_bad_input(stage: Stage) -> None:
    with pytest.raises(BadInput, match="no login other"):
        stage.play("    []\n", credentials="other")


def test_events_and_text_are_passed_on_whatever_the_pieces() -> None:
    text = b"before" + TOKEN + b"eXl6" + TOKEN + b"after" + TOKEN + b"YQ==" + TOKEN
    for size in range(1, len(text)):
        filter_ = Filter()
        assert b"".join(filter_.pass_on(text[i : i + size]) for i in range(0, len(text), size)) == text


def test_an_event_that_is_too_long_is_left_out_and_the_next_one_is_not() -> None:
    filter_ = Filter()
    out = filter_.pass_on(TOKEN + b"x" * (MAX_EVENT + 1) + TOKEN + TOKEN + b"eXl6" + TOKEN)
    assert out == CUT + TOKEN + b"eXl6" + TOKEN


def test_plain_text_ends_at_its_bound() -> None:
    filter_ = Filter()
    assert len(filter_.pass_on(b"x" * 3 * MAX_TEXT)) == MAX_TEXT + len(CUT)
    assert filter_.pass_on(b"more") == b""


def test_differences_are_the_same_whatever_the_temporary_file_is_called() -> None:
    first = {"before": "a\n", "after": "b\n", "before_header": "/etc/x", "after_header": "/tmp/1/x"}
    second = {**first, "after_header": "/tmp/2/x"}
    assert told({"diff": first}) == told({"diff": [second]}) == ["--- /etc/x\n+++ /etc/x\n@@ -1 +1 @@\n-a\n+b"]


def test_a_loop_shows_the_difference_of_each_item_that_changed(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a\n")
    (tmp_path / "a").chmod(0o644)
    run = stage.play(
        f"""
    - name: Write all
      ansible.builtin.copy: {{content: "{{{{ item }}}}\\n", dest: "{tmp_path}/{{{{ item }}}}", mode: "0644"}}
      loop: [a, b, c]
""",
        check=True,
    )
    (change,) = run.changes
    assert ["+b" in part for part in change.parts] == [True, False]
    assert ["+c" in part for part in change.parts] == [False, True]


def test_a_failure_that_a_rescue_took_care_of_is_none(stage: Stage) -> None:
    run = stage.play(
        """
    - name: Try
      block:
        - name: Break
          ansible.builtin.fail: {msg: no}
      rescue:
        - name: Mend
          ansible.builtin.command: "true"
          changed_when: false
"""
    )
    assert run.failure is None


def test_a_tree_of_files_comes_whole_or_not_at_all(stage: Stage, tmp_path: Path) -> None:
    stage.further = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "roles" / "file_tree").rglob("*.*")
        if "__pycache__" not in path.parts
    }
    me = getpass.getuser()
    task = f"""
    - name: Files
      file_tree:
        stamp: test
        files:
          - {{path: {tmp_path}/x, content: "one\\n", owner: {me}}}
          - {{path: {tmp_path}/y, content: "two\\n", owner: {me}}}
        check: [CHECK]
"""
    stage.roles = "  roles: [file_tree]\n"
    assert "nothing was changed" in str(stage.play(task.replace("CHECK", '"false"')).failure)
    assert not (tmp_path / "x").exists()
    assert len(stage.play(task.replace("CHECK", '"true"'), check=True).changes[0].parts) == 2
    assert not (tmp_path / "x").exists()
    assert len(stage.play(task.replace("CHECK", '"true"')).changes) == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file() and "login" not in path.name) == ["x", "y"]
    assert stage.play(task.replace("CHECK", '"true"')).changes == []


HOSTILE = "{{ lookup('pipe', 'touch CANARY') }}"


def test_no_variable_is_a_template_wherever_it_stands_in_the_value(stage: Stage, tmp_path: Path) -> None:
    canary, hostile = tmp_path / "canary", HOSTILE.replace("CANARY", str(tmp_path / "canary"))
    told = {
        "text": hostile,
        "nested": {"list": [hostile, {hostile: hostile}], "jinja": "{% for x in [1] %}{{ x }}{% endfor %}{# c #}"},
        "odd": "tab\t\x07\x85\u2028\ufeff e\u0301 \U0001f600 'q' \"q\" !unsafe &a *a << ? - : #",
        "plain": [1, 1.5, True, None, "1", "true", "null", "2026-11-26", "0x1", "1_000", "<<"],
        "marks": {"__ansible_unsafe": hostile, "__ansible_vault": "x", "<<": {"a": 1}},
    }
    run = stage.play(
        f"""
    - name: Write
      ansible.builtin.copy:
        content: "{{{{ [text, nested, odd, plain, marks] | to_json }}}}"
        dest: {tmp_path}/x
    - name: Take the text out of what it stands in
      ansible.builtin.copy:
        content: "{{{{ item.key }}}} {{{{ item.value }}}} {{{{ nested.list[0] }}}}"
        dest: {tmp_path}/y
      loop: "{{{{ nested.list[1] | dict2items }}}}"
""",
        variables=told,
    )
    assert run.failure is None
    assert not canary.exists()
    assert json.loads((tmp_path / "x").read_text()) == list(told.values())
    assert (tmp_path / "y").read_text() == " ".join([hostile] * 3)


@pytest.mark.parametrize(
    "name",
    [
        "ansible_host",
        "ANSIBLE_HOST",
        "ansible_connection",
        "ansible_ssh_common_args",
        "ansible_python_interpreter",
        "ansible_become_user",
        "inventory_hostname",
        "hostvars",
        "omit",
        "environment",
        "lookup",
    ],
)
def test_how_a_server_is_reached_is_no_variable(stage: Stage, name: str) -> None:
    with pytest.raises(BadInput, match=name):
        stage.play("    []\n", variables={name: "x"})


def test_a_playbook_itself_cannot_say_how_its_server_is_reached(stage: Stage) -> None:
    said = "{ansible_ssh_common_args: -F none, ansible_port: 1, ansible_ssh_port: 1, ansible_ssh_user: nobody}"
    stage.roles = f"  connection: local\n  remote_user: nobody\n  vars: {said}\n"
    run = stage.play("""
    - name: Be somewhere
      ansible.builtin.command: "true"
""")
    assert run.failure is None
    assert stage.server.commands


@pytest.mark.parametrize("server", ["all", "localhost", "web[01:50]", "a:22", "a,b", "-x", ""])
def test_a_name_that_means_other_machines_is_no_server(stage: Stage, server: str) -> None:
    with pytest.raises(BadInput, match="no name of a server"):
        stage.play("    []\n", server=server)


def test_secrets_are_masked() -> None:
    assert masked("sudo: rahasia!", ("rahasia!",)) == "sudo: ********"


def test_a_module_that_could_not_begin_for_want_of_room_says_so() -> None:
    stderr = "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp', '/var/tmp']"
    lost = {"msg": "Module result deserialization failed", "module_stdout": "", "module_stderr": stderr}
    assert why(lost) == "no space is left on the server, or its disks cannot be written"
    assert why({"msg": "  so\n nicht "}) == "so nicht"
    items = [{"msg": "gut"}, {"failed": True, "msg": "Unable to start service"}]
    assert why({"msg": "One or more items failed", "results": items}) == "Unable to start service"
