"""The base image of the lab's virtual machines: Debian 12 with systemd, made once and kept by what went into it.

No loop devices and no mounts: mmdebstrap into a directory, mke2fs from that directory. It boots under qemu with its own
kernel, and under User Mode Linux with the kernel of this machine's package.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from sopauto.errors import StepFailed

ROLES: Final = Path(__file__).resolve().parent.parent / "roles"
PACKAGES: Final = (
    "ca-certificates",
    "dbus",
    "e2fsprogs",
    "iproute2",
    "iputils-ping",
    "kmod",
    "linux-image-cloud-amd64",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "udev",
)
AUDITOR: Final = "lynis"
QUIET: Final = ("systemd-networkd-wait-online", "apt-daily.timer", "apt-daily-upgrade.timer")
MODULES: Final = "virtio_pci\nvirtio_blk\nvirtio_net\nvirtio_rng\next4\n"
SEED: Final = """\
#!/bin/sh
# Take host name, address, login key and host key from the seed disk (a tar archive on the second disk), once.
set -e
mkdir -p /run/seed
disk=/dev/vdb
test -b $disk || disk=/dev/ubdb
tar -xf $disk -C /run/seed
cp /run/seed/hostname /etc/hostname
hostname "$(cat /etc/hostname)"
cp /run/seed/address.network /etc/systemd/network/
cp /run/seed/ssh_host_ed25519_key /run/seed/ssh_host_ed25519_key.pub /etc/ssh/
chmod 600 /etc/ssh/ssh_host_ed25519_key
install -d -m 700 -o admin -g admin /home/admin/.ssh
install -m 600 -o admin -g admin /run/seed/authorized_keys /home/admin/.ssh/authorized_keys
sync
touch /var/lib/seeded
"""
UNIT: Final = """\
[Unit]
Description=Take host name and keys from the seed disk
DefaultDependencies=no
ConditionPathExists=!/var/lib/seeded
After=local-fs.target
Before=ssh.service systemd-networkd.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/seed
[Install]
WantedBy=multi-user.target
"""
USER_MODE: Final = """\
#!/bin/sh
# What User Mode Linux lacks: the modules of its kernel, which are on the machine that it runs on, and the core of its
# processor: without one procps does not learn when the system was started.
set -e
mount -t hostfs -o ro,/usr/lib/uml/modules none /usr/lib/modules
sed 's/^vendor_id/core id\\t\\t: 0\\nvendor_id/' /proc/cpuinfo >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
"""
USER_MODE_UNIT: Final = """\
[Unit]
Description=What User Mode Linux lacks
ConditionVirtualization=uml
DefaultDependencies=no
Before=systemd-modules-load.service systemd-udevd.service sysinit.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/user-mode
[Install]
WantedBy=sysinit.target
"""
CARD: Final = "[Match]\nOriginalName=vec*\n[Link]\nName=eth0\n"
"""User Mode Linux calls its network card vec0."""
FORMAT: Final = "3"
"""Changes whenever the way of making an image does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A root disk (raw, sparse) with its own kernel and initial ramdisk, and the same root as a directory."""

    disk: Path
    root: Path
    kernel: Path
    initrd: Path


def cache_directory() -> Path:
    """Return where images are kept: `$SOPAUTO_LAB_CACHE`, or below the user's cache directory."""
    chosen = os.environ.get("SOPAUTO_LAB_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "sopauto" / "lab"


def base_image(say: Callable[[str], None], *, prepared: bool = False) -> Image:
    """Return the base image, made first when it is not there; raises StepFailed.

    `prepared`: with the packages of the roles installed.
    """
    packages = (*PACKAGES, *(role_packages() if prepared else ()))
    text = "\n".join((FORMAT, *packages, MODULES, SEED, UNIT, USER_MODE, USER_MODE_UNIT, CARD))
    folder = cache_directory() / hashlib.sha256(text.encode()).hexdigest()[:16]
    image = Image(
        disk=folder / "disk.raw", root=folder / "root", kernel=folder / "vmlinuz", initrd=folder / "initrd.img"
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Who else wants the same image waits for it.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            begun = time.monotonic()
            say("making the base image of the virtual machines (about a minute, once)")
            _make(folder, packages)
            say(f"  made in {time.monotonic() - begun:.0f} s")
    return image


def role_packages() -> tuple[str, ...]:
    """Return the packages that the roles install, and the auditor that looks at what they did."""
    controls = yaml.safe_load((ROLES / "hardening" / "vars" / "controls.yml").read_text())["__hardening_controls"]
    return tuple(sorted({AUDITOR, *(package for control in controls for package in control.get("packages", []))}))


def _make(folder: Path, packages: Sequence[str]) -> None:
    """Make the image beside its place, and move it there when it is whole."""
    work = folder.with_name(f"{folder.name}.{os.getpid()}")
    work.mkdir()
    try:
        _fill(work, packages)
        work.rename(folder)
    finally:
        # What was broken off may have left something mounted below: that is not ours to empty.
        subprocess.run(["rm", "-rf", "--one-file-system", str(work)], check=False, stderr=subprocess.DEVNULL)


def _fill(work: Path, packages: Sequence[str]) -> None:
    root = work / "root"
    files = {
        "etc/initramfs-tools/conf.d/modules": "MODULES=list\n",
        "etc/initramfs-tools/modules": MODULES,
        "usr/local/sbin/seed": SEED,
        "etc/systemd/system/seed.service": UNIT,
        "usr/local/sbin/user-mode": USER_MODE,
        "etc/systemd/system/user-mode.service": USER_MODE_UNIT,
        "etc/systemd/network/10-eth0.link": CARD,
        "etc/fstab": "LABEL=root / ext4 errors=remount-ro 0 1\n",
        "etc/ssh/sshd_config.d/lab.conf": "UseDNS no\nPasswordAuthentication no\n",
    }
    extra = work / "extra"
    for name, content in files.items():
        (extra / name).parent.mkdir(parents=True, exist_ok=True)
        (extra / name).write_text(content)
    for name in ("seed", "user-mode"):
        (extra / "usr/local/sbin" / name).chmod(0o755)
    _run(
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"',
        f"--essential-hook=copy-in {extra}/etc/initramfs-tools /etc",
        f"--customize-hook=sync-in {extra} /",
        '--customize-hook=chroot "$1" useradd -m -s /bin/bash admin',
        """--customize-hook=echo 'admin ALL=(ALL) NOPASSWD:ALL' >"$1/etc/sudoers.d/admin" """,
        '--customize-hook=chroot "$1" systemctl enable systemd-networkd systemd-resolved ssh seed user-mode',
        f'--customize-hook=chroot "$1" systemctl mask {" ".join(QUIET)}',
        '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*',
        "bookworm",
        str(root),
    )
    for pattern, name in (("vmlinuz-*", "vmlinuz"), ("initrd.img-*", "initrd.img")):
        shutil.copy(next((root / "boot").glob(pattern)), work / name)
    _run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", str(root), str(work / "disk.raw"), "3G")
    shutil.rmtree(extra)


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines()[-3:]
        raise StepFailed(f"{command[0]}: {' | '.join(words)}", where="lab image", mend="see the message")
