"""Waived controls are left alone; everything beside them holds."""

from __future__ import annotations

from testinfra.host import Host


def test_what_is_waived_was_not_changed(host: Host) -> None:
    with host.sudo():
        told = host.check_output("/usr/sbin/sshd -T").splitlines()
        assert "disableforwarding no" in told
        assert "net.ipv4.ip_forward" not in host.file("/etc/sysctl.d/99-sopauto.conf").content_string


def test_what_is_not_waived_holds(host: Host) -> None:
    with host.sudo():
        assert "permitrootlogin no" in host.check_output("/usr/sbin/sshd -T").splitlines()
