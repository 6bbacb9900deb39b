"""What a provisioned server is like, seen by testinfra on the server itself."""

from __future__ import annotations

from testinfra.host import Host


def test_name_and_time_are_as_wanted(host: Host) -> None:
    assert host.check_output("hostname") == "aplikasi-01"
    assert host.check_output("timedatectl show --property Timezone --value") == "Asia/Jakarta"


def test_the_administrator_has_key_and_sudo(host: Host) -> None:
    user = host.user("yoga")
    assert {"sudo", "ssh-users"} <= set(user.groups)
    with host.sudo():
        assert "yoga" in host.file("/home/yoga/.ssh/authorized_keys").content_string
        assert host.check_output("sudo -n -u yoga sudo -n id -u") == "0"


def test_data_disks_are_mounted_and_nothing_below_was_lost(host: Host) -> None:
    assert host.mount_point("/srv").filesystem == "ext4"
    assert "nosuid" in host.mount_point("/home").options
    with host.sudo():
        assert host.file("/home/admin/.ssh/authorized_keys").exists


def test_swap_is_there(host: Host) -> None:
    assert "/swapfile" in host.check_output("cat /proc/swaps")


def test_no_timer_is_left(host: Host) -> None:
    with host.sudo():
        assert not host.file("/var/lib/sopauto/rollback").exists
