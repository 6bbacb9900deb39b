"""All that a playbook's run may read is gathered, and what lies elsewhere is refused by name before anything runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sopauto.errors import BadInput, Stale
from sopauto.technical.check_rules import hidden
from sopauto.technical.front_matter import varying
from sopauto.technical.playbook import PlaybookRun, RunPlaybook
from sopauto.technical.run_files import gather, shipped
from sopauto.technical.run_rules import faults
from sopauto.work import Json, Report, WorkOrder, sha256

PARAMETERS: Json = {"server": "server-01", "playbook": "p.yml"}
TASK = "- name: Do\n  ansible.builtin.debug: {msg: x}\n"
PLAY = "- name: Play\n  hosts: all\n"


def play(tasks: str, *, head: str = "") -> str:
    """Return a play of these lines of tasks."""
    return f"{PLAY}{head}  tasks:\n{_indented(tasks)}"


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a role `x` that has a task, a template and a module."""
    workspace = tmp_path / "workspace"
    write(workspace, {f"roles/x/{name}": TASK for name in ("tasks/main.yml", "templates/a.j2", "library/m.py")})
    return workspace


def write(workspace: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(text)


ROLE = {"roles/x/tasks/main.yml", "roles/x/templates/a.j2", "roles/x/library/m.py"}
WAYS_TO_NAME_A_ROLE = {
    "a word": f"{PLAY}  roles: [x]\n",
    "name": f"{PLAY}  roles: [{{name: x}}]\n",
    "role": f"{PLAY}  roles: [{{role: x, tags: y}}]\n",
    "short include": play("- include_role: {name: x}"),
    "short import": play("- import_role: {name: x}"),
    "builtin": play("- ansible.builtin.include_role: {name: x}"),
    "legacy": play("- ansible.legacy.import_role: {name: x}"),
    "one line": play("- include_role: name=x tasks_from=main"),
    "args": play("- include_role:\n  args: {name: x}"),
    "action": play("- action: include_role name=x"),
    "action as a mapping": play("- action: {module: ansible.builtin.include_role, name: x}"),
    "block": play("- block:\n    - include_role: {name: x}"),
    "rescue": play("- block: []\n  rescue:\n    - include_role: {name: x}"),
    "always": play("- block: []\n  always:\n    - block:\n        - include_role: {name: x}"),
    "pre_tasks": f"{PLAY}  pre_tasks:\n    - include_role: {{name: x}}\n",
    "post_tasks": f"{PLAY}  post_tasks:\n    - include_role: {{name: x}}\n",
    "handlers": f"{PLAY}  handlers:\n    - name: h\n      include_role: {{name: x}}\n",
    "made at run time": play("- include_role: {name: '{{ which }}'}"),
}


@pytest.mark.parametrize("way", WAYS_TO_NAME_A_ROLE)
def test_a_role_is_gathered_whole_however_it_is_named(root: Path, way: str) -> None:
    write(root, {"playbooks/p.yml": WAYS_TO_NAME_A_ROLE[way]})
    files = gather([root, root / "none"], "playbooks/p.yml")
    assert files.keys() == {"playbooks/p.yml", *ROLE}
    assert faults(files) == []


def test_roles_of_roles_come_too(root: Path) -> None:
    write(
        root,
        {
            "playbooks/p.yml": f"{PLAY}  roles: [x]\n",
            "roles/x/meta/main.yml": "dependencies: [{name: y}]\n",
            "roles/x/handlers/main.yml": "- import_role: {name: z}\n",
            "roles/x/tasks/deep/more.yml": "- import_role: name=w\n",
            **{f"roles/{name}/tasks/main.yml": TASK for name in "yzw"},
        },
    )
    assert {f"roles/{name}/tasks/main.yml" for name in "xyzw"} < gather([root], "playbooks/p.yml").keys()


BESIDE = {
    "include_tasks": (play("- include_tasks: more.yml"), "more.yml", TASK),
    "import_tasks in one line": (play("- import_tasks: file=more.yml"), "more.yml", TASK),
    "include in a folder": (play("- ansible.builtin.include_tasks: {file: parts/more.yml}"), "parts/more.yml", TASK),
    "with the folder's variable": (play("- include_tasks: '{{ playbook_dir }}/more.yml'"), "more.yml", TASK),
    "import_playbook": ("- import_playbook: more.yml\n", "more.yml", play(TASK)),
    "vars_files": (play(TASK, head="  vars_files: [[more.yml]]\n"), "more.yml", "a: 1\n"),
    "include_vars": (play("- include_vars: {dir: more}"), "more/a.yml", "a: 1\n"),
    "copy": (play("- copy: {src: more.txt, dest: /x}"), "more.txt", "x"),
    "copy from files/": (play("- copy: src=more.txt dest=/x"), "files/more.txt", "x"),
    "template": (play("- template: {src: more.j2, dest: /x}"), "templates/more.j2", "x"),
    "script": (play("- script: more.sh one two"), "more.sh", "true"),
    "lookup": (play("- debug: {msg: \"{{ lookup('file', 'more.txt') }}\"}"), "more.txt", "x"),
    "with_file": (play("- debug: {msg: x}\n  with_file: more.txt"), "more.txt", "x"),
    "group_vars": (play(TASK), "group_vars/all.yml", "a: 1\n"),
    "host_vars": (play(TASK), "host_vars/server-01/x.yml", "a: 1\n"),
    "filter_plugins": (play(TASK), "filter_plugins/more.py", "x = 1\n"),
    "vars_plugins": (play(TASK), "vars_plugins/more.py", "x = 1\n"),
    "library": (play(TASK), "library/more.py", "x = 1\n"),
    "module_utils": (play(TASK), "module_utils/more.py", "x = 1\n"),
    "roles beside": (play("- include_role: {name: near}"), "roles/near/tasks/main.yml", TASK),
    "collections beside": (play(TASK), "collections/ansible_collections/a/b/plugins/modules/m.py", "x = 1\n"),
}


@pytest.mark.parametrize("way", BESIDE)
def test_what_lies_beside_the_playbook_is_gathered_and_part_of_what_is_approved(root: Path, way: str) -> None:
    text, beside, content = BESIDE[way]
    write(root, {"playbooks/p.yml": text, f"playbooks/{beside}": content, "playbooks/other.yml": play(TASK)})
    files = gather([root], "playbooks/p.yml")
    assert files.keys() == {"playbooks/p.yml", f"playbooks/{beside}"}
    assert faults(files) == []


@pytest.mark.parametrize("way", BESIDE)
def test_what_changed_after_the_approval_does_not_run(root: Path, way: str) -> None:
    text, beside, content = BESIDE[way]
    write(root, {"playbooks/p.yml": text, f"playbooks/{beside}": content})
    module = RunPlaybook(Nothing(), roots=[root])
    order = order_for(module)
    write(root, {f"playbooks/{beside}": f"{content}\n# changed\n"})
    with pytest.raises(Stale, match="changed since it was approved"):
        module.apply(order, lambda _: None)


class Nothing:
    """A runner that finds one thing to change."""

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        return PlaybookRun(changes=[], failure=None, log="")


def order_for(module: RunPlaybook) -> WorkOrder:
    plan = module.plan(PARAMETERS, lambda _: None)
    return WorkOrder(
        ticket="ZW-2026-0001",
        step="kerja.2",
        attempt=1,
        person="joko",
        module=module.name,
        parameters=PARAMETERS,
        targets=plan.targets,
        procedure_digest="",
        materials={name: sha256(content) for name, content in module.materials(PARAMETERS).items()},
        plan=plan,
    )


ELSEWHERE = {
    "include_tasks": (play("- include_tasks: /srv/x.yml"), "/srv/x.yml"),
    "include_tasks, legacy": (play("- ansible.legacy.include_tasks: file=/srv/x.yml"), "/srv/x.yml"),
    "import_tasks in a block": (play("- block:\n    - import_tasks: ../../x.yml"), "leads out"),
    "home": (play("- include_tasks: ~/x.yml"), "~/x.yml"),
    "begins elsewhere": (play("- include_tasks: '/srv/{{ x }}.yml'"), "/srv/"),
    "import_playbook": ("- import_playbook: ../x.yml\n", "leads out"),
    "vars_files": (play(TASK, head="  vars_files: [[/srv/x.yml]]\n"), "/srv/x.yml"),
    "include_vars": (play("- include_vars: {dir: /srv}"), "/srv"),
    "copy": (play("- copy: src=/srv/x dest=/x"), "/srv/x"),
    "template": (play("- ansible.builtin.template: {src: ../../x, dest: /x}"), "leads out"),
    "unarchive": (play("- unarchive: {src: /srv/x.tgz, dest: /x}"), "/srv/x.tgz"),
    "assemble": (play("- assemble: {src: /srv/x, dest: /x, remote_src: false}"), "/srv/x"),
    "script": (play("- script: /srv/x.sh"), "/srv/x.sh"),
    "script by args": (play("- script:\n  args: {cmd: /srv/x.sh}"), "/srv/x.sh"),
    "fetch": (play("- fetch: {src: /etc/x, dest: /root/.ssh/}"), "/root/.ssh/"),
    "tasks_from": (play("- include_role: {name: x, tasks_from: ../../../x}"), "leads out"),
    "role by path": (f"{PLAY}  roles: [/srv/x]\n", "/srv/x"),
    "role in a home": (play("- include_role: {name: ~/x}"), "~/x"),
    "role of a collection": (play("- include_role: {name: a.b.r}"), "collection a.b"),
    "role of a collection, listed": (f"{PLAY}  roles: [a.b.r]\n", "collection a.b"),
    "module of a collection": (play("- community.general.ufw: {state: enabled}"), "collection community.general"),
    "action of a collection": (play("- action: community.general.ufw state=enabled"), "collection community.general"),
    "filter of a collection": (play("- debug: {msg: '{{ 1 | a.b.f }}'}"), "collection a.b"),
    "lookup of a collection": (play("- debug: {msg: \"{{ lookup('a.b.l') }}\"}"), "collection a.b"),
    "collections": (play(TASK, head="  collections: [a.b]\n"), "collection a.b"),
    "lookup file": (play("- debug: {msg: \"{{ lookup('file', '/srv/x') }}\"}"), "/srv/x"),
    "lookup, long name": (play("- debug: {msg: \"{{ query('ansible.builtin.template', '~/x') }}\"}"), "~/x"),
    "lookup ini": (
        play("- debug: {msg: \"{{ lookup('ini', 'a section=b', file='c') }}{{ q('file', '../../x') }}\"}"),
        "../../x",
    ),
    "lookup pipe": (play("- debug: {msg: \"{{ lookup('pipe', 'id') }}\"}"), "runs a command"),
    "lookup url": (play("- debug: {msg: \"{{ lookup('url', 'http://x') }}\"}"), "network"),
    "lookup env": (play("- debug: {msg: \"{{ lookup('env', 'X') }}\"}"), "environment"),
    "with_lines": (play("- debug: {msg: x}\n  with_lines: id"), "runs a command"),
    "with_fileglob": (play("- debug: {msg: x}\n  with_fileglob: [/srv/*]"), "/srv/*"),
    "delegate_to": (play("- name: Here\n  command: id\n  delegate_to: localhost"), "'Here' runs elsewhere"),
    "local_action": (play("- local_action: command id"), "runs on this machine"),
    "connection": (play(TASK, head="  connection: local\n"), "does not run over SSH"),
    "hosts": ("- hosts: all,localhost\n  tasks: []\n", "runs on this machine"),
    "add_host": (play("- add_host: name=y"), "another machine"),
    "vars": (play("- debug: {}\n  vars: {ansible_connection: local}"), "ansible_connection"),
    "set_fact": (play("- set_fact: ansible_ssh_args=x"), "ansible_ssh_args"),
    "uri": (play("- uri: {url: 'http://x', src: /srv/x}"), "/srv/x"),
    "test of a file": (play("- debug: {}\n  when: \"'/srv/x' is not exists\""), "files of this machine"),
    "test in an expression": (play("- debug: {msg: \"{{ '/srv/x' is file }}\"}"), "files of this machine"),
    "test in an assertion": (play("- assert: {that: [\"'/srv/x' is directory\"]}"), "files of this machine"),
    "pause": (play("- pause: {prompt: Go on?}"), "waits for a person"),
    "debug strategy": (play(TASK, head="  strategy: debug\n"), "waits for a person"),
    "vars_prompt": (play(TASK, head="  vars_prompt: [{name: x}]\n"), "waits for a person"),
}


@pytest.mark.parametrize("way", ELSEWHERE)
def test_what_lies_elsewhere_is_refused_by_name_at_plan(root: Path, way: str) -> None:
    text, told = ELSEWHERE[way]
    write(root, {"playbooks/p.yml": text})
    with pytest.raises(BadInput) as caught:
        RunPlaybook(Nothing(), roots=[root]).plan(PARAMETERS, lambda _: None)
    assert told in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.startswith("playbooks/p.yml")


@pytest.mark.parametrize("way", ["group_vars/all.yml", "host_vars/server-01.yml"])
def test_variables_beside_the_playbook_do_not_choose_another_machine(root: Path, way: str) -> None:
    write(root, {"playbooks/p.yml": play(TASK), f"playbooks/{way}": "a: 1\nansible_host: 192.0.2.1\n"})
    with pytest.raises(BadInput, match="ansible_host"):
        RunPlaybook(Nothing(), roots=[root]).plan(PARAMETERS, lambda _: None)


def test_files_that_the_server_reads_itself_are_no_concern_of_this_machine(root: Path) -> None:
    tasks = """\
- copy: {src: /etc/a, dest: /etc/b, remote_src: true}
- unarchive: src=/srv/x.tgz dest=/srv remote_src=yes
- assemble: {src: /etc/x.d, dest: /etc/x}
- file: {src: /usr/share/zoneinfo/UTC, dest: /etc/localtime, state: link}
- command: cat /etc/hosts
- ansible.posix_like: {a: 1}
- ansible.builtin.command: id
  delegate_to: "{{ inventory_hostname }}"
- pause: {seconds: 1}
- name: This is file x, and it is directory y
  debug: {msg: x}
- ansible.builtin.sysctl_like: {net.ipv4.ip_forward: 1}
"""
    write(root, {"playbooks/p.yml": play(tasks, head="  vars: {s: {net.ipv4.ip_forward: 1}}\n")})
    assert faults(gather([root], "playbooks/p.yml")) == []


def test_a_collection_of_the_workspace_is_carried(root: Path) -> None:
    module = "collections/ansible_collections/a/b/plugins/modules/m.py"
    write(root, {"playbooks/p.yml": play("- a.b.m: {}"), module: "x = 1\n"})
    files = gather([root], "playbooks/p.yml")
    assert module in files
    assert faults(files) == []


@pytest.mark.parametrize(
    "link", ["playbooks/p.yml", "playbooks/files", "roles/x/tasks/more.yml", "roles/x/files", "roles/x"]
)
def test_a_link_that_leads_out_of_the_workspace_is_refused(root: Path, tmp_path: Path, link: str) -> None:
    write(root, {"playbooks/p.yml": f"{PLAY}  roles: [x]\n"})
    outside = tmp_path / "outside"
    write(outside, {"a/p.yml": TASK, "a/tasks/main.yml": TASK})
    path = root / link
    if path.is_dir():
        path.rename(tmp_path / "moved")
    path.unlink(missing_ok=True)
    path.symlink_to(outside / "a" / ("p.yml" if link.endswith(".yml") else ""))
    with pytest.raises(BadInput, match="leads out of"):
        gather([root], "playbooks/p.yml")


def test_what_cannot_be_told_is_refused(root: Path) -> None:
    write(root, {"playbooks/p.yml": f"{PLAY}  roles: [x]\n"})
    (root / "roles/x/files").mkdir()
    (root / os.fsdecode(b"roles/x/files/\xff")).write_text("x")
    with pytest.raises(BadInput, match="no file name that can be told"):
        gather([root], "playbooks/p.yml")


def test_a_link_inside_the_workspace_is_followed(root: Path) -> None:
    write(root, {"playbooks/p.yml": f"{PLAY}  roles: [x]\n"})
    (root / "playbooks" / "roles").symlink_to("../roles")
    assert "playbooks/roles/x/tasks/main.yml" in gather([root], "playbooks/p.yml")


def test_a_role_that_is_missing_is_told_with_the_line_that_names_it(root: Path) -> None:
    write(root, {"playbooks/p.yml": f"{PLAY}  roles:\n    - x\n    - y\n"})
    with pytest.raises(BadInput, match="there is no role y") as caught:
        gather([root], "playbooks/p.yml")
    assert caught.value.where == "playbooks/p.yml:5"


@pytest.mark.parametrize("playbook", sorted(path.name for path in (shipped() / "playbooks").glob("*.yml")))
def test_shipped_playbooks_ask_for_nothing_else(playbook: str) -> None:
    assert faults(gather([shipped()], f"playbooks/{playbook}")) == []


SEEN_BY_ANSIBLE = {
    "roles/x/defaults/main.yml": "{a: 1, ansible_connection: local}\n",
    "roles/x/vars/main": "ansible_connection: local\n",
    "playbooks/host_vars/server-01": "ansible_connection: local\n",
    "roles/x/tasks/more": "- shell: id\n  delegate_to: localhost\n",
}


@pytest.mark.parametrize("name", SEEN_BY_ANSIBLE)
def test_variables_and_tasks_are_read_without_an_ending_and_on_one_line_too(root: Path, name: str) -> None:
    write(root, {"playbooks/p.yml": f"{PLAY}  roles: [x]\n", name: SEEN_BY_ANSIBLE[name]})
    assert [fault.where.partition(":")[0] for fault in faults(gather([root], "playbooks/p.yml"))] == [name]


def test_a_task_without_an_ending_is_not_hidden_from_what_a_plan_refuses(root: Path) -> None:
    write(root, {"playbooks/p.yml": f"{PLAY}  roles: [x]\n", "roles/x/tasks/more": "- shell: id\n  check_mode: no\n"})
    assert [where for where, _, _ in hidden(gather([root], "playbooks/p.yml"))] == ["roles/x/tasks/more:2"]


@pytest.mark.parametrize("variables", ["sopauto_varies", "[sopauto_varies]", "~"])
def test_variables_that_are_no_mapping_declare_nothing(variables: str) -> None:
    assert varying(f"{PLAY}  vars: {variables}\n".encode(), "p.yml") == ()


@pytest.mark.parametrize("pattern", ["   ????????", "########", "abc"])
def test_a_pattern_that_stands_for_anything_is_refused(pattern: str) -> None:
    text = f"{PLAY}  vars: {{sopauto_varies: [{{pattern: '{pattern}', why: x}}]}}\n"
    with pytest.raises(BadInput, match="characters that stand for themselves"):
        varying(text.encode(), "p.yml")


def test_an_error_tells_the_beginning_of_a_long_name(root: Path) -> None:
    write(root, {"playbooks/p.yml": play(f"- name: {'x' * 9999}\n  shell: id\n  delegate_to: other")})
    (fault,) = faults(gather([root], "playbooks/p.yml"))
    assert len(fault.what) < 200
