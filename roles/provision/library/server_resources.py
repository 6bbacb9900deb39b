#!/usr/bin/python
"""Look at a server: whether it can become what is wanted, and afterwards whether it did."""

from __future__ import annotations

DOCUMENTATION = r"""
module: server_resources
short_description: Tell whether a server can become what is wanted, and whether it did
description:
  - Looks and changes nothing. Every shortfall stands in one failure.
  - Before, it compares system, processors, memory and disks, and refuses names, keys and networks that cannot be.
  - With I(finished) it compares the server with what it was to become.
options:
  resources:
    description: C(cpus), C(memory_mb), C(disk_gb) (all disks together) that the server must have at least.
    type: dict
    default: {}
  host_name:
    description: Its name, with or without a domain.
    type: str
    required: true
  time_zone:
    description: Its time zone.
    type: str
    required: true
  locale:
    description: Its locale.
    type: str
    required: true
  administrators:
    description: Accounts as C(name), C(full_name), C(keys).
    type: list
    elements: dict
    default: []
  network:
    description: C(interface), C(address), C(gateway), C(dns), C(search); empty means left alone.
    type: dict
    default: {}
  disks:
    description: Data disks, as for C(data_disks).
    type: list
    elements: dict
    default: []
  swap_mb:
    description: Size of C(/swapfile).
    type: int
    default: 0
  finished:
    description: Ask whether the server became what is wanted.
    type: bool
    default: false
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Is it big enough?
  server_resources:
    resources: {cpus: 2, memory_mb: 4096, disk_gb: 40}
    host_name: web-01
    time_zone: Asia/Jakarta
    locale: C.UTF-8
"""
RETURN = r"""
server:
  description: What was found, with system, cpus, memory_mb, disk_gb, whether a newer kernel waits for a
    C(reboot), and whether a rollback timer is C(armed).
  returned: always
  type: dict
"""

import base64
import binascii
import grp
import ipaddress
import json
import os
import platform
import pwd
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE)
LOCALE = re.compile(r"C|POSIX|C\.UTF-8|[a-z]{2,3}(_[A-Z]{2})?\.UTF-8(@[a-z]+)?")
TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
KEY_TYPES = re.compile(r"(sk-)?(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))(@openssh\.com)?")
INTERFACE = re.compile(r"[A-Za-z0-9._-]{1,15}")
DOMAIN = re.compile(r"~?[A-Za-z0-9._-]+")
NETWORK_FILE = "10-sopauto.network"
PATIENCE = 10
"""Seconds for an interface to take its address."""
GROUPS = ("sudo", "ssh-users")


def text(path: str) -> str:
    """Return a file's text; empty when there is none."""
    try:
        with open(path, errors="replace") as there:
            return there.read()
    except OSError:
        return ""


def settings(path: str) -> dict[str, str]:
    """Return the C(NAME=value) lines of a file."""
    pairs = [line.partition("=") for line in text(path).splitlines()]
    return {name: value.strip('"') for name, sign, value in pairs if sign}


def memory_mb() -> int:
    """Return the memory that is built in; the kernel's own figure leaves out what it keeps for itself."""
    root = "/sys/devices/system/memory"
    block = text(root + "/block_size_bytes")
    if block:
        return int(block, 16) * sum(name[6:].isdigit() for name in os.listdir(root)) // 2**20
    return int(re.findall(r"MemTotal:\s+(\d+)", text("/proc/meminfo"))[0]) // 1024


def disk_gb() -> float:
    """Return the size of all real disks together."""
    real = [name for name in os.listdir("/sys/block") if os.path.exists("/sys/block/%s/device" % name)]
    fixed = [name for name in real if text("/sys/block/%s/removable" % name).strip() == "0" and name[:2] != "sr"]
    return round(sum(int(text("/sys/block/%s/size" % name)) * 512 for name in fixed) / 10**9, 1)


def newer_kernel() -> bool:
    """Tell whether another kernel than the newest one runs."""
    names = os.listdir("/boot") if os.path.isdir("/boot") else []
    kernels = [name[8:] for name in names if name.startswith("vmlinuz-")]

    def order(name: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", name)]

    return bool(kernels) and order(max(kernels, key=order)) > order(platform.release())


def found() -> dict[str, Any]:
    release = settings("/etc/os-release")
    return {
        "system": "%s %s" % (release.get("ID", "?"), release.get("VERSION_ID", "?")),
        "cpus": os.cpu_count() or 0,
        "memory_mb": memory_mb(),
        "disk_gb": disk_gb(),
        "reboot": newer_kernel(),
        "armed": os.path.exists("/var/lib/sopauto/rollback/armed"),
    }


def too_little(wanted: dict[str, Any], server: dict[str, Any]) -> list[str]:
    """Return what the server has too little of."""
    words = {"cpus": "processors: %s", "memory_mb": "memory: %s MB", "disk_gb": "disks: %s GB"}
    unknown = ["resource %s is unknown" % name for name in wanted if name not in words]
    return unknown + [
        "%s, wanted are at least %s" % (words[name] % server[name], wanted[name])
        for name in words
        if server[name] < (wanted.get(name) or 0)
    ]


def bad_names(given: dict[str, Any]) -> Iterator[str]:
    """Return which names cannot be."""
    name, zone, locale = given["host_name"], given["time_zone"], given["locale"]
    if not HOST_NAME.fullmatch(name) or len(name) > 253 or re.fullmatch(r"[0-9.]+", name):
        yield "host name %r is none (letters, digits, hyphens)" % name
    if not TIME_ZONE.fullmatch(zone):
        yield "time zone %r is none" % zone
    elif os.path.isdir("/usr/share/zoneinfo") and not os.path.isfile("/usr/share/zoneinfo/" + zone):
        yield "time zone %s is unknown" % zone
    if not LOCALE.fullmatch(locale):
        yield "locale %r is none (C.UTF-8, id_ID.UTF-8)" % locale


def bad_key(key: str) -> str | None:
    """Return what is wrong with a public key (None: nothing)."""
    parts = key.split(" ", 2)
    if len(parts) < 2 or "\n" in key or not KEY_TYPES.fullmatch(parts[0]):
        return "is no public key of OpenSSH"
    try:
        body = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        return "is damaged"
    kind = parts[0].encode()
    return None if body[4 : 4 + len(kind)] == kind and len(body) > 40 else "is damaged"


def account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def bad_administrators(administrators: list[dict[str, Any]]) -> Iterator[str]:
    """Return which administrators cannot be."""
    names = [str(each.get("name") or "") for each in administrators]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield "administrator %s stands there twice" % name
    for each, name in zip(administrators, names, strict=True):
        if not USER.fullmatch(name):
            yield "administrator %r is no name of an account" % name
            continue
        there = account(name)
        if there and (there.pw_uid < 1000 or there.pw_uid >= 60000):
            yield "administrator %s is an account of the system" % name
        if not each.get("keys"):
            yield "administrator %s has no key, and could not log in" % name
        for number, key in enumerate(each.get("keys") or [], start=1):
            fault = bad_key(str(key))
            if fault:
                yield "administrator %s: key %d %s" % (name, number, fault)


def link_state(interface: str) -> dict[str, str]:
    """Return what systemd-networkd says of an interface; empty when it does not care for it."""
    number = text("/sys/class/net/%s/ifindex" % interface).strip()
    state = settings("/run/systemd/netif/links/" + number) if number else {}
    return state if state.get("ADMIN_STATE") not in (None, "unmanaged") else {}


def bad_network(network: dict[str, Any]) -> Iterator[str]:
    """Return why the network cannot be as wanted."""
    if not network:
        return
    unknown = sorted(set(network) - {"interface", "address", "gateway", "dns", "search"})
    if unknown:
        yield "network: %s is unknown" % ", ".join(unknown)
    yield from bad_addresses(network)
    yield from bad_interface(str(network.get("interface") or ""), bool(network.get("dns") or network.get("search")))


def bad_addresses(network: dict[str, Any]) -> Iterator[str]:
    try:
        address = ipaddress.ip_interface(str(network.get("address") or ""))
        gateway = ipaddress.ip_address(str(network.get("gateway") or ""))
        for server in network.get("dns") or []:
            ipaddress.ip_address(str(server))
    except ValueError as error:
        yield "network: %s" % error
        return
    if "/" not in str(network["address"]):
        yield "network: address %s lacks its prefix length (/24)" % address.ip
    elif not gateway.is_link_local and (gateway not in address.network or gateway == address.ip):
        yield "network: gateway %s is not a neighbour of %s" % (gateway, address)
    for domain in network.get("search") or []:
        if not DOMAIN.fullmatch(str(domain)):
            yield "network: search domain %r is none" % domain


def bad_interface(interface: str, names: bool) -> Iterator[str]:
    """Return why an interface cannot be set by systemd-networkd."""
    if not INTERFACE.fullmatch(interface) or not os.path.exists("/sys/class/net/" + interface):
        there = ", ".join(sorted(os.listdir("/sys/class/net")))
        yield "network: there is no interface %r; there are %s" % (interface, there)
        return
    state = link_state(interface)
    if not state:
        yield "network: %s is managed by something else than systemd-networkd" % interface
    elif os.path.basename(state.get("NETWORK_FILE", "")) < NETWORK_FILE and state.get("NETWORK_FILE"):
        yield "network: %s comes before %s and would win" % (state["NETWORK_FILE"], NETWORK_FILE)
    if re.search(r"(?m)^\s*iface\s+%s\s" % re.escape(interface), text("/etc/network/interfaces")):
        yield "network: %s is managed by /etc/network/interfaces" % interface
    if names and not os.path.exists("/run/systemd/resolve/resolv.conf"):
        yield "network: systemd-resolved is not active, name servers would not be asked"


def impossible(given: dict[str, Any], server: dict[str, Any]) -> list[str]:
    """Return everything that stands in the way, before anything changes."""
    faults = [] if server["system"] == "debian 12" else ["system: %s, supported is debian 12" % server["system"]]
    faults += too_little(given["resources"], server)
    faults += bad_names(given)
    faults += bad_administrators(given["administrators"])
    return faults + list(bad_network(given["network"]))


def missing(module: AnsibleModule, given: dict[str, Any]) -> list[str]:
    """Return everything that is not as it was to become."""
    return [
        *wrong_system(given),
        *(fault for each in given["administrators"] for fault in wrong_account(each)),
        *wrong_mounts(given),
        *wrong_network(module, given["network"]),
    ]


def wrong_system(given: dict[str, Any]) -> Iterator[str]:
    name = given["host_name"].split(".")[0]
    if socket.gethostname() != name:
        yield "host name is %s, not %s" % (socket.gethostname(), name)
    zone = os.path.realpath("/etc/localtime")
    if zone != os.path.realpath("/usr/share/zoneinfo/" + given["time_zone"]):
        yield "time zone is %s, not %s" % (zone, given["time_zone"])
    locale = settings("/etc/default/locale").get("LANG")
    if locale != given["locale"]:
        yield "locale is %s, not %s" % (locale, given["locale"])


def wrong_account(wanted: dict[str, Any]) -> Iterator[str]:
    name = wanted["name"]
    there = account(name)
    if there is None:
        yield "account %s is missing" % name
        return
    for group in GROUPS:
        try:
            member = name in grp.getgrnam(group).gr_mem
        except KeyError:
            member = False
        if not member:
            yield "%s is not in group %s" % (name, group)
    keys = text(os.path.join(there.pw_dir, ".ssh/authorized_keys")).splitlines()
    if keys != [key.strip() for key in wanted["keys"]]:
        yield "keys of %s are others" % name


def wrong_mounts(given: dict[str, Any]) -> Iterator[str]:
    lines = [line.split() for line in text("/proc/self/mounts").splitlines()]
    mounts = {fields[1]: fields for fields in lines}
    for disk in given["disks"]:
        for volume in disk.get("volumes") or []:
            there = mounts.get(os.path.normpath(volume["mount"]))
            device = "/dev/mapper/%s-%s" % (disk["group"].replace("-", "--"), volume["name"].replace("-", "--"))
            if there is None or os.path.realpath(there[0]) != os.path.realpath(device):
                yield "%s is mounted from %s, not from %s" % (volume["mount"], there[0] if there else "nothing", device)
    swaps = [line.split() for line in text("/proc/swaps").splitlines()[1:]]
    active = sum(int(fields[2]) for fields in swaps if fields[0] == "/swapfile")
    if given["swap_mb"] and abs(active // 1024 - given["swap_mb"]) > 1:
        yield "/swapfile has %d MB active, not %d" % (active // 1024, given["swap_mb"])


def wrong_network(module: AnsibleModule, network: dict[str, Any]) -> Iterator[str]:
    if not network:
        return
    interface, wanted = network["interface"], str(ipaddress.ip_interface(network["address"]))
    file = link_state(interface).get("NETWORK_FILE")
    if os.path.basename(file or "") != NETWORK_FILE:
        yield "%s is set by %s" % (interface, file)
    for _ in range(PATIENCE):
        there = addresses(module, interface)
        if wanted in there:
            return
        time.sleep(1)
    yield "%s has %s, not %s" % (interface, ", ".join(there) or "no address", wanted)


def addresses(module: AnsibleModule, interface: str) -> list[str]:
    """Return the addresses of an interface, or what hinders from asking."""
    code, out, err = module.run_command(["ip", "-json", "address", "show", "dev", interface])
    if code:
        return [err.strip() or "exit %d" % code]
    links = json.loads(out or "[]")
    return sorted("%s/%s" % (each["local"], each["prefixlen"]) for link in links for each in link.get("addr_info", []))


def main() -> None:
    options = {
        "resources": {"type": "dict", "default": {}},
        "host_name": {"type": "str", "required": True},
        "time_zone": {"type": "str", "required": True},
        "locale": {"type": "str", "required": True},
        "administrators": {"type": "list", "elements": "dict", "default": [], "no_log": False},
        "network": {"type": "dict", "default": {}},
        "disks": {"type": "list", "elements": "dict", "default": []},
        "swap_mb": {"type": "int", "default": 0},
        "finished": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    server = found()
    given = module.params
    if given["finished"]:
        faults, words = missing(module, given), "not as wanted: %s"
    else:
        faults, words = impossible(given, server), "the server cannot become this: %s; nothing was changed"
    if faults:
        module.fail_json(msg=words % "; ".join(faults), server=server, changed=False)
    module.exit_json(server=server, changed=False)


if __name__ == "__main__":
    main()
