"""A scan by the OpenSSH client: real servers, servers that are away, and servers that mean harm, side by side."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from lab.sshd import Sshd, free_port
from sopauto.errors import BadInput, Conflict, StepFailed
from sopauto.inventory.kept.history import Reading
from sopauto.inventory.kept.store import SqlHistory
from sopauto.inventory.reading import script, snapshot
from sopauto.inventory.scanning.openssh import OpenSsh
from sopauto.inventory.scanning.scan import Limits, Scanner, Tally, Target
from sopauto.store.engine import open_store
from sopauto.store.sqlstore import SqlStore
from tests.integration.test_ssh_servers import (
    Credentials,
    LetIn,
    asyncssh_server,
    flood,
    flood_after_banner,
    flood_of_lines,
    listener,
    never_reads,
    nothing,
    one_byte_packets,
    stalled_exchange,
    trickle,
    web_page,
)

SECONDS = 3.0
RECORDED = Path(__file__).parents[1] / "unit" / "inventory" / "reading" / "recorded" / "debian.txt"


@pytest.fixture(scope="module")
def sshd(need: Callable[[str], str]) -> Iterator[Sshd]:
    need("sshd")
    need("ssh")
    with Sshd(host="127.0.7.9") as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'sopauto.db'}")
    yield opened
    opened.engine.dispose()


def of(server: Sshd, name: str = "web-01", **more: Any) -> Target:
    defaults = {"server": name, "address": server.host, "port": server.port, "host_key": server.host_key}
    return Target(**{**defaults, "credentials": "inventory", **more})


def at(port: int, name: str, host_key: str = "ssh-ed25519 AAAA") -> Target:
    return Target(server=name, address="127.0.0.1", port=port, host_key=host_key, credentials="inventory")


def scan(
    store: SqlStore,
    sshd: Sshd,
    *targets: Target,
    what: bytes = b"",
    seconds: float = SECONDS,
    parallel: int = 4,
    pin: bool = False,
    login: Credentials | None = None,
    show: Callable[[Tally], None] = lambda _: None,
) -> tuple[Tally, dict[str, Reading]]:
    """Scan, and return the tally and what could not be read by server."""
    begun = SqlHistory(store).begin(datetime.now(UTC), len(targets))
    credentials = {"inventory": login or Credentials(user=sshd.user, key_file=sshd.key_file)}
    with OpenSsh(credentials=credentials) as shell:
        scanner = Scanner(
            shell,
            SqlHistory(store),
            script=what or RECORDED_SCRIPT,
            parse=snapshot.parse,
            now=lambda: datetime.now(UTC),
            show=show,
        )
        tally = scanner.run(begun, targets, Limits(parallel=parallel, seconds=seconds, pin=pin))
    return tally, {reading.server: reading for reading in SqlHistory(store).unread(begun.id)}


RECORDED_SCRIPT = f"cat {RECORDED}\n".encode()
"""Quick: what the script would answer."""


def test_servers_are_read_and_kept(store: SqlStore, sshd: Sshd) -> None:
    shown: list[int] = []
    names = [f"web-{i:02}" for i in range(9)]
    targets = [of(sshd, name) for name in names]
    tally, unread = scan(store, sshd, *targets, seconds=60, show=lambda tally: shown.append(tally.done))
    assert (tally.read, unread) == (9, {})
    assert (shown[0], shown[-1]) == (0, 9)
    assert list(SqlHistory(store).known(datetime.now(UTC))) == names
    assert SqlHistory(store).scans(1)[0].ended_at is not None


def test_this_machine_is_inventoried_in_one_session_with_one_command(store: SqlStore, sshd: Sshd) -> None:
    before = sshd.log()
    scan(store, sshd, of(sshd), what=script.source(["updates"]), seconds=60)
    after = sshd.log()[len(before) :]
    assert (after.count("Accepted publickey"), after.count("Starting session: command")) == (1, 1)
    parts = SqlHistory(store).known(datetime.now(UTC))["web-01"].parts
    assert SqlHistory(store).sections([parts["system"]])[parts["system"]]["kernel"] == os.uname().release


def test_each_reason_is_told(store: SqlStore, sshd: Sshd, tmp_path: Path) -> None:
    with Sshd(host="127.0.7.10") as other:
        targets = (
            of(sshd),
            of(sshd, "no-name", address="no-such-host.invalid"),
            of(sshd, "refused", port=free_port(sshd.host)),
            of(sshd, "changed", host_key=other.host_key),
            of(other, "login"),
            of(sshd, "no-key", host_key=None),
            of(sshd, "windows", by_form=True),
        )
        _, unread = scan(store, sshd, *targets, seconds=20)
    assert {name: one.reason for name, one in unread.items()} == {
        "no-name": "dns",
        "refused": "refused",
        "changed": "host-key",
        "login": "login",
        "no-key": "no-key",
        "windows": "by-form",
    }
    assert "SHA256:" in unread["changed"].detail


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_host_key_of_another_type_is_a_changed_one(store: SqlStore, sshd: Sshd, kind: str) -> None:
    with Sshd(host="127.0.7.10", host_key_type=kind) as other:
        _, unread = scan(store, sshd, of(other, host_key=sshd.host_key), seconds=20)
    told = unread["web-01"]
    assert told.reason == "host-key"
    assert told.detail.startswith("the server shows no ssh-ed25519 key, only ")
    assert kind in told.detail


OLD = {
    "signature": ({"HostKeyAlgorithms": "ssh-rsa"}, "host key type: only ssh-rsa"),
    "exchange": (
        {"KexAlgorithms": "diffie-hellman-group1-sha1"},
        "key exchange method: only diffie-hellman-group1-sha1,kex-strict-s-v00@openssh.com",
    ),
    "cipher": ({"Ciphers": "aes128-cbc"}, "cipher: only aes128-cbc"),
    "mac": ({"Ciphers": "aes128-ctr", "MACs": "hmac-md5"}, "MAC: only hmac-md5"),
}


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("means", OLD)
def test_a_server_with_old_means_only_is_too_old(store: SqlStore, sshd: Sshd, means: str, pinned: bool) -> None:
    options, detail = OLD[means]
    with Sshd(host="127.0.7.10", host_key_type="rsa", options=options) as old:
        _, unread = scan(store, sshd, of(old, **({} if pinned else {"host_key": None})), pin=True, seconds=20)
    assert [(one.reason, one.detail[:80]) for one in unread.values()] == [("too-old", detail[:80])]


@pytest.mark.parametrize(
    ("script", "reason"),
    [(b"kill -9 $PPID; sleep 5\n", "reset"), (b"echo x; sleep 1; kill -9 $PPID; sleep 5\n", "broke-off")],
)
def test_a_connection_that_is_cut_after_the_login(store: SqlStore, sshd: Sshd, script: bytes, reason: str) -> None:
    _, unread = scan(store, sshd, of(sshd), what=script, seconds=20)
    told = f"Connection to {sshd.host} closed by remote host."
    assert [(one.reason, one.detail) for one in unread.values()] == [(reason, told)]


def test_a_command_that_fails_without_an_answer_broke_off(store: SqlStore, sshd: Sshd) -> None:
    _, unread = scan(store, sshd, of(sshd), what=b"echo the shell is ill >&2; exit 255\n", seconds=20)
    assert [(one.reason, one.detail) for one in unread.values()] == [("broke-off", "the shell is ill")]


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield


def test_paths_may_hold_what_is_special_to_ssh(store: SqlStore, sshd: Sshd, tmp_path: Path) -> None:
    folder = tmp_path / "a b\"c%h'd\\e#"
    with temporary_files_in(folder):
        key_file = folder / "login key"
        key_file.write_bytes(sshd.key_file.read_bytes())
        key_file.chmod(0o600)
        login = Credentials(user=sshd.user, key_file=key_file)
        tally, unread = scan(store, sshd, of(sshd), of(sshd, "new", host_key=None), pin=True, login=login, seconds=20)
    assert (tally.read, unread) == (2, {})
    with store.read() as reader:
        assert reader.pinned_host_key("new") == sshd.host_key
    assert list(folder.iterdir()) == [key_file]


def test_a_server_with_another_host_key_is_given_nothing(store: SqlStore, sshd: Sshd, tmp_path: Path) -> None:
    with Sshd(host="127.0.7.10") as other:
        trap = tmp_path / "ran"
        scan(store, sshd, of(sshd, host_key=other.host_key), what=f"touch {trap}\n".encode())
    assert not trap.exists()
    assert "Accepted publickey" not in sshd.log().splitlines()[-1]


def test_the_first_contact_is_pinned_where_that_is_asked_for(store: SqlStore, sshd: Sshd) -> None:
    tally, _ = scan(store, sshd, of(sshd, host_key=None), pin=True, seconds=20)
    assert tally.read == 1
    with store.read() as reader:
        assert reader.pinned_host_key("web-01") == sshd.host_key


def test_a_password_is_given_without_showing_it_to_anybody(
    store: SqlStore, sshd: Sshd, monkeypatch: Any, tmp_path: Path
) -> None:
    seen: list[str] = []

    class Asks(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            commands = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
            seen.extend("argv" for command in commands if b"rahasia-sekali" in command)
            return password == "rahasia-sekali"

    async def answers(process: Any) -> None:
        process.stdout.write(RECORDED.read_bytes())
        process.exit(0)

    monkeypatch.setenv("INVENTORY_PASSWORD", "rahasia-sekali")
    login = Credentials(user="inventaris", password_env="INVENTORY_PASSWORD")
    with asyncssh_server(answers, Asks) as (port, host_key):
        tally, unread = scan(store, sshd, at(port, "web-01", host_key), login=login, seconds=20)
    assert (tally.read, unread, seen) == (1, {}, [])


def test_an_unknown_login_is_bad_input(sshd: Sshd) -> None:
    with OpenSsh(credentials={}) as shell, pytest.raises(BadInput, match="there is no login"):
        shell.refuse_unknown("inventory")


def test_where_there_is_no_ssh_nothing_is_begun(sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    login = Credentials(user=sshd.user, key_file=sshd.key_file)
    with OpenSsh(credentials={"inventory": login}) as shell, pytest.raises(BadInput, match="there is no ssh"):
        shell.refuse_unknown("inventory")


# Servers that mean harm


async def endless_output(process: Any) -> None:
    with_effort = b"package\tx\t1\n" * 4096
    while True:
        process.stdout.write(with_effort)
        await process.stdout.drain()


async def endless_errors(process: Any) -> None:
    while True:
        process.stderr.write(b"Permission denied\n" * 4096)
        await process.stderr.drain()


async def slow_bytes(process: Any) -> None:
    while True:
        process.stdout.write(b"x")
        await asyncio.sleep(0.1)


async def half_an_answer(process: Any) -> None:
    process.stdout.write(RECORDED.read_bytes()[:1000])
    process.exit(0)


async def deep_json(process: Any) -> None:
    process.stdout.write(b"host_name\t" + b"[" * 500_000 + b"\nend\t1\n")
    process.exit(0)


async def swells(process: Any) -> None:
    """Stays below its bytes, with characters that are written as five each."""
    unseen = b"\x01" * 200
    process.stdout.write(
        b"".join(b"disk\t%d%b\t8\t1\t%b\t%b\n" % (n, *[unseen] * 3) for n in range(2000)) + b"end\t1\n"
    )
    process.exit(0)


CHANGED = "x\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\nx"
"""What ssh says of a changed host key; here the server says it."""


async def cut_off(process: Any) -> None:
    process.stderr.write(CHANGED.encode())
    process.exit(255)


class Disconnects(asyncssh.SSHServer):
    """Disconnects before the login, with a reason of its own."""

    def connection_made(self, conn: Any) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        self._connection.send_auth_banner(CHANGED)
        self._connection.disconnect(asyncssh.DISC_PROTOCOL_ERROR, CHANGED, "")
        return True


class OldPassword(asyncssh.SSHServer):
    """Takes the password, and says that it is to be changed."""

    text = CHANGED

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        raise asyncssh.PasswordChangeRequired(self.text)

    def change_password(self, username: str, old_password: str, new_password: str) -> bool:
        return False


class EverOldPassword(OldPassword):
    """Says so for ever, and a lot."""

    text = "x" * 1000

    def change_password(self, username: str, old_password: str, new_password: str) -> bool:
        raise asyncssh.PasswordChangeRequired(self.text)


@pytest.mark.parametrize(
    ("before_login", "reason"),
    [(LetIn, "broke-off"), (Disconnects, "reset"), (OldPassword, "login")],
)
def test_a_server_cannot_say_that_its_host_key_changed(
    store: SqlStore, sshd: Sshd, monkeypatch: Any, before_login: Any, reason: str
) -> None:
    """`host-key` is a promise that nothing was sent."""
    monkeypatch.setenv("INVENTORY_PASSWORD", "rahasia-sekali")
    login = Credentials(user="inventaris", password_env="INVENTORY_PASSWORD")
    with asyncssh_server(cut_off, before_login) as (port, key):
        _, unread = scan(store, sshd, at(port, "hostile", key), login=login, seconds=30)
    assert unread["hostile"].reason == reason
    assert len(unread["hostile"].detail) < 120
    assert unread["hostile"].detail.isprintable()


def test_what_a_server_has_ssh_write_to_its_log_is_bounded(store: SqlStore, monkeypatch: Any, sshd: Sshd) -> None:
    monkeypatch.setenv("INVENTORY_PASSWORD", "rahasia-sekali")
    login = Credentials(user="inventaris", password_env="INVENTORY_PASSWORD")
    with asyncssh_server(cut_off, EverOldPassword) as (port, key):
        _, unread = scan(store, sshd, at(port, "hostile", key), login=login, seconds=30)
    assert [(one.reason, one.detail) for one in unread.values()] == [("flood", "made ssh say more than 16384 bytes")]


def key_exchange(algorithms: str) -> Callable[[socket.socket], None]:
    """Return a server that offers these algorithms, as they stand, for its key exchange, and nothing else."""

    def serve(connection: socket.socket) -> None:
        names = algorithms.encode()
        offer = b"\x14" + bytes(16) + len(names).to_bytes(4, "big") + names + bytes(4 * 9 + 1 + 4)
        padding = 8 - (len(offer) + 5) % 8 + 8
        packet = (len(offer) + padding + 1).to_bytes(4, "big") + bytes([padding]) + offer + bytes(padding)
        connection.sendall(b"SSH-2.0-old\r\n" + packet)
        time.sleep(1)

    return serve


def ancient(connection: socket.socket) -> None:
    connection.sendall(b"SSH-1.5-ancient\r\n")


def quoting(connection: socket.socket) -> None:
    connection.sendall(b"SSH-Host key verification failed\r\n")


@pytest.mark.parametrize(
    ("serve", "reason", "detail"),
    [
        (key_exchange(CHANGED), "too-old", "key exchange method: only x\\n@    WARNING: REMOTE HOST"),
        (key_exchange("group1," * 10_000), "too-old", "key exchange method: only group1,group1,"),
        (ancient, "too-old", "could not read protocol ver"),
        (quoting, "not-ssh", ""),
    ],
)
def test_what_a_server_offers_is_told_bounded_and_escaped(
    store: SqlStore, sshd: Sshd, serve: Any, reason: str, detail: str
) -> None:
    with listener(serve) as port:
        _, unread = scan(store, sshd, at(port, "hostile", sshd.host_key), seconds=20)
    told = unread["hostile"]
    assert told.reason == reason
    assert detail in told.detail
    assert len(told.detail) < 120
    assert told.detail.isprintable()


class LongBanner(asyncssh.SSHServer):
    """Says 1 GB before it lets anybody in."""

    def connection_made(self, conn: Any) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        async def say() -> None:
            for _ in range(32_768):
                self._connection.send_auth_banner("x" * 32_000)
                await asyncio.sleep(0)

        self._saying = asyncio.get_running_loop().create_task(say())
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: Any) -> bool:
        await asyncio.sleep(60)
        return False


@pytest.mark.parametrize(
    ("behaviour", "reasons"),
    [
        (flood, {"not-ssh", "flood", "reset"}),
        (flood_of_lines, {"not-ssh", "flood", "reset"}),
        (trickle, {"timeout"}),
        (nothing, {"timeout"}),
        (web_page, {"not-ssh", "reset"}),
        (stalled_exchange, {"timeout"}),
        (flood_after_banner, {"flood", "not-ssh", "reset"}),
        (endless_output, {"flood"}),
        (endless_errors, {"flood"}),
        (slow_bytes, {"timeout"}),
        (one_byte_packets, {"timeout", "flood"}),
        (never_reads, {"timeout"}),
        (half_an_answer, {"broke-off"}),
        (swells, {"flood"}),
        (LongBanner, {"flood", "timeout"}),
    ],
)
def test_a_hostile_server_costs_its_own_share_and_no_more(
    store: SqlStore, sshd: Sshd, behaviour: Any, reasons: set[str], capfd: Any
) -> None:
    """Two places: one for the hostile server, and through the other all honest ones are read meanwhile."""
    with ExitStack() as stack:
        if behaviour is LongBanner:
            port, key = stack.enter_context(asyncssh_server(never_reads, LongBanner))
        elif asyncio.iscoroutinefunction(behaviour):
            port, key = stack.enter_context(asyncssh_server(behaviour))
        else:
            port, key = stack.enter_context(listener(behaviour)), sshd.host_key
        begun = time.monotonic()
        honest = [of(sshd, f"web-{i}") for i in range(4)]
        tally, unread = scan(store, sshd, at(port, "hostile", key), *honest, parallel=2)
        assert time.monotonic() - begun < SECONDS + 6
    assert {reading.reason for reading in unread.values()} <= reasons
    assert (tally.read, set(unread)) == (4, {"hostile"})
    assert capfd.readouterr() == ("", ""), "what a server says never reaches the terminal raw"


def test_deep_json_is_text_like_any_other(store: SqlStore, sshd: Sshd) -> None:
    with asyncssh_server(deep_json) as (port, key):
        tally, _ = scan(store, sshd, at(port, "deep", key))
    assert tally.read == 1
    parts = SqlHistory(store).known(datetime.now(UTC))["deep"].parts
    assert len(SqlHistory(store).sections([parts["network"]])[parts["network"]]["host_name"]) < 300


def test_ctrl_c_keeps_what_is_done_and_leaves_no_ssh_behind(store: SqlStore, sshd: Sshd) -> None:
    def interrupt(tally: Tally) -> None:
        if tally.done == 3 and not tally.interrupted:
            raise KeyboardInterrupt

    with asyncssh_server(slow_bytes) as (port, key):
        honest = [of(sshd, f"web-{i}") for i in range(3)]
        hanging = [at(port, f"slow-{i}", key) for i in range(3)]
        begun = time.monotonic()
        tally, unread = scan(store, sshd, *honest, *hanging, seconds=60, parallel=6, show=interrupt)
        assert time.monotonic() - begun < 20
    assert (tally.interrupted, tally.read, unread) == (True, 3, {})
    last = SqlHistory(store).scans(1)[0]
    assert last.ended_at is None
    assert set(SqlHistory(store).read_in(last.id)) == {"web-0", "web-1", "web-2"}
    children = ["ps", "-o", "comm=", "--ppid", str(os.getpid())]
    assert "ssh" not in subprocess.run(children, capture_output=True, text=True, check=False, timeout=10).stdout.split()


def test_a_full_disk_ends_the_scan_and_keeps_what_came_before(
    store: SqlStore, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = SqlHistory.record

    def fills_up(history: SqlHistory, number: int, readings: Any) -> None:
        if history.read_in(number):
            raise StepFailed("the disk of the database is full; nothing was written")
        keep(history, number, readings)

    monkeypatch.setattr(SqlHistory, "record", fills_up)
    with pytest.raises(StepFailed, match="disk"):
        scan(store, sshd, *(of(sshd, f"web-{i}") for i in range(6)), parallel=1, seconds=20)
    (last,) = SqlHistory(store).scans(1)
    assert last.ended_at is None
    assert 0 < len(SqlHistory(store).read_in(last.id)) < 6


def test_two_scans_at_once_are_refused(store: SqlStore) -> None:
    other = open_store(store.engine.url.render_as_string(hide_password=False))
    with SqlHistory(store).alone(), pytest.raises(Conflict, match="another scan runs"), SqlHistory(other).alone():
        pass
    with SqlHistory(other).alone():
        pass
