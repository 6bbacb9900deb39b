"""The script on this machine, for users with and without sudo. Programs that tell who asks are made up."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sopauto.inventory.reading import script, snapshot

SS = """#!/bin/sh
case "$1$AS_ROOT" in
    -lntupyes) echo 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))' ;;
    *) echo 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*' ;;
esac
"""
SUDO_ALL = """#!/bin/sh
[ "$1" = -n ] || exit 1
shift
AS_ROOT=yes exec "$@"
"""
SUDO_TRUE_ONLY = """#!/bin/sh
[ "$*" = "-n true" ]
"""
SUDO_NOTHING = """#!/bin/sh
exit 1
"""
MISSING = "server.listening_ports.process: needs root and ss"
SMART = """#!/bin/sh
# Says of each disk what the test wrote for it; the first line is the exit status.
[ "$AS_ROOT" = yes ] || exit 2
echo 'smartctl 7.3 2022-02-28 r5338 [x86_64-linux-6.1.0] (local build)'
answer={answers}/${{2#/dev/}}
tail -n +2 "$answer"
exit "$(head -n 1 "$answer")"
"""
RESULT = "SMART overall-health self-assessment test result:"
PASSED = f"0\n{RESULT} PASSED\n"
FAILED = f"8\n{RESULT} FAILED!\nDrive failure expected in less than 24 hours. SAVE ALL DATA.\n"
IMPENDING = "8\nSMART Health Status: HARDWARE IMPENDING FAILURE [asc=5d, ascq=10]\n"
OLD_ERRORS = f"192\n{RESULT} PASSED\n"
BY_ATTRIBUTES = f"4\nSMART Status not supported: Incomplete response\n{RESULT} PASSED\n"
USB_BRIDGE = "1\n/dev/sda: Unknown USB bridge [0x152d:0x0578 (0x508)]\nPlease specify device type with the -d option.\n"
CANNOT_OPEN = "2\nSmartctl open device: /dev/sda failed: DELL or MegaRaid controller\n"
NO_HEALTH = "server.disks.health: needs root"


def collect(directory: Path, sudo: str, *, shell: str = "sh", what: bytes | None = None) -> dict[str, Any]:
    for name, content in {"sudo": sudo, "ss": SS, "id": "#!/bin/sh\necho 1000\n"}.items():
        (directory / name).write_text(content)
        (directory / name).chmod(0o755)
    environment = {"PATH": f"{directory}:{os.environ['PATH']}"}
    what = what or script.source()
    done = subprocess.run([shell, "-s"], input=what, env=environment, capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    return snapshot.parse(done.stdout, datetime.now(UTC))


def process(taken: dict[str, Any]) -> str | None:
    (port,) = taken["server"]["listening_ports"]
    assert (port["port"], port["address"]) == (22, "0.0.0.0")
    name: str | None = port["process"]
    return name


def test_where_sudo_is_allowed_the_process_of_a_port_is_known(tmp_path: Path) -> None:
    taken = collect(tmp_path, SUDO_ALL)
    assert process(taken) == "sshd"
    assert MISSING not in taken["missing"]


@pytest.mark.parametrize("sudo", [SUDO_NOTHING, SUDO_TRUE_ONLY])
def test_where_it_is_not_the_port_is_known_and_the_process_named_as_missing(tmp_path: Path, sudo: str) -> None:
    taken = collect(tmp_path, sudo)
    assert process(taken) is None
    assert MISSING in taken["missing"]


def test_another_shell_reads_the_script_alike(tmp_path: Path, need: Any) -> None:
    # What changes from second to second, and what a shell cannot change, is left out.
    def lasting(shell: str) -> dict[str, Any]:
        taken = collect(tmp_path, SUDO_ALL, shell=shell)
        for name in ("uptime_seconds", "time", "filesystems"):
            taken["server"].pop(name)
        taken.pop("taken_at")
        return taken

    assert lasting(need("bash")) == lasting("sh")


def test_a_script_that_arrives_by_half_runs_nothing() -> None:
    half = script.source()[: len(script.source()) * 9 // 10]
    done = subprocess.run(["sh", "-s"], input=half, capture_output=True, timeout=60, check=False)
    assert done.stdout == b""


def test_what_the_settings_leave_out_is_named_and_not_asked_for(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    for name in ("apt-get", "dnf", "openssl"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >>{asked}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    what = script.source(["updates", "certificates", "hardening"])
    done = subprocess.run(["sh", "-s"], input=what, env=environment, capture_output=True, timeout=60, check=True)
    taken = snapshot.parse(done.stdout, datetime.now(UTC))
    assert not asked.exists()
    left_out = {"updates", "certificates", "hardening"}
    assert {f"{part}: left out by the settings" for part in left_out} <= set(taken["missing"])
    assert taken["server"]["hardening"] == []


def with_disks(directory: Path, sudo: str, answers: dict[str, str]) -> dict[str, Any]:
    """Return what is collected on a server with these disks; `answers` holds what smartctl says of each."""
    told, blocks = directory / "answers", directory / "block"
    told.mkdir()
    for name, answer in answers.items():
        (told / name).write_text(answer)
        (blocks / name / "queue").mkdir(parents=True)
        (blocks / name / "size").write_text("2048\n")
        (blocks / name / "queue" / "rotational").write_text("0\n")
    (directory / "smartctl").write_text(SMART.format(answers=told))
    (directory / "smartctl").chmod(0o755)
    what = script.source(script.OPTIONAL).replace(b"/sys/block/", f"{blocks}/".encode())
    return collect(directory, sudo, what=what)


def health(taken: dict[str, Any]) -> dict[str, str | None]:
    return {disk["name"]: disk["health"] for disk in taken["server"]["disks"]}


def unhealthy(taken: dict[str, Any]) -> list[str]:
    """Return what is said to be missing of the health of disks."""
    return [line for line in taken["missing"] if line.startswith("server.disks.health")]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (PASSED, "PASSED"),
        (FAILED, "FAILED!"),
        (IMPENDING, "HARDWARE IMPENDING FAILURE [asc=5d, ascq=10]"),
        (OLD_ERRORS, "PASSED"),
        (BY_ATTRIBUTES, "PASSED"),
        (USB_BRIDGE, None),
        (CANNOT_OPEN, None),
    ],
)
def test_a_disk_keeps_its_word_whatever_smartctl_exits_with(tmp_path: Path, answer: str, word: str | None) -> None:
    taken = with_disks(tmp_path, SUDO_ALL, {"sda": answer})
    assert (health(taken), unhealthy(taken)) == ({"sda": word}, [])


def test_a_healthy_disk_does_not_hide_a_failing_one(tmp_path: Path) -> None:
    taken = with_disks(tmp_path, SUDO_ALL, {"nvme0n1": FAILED, "sda": PASSED, "sdb": USB_BRIDGE})
    assert health(taken) == {"nvme0n1": "FAILED!", "sda": "PASSED", "sdb": None}
    assert unhealthy(taken) == []


@pytest.mark.parametrize("sudo", [SUDO_NOTHING, SUDO_TRUE_ONLY])
def test_without_root_the_health_of_disks_is_named_as_missing_once(tmp_path: Path, sudo: str) -> None:
    taken = with_disks(tmp_path, sudo, {"sda": PASSED, "sdb": FAILED})
    assert (health(taken), unhealthy(taken)) == ({"sda": None, "sdb": None}, [NO_HEALTH])


@pytest.mark.parametrize("sudo", [SUDO_ALL, SUDO_NOTHING, SUDO_TRUE_ONLY])
def test_a_virtual_disk_has_no_health_and_is_not_asked(tmp_path: Path, sudo: str) -> None:
    taken = with_disks(tmp_path, sudo, {"vda": PASSED, "xvdb": PASSED})
    assert (health(taken), unhealthy(taken)) == ({"vda": None, "xvdb": None}, [])


def test_a_path_to_a_disk_is_no_disk(tmp_path: Path) -> None:
    assert health(with_disks(tmp_path, SUDO_ALL, {"nvme0n1": PASSED, "nvme0c0n1": PASSED})) == {"nvme0n1": "PASSED"}


def test_a_disk_that_does_not_answer_is_named(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    hanging = f'case "$*" in *smartctl*sda) exit 124 ;; *smartctl*) echo "$1" >>{asked} ;; esac'
    (tmp_path / "timeout").write_text(f'#!/bin/sh\n{hanging}\nshift\nexec "$@"\n')
    (tmp_path / "timeout").chmod(0o755)
    taken = with_disks(tmp_path, SUDO_ALL, {"sda": PASSED, "sdb": PASSED})
    assert health(taken) == {"sda": None, "sdb": "PASSED"}
    assert unhealthy(taken) == ["server.disks.health sda: no answer"]
    assert asked.read_text() == "3\n", "the others have to answer at once"


def told_by(directory: Path, programs: dict[str, str], *, shell: str = "sh", changed: bytes | None = None) -> Any:
    """Return what is collected where these programs do this."""
    for name, does in programs.items():
        (directory / name).write_text(f"#!/bin/sh\n{does}\n")
        (directory / name).chmod(0o755)
    return collect(directory, SUDO_NOTHING, shell=shell, what=changed or script.source(script.OPTIONAL))


SYSTEMCTL = """case $1 in
    list-units) echo 'cron.service loaded active running Cron' ;;
    *) echo 'cron.service enabled enabled'; exit {ended} ;;
esac"""
IP = """case "$1 $2" in
    '-o addr') echo '2: eth9    inet 192.0.2.9/24 scope global eth9'; exit {address} ;;
    *) echo 'default via 192.0.2.1 dev eth9'; exit {route} ;;
esac"""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_program_that_fails_is_named_and_what_it_printed_is_kept_but_for_half_a_line(
    tmp_path: Path, need: Any, shell: str
) -> None:
    (tmp_path / "sh").write_text(f'#!/bin/sh\nexec {need(shell)} {"sh" if shell == "busybox" else ""} "$@"\n')
    (tmp_path / "sh").chmod(0o755)
    half = {"dpkg-query": "printf 'installed\\tapt\\t2.6\\ninstalled\\tbash\\t5'; exit 1"}
    taken = told_by(tmp_path, half, shell=str(tmp_path / "sh"))
    assert taken["server"]["packages"] == [{"name": "apt", "version": "2.6"}]
    assert "server.packages: no answer" in taken["missing"]


@pytest.mark.parametrize("ended", [1, 124])
def test_what_the_service_manager_does_not_tell_is_named(tmp_path: Path, ended: int) -> None:
    changed = script.source(script.OPTIONAL).replace(b"-d /run/systemd/system", b"-d /")
    taken = told_by(tmp_path, {"systemctl": f"exit {ended}"}, changed=changed)
    assert {"server.services: no answer", "server.services.starts: no answer"} <= set(taken["missing"])
    taken = told_by(tmp_path, {"systemctl": SYSTEMCTL.format(ended=ended)}, changed=changed)
    assert taken["server"]["services"] == [{"name": "cron", "state": "running", "starts": "enabled"}]
    assert [line for line in taken["missing"] if "services" in line] == ["server.services.starts: no answer"]


def test_a_dead_mount_does_not_hide_the_others(tmp_path: Path) -> None:
    lines = "echo '/dev/vda 100 50 50 50% /'; exit 1"
    changed = script.source(script.OPTIONAL).replace(b"/proc/mounts", str(tmp_path / "mounts").encode())
    (tmp_path / "mounts").write_text("/dev/vda / ext4 rw 0 0\n")
    taken = told_by(tmp_path, {"df": lines}, changed=changed)
    assert [one["mount"] for one in taken["server"]["filesystems"]] == ["/"]
    assert "server.filesystems: no answer" in taken["missing"]


def test_a_df_that_cannot_leave_out_file_servers_is_asked_all_the_same(tmp_path: Path) -> None:
    changed = script.source(script.OPTIONAL).replace(b"/proc/mounts", str(tmp_path / "mounts").encode())
    (tmp_path / "mounts").write_text("/dev/vda / ext4 rw 0 0\n")
    busybox = "case $1 in *l*) exit 1 ;; esac; echo '/dev/vda 100 50 50 50% /'"
    taken = told_by(tmp_path, {"df": busybox}, changed=changed)
    assert [one["mount"] for one in taken["server"]["filesystems"]] == ["/"]
    assert not [line for line in taken["missing"] if "filesystems" in line]


@pytest.mark.parametrize(("address", "route"), [(0, 0), (1, 0), (0, 124)])
def test_addresses_and_routes_that_are_not_told_are_named(tmp_path: Path, address: int, route: int) -> None:
    taken = told_by(tmp_path, {"ip": IP.format(address=address, route=route)})
    assert ("network.addresses: no answer" in taken["missing"]) == (address != 0)
    assert ("network.routes: no answer" in taken["missing"]) == (route != 0)
    assert taken["network"]["gateway"] == "192.0.2.1"


def test_ports_that_ss_does_not_tell_are_named_and_read_from_the_kernel(tmp_path: Path) -> None:
    changed = script.source(script.OPTIONAL).replace(b"bounded ss -lntu)", b"bounded false)")
    taken = told_by(tmp_path, {}, changed=changed)
    assert {MISSING, "server.listening_ports: no answer"} <= set(taken["missing"])


def test_users_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    changed = script.source(script.OPTIONAL).replace(b"/etc/passwd", b"/nowhere/passwd")
    assert "server.users: no answer" in told_by(tmp_path, {}, changed=changed)["missing"]
    empty = script.source(script.OPTIONAL).replace(b"/etc/passwd", b"/dev/null")
    assert "server.users: no answer" not in told_by(tmp_path, {}, changed=empty)["missing"]


@pytest.mark.parametrize(("does", "told"), [("echo none; exit 1", "none"), ("exit 124", None)])
def test_bare_metal_is_told_though_the_program_fails_there(tmp_path: Path, does: str, told: str | None) -> None:
    taken = told_by(tmp_path, {"systemd-detect-virt": does})
    assert taken["server"]["virtualisation"] == told
    assert ("server.virtualisation: no answer" in taken["missing"]) == (told is None)


def test_updates_that_are_not_told_to_the_end_are_not_counted(tmp_path: Path) -> None:
    line = "echo 'Inst nginx [1.22] (1.24 Debian-Security:12/stable-security [amd64])'"
    for ended, pending in ((0, 1), (100, None)):
        taken = told_by(tmp_path, {"apt-get": f"{line}; exit {ended}"}, changed=script.source())
        assert taken["server"]["updates"]["pending"] == pending
        assert ("server.updates: no answer" in taken["missing"]) == (ended != 0)
