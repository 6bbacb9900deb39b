"""Settings that would lock out were taken back, and without the mistake the server was hardened."""

from __future__ import annotations

from testinfra.host import Host


def test_the_server_logged_that_it_took_its_old_settings_back(host: Host) -> None:
    with host.sudo():
        assert "the old ones are back" in host.check_output("journalctl --no-pager -t sopauto")


def test_the_second_run_holds(host: Host) -> None:
    with host.sudo():
        assert "permitrootlogin no" in host.check_output("/usr/sbin/sshd -T").splitlines()
        assert "pam_faillock.so" in host.file("/etc/pam.d/common-auth").content_string
        assert not host.file("/etc/systemd/system/sopauto-rollback.timer").exists
