"""Signatures by ssh-keygen, verified in the process, and the other way round."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopauto.drivers.signing import SshKeygenSigner
from sopauto.errors import BadInput, Refused
from sopauto.journal.sshsig import BadSignatureError, parse, verify

MESSAGE = b'{"ticket":"PS-2026-0001"}'
KINDS = [
    ("ed25519", []),
    ("ecdsa", ["-b", "256"]),
    ("ecdsa", ["-b", "384"]),
    ("ecdsa", ["-b", "521"]),
    ("rsa", ["-b", "3072"]),
]


def make_key(path: Path, kind: str = "ed25519", more: list[str] | None = None, passphrase: str = "") -> str:
    """Make a key and return its public half."""
    command = ["ssh-keygen", "-q", "-t", kind, *(more or []), "-N", passphrase, "-C", "x", "-f", str(path)]
    subprocess.run(command, check=True)
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])


@pytest.fixture(params=KINDS, ids=[f"{kind}{''.join(more)}" for kind, more in KINDS])
def key(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    kind, more = request.param
    return tmp_path / "key", make_key(tmp_path / "key", kind, more)


def stock_verify(tmp_path: Path, public: str, signature: str, message: bytes) -> bool:
    """Ask OpenSSH itself."""
    (tmp_path / "signers").write_text(f"siti {public}\n")
    (tmp_path / "sig").write_text(signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "siti", "-n", "sopauto", "-s", "sig"]
    return subprocess.run(command, input=message, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_a_signature_holds_here_and_for_stock_openssh(key: tuple[Path, str], tmp_path: Path) -> None:
    path, public = key
    signed = SshKeygenSigner(person="siti", allowed=[public], key=path).sign(MESSAGE)
    assert signed.key == public
    verify(MESSAGE, signed.signature, public)
    assert stock_verify(tmp_path, public, signed.signature, MESSAGE)


def test_another_message_is_refused_here_and_by_stock_openssh(key: tuple[Path, str], tmp_path: Path) -> None:
    path, public = key
    signed = SshKeygenSigner(person="siti", allowed=[public], key=path).sign(MESSAGE)
    with pytest.raises(BadSignatureError, match="does not belong to what was signed"):
        verify(MESSAGE + b" ", signed.signature, public)
    assert not stock_verify(tmp_path, public, signed.signature, MESSAGE + b" ")


@pytest.mark.parametrize("position", [30, 60, 100, 150, 200])
def test_a_changed_byte_of_a_signature_is_refused(tmp_path: Path, position: int) -> None:
    import base64

    public = make_key(tmp_path / "key")
    armored = SshKeygenSigner(person="siti", allowed=[public], key=tmp_path / "key").sign(MESSAGE).signature
    blob = bytearray(base64.b64decode("".join(armored.strip().splitlines()[1:-1])))
    blob[position % len(blob)] ^= 1
    changed = "\n".join(
        ["-----BEGIN SSH SIGNATURE-----", base64.b64encode(blob).decode(), "-----END SSH SIGNATURE-----", ""]
    )
    with pytest.raises(BadSignatureError):
        verify(MESSAGE, changed, public)


def test_a_signature_of_another_key_is_refused(tmp_path: Path) -> None:
    mine, other = make_key(tmp_path / "mine"), make_key(tmp_path / "other")
    signed = SshKeygenSigner(person="siti", allowed=[mine], key=tmp_path / "mine").sign(MESSAGE)
    with pytest.raises(BadSignatureError, match="another key"):
        verify(MESSAGE, signed.signature, other)


def test_a_signature_for_another_purpose_is_refused(tmp_path: Path) -> None:
    public = make_key(tmp_path / "key")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(tmp_path / "key")]
    armored = subprocess.run(command, input=MESSAGE, check=True, capture_output=True).stdout.decode()
    with pytest.raises(BadSignatureError, match="made for 'git'"):
        verify(MESSAGE, armored, public)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH SIGNATURE-----"])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(BadSignatureError, match="no SSH signature"):
        parse(text)


def test_a_key_of_somebody_else_is_refused_before_signing(tmp_path: Path) -> None:
    make_key(tmp_path / "mine")
    other = make_key(tmp_path / "other")
    with pytest.raises(Refused, match="not a key of siti"):
        SshKeygenSigner(person="siti", allowed=[other], key=tmp_path / "mine").sign(MESSAGE)


def test_a_person_without_a_key_today_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path / "mine")
    with pytest.raises(Refused, match="siti has no key today"):
        SshKeygenSigner(person="siti", allowed=[], key=tmp_path / "mine").sign(MESSAGE)


@pytest.mark.parametrize("content", [None, "no key at all", "\x00\x01"])
def test_a_file_that_is_no_key_is_bad_input(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput):
        SshKeygenSigner(person="siti", allowed=["ssh-ed25519 AAAA"], key=path).sign(MESSAGE)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real ssh-agent that holds one key; returns the key's place, the private half is taken away."""
    socket = tmp_path / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if socket.exists():
                break
            process.poll()
            import time

            time.sleep(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        make_key(tmp_path / "key")
        subprocess.run(["ssh-add", "-q", str(tmp_path / "key")], check=True)
        (tmp_path / "key").unlink()
        yield tmp_path / "key.pub"
    finally:
        process.terminate()
        process.wait(10)


def test_the_agent_signs_with_the_persons_key(agent: Path, tmp_path: Path) -> None:
    public = " ".join(agent.read_text().split()[:2])
    signed = SshKeygenSigner(person="siti", allowed=[public]).sign(MESSAGE)
    assert stock_verify(tmp_path, public, signed.signature, MESSAGE)


def test_a_public_key_file_means_the_agents_half(agent: Path) -> None:
    public = " ".join(agent.read_text().split()[:2])
    assert SshKeygenSigner(person="siti", allowed=[public], key=agent).sign(MESSAGE).key == public


def test_without_a_key_at_hand_it_is_refused_and_said_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Refused, match="ssh-add"):
        SshKeygenSigner(person="siti", allowed=["ssh-ed25519 AAAA"]).sign(MESSAGE)


def test_the_message_never_stands_in_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = make_key(tmp_path / "key")
    seen: list[list[str]] = []
    real = subprocess.run

    def spy(command: list[str], **options: object) -> object:
        seen.append([str(word) for word in command])
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("sopauto.drivers.signing.subprocess.run", spy)
    SshKeygenSigner(person="siti", allowed=[public], key=tmp_path / "key").sign(MESSAGE)
    assert seen
    assert all("PS-2026-0001" not in word for command in seen for word in command)
