"""A real switch: Open vSwitch in user space, with a database, sockets and an SSH login of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.processes import end, quietly, run, wait_until
from sopauto.errors import StepFailed

BRIDGE: Final = "sopsw0"
SCHEMA: Final = "/usr/share/openvswitch/vswitch.ovsschema"
SSH_PORT: Final = 2222
WRAPPER: Final = """\
#!/bin/sh
# What arrives over SSH is written down before it is carried out: tests read it.
printf '%s\\n' "ovs-vsctl $*" >>{state}/commands.log
exec /usr/bin/ovs-vsctl --db=unix:{state}/db.sock "$@"
"""
SHELL: Final = """\
#!/bin/sh
PATH={state}/bin:/usr/bin:/bin; export PATH
PS1='{bridge}# '; export PS1
exec /bin/bash --noprofile --norc -i
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ovs:
    """A switch in a state directory. `namespace` is where its SSH server listens (on 127.0.0.1)."""

    state: Path
    namespace: str
    host: str = "127.0.0.1"
    port: int = SSH_PORT
    user: str = "root"

    @property
    def key_file(self) -> Path:
        """The private key that may log in."""
        return self.state / "login"

    @property
    def host_key(self) -> str:
        """The switch's host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self.state / "host_key.pub").read_text().split()[:2])

    def up(self) -> None:
        """Start the database and the switch."""
        for name, content in (("ovs-vsctl", WRAPPER), ("shell", SHELL)):
            path = self.state / "bin" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.format(state=self.state, bridge=BRIDGE))
            path.chmod(0o755)
        os.environ["OVS_RUNDIR"] = str(self.state)
        run("ovsdb-tool", "create", f"{self.state}/conf.db", SCHEMA)
        common = ("--detach", "--no-chdir", f"--log-file={self.state}/ovs.log", "-vconsole:off")
        run(
            "ovsdb-server",
            f"{self.state}/conf.db",
            f"--remote=punix:{self.state}/db.sock",
            f"--pidfile={self.state}/ovsdb.pid",
            f"--unixctl={self.state}/ovsdb.ctl",
            *common,
        )
        self.vsctl("--no-wait", "init")
        run(
            "ovs-vswitchd",
            f"unix:{self.state}/db.sock",
            f"--pidfile={self.state}/vswitchd.pid",
            f"--unixctl={self.state}/vswitchd.ctl",
            *common,
        )
        self.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev")

    def add_port(self, name: str, vlan: int) -> None:
        """Add an access port."""
        self.vsctl("add-port", BRIDGE, name, f"tag={vlan}", "--", "set", "port", name, "vlan_mode=access")

    def vsctl(self, *arguments: str) -> str:
        """Run ovs-vsctl as somebody on the switch's console; not in `log`."""
        return run("ovs-vsctl", f"--db=unix:{self.state}/db.sock", "--timeout=20", *arguments)

    def log(self) -> list[str]:
        """Return the commands that came over SSH."""
        path = self.state / "commands.log"
        return path.read_text().splitlines() if path.exists() else []

    def listen(self) -> None:
        """Start the SSH server in the namespace."""
        for name in ("host_key", "login"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.state / name))
        config = self.state / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress {self.host}\nHostKey {self.state}/host_key\n"
            f"PidFile {self.state}/sshd.pid\nAuthorizedKeysFile {self.state}/login.pub\nStrictModes no\nUsePAM no\n"
            f"PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\nPrintMotd no\n"
            f"ForceCommand {self.state}/bin/shell\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        run("ip", "netns", "exec", self.namespace, "/usr/sbin/sshd", "-f", str(config), "-E", f"{self.state}/sshd.log")
        if not wait_until((self.state / "sshd.pid").exists, seconds=10):
            raise StepFailed("the switch's SSH server does not start", where="lab", mend=f"see {self.state}/sshd.log")

    def down(self) -> None:
        """Stop everything that `up` and `listen` started."""
        for name in ("sshd", "vswitchd", "ovsdb"):
            end(self.state / f"{name}.pid", self.state)
        quietly(["ip", "link", "del", BRIDGE])
