"""Settings that would lock out were taken back: we are in, and the server is as before."""

from __future__ import annotations

from testinfra.host import Host


def test_the_old_settings_are_back_and_in_force(host: Host) -> None:
    with host.sudo():
        assert not host.file("/etc/ssh/sshd_config.d/00-sopauto.conf").exists
        assert "denyusers" not in host.check_output("/usr/sbin/sshd -T")
        assert not host.file("/etc/systemd/system/sopauto-rollback.timer").exists


def test_the_server_logged_why(host: Host) -> None:
    with host.sudo():
        assert "the old ones are back" in host.check_output("journalctl --no-pager -t sopauto")
