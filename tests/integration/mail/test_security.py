"""STARTTLS is verified, a password never travels in the clear, and a wrong one blames no message."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from lab.sshd import free_port
from sopauto import settings
from sopauto.errors import BadInput
from sopauto.mail.outbox import ServerAwayError
from sopauto.mail.smtp import Smtp
from tests.unit.mail.test_outbox import Message


class Kept:
    """Keeps what was sent, and whether it came over TLS and after a login."""

    def __init__(self) -> None:
        self.messages: list[tuple[bool, bool]] = []

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        _, session, _ = call
        self.messages.append((session.ssl is not None, bool(session.authenticated)))
        return "250 kept"


@dataclass
class Server:
    port: int
    kept: Kept
    certificate: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "server.crt", folder / "server.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def login(*call: Any) -> AuthResult:
    """Let in who knows the password."""
    given = call[-1]
    known = isinstance(given, LoginPassword) and given.password == b"rahasia"
    return AuthResult(success=known, handled=False)


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[Server]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    kept = Kept()
    controller = Controller(
        kept,
        hostname="127.0.0.1",
        port=free_port("127.0.0.1"),
        tls_context=context,
        authenticator=login,
        auth_require_tls=False,
    )
    controller.start()
    yield Server(port=controller.port, kept=kept, certificate=certificate[0])
    controller.stop()


def transport(server: Server, **changes: object) -> Smtp:
    stated = {"host": "localhost", "port": server.port, "sender": "sopauto@kominfo.example.go.id", **changes}
    return Smtp(settings.Mail.model_validate(stated))


def test_a_trusted_server_gets_the_message_over_tls(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    smtp = transport(server, starttls=True)
    smtp.send(Message(id=1))
    smtp.close()
    assert server.kept.messages == [(True, False)]


def test_a_server_that_proves_nothing_gets_nothing(server: Server) -> None:
    with pytest.raises(ServerAwayError, match="certificate verify failed"):
        transport(server, starttls=True).send(Message(id=1))
    assert server.kept.messages == []


def test_a_server_of_another_name_gets_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    with pytest.raises(ServerAwayError, match="certificate"):
        transport(server, host="127.0.0.1", starttls=True).send(Message(id=1))
    assert server.kept.messages == []


def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for() -> None:
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port("127.0.0.1"))
    controller.start()
    try:
        plain = Server(port=controller.port, kept=kept, certificate=Path())
        with pytest.raises(ServerAwayError, match="STARTTLS"):
            transport(plain, host="127.0.0.1", starttls=True).send(Message(id=1))
        assert kept.messages == []
    finally:
        controller.stop()


def test_the_password_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    monkeypatch.setenv("MAIL_PASSWORD", "rahasia")
    smtp = transport(server, starttls=True, user="sopauto", password_env="MAIL_PASSWORD")
    smtp.send(Message(id=1))
    smtp.close()
    assert server.kept.messages == [(True, True)]


def test_a_wrong_password_lets_messages_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    monkeypatch.setenv("MAIL_PASSWORD", "salah")
    with pytest.raises(ServerAwayError, match="535") as caught:
        transport(server, starttls=True, user="sopauto", password_env="MAIL_PASSWORD").send(Message(id=1))
    assert "salah" not in str(caught.value)


@pytest.mark.parametrize("variable", [None, "MAIL_PASSWORD"])
def test_without_the_password_nobody_connects(
    variable: str | None, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    with pytest.raises(BadInput, match="no password for the mail server"):
        transport(server, user="sopauto", password_env=variable).send(Message(id=1))


def test_a_password_does_not_leave_the_machine_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "rahasia")
    stated = {"host": "mail.example.go.id", "user": "sopauto", "password_env": "MAIL_PASSWORD"}
    with pytest.raises(BadInput, match=r"would travel in the clear; set `starttls = true`"):
        Smtp(settings.Mail.model_validate(stated)).send(Message(id=1))


def test_a_password_that_smtp_cannot_carry_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    monkeypatch.setenv("MAIL_PASSWORD", "rähasia")
    with pytest.raises(BadInput, match="is not ASCII"):
        transport(server, starttls=True, user="sopauto", password_env="MAIL_PASSWORD").send(Message(id=1))
