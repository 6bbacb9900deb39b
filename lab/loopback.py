"""A server on loopback for the demo: a real SSH server that needs neither root nor a package of the system.

It runs the commands that it is given on this machine, so that an inventory is this machine's own.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import asyncssh

PIECE = 64 * 1024


@dataclass(slots=True)
class LoopbackServer:
    """An SSH server; use it as a context manager. `authorized` is the public key that may log in.

    It lets `delay` seconds pass before it carries out a command.
    """

    authorized: str
    host: str = "127.0.0.1"
    port: int = 0
    user: str = "sopauto"
    host_key: str = ""
    delay: float = 0.0
    commands: list[str] = field(default_factory=list)
    _key: Any = None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _server: Any = None

    def __enter__(self) -> Self:
        """Start the server in a thread of its own."""
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = " ".join(self._key.export_public_key().decode().split()[:2])
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.plug_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.unplug()
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(10)
        self._loop.close()

    def plug_in(self) -> None:
        """Let the server be reached (it keeps its port and its host key)."""
        if self._server is None:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def unplug(self) -> None:
        """Take it off the network."""
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    def change_host_key(self) -> None:
        """Become another server under the same address."""
        self.unplug()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self.plug_in()

    async def _listen(self) -> None:
        self._server = await asyncssh.create_server(
            _Login,
            self.host,
            self.port,
            server_host_keys=[self._key],
            authorized_client_keys=asyncssh.import_authorized_keys(self.authorized),
            process_factory=self._carry_out,
            encoding=None,
            reuse_address=True,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        server, self._server = self._server, None
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)

    async def _leave(self) -> None:
        """End what still talks to clients that are gone."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry_out(self, process: Any) -> None:
        """Run a command of this machine's shell with the session's input and output."""
        command = process.command or "exit 0"
        self.commands.append(command)
        await asyncio.sleep(self.delay)
        child = await asyncio.create_subprocess_exec(
            *("sh", "-c", command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        given = asyncio.create_task(_pour(process.stdin, child.stdin, close=True))
        with suppress(asyncssh.Error, OSError):
            await asyncio.gather(_pour(child.stdout, process.stdout), _pour(child.stderr, process.stderr))
            process.exit(await child.wait())
        given.cancel()


async def _pour(source: Any, sink: Any, *, close: bool = False) -> None:
    """Hand on what comes until it ends."""
    with suppress(ConnectionError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
        if close:
            sink.close()


class _Login(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        del username
        return True
