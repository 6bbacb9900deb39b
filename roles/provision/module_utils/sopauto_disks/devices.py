"""What a block device or the swap file is like, asked of the kernel and of the device itself."""

from __future__ import annotations

import os
import struct

SWAP = "/swapfile"


def held(device: str) -> bool:
    """Tell whether partitions or other devices stand on a disk."""
    folder = "/sys/class/block/" + os.path.basename(device)
    parts = [name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, "partition"))]
    return bool(parts or os.listdir(folder + "/holders"))


def disk_bytes(device: str) -> int:
    with open("/sys/class/block/%s/size" % os.path.basename(device)) as size:
        return int(size.read()) * 512


def file_system_bytes(device: str) -> int:
    """Return the size that the file system itself states."""
    with open(device, "rb") as there:
        head = there.read(4096)
    if head[:4] == b"XFSB":
        block, blocks = struct.unpack(">IQ", head[4:16])
        return int(block * blocks)
    (low,) = struct.unpack_from("<I", head, 1024 + 4)
    (shift,) = struct.unpack_from("<I", head, 1024 + 24)
    (high,) = struct.unpack_from("<I", head, 1024 + 0x150)
    return int((low + (high << 32)) * (1024 << shift))


def swap_is_made(size: int) -> bool:
    try:
        with open(SWAP, "rb") as there:
            status = os.fstat(there.fileno())
            head = there.read(4096)
    except OSError:
        return False
    return status.st_size == size and status.st_mode & 0o777 == 0o600 and head[-10:] == b"SWAPSPACE2"


def swap_is_active() -> bool:
    with open("/proc/swaps") as swaps:
        return any(line.split()[0] == SWAP for line in swaps)
