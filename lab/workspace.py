"""A throw-away workspace: settings, people with fresh keys, and the assets of a small data centre."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.cast import CAST, POSITIONS, UNITS, Role
from sopauto.app import App, build
from sopauto.assets.importing import read_assets
from sopauto.assets.model import Server

if TYPE_CHECKING:
    from lab.datacentre import Datacentre
    from lab.ios import IosSwitch
    from lab.loopback import LoopbackServer
    from lab.mailbox import Mailbox

AGENCY = "Dinas Komunikasi dan Informatika"
FIRST_DAY = "2019-11-01"
"""Since when everybody holds their position: the date of SOP/04/406.020/2019."""
NO_SUPERIORS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchAt:
    """How a switch is reached."""

    platform: str
    host: str
    port: int
    host_key: str
    user: str
    key_file: Path
    ports: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """The addresses that servers get, and where they answer."""

    network: str
    gateway: str
    first: str
    last: str
    vlan: int = 30
    unused_vlan: int = 999
    ssh_port: int = 22
    user: str = "sopauto"
    key_file: Path
    python: str = "/usr/bin/python3"


@dataclass(slots=True, kw_only=True)
class Workspace:
    """A workspace that was just made: its directory, and each person's private key."""

    home: Path
    keys: dict[str, Path] = field(default_factory=dict)

    def app(self) -> App:
        """Return the application of the workspace, settings and people read again."""
        return build(self.home)


def make_workspace(
    home: Path,
    *,
    switch: SwitchAt,
    net: Net,
    mail: tuple[str, int],
    rack_height: int = 42,
    cast: Sequence[Role] = CAST,
) -> Workspace:
    """Make a workspace in an empty directory."""
    home.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(home=home)
    for role in cast:
        workspace.keys[role.id] = make_key(home / "keys" / role.id)
    (home / "sopauto.toml").write_text(_settings(switch, net, mail))
    (home / "people.yaml").write_text(people_file(workspace.keys, cast))
    assets = home / "assets.yaml"
    assets.write_text(json.dumps(_assets(switch, net, rack_height), indent=1))
    found = [asset for asset in read_assets(assets) if not isinstance(asset, Server)]
    with workspace.app().store.write() as writer:
        writer.assets.replace(*found)
    return workspace


def workspace_on_loopback(
    home: Path,
    *,
    switch: IosSwitch,
    server: LoopbackServer,
    mailbox: Mailbox,
    key_file: Path,
    rack_height: int = 42,
) -> Workspace:
    """Make a workspace of a simulated switch with two ports, and of servers at the address of one on loopback."""
    stem = server.host.rpartition(".")[0]
    return make_workspace(
        home,
        switch=SwitchAt(
            platform="cisco_ios",
            host=switch.host,
            port=switch.port,
            host_key=switch.host_key,
            user=switch.user,
            key_file=key_file,
            ports=["GigabitEthernet1/0/1", "GigabitEthernet1/0/2"],
        ),
        net=Net(
            network=f"{stem}.0/24",
            gateway=f"{stem}.1",
            first=server.host,
            last=f"{stem}.19",
            ssh_port=server.port,
            user=server.user,
            key_file=key_file,
            python=sys.executable,
        ),
        mail=(mailbox.host, mailbox.port),
        rack_height=rack_height,
    )


def workspace_of_lab(home: Path, *, lab: Datacentre, mailbox: Mailbox) -> Workspace:
    """Make a workspace of the lab's switch and of its first virtual machine; of use in the gateway's namespace only."""
    from lab.datacentre import UNUSED
    from lab.network import ADDRESS, NETWORK, VLAN

    switch, machine = lab.switch, lab.machines[0]
    return make_workspace(
        home,
        switch=SwitchAt(
            platform="ovs_linux",
            host=switch.host,
            port=switch.port,
            host_key=switch.host_key,
            user=switch.user,
            key_file=switch.key_file,
            ports=[machine.port],
        ),
        net=Net(
            network=NETWORK,
            gateway=ADDRESS,
            first=machine.address,
            last=machine.address,
            vlan=VLAN,
            unused_vlan=UNUSED,
            user=machine.user,
            key_file=machine.key_file,
        ),
        mail=(mailbox.host, mailbox.port),
    )


def make_key(path: Path) -> Path:
    """Make an SSH key without passphrase; return its private half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def public_half(path: Path) -> str:
    """Return the public half of a key as type and blob."""
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])


def _settings(switch: SwitchAt, net: Net, mail: tuple[str, int]) -> str:
    return f"""\
time_zone = "Asia/Jakarta"

[agency]
name = "{AGENCY}"
letterhead = ["PEMERINTAH KABUPATEN TRENGGALEK", "DINAS KOMUNIKASI DAN INFORMATIKA"]
address = "Jalan Contoh Nomor 1, Trenggalek"
city = "Trenggalek"

[mail]
host = "{mail[0]}"
port = {mail[1]}
sender = "sopauto@kominfo.example.go.id"

[custody]
unused_vlan = {net.unused_vlan}
ssh_port = {net.ssh_port}

[credentials.switch]
user = "{switch.user}"
key_file = "{switch.key_file}"

[credentials.inventory]
user = "{net.user}"
key_file = "{net.key_file}"
python = "{net.python}"
"""


def people_file(
    keys: Mapping[str, Path],
    cast: Sequence[Role],
    *,
    positions: Mapping[str, str] = POSITIONS,
    superiors: Mapping[str, str] = NO_SUPERIORS,
    units: Mapping[str, str] = UNITS,
    direct: Mapping[str, str] = NO_SUPERIORS,
) -> str:
    """Return people.yaml: who holds what, each public key; `superiors` by position, `direct` ones by person."""
    data: dict[str, Any] = {
        "jabatan": [
            {"id": name, "nama": title, **({"atasan": superiors[name]} if name in superiors else {})}
            for name, title in positions.items()
        ],
        "unit": [{"id": name, "nama": title} for name, title in units.items()],
        "orang": [
            {
                "id": role.id,
                "nama": role.name,
                "nip": role.nip,
                "email": f"{role.id}@{role.unit}.example.go.id",
                **({"atasan_langsung": direct[role.id]} if role.id in direct else {}),
                "kunci": [{"publik": public_half(keys[role.id]), "sejak": FIRST_DAY}],
                "memegang": [{"jabatan": role.position, "unit": role.unit, "sejak": FIRST_DAY}],
            }
            for role in cast
        ],
    }
    return json.dumps(data, ensure_ascii=False, indent=1)  # JSON is YAML


def _assets(switch: SwitchAt, net: Net, rack_height: int) -> dict[str, Any]:
    return {
        "units": [{"id": name, "name": title} for name, title in UNITS.items()],
        "racks": [{"id": "R1", "location": "Ruang server lantai 2", "height": rack_height}],
        "vlans": [{"id": net.vlan, "name": "titipan"}],
        "switches": [
            {
                "id": "sw1",
                "platform": switch.platform,
                "host": switch.host,
                "port": switch.port,
                "credentials": "switch",
                "host_key": switch.host_key,
            }
        ],
        "ports": [{"switch": "sw1", "name": name, "rack": "R1"} for name in switch.ports],
        "pools": [
            {
                "id": "titipan",
                "vlan": net.vlan,
                "network": net.network,
                "gateway": net.gateway,
                "first": net.first,
                "last": net.last,
            }
        ],
    }
