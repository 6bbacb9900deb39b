"""A simulated server on loopback: whatever it is given to run, it answers what was recorded elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncssh

from lab.loopback import LoopbackServer


@dataclass(slots=True)
class RecordedServer(LoopbackServer):
    """An SSH server that prints `answer` after its `delay`, and does nothing."""

    answer: bytes = b""

    async def _carry_out(self, process: Any) -> None:
        self.commands.append(process.command or "")
        with suppress(asyncssh.Error, OSError):
            await process.stdin.read()
            await asyncio.sleep(self.delay)
            process.stdout.write(self.answer)
            process.exit(0)
