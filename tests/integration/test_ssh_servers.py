"""Greeting and inventory over real connections: OpenSSH on loopback, and servers that mean harm."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from lab.sshd import Sshd
from sopauto.drivers.ssh import Ssh
from sopauto.errors import BadInput, StepFailed
from sopauto.inventory.reading import script, snapshot
from sopauto.inventory.steps import MAX_BYTES
from sopauto.machines.host_keys import fingerprint
from sopauto.machines.login import Login
from sopauto.machines.met import Greeting, Silence

Serve = Callable[[socket.socket], None]


@dataclass(frozen=True, kw_only=True)
class Credentials:
    user: str
    key_file: Path | None = None
    password_env: str | None = None


@pytest.fixture(scope="module")
def sshd(need: Callable[[str], str]) -> Iterator[Sshd]:
    need("sshd")
    with Sshd(host="127.0.7.1") as server:
        yield server


def ssh_of(server: Sshd) -> Ssh:
    return Ssh(credentials={"inventory": Credentials(user=server.user, key_file=server.key_file)})


def login(server: Sshd, **more: Any) -> Login:
    defaults = {"server": "web-01", "address": server.host, "port": server.port, "host_key": server.host_key}
    return Login(**{**defaults, "credentials": "inventory", **more})


def run(server: Sshd, what: bytes, *, max_bytes: int = MAX_BYTES, seconds: float = 20, **more: Any) -> bytes:
    return ssh_of(server).run(login(server, **more), what, max_bytes=max_bytes, seconds=seconds)


def greet(address: str, port: int, seconds: float = 5, pinned: str | None = None) -> Greeting | Silence:
    return Ssh(credentials={}).greet(address, port, pinned=pinned, seconds=seconds)


def silence(address: str, port: int, seconds: float = 5) -> str:
    met = greet(address, port, seconds)
    assert isinstance(met, Silence)
    return met.reason


# OpenSSH


def test_a_greeting_shows_the_host_key_that_the_server_has(sshd: Sshd) -> None:
    met = greet(sshd.host, sshd.port)
    assert isinstance(met, Greeting)
    assert met.host_key == sshd.host_key
    assert met.banner.startswith("SSH-2.0-OpenSSH")
    assert 0 <= met.tcp_ms < 1000


def test_fingerprints_are_those_of_ssh_keygen(sshd: Sshd) -> None:
    shown = subprocess.run(
        ["ssh-keygen", "-lf", sshd.directory / "host_key.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split()[1] == fingerprint(sshd.host_key)


def test_this_machine_is_inventoried(sshd: Sshd) -> None:
    taken = snapshot.parse(run(sshd, script.source()), datetime.now(UTC))
    server, network = taken["server"], taken["network"]
    assert server["kernel"] == os.uname().release
    assert server["architecture"] == os.uname().machine
    assert server["cpu"]["threads"] == os.sysconf("SC_NPROCESSORS_ONLN")
    assert server["memory_bytes"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert network["host_name"] == socket.gethostname()
    assert "127.0.0.1/8" in next(one for one in network["interfaces"] if one["name"] == "lo")["addresses"]
    assert (sshd.port, sshd.host) in {(one["port"], one["address"]) for one in server["listening_ports"]}
    assert "root" in {one["name"] for one in server["users"]}


def test_one_inventory_is_one_session_with_one_command(sshd: Sshd) -> None:
    before = sshd.log()
    run(sshd, script.source())
    after = sshd.log()[len(before) :]
    assert after.count("Accepted publickey") == 1
    assert after.count("Starting session: command") == 1


def test_neither_known_hosts_nor_agent_of_the_user_is_asked(sshd: Sshd, tmp_path: Path, monkeypatch: Any) -> None:
    asked = tmp_path / "agent"
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(asked))
        agent.listen()
        agent.settimeout(0.1)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(asked))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert run(sshd, b"echo hello") == b"hello\n"
        with pytest.raises(TimeoutError):
            agent.accept()
    assert list(tmp_path.iterdir()) == [asked]


def test_a_public_key_file_asks_the_agent_for_that_key_only(sshd: Sshd, tmp_path: Path, monkeypatch: Any) -> None:
    path = str(tmp_path / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        ssh = Ssh(credentials={"inventory": Credentials(user=sshd.user, key_file=sshd.key_file.with_suffix(".pub"))})
        wait_for(lambda: Path(path).exists())
        with pytest.raises(BadInput, match="the agent does not hold this key"):
            ssh.run(login(sshd), b"echo hello", max_bytes=100, seconds=10)
        subprocess.run(["ssh-add", "-q", sshd.key_file], check=True)
        assert ssh.run(login(sshd), b"echo hello", max_bytes=100, seconds=10) == b"hello\n"
    finally:
        agent.terminate()
        agent.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def test_a_changed_host_key_is_found_before_any_login(sshd: Sshd, tmp_path: Path) -> None:
    with Sshd(host="127.0.7.2", directory=tmp_path / "impostor") as impostor:
        with pytest.raises(StepFailed) as caught:
            run(impostor, b"echo secret", host_key=sshd.host_key)
        assert fingerprint(sshd.host_key) in str(caught.value)
        assert fingerprint(impostor.host_key) in str(caught.value)
        assert "Accepted" not in impostor.log()
        assert "userauth" not in impostor.log()


def test_a_pinned_key_of_another_type_is_asked_for_first(tmp_path: Path, need: Callable[[str], str]) -> None:
    second = tmp_path / "second"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", second], check=True)
    # sshd takes every HostKey line, so this server has both keys.
    with Sshd(host="127.0.7.3", host_key_type="rsa", options={"# two keys\nHostKey": str(second)}) as server:
        config = (server.directory / "sshd_config").read_text()
        assert config.count("HostKey") == 2
        assert server.host_key.startswith("ssh-rsa ")
        assert run(server, b"echo as pinned") == b"as pinned\n"


def test_a_login_that_the_server_does_not_know_is_refused_in_one_line(sshd: Sshd, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    ssh = Ssh(credentials={"inventory": Credentials(user=sshd.user, key_file=stranger)})
    with pytest.raises(StepFailed, match=f"login as {sshd.user} failed"):
        ssh.run(login(sshd), b"true", max_bytes=100, seconds=10)


def test_a_key_with_a_passphrase_needs_its_variable(sshd: Sshd, tmp_path: Path, monkeypatch: Any) -> None:
    locked = tmp_path / "locked"
    locked.write_bytes(sshd.key_file.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "rahasia", "-f", locked], check=True)
    login_of = Credentials(user=sshd.user, key_file=locked, password_env="KEY_PASSPHRASE")
    ssh = Ssh(credentials={"inventory": login_of})
    with pytest.raises(BadInput, match="the key cannot be used"):
        ssh.run(login(sshd), b"true", max_bytes=100, seconds=10)
    monkeypatch.setenv("KEY_PASSPHRASE", "rahasia")
    assert ssh.run(login(sshd), b"echo in", max_bytes=100, seconds=10) == b"in\n"


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, "there is no login inventory"),
        ({"inventory": Credentials(user="x")}, "neither key_file nor password"),
        ({"inventory": Credentials(user="x", key_file=Path("/nowhere"))}, "the key cannot be used"),
        ({"inventory": Credentials(user="x", key_file=Path("/etc/passwd"))}, "the key cannot be used"),
    ],
)
def test_unusable_credentials_are_bad_input(sshd: Sshd, credentials: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Ssh(credentials=credentials).run(login(sshd), b"true", max_bytes=100, seconds=10)


def test_an_endless_answer_is_cut(sshd: Sshd) -> None:
    with pytest.raises(StepFailed, match="answered more than 100000 bytes"):
        run(sshd, b"while :; do echo and so on; done", max_bytes=100_000)


def test_an_endless_complaint_is_cut_too(sshd: Sshd) -> None:
    with pytest.raises(StepFailed, match="answered more than 100000 bytes"):
        run(sshd, b"while :; do echo and so on >&2; done", max_bytes=100_000)


def test_bytes_that_trickle_in_end_with_the_time(sshd: Sshd) -> None:
    begun = time.monotonic()
    with pytest.raises(StepFailed, match=r"did not come to an end within 1\.5 s"):
        run(sshd, b"while :; do printf x; sleep 0.2; done", seconds=1.5)
    assert time.monotonic() - begun < 3


def test_a_session_that_ends_early_is_no_inventory(sshd: Sshd) -> None:
    output = run(sshd, b"printf 'vendor\\tX\\n'; kill -9 $PPID; sleep 5", seconds=10)
    with pytest.raises(StepFailed, match="broke off"):
        snapshot.parse(output, datetime.now(UTC))


def test_a_server_with_busybox_and_nothing_else_is_inventoried(need: Callable[[str], str], tmp_path: Path) -> None:
    busybox = need("busybox")
    for applet in ("sh", "sed", "cat", "grep", "head", "tr", "wc", "uname", "id", "ls"):
        (tmp_path / applet).symlink_to(busybox)
    bare = script.source().replace(b"PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin", b"")
    with Sshd(host="127.0.7.4", options={"ForceCommand": f"env -i PATH={tmp_path} sh -s"}) as server:
        taken = snapshot.parse(run(server, bare), datetime.now(UTC))
        ports = {(one["port"], one["address"]) for one in taken["server"]["listening_ports"]}
        assert (server.port, server.host) in ports
    assert taken["server"]["kernel"] == os.uname().release
    assert taken["server"]["cpu"]["threads"] == os.sysconf("SC_NPROCESSORS_ONLN")
    assert "server.listening_ports.process: needs root and ss" in taken["missing"]


# Servers that mean harm


@contextmanager
def listener(serve: Serve) -> Iterator[int]:
    """Serve connections on loopback, each by a function of its own thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=guarded, args=(connection,), daemon=True).start()

        def guarded(connection: socket.socket) -> None:
            with connection:
                try:
                    serve(connection)
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 65536)


def flood_of_lines(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"come in\r\n" * 8192)


def trickle(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def nothing(connection: socket.socket) -> None:
    connection.recv(1)
    time.sleep(30)


def web_page(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def stalled_exchange(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-stalls\r\n")
    time.sleep(30)


def flood_after_banner(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-floods\r\n")
    ignored = b"\x02" + (30_000).to_bytes(4, "big") + b"i" * 30_000
    padding = 8 - (len(ignored) + 5) % 8 + 8
    packet = (len(ignored) + padding + 1).to_bytes(4, "big") + bytes([padding]) + ignored + b"p" * padding
    while True:
        connection.sendall(packet)


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (flood, "flood"),
        (flood_of_lines, {"flood", "not-ssh"}),
        (trickle, "timeout"),
        (nothing, "timeout"),
        (web_page, "not-ssh"),
        (stalled_exchange, "timeout"),
        (flood_after_banner, {"flood", "not-ssh"}),
    ],
)
def test_a_hostile_server_is_given_up_with_a_reason_in_bounded_time(
    serve: Serve, reason: str | set[str], capfd: Any
) -> None:
    with listener(serve) as port:
        begun = time.monotonic()
        told = silence("127.0.0.1", port, seconds=1.0)
        assert time.monotonic() - begun < 2.5
    assert told in ({reason} if isinstance(reason, str) else reason)
    assert capfd.readouterr() == ("", ""), "what the peer says never reaches the terminal raw"


def test_a_port_that_nobody_listens_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert silence("127.0.0.1", port) == "refused"


def test_a_name_that_nobody_knows_is_a_dns_matter() -> None:
    assert silence("no-such-host.invalid", 22) == "dns"
    assert silence("x" * 70, 22) == "dns"


class LetIn(asyncssh.SSHServer):
    """Lets anybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


@contextmanager
def asyncssh_server(process: Any, login: type[asyncssh.SSHServer] = LetIn) -> Iterator[tuple[int, str]]:
    """Run an SSH server whose sessions are handled by `process`; yield its port and host key."""
    loop = asyncio.new_event_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")
    started = loop.run_until_complete(
        asyncssh.create_server(login, "127.0.0.1", 0, server_host_keys=[key], process_factory=process, encoding=None)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield started.get_port(), " ".join(key.export_public_key().decode().split()[:2])
    finally:
        loop.call_soon_threadsafe(started.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def one_byte_packets(process: Any) -> None:
    while True:
        process.stdout.write(b"x")
        await asyncio.sleep(0)


async def never_reads(process: Any) -> None:
    await asyncio.sleep(30)


def run_on(port: int, host_key: str, sshd: Sshd, what: bytes, **bounds: Any) -> bytes:
    wanted = Login(server="web-01", address="127.0.0.1", port=port, host_key=host_key, credentials="inventory")
    return ssh_of(sshd).run(wanted, what, **bounds)


def test_an_answer_in_packets_of_one_byte_is_bounded_on_the_wire(sshd: Sshd) -> None:
    too_much = pytest.raises(StepFailed, match="answered more than 20000 bytes")
    with asyncssh_server(one_byte_packets) as (port, host_key), too_much:
        run_on(port, host_key, sshd, b"true", max_bytes=20_000, seconds=20)


def test_a_server_that_never_reads_the_script_ends_with_the_time(sshd: Sshd) -> None:
    with asyncssh_server(never_reads) as (port, host_key):
        begun = time.monotonic()
        with pytest.raises(StepFailed, match=r"did not come to an end within 1\.5 s"):
            run_on(port, host_key, sshd, b"# long\n" * 2_000_000, max_bytes=1000, seconds=1.5)
        assert time.monotonic() - begun < 4
