"""What a playbook reads is what an official approved; what lies elsewhere, and who starts it, decides nothing."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.office import Office

PLAYBOOK = "playbooks/tulis_berkas.yml"
PROCEDURE = "procedures/zona.yaml"


def include(office: Office, path: str) -> None:
    """Let the playbook take its tasks from a file."""
    head, _, tasks = (office.home / PLAYBOOK).read_text().partition("  tasks:\n")
    office.edit(PLAYBOOK, lambda _: f"{head}  tasks:\n    - ansible.builtin.include_tasks: {path}\n")
    beside = "".join(f"{line[4:]}\n" for line in tasks.splitlines())
    (office.home / "playbooks" / Path(path).name).write_text(beside)


def test_what_a_playbook_includes_is_part_of_what_is_approved(
    office_with_playbook: tuple[Office, str], tmp_path: Path
) -> None:
    office, ticket = office_with_playbook
    include(office, "more.yml")
    office.plan_and_approve(ticket)
    office.edit("playbooks/more.yml", lambda text: text.replace("0644", "0666"))
    answer = office.inv("ticket.run", ticket, as_="joko", expect=3)
    assert "file playbooks/more.yml changed" in answer.stderr
    assert not (tmp_path / "target").exists()


def test_what_lies_elsewhere_is_named_by_the_check_and_by_the_plan(office_with_playbook: tuple[Office, str]) -> None:
    office, ticket = office_with_playbook
    assert "sound" in office.inv("sop.check", str(office.home / PROCEDURE)).stdout
    include(office, "/srv/more.yml")
    told = "playbooks/tulis_berkas.yml:5: reads /srv/more.yml, which lies outside of what is approved"
    assert told in office.inv("sop.check", str(office.home / PROCEDURE), expect=2).stdout
    assert told in office.inv("sop.check", "all", expect=2).stdout
    office.edit(PLAYBOOK, lambda text: text.replace("/srv/more.yml", "more.yml\n      check_mode: false"))
    assert "check_mode: false would change" in office.inv("sop.check", "all", expect=2).stdout
    office.edit(PLAYBOOK, lambda text: text.replace("more.yml\n      check_mode: false", "/srv/more.yml"))
    assert told in office.inv("ticket.plan", ticket, as_="joko", expect=2).stderr


def test_settings_of_whoever_starts_it_decide_nothing(office_with_playbook: tuple[Office, str], tmp_path: Path) -> None:
    office, ticket = office_with_playbook
    home = tmp_path / "somebody"
    (home / ".ansible" / "plugins" / "vars").mkdir(parents=True)
    (home / ".ansible.cfg").write_text("[tags]\nskip = all\n")
    (home / ".ansible" / "plugins" / "vars" / "foreign.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
    office.environment = {**office.environment, "HOME": str(home), "ANSIBLE_RUN_TAGS": "x", "TZ": "Asia/Tokyo"}
    office.inv("ticket.run", ticket, as_="joko")
    assert (tmp_path / "target").read_text() == "halo\n"
    assert not (tmp_path / "mark").exists()
