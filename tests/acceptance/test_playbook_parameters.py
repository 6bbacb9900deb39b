"""What an SOP may tell `playbook.run`: its playbook, variables and login; the rest is the ticket's."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.office import Office

STATED = "{playbook: tulis_berkas.yml, variables: {isi: halo}}"


def test_a_playbook_is_told_what_it_knows_and_reads_its_variables_as_they_were_written(
    office_with_playbook: tuple[Office, str], tmp_path: Path
) -> None:
    office, _ = office_with_playbook
    sop, letter = office.home / "procedures" / "zona.yaml", str(office.home / "letter.yaml")
    sound, canary = sop.read_text(), tmp_path / "canary"

    def state(parameters: str) -> None:
        assert STATED in sound
        sop.write_text(sound.replace(STATED, parameters))

    for further, told in (
        ("server: web-02", "playbook.run has no parameter 'server'; known: login, playbook, variables"),
        ("variables: {ansible_host: 127.0.0.9}", "ansible_host says how a server is reached"),
        ("variables: {ansible_ssh_common_args: -o StrictHostKeyChecking=no}", "ansible_ssh_common_args says how"),
        ("variables: {inventory_hostname: web-02}", "a word of Ansible's own"),
    ):
        state(f"{{playbook: tulis_berkas.yml, {further}}}")
        assert told in office.inv("sop.check", str(sop), expect=2).stdout
        assert told in office.inv("ticket.open", letter, as_="siti", expect=2).stderr

    state("{playbook: tulis_berkas.yml, variables: {isi: halo, isii: halo}}")
    office.inv("ticket.open", letter, as_="siti")
    answer = office.inv("ticket.plan", office.newest_ticket(), as_="joko", expect=2)
    assert "nothing in the playbook reads the variable 'isii'; did you mean 'isi'?" in answer.stderr

    settings = (office.home / "sopauto.toml").read_text()
    login = settings[settings.index("[credentials.inventory]") :]
    (office.home / "sopauto.toml").write_text(settings + login.replace(".inventory", ".servers"))
    hostile = f"{{{{ lookup('pipe', 'touch {canary}') }}}}"
    state(f'{{playbook: tulis_berkas.yml, login: servers, variables: {{isi: "{hostile}"}}}}')
    office.inv("ticket.open", letter, as_="siti")
    ticket = office.newest_ticket()
    plan = office.inv("ticket.plan", ticket, as_="joko").stdout
    assert "login servers of sopauto.toml" in plan
    assert f"+{hostile}" in plan
    office.approve_plan(ticket, as_="bambang")
    office.inv("ticket.run", ticket, as_="joko")
    assert (tmp_path / "target").read_text() == f"{hostile}\n"
    assert not canary.exists()
