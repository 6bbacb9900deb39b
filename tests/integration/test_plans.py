"""What a plan of a playbook tells, and what a run may call done: real Ansible on a real SSH server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.loopback import LoopbackServer
from lab.workspace import make_key, public_half
from sopauto.drivers.playbook import Ansible
from sopauto.errors import BadInput, Refused, Stale, StepFailed
from sopauto.settings import Credentials
from sopauto.technical.playbook import RunPlaybook
from sopauto.work import Foresight, Json, Plan, Probe, Result, WorkOrder, sha256

HEAD = "- name: Play here\n  hosts: all\n  gather_facts: false\n"


@dataclass(slots=True)
class Bench:
    """A server, a workspace with one playbook, and the module that runs it."""

    home: Path
    server: LoopbackServer
    module: RunPlaybook

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def tasks(self, text: str, *, more: str = "") -> None:
        self.write("playbooks/p.yml", f"{HEAD}{more}  tasks:\n{text}")

    @property
    def parameters(self) -> Json:
        return {
            "server": "server-01",
            "address": self.server.host,
            "port": self.server.port,
            "host_key": self.server.host_key,
            "credentials": "servers",
            "playbook": "p.yml",
            "variables": {"here": str(self.home)},
        }

    def plan(self) -> Plan:
        return self.module.plan(self.parameters, lambda _: None)

    def order(self, plan: Plan) -> WorkOrder:
        return WorkOrder(
            ticket="XX-2026-0001",
            step="kerja.2",
            attempt=1,
            person="joko",
            module=self.module.name,
            parameters=self.parameters,
            targets=plan.targets,
            procedure_digest="",
            materials={n: sha256(c) for n, c in self.module.materials(self.parameters).items()},
            plan=Plan.from_json(plan.as_json()),
        )

    def run(self, plan: Plan) -> Result:
        return self.module.apply(self.order(plan), lambda _: None)

    def has(self, name: str) -> bool:
        return (self.home / name).exists()

    def count(self, name: str) -> int:
        return len((self.home / name).read_text().splitlines()) if self.has(name) else 0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    key = make_key(tmp_path / "login")
    home = tmp_path / "home"
    (home / "playbooks").mkdir(parents=True)
    with LoopbackServer(authorized=public_half(key), host="127.0.33.40") as server:
        login = Credentials(user=server.user, key_file=key, python=sys.executable)
        ansible = Ansible(credentials={"servers": login})
        yield Bench(home, server, RunPlaybook(ansible, roots=[home], now=lambda: datetime.now(UTC)))


def test_a_command_is_listed_and_runs_once_for_one_approval(bench: Bench) -> None:
    bench.tasks("    - name: Back up\n      ansible.builtin.shell: echo x >> {{ here }}/backup\n")
    plan = bench.plan()
    assert not bench.has("backup")
    (task,) = plan.unforeseen
    assert (task.kind, task.task, task.module) == (Foresight.WILL, "Back up", "ansible.builtin.shell")
    assert task.arguments == f"echo x >> {bench.home}/backup"
    assert task.place == "playbooks/p.yml:5"
    result = bench.run(plan)
    assert bench.count("backup") == 1
    assert result.changed
    assert "Back up" in result.summary
    assert result.facts["ran_once"] == ["Back up"]
    assert bench.module.probe(bench.order(plan), lambda _: None) is Probe.UNKNOWN


def test_a_command_beside_a_file_stands_in_the_plan_with_it(bench: Bench) -> None:
    bench.tasks(
        """    - name: File
      ansible.builtin.copy: {content: "a\\n", dest: "{{ here }}/a", mode: "0644"}
    - name: More
      ansible.builtin.command: touch {{ here }}/b
"""
    )
    plan = bench.plan()
    assert plan.lines == ("File",)
    assert [task.task for task in plan.unforeseen] == ["More"]
    result = bench.run(plan)
    assert (bench.has("a"), bench.has("b")) == (True, True)
    assert "2 tasks changed server-01; a second look finds none left; 1 ran" in result.summary


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("ansible.builtin.script: go.sh", "go.sh"),
        ("ansible.builtin.raw: touch {{ here }}/x", "/x"),
        ("ansible.builtin.shell: touch {{ here }}/x\n      when: not ansible_check_mode", "touch"),
        ("ansible.builtin.copy: {content: a, dest: '{{ here }}/x'}\n      when: not ansible_check_mode", "dest="),
        (
            "ansible.builtin.raw: touch {{ here }}/x\n      when: r\n      vars: {r: '{{ not ansible_check_mode }}'}",
            "touch",
        ),
        ("ansible.builtin.shell: touch {{ here }}/x\n      ignore_errors: true\n      failed_when: false", "touch"),
        ("ansible.builtin.shell: touch {{ here }}/x\n      async: 20\n      poll: 1", "touch"),
        ("ansible.builtin.uri: {url: 'http://127.0.0.1:9/'}\n      failed_when: false", "http://127.0.0.1:9/"),
        ("probe_only: {path: '{{ here }}/x'}", "/x"),
    ],
)
def test_whatever_check_mode_skips_is_told_with_its_arguments(bench: Bench, task: str, told: str) -> None:
    bench.write("playbooks/files/go.sh", f"#!/bin/sh\ntouch {bench.home}/x\n")
    bench.write("playbooks/go.sh", f"#!/bin/sh\ntouch {bench.home}/x\n")
    bench.write(
        "playbooks/library/probe_only.py",
        "#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n"
        "m = AnsibleModule({'path': {}})\nopen(m.params['path'], 'w').close()\nm.exit_json(changed=True)\n",
    )
    bench.tasks(f"    - name: Do\n      {task}\n")
    plan = bench.plan()
    assert not bench.has("x")
    (one,) = plan.unforeseen
    assert told in one.arguments


def test_each_item_of_a_loop_is_told(bench: Bench) -> None:
    bench.tasks("    - name: Do\n      ansible.builtin.shell: touch {{ here }}/{{ item }}\n      loop: [a, b]\n")
    assert [task.arguments.rpartition("/")[2] for task in bench.plan().unforeseen] == ["a", "b"]


def test_what_depends_on_an_unknown_result_is_told_and_may_run(bench: Bench) -> None:
    bench.tasks(
        """    - name: Ask
      ansible.builtin.command: echo ja
      register: answer
    - name: Look
      ansible.builtin.stat: {path: "{{ here }}/made"}
      register: found
    - name: Act
      ansible.builtin.shell: echo x >> {{ here }}/acted
      when: answer.stdout | default('') == wanted
      vars: {wanted: ja}
    - name: For each
      ansible.builtin.shell: echo {{ item }} >> {{ here }}/each
      loop: "{{ answer.stdout_lines | default([]) }}"
    - name: Never
      ansible.builtin.shell: echo x >> {{ here }}/never
      when: inventory_hostname == 'other'
    - name: If it was found
      ansible.builtin.shell: echo x >> {{ here }}/found
      when: found.stat.exists
"""
    )
    plan = bench.plan()
    assert [(task.task, task.kind.value) for task in plan.unforeseen] == [
        ("Ask", "will"),
        ("Act", "may"),
        ("For each", "may"),
        ("If it was found", "may"),
    ]
    bench.run(plan)
    assert (bench.count("acted"), bench.count("each"), bench.has("never"), bench.has("found")) == (1, 1, False, False)


def test_handlers_and_rescues_belong_to_the_plan(bench: Bench) -> None:
    bench.tasks(
        """    - name: File
      ansible.builtin.copy: {content: "a\\n", dest: "{{ here }}/a", mode: "0644"}
      notify: Tell
    - name: Try
      block:
        - name: Act
          ansible.builtin.shell: echo x >> {{ here }}/acted
          notify: [Heard]
      rescue:
        - name: Mend
          ansible.builtin.shell: echo x >> {{ here }}/mended
""",
        more="""  handlers:
    - name: Tell
      ansible.builtin.shell: echo x >> {{ here }}/told
    - name: Listen
      listen: Heard
      ansible.builtin.shell: echo x >> {{ here }}/heard
    - name: Unasked
      ansible.builtin.shell: echo x >> {{ here }}/unasked
""",
    )
    plan = bench.plan()
    told = {task.task: task.kind.value for task in plan.unforeseen}
    assert told == {"Act": "will", "Mend": "if-failed", "Listen": "may", "Tell": "will"}
    bench.run(plan)
    assert [bench.count(name) for name in ("acted", "told", "heard", "mended", "unasked")] == [1, 1, 1, 0, 0]


def test_a_service_that_is_restarted_each_time_is_told_and_not_taken_for_unfinished(bench: Bench) -> None:
    bench.write(
        "playbooks/library/systemd.py",
        "#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n"
        "m = AnsibleModule({'name': {}, 'state': {}}, supports_check_mode=True)\nm.exit_json(changed=True)\n",
    )
    bench.tasks("    - name: Restart\n      systemd: {name: x, state: restarted}\n")
    plan = bench.plan()
    assert (plan.lines, [task.task for task in plan.unforeseen]) == ((), ["Restart"])
    assert "1 ran whose effect nobody can read back: Restart" in bench.run(plan).summary


@pytest.mark.parametrize("hosts", ["webservers", "localhost", "all:!server-01", "server-02"])
def test_a_play_that_leaves_the_server_out_is_refused_by_name(bench: Bench, hosts: str) -> None:
    bench.write(
        "playbooks/p.yml",
        f"- name: Play here\n  hosts: '{hosts}'\n  tasks: [{{ansible.builtin.shell: touch {bench.home}/x}}]\n",
    )
    with pytest.raises((Refused, BadInput), match="hosts"):
        bench.plan()
    assert not bench.has("x")


@pytest.mark.parametrize(
    "tasks",
    [
        "    []\n",
        "    - ansible.builtin.shell: touch {{ here }}/x\n      when: false\n",
        "    - ansible.builtin.debug: {msg: halo}\n",
        "    - ansible.builtin.shell: touch {{ here }}/x\n      tags: never\n",
    ],
)
def test_a_playbook_that_would_do_nothing_is_refused(bench: Bench, tasks: str) -> None:
    bench.tasks(tasks)
    with pytest.raises(Refused, match=r"no task of it would do anything"):
        bench.plan()


def test_what_is_as_wanted_is_done_with_the_number_of_tasks_that_were_checked(bench: Bench) -> None:
    (bench.home / "a").write_text("a\n")
    (bench.home / "a").chmod(0o644)
    bench.tasks('    - ansible.builtin.copy: {content: "a\\n", dest: "{{ here }}/a", mode: "0644"}\n')
    plan = bench.plan()
    assert (plan.lines, plan.unforeseen) == ((), ())
    assert bench.run(plan).summary == "nothing is left to change (1 tasks were checked); nothing was run"


@pytest.mark.parametrize(
    "text",
    [
        "    - ansible.builtin.shell: touch {{ here }}/x\n      check_mode: false\n",
        "    - ansible.builtin.shell: touch {{ here }}/x\n      check_mode: no\n",
        '    - ansible.builtin.shell: touch {{ here }}/x\n      check_mode: "{{ false }}"\n',
        "    - block: [{ansible.builtin.shell: touch {{ here }}/x}]\n      check_mode: off\n",
        "    - ansible.builtin.include_role: {name: own, apply: {check_mode: false}}\n",
        "    - ansible.builtin.import_role: {name: hidden}\n",
        "    - ansible.builtin.shell: touch {{ here }}/x\n      async: 9\n      poll: 0\n",
    ],
)
def test_what_would_run_in_check_mode_is_refused_before_anything_is_sent(bench: Bench, text: str) -> None:
    shell = f"- ansible.builtin.shell: touch {bench.home}/x\n"
    bench.write("roles/own/tasks/main.yml", shell)
    bench.write("roles/hidden/tasks/main.yml", f'{shell}  check_mode: "{{{{ how }}}}"\n')
    bench.write("roles/hidden/defaults/main.yml", "how: false\n")
    bench.tasks(text.replace("{touch", "{'touch").replace("touch {{ here }}/x}]", f"touch {bench.home}/x}}]"))
    bench.server.unplug()
    with pytest.raises(Refused, match=r"check_mode|poll: 0"):
        bench.plan()
    assert not bench.has("x")


def test_a_task_that_nobody_approved_is_stopped_before_it_runs(bench: Bench) -> None:
    bench.tasks(
        """    - name: Ask
      ansible.builtin.shell: touch {{ here }}/asked
    - name: Ask the server
      ansible.builtin.setup: {gather_subset: ["!all", "!min", local], fact_path: "{{ here }}"}
    - name: Strange
      ansible.builtin.shell: touch {{ here }}/strange
      when: lookup('ansible.builtin.first_found', [here ~ '/asked', here ~ '/login', '/dev/null']) != '/dev/null'
"""
    )
    plan = bench.plan()
    with pytest.raises(StepFailed, match=r"Strange .* would run, and the approved plan does not hold it"):
        bench.run(plan)
    assert (bench.has("asked"), bench.has("strange")) == (True, False)


def test_a_change_that_no_plan_told_is_named(bench: Bench) -> None:
    bench.tasks(
        """    - name: Make
      ansible.builtin.shell: touch {{ here }}/made
    - name: Take away
      ansible.builtin.file: {path: "{{ here }}/made", state: absent}
"""
    )
    with pytest.raises(StepFailed, match="Take away changed something that no plan told"):
        bench.run(bench.plan())


def test_a_command_with_other_arguments_than_approved_is_stale(bench: Bench) -> None:
    (bench.home / "name").write_text("a")
    bench.tasks(
        """    - ansible.builtin.slurp: {src: "{{ here }}/name"}
      register: name
    - ansible.builtin.shell: touch {{ here }}/{{ name.content | b64decode }}
"""
    )
    plan = bench.plan()
    (bench.home / "name").write_text("b")
    with pytest.raises(Stale, match="would run otherwise"):
        bench.run(plan)
    assert (bench.has("a"), bench.has("b")) == (False, False)


def test_a_new_file_from_our_side_is_planned_and_run_with_the_same_difference(bench: Bench) -> None:
    bench.write("roles/own/files/neu", "neu\n")
    bench.write("roles/own/templates/t.j2", "{{ here }}\n")
    bench.write(
        "roles/own/tasks/main.yml",
        '- ansible.builtin.copy: {src: neu, dest: "{{ here }}/neu", mode: "0644"}\n'
        '- ansible.builtin.template: {src: t.j2, dest: "{{ here }}/t", mode: "0644"}\n',
    )
    bench.write("playbooks/p.yml", f"{HEAD}  roles: [own]\n")
    plan = bench.plan()
    assert "/tmp/" not in plan.diff.replace(str(bench.home), "")
    assert "a second look finds none left" in bench.run(plan).summary


DATED = """    - name: Keep
      ansible.builtin.copy:
        content: "x\\n"
        dest: "{{ here }}/cadangan-{{ now(fmt='FORM') }}"
        mode: "0644"
"""


def test_a_dated_name_is_refused_at_plan_unless_the_playbook_declares_it(bench: Bench) -> None:
    bench.tasks(DATED.replace("FORM", "%Y%m%d"))
    with pytest.raises(Refused, match=r"differs from day to day.*sopauto_varies"):
        bench.plan()


@pytest.mark.parametrize("name", ["{{ now(fmt='%H%M%S') }}", "{{ 1000000000 | random }}"])
def test_a_name_that_is_another_one_each_time_is_refused_at_plan(bench: Bench, name: str) -> None:
    bench.tasks(DATED.replace("{{ now(fmt='FORM') }}", name))
    with pytest.raises(Refused, match=r"a second look finds another plan.*sopauto_varies"):
        bench.plan()


def test_a_declared_name_is_shown_and_runs_though_it_differs_in_each_second(bench: Bench) -> None:
    vars_ = "  vars:\n    sopauto_varies: [{pattern: 'cadangan-##############', why: the moment}]\n"
    bench.tasks(DATED.replace("FORM", "%Y%m%d%H%M%S"), more=vars_)
    plan = bench.plan()
    assert plan.varies == ("cadangan-############## (the moment)",)
    assert "a second look finds none left" in bench.run(plan).summary
    assert len(list(bench.home.glob("cadangan-*"))) == 1


def test_what_differs_without_a_word_is_stale_before_the_work(bench: Bench) -> None:
    number = bench.home / "number"
    number.write_text("1")
    bench.tasks(
        f"    - {{name: Look, ansible.builtin.slurp: {{src: {number}}}, register: found}}\n"
        + DATED.replace("now(fmt='FORM')", "found.content | b64decode")
    )
    plan = bench.plan()
    number.write_text("2")
    with pytest.raises(Stale, match="declared"):
        bench.run(plan)
    assert not list(bench.home.glob("cadangan-*"))


def test_arguments_that_are_secret_are_not_told(bench: Bench) -> None:
    bench.tasks(
        "    - name: Do\n      ansible.builtin.shell: 'true'\n      no_log: true\n"
        "    - name: User\n      ansible.builtin.uri: {url: 'http://127.0.0.1:9/', url_password: rahasia}\n"
        "      failed_when: false\n"
    )
    one, other = bench.plan().unforeseen
    assert one.arguments == "hidden (no_log)"
    assert "rahasia" not in str(other)


def test_tasks_of_one_line_and_of_one_file_included_twice_are_told_apart(bench: Bench) -> None:
    bench.write("playbooks/t.yml", "- name: Make\n  ansible.builtin.shell: touch {{ here }}/{{ w }}\n  when: go\n")
    bench.tasks(
        """    - {name: A, ansible.builtin.shell: echo x, register: r}
    - {ansible.builtin.include_tasks: t.yml, vars: {w: a, go: true}}
    - {ansible.builtin.include_tasks: t.yml, vars: {w: b, go: "{{ r.stdout | default('') == 'x' }}"}}
    - block: [{name: B, ansible.builtin.shell: echo b}, {name: C, ansible.builtin.shell: echo c, when: r is changed}]
"""
    )
    told = [(task.task, task.kind.value) for task in bench.plan().unforeseen]
    assert told == [("A", "will"), ("Make", "will"), ("Make", "may"), ("B", "will"), ("C", "may")]


def test_what_a_task_is_told_by_an_unknown_result_is_shown_as_it_is_written(bench: Bench) -> None:
    bench.write("playbooks/templates/t.j2", "{{ 'good' if ansible_check_mode else 'bad' }} word\n")
    bench.tasks(
        """    - {name: A, ansible.builtin.shell: echo bad, register: word}
    - {name: B, ansible.builtin.shell: "touch {{ here }}/{{ word.stdout | default('good') }}"}
    - {name: C, ansible.builtin.copy: {content: "{{ x | default('good') }}", dest: "{{ here }}/c"}}
    - {name: D, ansible.builtin.template: {src: t.j2, dest: "{{ here }}/d"}}
    - {name: E, ansible.builtin.copy: {content: word, dest: "{{ here }}/e"}}
""",
        more="  vars: {x: '{{ word.stdout }}'}\n",
    )
    plan = bench.plan()
    told = {task.task: task.arguments for task in plan.unforeseen}
    assert (told.keys(), plan.lines) == ({"A", "B", "C", "D"}, ("E",))
    assert "{{ word.stdout | default('good') }}" in told["B"]
    assert "{{ x | default('good') }}" in told["C"]
    assert "4 ran whose effect nobody can read back" in bench.run(plan).summary
    assert bench.has("bad")


def test_a_failure_that_the_playbook_passes_over_is_told(bench: Bench) -> None:
    bench.tasks("    - {name: Back up, ansible.builtin.shell: exit 3, ignore_errors: true}\n")
    assert "failed, which the playbook passes over: Back up" in bench.run(bench.plan()).summary


def test_a_server_that_did_not_hear_a_task_is_a_failure_also_when_it_is_passed_over(bench: Bench) -> None:
    bench.tasks(
        """    - name: Lose it
      ansible.builtin.set_fact: {ansible_host: 127.0.33.99}
      when: not ansible_check_mode
    - name: Back up
      ansible.builtin.shell: touch {{ here }}/x
      ignore_unreachable: true
"""
    )
    plan = bench.plan()
    with pytest.raises(StepFailed, match="Back up: unreachable"):
        bench.run(plan)
