"""What a hardened server is like, seen from outside the role: by testinfra, on the server itself."""

from __future__ import annotations

from testinfra.host import Host


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


def test_the_firewall_lets_in_ssh_and_nothing_else(host: Host) -> None:
    with host.sudo():
        rules = host.check_output("nft list chain inet filter input")
    assert "policy drop" in rules
    assert "tcp dport 22 accept" in rules
    assert "8080" not in rules
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
