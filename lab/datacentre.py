"""The lab as a whole: a switch, a gateway, and custody servers on ports that lead nowhere yet."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lab.image import base_image
from lab.machine import Machine
from lab.network import ADDRESS, LEG, VLAN, Gateway
from lab.ovs import Ovs
from lab.packages import LAB, install_missing
from lab.processes import run, wait_until
from sopauto.errors import BadInput, StepFailed

STATE: Final = Path("/run/sopauto-lab")
UNUSED: Final = 999
"""The VLAN of ports without a server."""
BOOT_SECONDS: Final = 240
FIRST: Final = 10
"""The last number of the first server's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Datacentre:
    """A running lab."""

    state: Path
    switch: Ovs
    gateway: Gateway
    machines: tuple[Machine, ...]

    @classmethod
    def of(cls, state: Path, machines: int) -> Self:
        """Return the lab of a state directory, whether it runs or not."""
        from lab.network import NAMESPACE

        servers = (
            Machine(state=state, number=i, gateway=ADDRESS, address=ADDRESS.rpartition(".")[0] + f".{FIRST + i}")
            for i in range(machines)
        )
        switch = Ovs(state=state, namespace=NAMESPACE)
        return cls(state=state, switch=switch, gateway=Gateway(), machines=tuple(servers))

    @classmethod
    def up(cls, state: Path = STATE, *, machines: int = 1, say: Callable[[str], None]) -> Self:
        """Install what is missing, make the image when it is not there, and start everything.

        Raises: BadInput (not root on Debian, or a lab is up already), StepFailed.
        """
        install_missing(say, LAB)
        image = base_image(say)
        if (state / "lab.json").exists():
            raise BadInput("a lab is up already", where=str(state), mend="`inv lab.down` first")
        state.mkdir(parents=True, exist_ok=True)
        (state / "lab.json").write_text(json.dumps({"machines": machines}))
        lab = cls.of(state, machines)
        begun = time.monotonic()
        try:
            lab._start(image, say)
        except BaseException:
            lab.down()
            raise
        say(f"  the lab is up after {time.monotonic() - begun:.0f} s")
        return lab

    @classmethod
    def load(cls, state: Path = STATE) -> Self:
        """Return the lab that is up; raises BadInput (none is)."""
        try:
            return cls.of(state, json.loads((state / "lab.json").read_text())["machines"])
        except (OSError, ValueError, KeyError):
            raise BadInput("no lab is up", where=str(state), mend="`inv lab.up`") from None

    def _start(self, image: object, say: Callable[[str], None]) -> None:
        from lab.image import Image

        assert isinstance(image, Image)
        self.switch.up()
        self.gateway.up()
        self.switch.add_port(LEG, VLAN)
        self.switch.listen()
        for machine in self.machines:
            machine.wire()
            # On the way up a server is where the gateway sees it, so that its boot can be waited for.
            self.switch.add_port(machine.port, VLAN)
            machine.boot(image)
        for machine in self.machines:
            say(f"  {machine.name} boots")
            if not wait_until(lambda m=machine: self.answers(m), seconds=BOOT_SECONDS, pause=1):  # type: ignore[misc]
                raise StepFailed(f"{machine.name} does not boot", where=str(self.state), mend="see its console.log")
            self.switch.vsctl("set", "port", machine.port, f"tag={UNUSED}")

    def answers(self, machine: Machine) -> bool:
        """Tell whether a server's SSH answers the gateway."""
        return self.gateway.banner(machine.address, seconds=2) is not None

    def down(self) -> None:
        """Stop everything and leave nothing behind; works from what is found, also after a crash."""
        for machine in self.machines:
            machine.down()
        self.switch.down()
        self.gateway.down()
        if self.state.is_dir():
            mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
            if any(mount.startswith(f"{self.state}/") for mount in mounts):
                raise StepFailed("something is mounted below it", where=str(self.state), mend="unmount it")
            shutil.rmtree(self.state)

    def left_behind(self) -> list[str]:
        """Return what is still there after `down`: links, namespaces, processes, files."""
        links = [line.split(":")[1].strip() for line in run("ip", "-o", "link").splitlines()]
        found = [f"link {link}" for link in links if link.startswith("sop")]
        found += [f"namespace {line.split()[0]}" for line in run("ip", "netns").splitlines() if line.startswith("sop")]
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments = path.read_bytes()
            except OSError:
                continue
            if str(self.state).encode() in arguments:
                found.append(f"process {arguments.replace(bytes(1), b' ').decode(errors='replace')[:80]}")
        return found + ([f"files in {self.state}"] if self.state.exists() else [])
