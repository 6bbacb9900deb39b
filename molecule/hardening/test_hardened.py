"""What a hardened server is like, seen from outside the role: by testinfra, on the server itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from testinfra.host import Host

AUDIT_FLOOR = 90
"""Lynis' hardening index (a bare server: 62)."""
FORCED_WARNINGS = {"curve25519-sha256@libssh.org"}
"""What ssh-audit warns of and cannot be left out: paramiko 4 and OpenSSH 9.2 share no post-quantum key exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """How the server is reached by other clients than Ansible."""

    address: str
    port: int
    user: str
    key_file: str
    known_hosts: Path

    @classmethod
    def of(cls, host: Host, folder: Path) -> Self:
        """Return what molecule's inventory says; a file for the host key is written to the folder."""
        told = host.ansible.get_variables()
        address, port = told["ansible_host"], int(told["ansible_port"])
        known_hosts = folder / "known_hosts"
        key = " ".join(host.file("/etc/ssh/ssh_host_ed25519_key.pub").content_string.split()[:2])
        known_hosts.write_text(f"[{address}]:{port} {key}\n")
        return cls(
            address=address,
            port=port,
            user=told["ansible_user"],
            key_file=told["ansible_private_key_file"],
            known_hosts=known_hosts,
        )


def test_the_administrator_still_logs_in_and_is_root_by_sudo(host: Host) -> None:
    assert host.user().name == "admin"
    with host.sudo():
        assert host.user().name == "root"


def test_sshd_says_what_the_controls_say(host: Host) -> None:
    with host.sudo():
        told = host.check_output("/usr/sbin/sshd -T").splitlines()
    assert "permitrootlogin no" in told
    assert "passwordauthentication no" in told
    assert "kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256@libssh.org" in told
    assert host.service("ssh").is_running


def test_the_firewall_lets_in_ssh_and_the_port_that_was_asked_for(host: Host) -> None:
    with host.sudo():
        rules = host.check_output("nft list chain inet filter input")
    assert "policy drop" in rules
    assert "tcp dport 22 accept" in rules
    assert "tcp dport 8080 accept" in rules
    assert rules.count("dport") == 2, rules
    assert host.service("nftables").is_enabled


def test_the_kernel_is_as_wanted(host: Host) -> None:
    assert host.sysctl("kernel.yama.ptrace_scope") == 2
    with host.sudo():
        assert host.sysctl("kernel.kptr_restrict") == 2
    assert "nosuid" in host.mount_point("/tmp").options


def test_what_ran_before_still_runs_and_the_guards_run_too(host: Host) -> None:
    for name in ("dbus", "systemd-networkd", "systemd-resolved", "auditd", "fail2ban", "systemd-timesyncd"):
        assert host.service(name).is_running, name


def test_no_timer_and_no_secret_copy_is_left(host: Host) -> None:
    with host.sudo():
        assert not host.file("/var/lib/sopauto/rollback").exists
        assert not host.file("/etc/systemd/system/sopauto-rollback.timer").exists


def test_what_ran_before_runs_after_a_restart_too(host: Host) -> None:
    with host.sudo():
        before = {line.split()[0] for line in host.check_output("cat /root/ran-before").splitlines()}
    units = host.check_output("systemctl list-units --type=service --state=running --plain --no-legend")
    now = {line.split()[0] for line in units.splitlines()}
    assert not {name for name in before - now if not name.startswith("user@")}
    assert host.check_output("systemctl --failed --plain --no-legend") == ""


def test_what_was_missing_was_installed(host: Host) -> None:
    assert host.package("libpam-tmpdir").is_installed


def test_passwords_can_still_be_changed(host: Host) -> None:
    with host.sudo():
        assert host.file("/var/cache/cracklib/cracklib_dict.pwd").exists


def test_our_own_clients_log_in(host: Host, tmp_path: Path) -> None:
    from netmiko import ConnectHandler
    from paramiko import PKey, RejectPolicy, SSHClient

    at = Where.of(host, tmp_path)
    with SSHClient() as client:
        client.load_host_keys(str(at.known_hosts))
        client.set_missing_host_key_policy(RejectPolicy())
        client.connect(at.address, at.port, at.user, pkey=PKey.from_path(at.key_file), timeout=60)
        assert client.exec_command("id -un")[1].read() == b"admin\n"
    with ConnectHandler(
        device_type="linux",
        host=at.address,
        port=at.port,
        username=at.user,
        use_keys=True,
        key_file=at.key_file,
        alt_host_keys=True,
        alt_key_file=str(at.known_hosts),
        ssh_strict=True,
        conn_timeout=60,
    ) as line:
        assert line.send_command("id -un", read_timeout=60).strip() == "admin"


def test_ssh_audit_finds_no_fail_and_no_warning_but_what_our_own_client_forces(host: Host, tmp_path: Path) -> None:
    at = Where.of(host, tmp_path)
    program = Path(sys.executable).parent / "ssh-audit"
    asked = [str(program), "--json", "--port", str(at.port), at.address]
    report = json.loads(subprocess.run(asked, capture_output=True, text=True, check=False, timeout=120).stdout)
    notes = [
        (level, found["algorithm"])
        for kind in ("kex", "key", "enc", "mac")
        for found in report[kind]
        for level in found.get("notes", {})
    ]
    assert [algorithm for level, algorithm in notes if level == "fail"] == []
    assert {algorithm for level, algorithm in notes if level == "warn"} <= FORCED_WARNINGS
    assert any(level == "info" for level, _ in notes), "ssh-audit told nothing"


def test_lynis_gives_90_or_more(host: Host) -> None:
    with host.sudo():
        # Its log forks a program for each of its 3,500 lines; what it found is in its report.
        host.run("timeout 1200 lynis audit system --quick --no-colors --quiet --no-log")
        report = host.check_output("cat /var/log/lynis-report.dat")
    (index,) = (line.partition("=")[2] for line in report.splitlines() if line.startswith("hardening_index="))
    told = "\n".join(line for line in report.splitlines() if line.startswith(("suggestion", "warning")))
    assert int(index) >= AUDIT_FLOOR, told
    print(f"Lynis' hardening index: {index}")
