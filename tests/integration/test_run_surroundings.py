"""A run reads its own folder, this environment and the operating system; who starts it, and where, decides nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.loopback import LoopbackServer
from lab.workspace import make_key, public_half
from sopauto.drivers.playbook import Ansible
from sopauto.drivers.run_folder import run_folder
from sopauto.settings import Credentials
from sopauto.technical.playbook import PlaybookRun

ROOT = Path(__file__).parents[2]
PLAYBOOK = """\
- name: Play
  hosts: all
  gather_facts: false
  vars_files: [more.yml]
  roles: [x]
"""
ROLE = """\
- name: Write it
  ansible.builtin.copy:
    content: "{{ said }} {{ lookup('file', 'said.txt') | loud }} {{ '%Z' | strftime }}\\n"
    dest: TARGET
    mode: "0644"
"""
OPENSSL = "/opt/pyca/cryptography/openssl/openssl.cnf"
FILTERS = "class FilterModule:\n    def filters(self):\n        return {'loud': lambda text: text.upper()}\n"
CHILD = """\
import json, os, sys
given = json.loads(open(sys.argv[1]).read())
if "umask" in given:
    os.umask(given["umask"])
from pathlib import Path
from sopauto.drivers.playbook import Ansible
from sopauto.errors import SopautoError
from sopauto.settings import Credentials
from sopauto.technical.playbook import RunPlaybook
from sopauto.work import WorkOrder, sha256
login = {"user": given["user"], "key_file": Path(given["key"]), "python": sys.executable}
logins = {"servers": Credentials(sudo_password_env=given.get("sudo"), **login)}
module = RunPlaybook(Ansible(credentials=logins, zone="Asia/Jakarta"), roots=[Path(given["root"])])
try:
    plan = module.plan(given["parameters"], lambda line: print(line, file=sys.stderr, flush=True))
    materials = {name: sha256(content) for name, content in module.materials(given["parameters"]).items()}
    order = WorkOrder(ticket="T", step="s", attempt=1, person="p", module=module.name, parameters=given["parameters"],
                      targets=plan.targets, procedure_digest="", materials=materials, plan=plan)
    result = module.apply(order, lambda line: None)
    print(json.dumps([order.digest, plan.digest, result.changed, result.summary]))
except SopautoError as error:
    print(json.dumps(str(error)))
"""


@dataclass(slots=True)
class Place:
    """A workspace, a server, and a home of somebody who means no good."""

    base: Path
    server: LoopbackServer
    key: Path

    @property
    def root(self) -> Path:
        return self.base / "workspace"

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def mark(self) -> Path:
        """The file that foreign code leaves."""
        return self.base / "foreign-code-ran"

    def write(self, folder: Path, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def parameters(self) -> dict[str, Any]:
        return {
            "server": "server-01",
            "address": self.server.host,
            "port": self.server.port,
            "host_key": self.server.host_key,
            "credentials": "servers",
            "playbook": "p.yml",
        }

    def command(self, **further: Any) -> list[str]:
        given = {
            "user": self.server.user,
            "key": str(self.key),
            "root": str(self.root),
            "parameters": self.parameters(),
            **further,
        }
        (self.base / "given.json").write_text(json.dumps(given))
        (self.base / "child.py").write_text(CHILD)
        return [sys.executable, str(self.base / "child.py"), str(self.base / "given.json")]

    def run(self, *, environment: Mapping[str, str] | None = None, cwd: Path | None = None, **further: Any) -> Any:
        (self.base / "target").unlink(missing_ok=True)
        ended = subprocess.run(
            self.command(**further), capture_output=True, text=True, check=False, env=environment, cwd=cwd
        )
        assert ended.stdout, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    key = make_key(tmp_path / "login")
    with LoopbackServer(authorized=public_half(key), host="127.0.33.11") as server:
        found = Place(tmp_path, server, key)
        files = {
            "playbooks/p.yml": PLAYBOOK,
            "playbooks/more.yml": "said: halo\n",
            "roles/x/tasks/main.yml": ROLE.replace("TARGET", str(tmp_path / "target")),
            "roles/x/files/said.txt": "semua",
            "roles/x/filter_plugins/loud.py": FILTERS,
        }
        found.write(found.root, files)
        yield found


def hostile(place: Place) -> dict[str, str]:
    """Fill a home and a directory with foreign roles, plugins and settings; return an environment that points there."""
    code = f"open({str(place.mark)!r}, 'a').write(__name__ + chr(10))\n"
    kinds = ("vars", "action", "filter", "lookup", "callback", "modules", "module_utils", "strategy", "connection")
    names = {"action": "copy", "modules": "copy", "connection": "ssh", "strategy": "linear"}
    plugins = {f".ansible/plugins/{kind}/{names.get(kind, 'foreign')}.py": code for kind in kinds}
    configuration = f"[defaults]\nroles_path = {place.home}/.ansible/roles\n[tags]\nskip = all\n"
    role = f"- name: Foreign\n  ansible.builtin.copy: {{content: foreign, dest: {place.base}/target, mode: '0644'}}\n"
    place.write(
        place.home,
        {
            ".ansible.cfg": configuration,
            **plugins,
            ".ansible/roles/x/tasks/main.yml": role,
            ".ansible/roles/y/tasks/main.yml": role,
            ".ansible/collections/ansible_collections/a/b/roles/r/tasks/main.yml": role,
            "python/ansible/__init__.py": code,
            "python/start.py": code,
            "callbacks/awx_display.py": code,
        },
    )
    here = {"ansible.cfg": configuration, "roles/x/tasks/main.yml": role, "filter_plugins/foreign.py": code}
    place.write(place.base / "here", here)
    return {
        **os.environ,
        "HOME": str(place.home),
        "ANSIBLE_CONFIG": str(place.home / ".ansible.cfg"),
        "ANSIBLE_RUN_TAGS": "x",
        "ANSIBLE_ROLES_PATH": str(place.home / ".ansible/roles"),
        "ANSIBLE_FILTER_PLUGINS": str(place.home / ".ansible/plugins/filter"),
        "ANSIBLE_CALLBACK_PLUGINS": str(place.home / ".ansible/plugins/callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "foreign",
        "ANSIBLE_LIBRARY": str(place.home / ".ansible/plugins/modules"),
        "ANSIBLE_STRATEGY": "free",
        "ANSIBLE_CHECK_MODE_MARKERS": "true",
        "ANSIBLE_DIFF_ALWAYS": "false",
        "AWX_LIB_DIRECTORY": str(place.home / "callbacks"),
        "PYTHONPATH": str(place.home / "python"),
        "PYTHONSTARTUP": str(place.home / "python/start.py"),
        "TZ": "Pacific/Kiritimati",
        "LANG": "tr_TR.UTF-8",
        "LC_ALL": "C",
    }


def test_who_starts_it_where_and_how_decides_nothing(place: Place) -> None:
    plain = place.run()
    written = (place.base / "target").read_text()
    assert written == "halo SEMUA WIB\n"
    there = place.run(environment=hostile(place), cwd=place.base / "here", umask=0o777)
    assert there == plain
    assert plain[2:] == [True, "1 tasks changed server-01; a second look finds none left"]
    assert (place.base / "target").read_text() == written
    assert not place.mark.exists()


@pytest.mark.parametrize("role", ["y", "a.b.r"])
def test_a_role_of_a_home_is_not_there(place: Place, role: str) -> None:
    place.write(place.root, {"playbooks/p.yml": PLAYBOOK.replace("[x]", f"[{role}]")})
    told = place.run(environment=hostile(place), cwd=place.base / "here")
    assert role.rpartition(".")[0] in told
    assert not (place.base / "target").exists()


def test_a_run_opens_its_own_folder_this_environment_and_the_operating_system(
    place: Place, need: Callable[[str], str]
) -> None:
    log = place.base / "strace.log"
    command = [need("strace"), "-f", "-qq", "-e", "trace=open,openat,execve,clone,clone3,fork,vfork", "-s", "4096"]
    ended = subprocess.run(
        [*command, "-o", str(log), *place.command()], capture_output=True, text=True, env=hostile(place), check=False
    )
    assert json.loads(ended.stdout)[2] is True
    runs = list(opened(log.read_text(errors="replace")))
    assert len(runs) == 4  # planned, looked at, run, looked at again
    for folder, paths in runs:
        assert any(path.startswith(f"{folder}/project/roles/x/") for path in paths)
        found = strange(paths, folder=folder, key=place.key)
        assert found == [], "\n".join(found)


def test_the_same_look_finds_what_plain_ansible_reads_of_a_home(place: Place, need: Callable[[str], str]) -> None:
    log = place.base / "strace.log"
    ansible = f"{sysconfig.get_path('scripts')}/ansible-playbook"
    place.write(place.root, {"playbooks/p.yml": PLAYBOOK.replace("[x]", "[y]")})
    environment = {**os.environ, "HOME": hostile(place)["HOME"]}
    command = [need("strace"), "-f", "-qq", "-e", "trace=open,openat,execve,clone,clone3,fork,vfork", "-s", "4096"]
    subprocess.run(
        [*command, "-o", str(log), sys.executable, ansible, "--list-tasks", f"{place.root}/playbooks/p.yml"],
        capture_output=True,
        env=environment,
        check=False,
    )
    paths = re.findall(r'open(?:at)?\([^"]*"([^"]+)"', log.read_text(errors="replace"))
    found = strange(paths, folder="/nowhere", key=place.key)
    assert f"{place.home}/.ansible/roles/y/tasks/main.yml" in found


def opened(log: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each run's folder, and the paths that its `ansible-playbook` and all below that opened or started."""
    runs: dict[str, tuple[str, list[str]]] = {}
    for line in log.splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        started = re.match(r'execve\(.*/keeper\.py".*/guard\.py", "([^"]+)"', call)
        if started:
            runs[pid] = (started[1], [])
        if pid not in runs:
            continue
        child = re.search(r"(?:clone3?|v?fork)\b.*=\s*(\d+)", call)
        if child:
            runs[child[1]] = runs[pid]
        path = re.match(r'(?:openat\(AT_FDCWD, |open\(|execve\()"([^"]+)"', call)
        if path:
            runs[pid][1].append(path[1])
    folders = dict(runs.values())
    yield from folders.items()


def strange(paths: list[str], *, folder: str, key: Path) -> list[str]:
    """Return the paths that are neither the run's, nor this environment's, nor the operating system's."""
    environment = (sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix), str(ROOT / "sopauto"))
    system = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/sys", "/dev")
    allowed = tuple(f"{os.path.normpath(path)}/" for path in (folder, *environment, *system))
    foreign = ("/etc/ansible/", "/usr/share/ansible/", f"{ROOT}/roles/", f"{ROOT}/playbooks/")
    # OpenSSL's configuration where the wheel of `cryptography` was built, and the clock of libuuid, are never ours.
    own = {str(key), f"{key}-cert", f"{key}-cert.pub", f"{key}.pub", "/", folder, OPENSSL, "/var/lib/libuuid/clock.txt"}
    return sorted(
        {
            path
            for path in paths
            if path.startswith("/") and path not in own
            if not f"{os.path.normpath(path)}/".startswith(allowed) or path.startswith(foreign)
        }
    )


def _looks_up(terms: str) -> str:
    return '- debug: {msg: "{{ lookup(' + terms + ') }}"}'


SLY = {
    "tasks": "- include_tasks: '{{ where }}'",
    "a role": "- include_role: {name: '{{ where }}'}",
    "variables": "- include_vars: '{{ where }}'",
    "a file": "- copy: {src: '{{ where }}', dest: /tmp/never, mode: '0600'}",
    "a file, ignored": _looks_up("'file', where, errors='ignore'") + "\n  ignore_errors: true",
    "a command": _looks_up("which, 'id'"),
    "the network": _looks_up("'ur' ~ 'l', 'http://127.0.33.11:1/'"),
    "this machine": "- set_fact: {'{{ conn }}': local}\n- command: id",
    "other options": "- set_fact: {'{{ args }}': '-o StrictHostKeyChecking=no'}\n- raw: id",
    "a program of ssh": "- set_fact: {'{{ args }}': \"{{ ours }} -o ProxyCommand='touch /tmp/never'\"}\n- raw: id",
    "a connection of somebody": "- set_fact: {'{{ args }}': '{{ ours }} -oControlPath=/tmp/never'}\n- raw: id",
    "another program": "- set_fact: {'{{ exe }}': /bin/sh}\n- raw: id",
    "fetching": "- fetch: {src: /etc/hostname, dest: '{{ where }}/', flat: true}",
}


@pytest.mark.parametrize("way", SLY)
def test_what_only_shows_at_run_time_is_refused_by_the_guard(place: Place, way: str) -> None:
    """Its names are made from variables, so that no reading of the playbook finds them."""
    outside = place.base / "outside.yml"
    outside.write_text("- name: Foreign\n  ansible.builtin.debug: {msg: foreign}\n")
    where = place.base / "outside" if way == "a role" else outside
    (place.base / "outside" / "tasks").mkdir(parents=True)
    (place.base / "outside" / "tasks" / "main.yml").write_text(outside.read_text())
    tasks = "".join(f"    {line}\n" for line in SLY[way].splitlines())
    names = {"conn": "connection", "args": "ssh_args", "exe": "ssh_executable"}
    ours = "'{{ ansible_ssh_common_args }}'"
    variables = {
        "where": str(where),
        "which": "pipe",
        "ours": ours,
        **{name: f"ansible_{v}" for name, v in names.items()},
    }
    head = "- name: Play\n  hosts: all\n  gather_facts: false\n"
    said = "".join(f"    {name}: {value}\n" for name, value in variables.items())
    run = play(place, f"{head}  vars:\n{said}  tasks:\n{tasks}", check=False)
    assert "no part of what was approved" in str(run.failure)
    assert not list(Path("/tmp").glob("never"))


def play(place: Place, playbook: str, **how: Any) -> PlaybookRun:
    logins = {"servers": Credentials(user=place.server.user, key_file=place.key, python=sys.executable)}
    files = {"playbooks/p.yml": playbook.encode()}
    return Ansible(credentials=logins).run("playbooks/p.yml", files, place.parameters(), report=lambda _: None, **how)


def test_a_new_login_is_proven_from_a_run(place: Place) -> None:
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for name in ("rollback", "file_tree")
        for path in (ROOT / "roles" / name).rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    head = "- name: Play\n  hosts: all\n  gather_facts: false\n  tasks:\n"
    files["playbooks/p.yml"] = f"{head}    - include_role: {{name: rollback, tasks_from: confirm}}\n".encode()
    logins = {"servers": Credentials(user=place.server.user, key_file=place.key, python=sys.executable)}
    driver = Ansible(credentials=logins)
    run = driver.run("playbooks/p.yml", files, place.parameters(), check=False, report=lambda _: None)
    assert ("Log in anew, on a connection of its own", "ok") in [(task.task, task.how) for task in run.tasks]
    # No timer was armed on this server.
    assert str(run.failure).startswith("Disarm the timer")


def test_a_killed_run_leaves_no_secret_on_disk_and_its_folder_goes_with_the_next(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place.server.delay = 20
    # A short one: OpenSSH's sockets are below it.
    temporary = tmp_path_factory.getbasetemp().parent / "t"
    temporary.mkdir(exist_ok=True)
    secret = "rahasia-sekali"
    environment = {**os.environ, "SUDO_PW": secret, "ANSIBLE_FOREIGN": secret, "TMPDIR": str(temporary)}
    child = subprocess.Popen(place.command(sudo="SUDO_PW"), env=environment, stdout=subprocess.PIPE)
    until = time.monotonic() + 60
    while not [command for command in place.server.commands if "python" in command] and time.monotonic() < until:
        time.sleep(0.1)
    (folder,) = temporary.glob("sop-*")
    assert list(folder.glob("artifacts/*/command"))
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    holding = [path for path in temporary.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert holding == []
    keeper = int((folder / "keeper.pid").read_text())
    while Path(f"/proc/{keeper}").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert folder.exists()
    place.server.delay = 0
    place.run(environment={**os.environ, "TMPDIR": str(temporary)})
    assert list(temporary.glob("sop-*")) == []


def test_a_living_run_keeps_its_folder() -> None:
    with run_folder({"playbooks/p.yml": b"x"}) as first, run_folder({}) as second:
        assert (first / "project/playbooks/p.yml").read_bytes() == b"x"
        assert (first / "project/playbooks/p.yml").stat().st_mode & 0o777 == 0o644
        assert first.stat().st_mode & 0o777 == second.stat().st_mode & 0o777 == 0o700
    assert not first.exists()


def test_a_secret_in_the_name_of_a_task_is_masked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN_PW", "rahasia")
    told: list[str] = []
    logins = {
        "servers": Credentials(
            user=place.server.user, key_file=place.key, python=sys.executable, password_env="LOGIN_PW"
        )
    }
    head = "- name: Play\n  hosts: all\n  gather_facts: false\n  tasks:\n"
    text = f"{head}    - name: Use rahasia\n      ansible.builtin.raw: 'true'\n"
    files = {"playbooks/p.yml": text.encode()}
    driver = Ansible(credentials=logins)
    run = driver.run("playbooks/p.yml", files, place.parameters(), check=False, report=told.append)
    assert [change.task for change in run.changes] == ["Use ********"]
    assert "rahasia" not in f"{told} {run.log} {run.tasks}"
