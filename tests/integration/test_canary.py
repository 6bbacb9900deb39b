"""A canary over every value that reaches Ansible: all hostile at once, on plan and run, in the roles' own files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from sopauto.servers.parameters import harden, provision
from sopauto.servers.profiles import Profile, Waiver
from sopauto.software.steps import Install
from tests.integration.test_playbooks import ROOT, Stage, stage
from tests.unit.canary.examples import PROFILE, SOFTWARE, WAIVER
from tests.unit.canary.hostile import poisoned, texts
from tests.unit.documents import occasions

__all__ = ["stage"]

ROLES = ("provision", "hardening", "rollback", "software")
TODAY = date(2026, 11, 26)
SHOW = """\
- name: Read the controls
  ansible.builtin.include_vars: "{{ item }}"
  loop: "{{ query('ansible.builtin.fileglob', role_path ~ '/vars/controls.yml') }}"

- name: Show {{ told | to_json }}
  ansible.builtin.debug:
    msg: "{{ told }}"
  when: told | length > 0 and told | string != ''

- name: Render
  ansible.builtin.copy:
    content: "{{ query('ansible.builtin.template', *TEMPLATES) | join }}"
    dest: TARGET/ROLE.txt

- name: Keep
  ansible.builtin.copy:
    content: "{{ told | to_json }}"
    dest: TARGET/ROLE.json
"""


ONCE = """
- name: Take apart
  ansible.builtin.assert:
    that: item.key | length > 0 and item.value | to_json | length > 0
    success_msg: "{{ item.value | string }}"
  loop: "{{ told | dict2items }}"
  loop_control:
    label: "{{ item.key }} {{ item.value }}"

- name: Hand over
  ansible.builtin.command:
    argv: "{{ ['true'] + (told.values() | map('to_json') | list) + telling }}"
  changed_when: false
"""
"""What need not be repeated in each role."""


def handed_over(text: str) -> dict[str, Any]:
    """Return the variables of new servers and of software, with the text in each text that an agency writes."""
    waiver = Waiver.model_validate(WAIVER)
    profile = poisoned(Profile.model_validate(PROFILE), text, spare=frozenset({"administrators", "open_ports"}))
    people = poisoned(occasions.people(), text, spare=frozenset({"Person.id", "holdings"}))
    profile = profile.model_copy(update={"administrators": (occasions.HOLDERS["kadis"],)})
    found = provision(text, profile, people, TODAY) | harden(profile, [poisoned(waiver, text)])
    return found | software(text)


def software(text: str) -> dict[str, Any]:
    """Return what the stage `install` hands over."""
    seen: dict[str, Any] = {}

    class Seeing:
        def run(self, playbook: str, files: Mapping[str, bytes], parameters: Any, **_: Any) -> Any:
            seen.update(parameters["variables"])

    order = poisoned({"entry": SOFTWARE, "settings": {"a": "b"}, "software": "x"}, text)
    Install(cast(Any, Seeing()), roots=[ROOT], shelf=cast(Any, None))._run(order, {}, lambda _: None, check=True)
    return seen


def files_of(role: str, target: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield a role's own defaults, variables and templates, with tasks that show and render all of them."""
    root = ROOT / "roles" / role
    for path in root.rglob("*"):
        if path.is_file() and path.relative_to(root).parts[0] in {"defaults", "vars", "templates"}:
            yield f"roles/{role}/{path.relative_to(root)}", path.read_bytes()
    found = sorted(str(path.relative_to(root / "templates")) for path in (root / "templates").rglob("*.j2"))
    tasks = SHOW.replace("TARGET", str(target)).replace("ROLE", role).replace("TEMPLATES", str(found))
    yield f"roles/{role}/tasks/main.yml", (tasks + (ONCE if role == ROLES[0] else "")).encode()


@pytest.mark.parametrize("check", [True, False], ids=["plan", "run"])
def test_no_value_that_reaches_ansible_is_more_than_text(stage: Stage, tmp_path: Path, check: bool) -> None:
    found = texts(tmp_path / "canary")
    text = f"{found['templates']}{found['lines']}{found['terminal']}"
    variables = handed_over(text)
    names = sorted(variables)
    target = tmp_path / "out"
    target.mkdir()
    for role in ROLES:
        stage.further |= dict(files_of(role, target, names))
    told = "{{ dict(telling | zip(query('ansible.builtin.vars', *telling))) }}"
    play = {"vars": {"told": told, "telling": names}, "roles": ROLES}
    stage.roles = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in play.items())
    run = stage.play("    []\n", check=check, variables=variables)
    assert not (tmp_path / "canary").exists()
    assert run.failure is None
    if check:
        assert len(run.changes) == 2 * len(ROLES)
        return
    for role in ROLES:
        assert json.loads((target / f"{role}.json").read_text()) == json.loads(json.dumps(variables))
    rendered = (target / "hardening.txt").read_text()
    assert "".join(text.split())[:200] in "".join(rendered.split())
