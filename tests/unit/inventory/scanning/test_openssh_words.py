"""What ssh's own words mean: those that no server at hand makes it say."""

from __future__ import annotations

import pytest

from sopauto.inventory.scanning.openssh_words import unread

ED25519 = "ssh-ed25519 AAAA"
RSA = "ssh-rsa AAAA"
TAKEN = "Host key fingerprint is SHA256:x\r\n+---+\r\n"
LOGGED_IN = f'{TAKEN}Authenticated to 192.0.2.1 ([192.0.2.1]:22) using "publickey".\r\n'


def offer(algorithms: str) -> str:
    return f"Unable to negotiate with 192.0.2.1 port 22: no matching host key type found. Their offer: {algorithms}\r\n"


@pytest.mark.parametrize(
    ("log", "pinned", "reason"),
    [
        ("ssh_dispatch_run_fatal: Connection to 192.0.2.1 port 22: DH GEX group out of range\r\n", RSA, "too-old"),
        ("Bad server host key: Invalid key length\r\n", RSA, "too-old"),
        (offer("ssh-rsa,ssh-dss"), None, "too-old"),
        (offer("ssh-dss,ssh-rsa"), RSA, "too-old"),
        (offer("ssh-dss,ssh-ed25519"), RSA, "host-key"),
        (offer("ssh-rsa"), ED25519, "host-key"),
        ("Connection to 192.0.2.1 port 22 timed out\r\n", RSA, "timeout"),
        (f"{TAKEN}Connection to 192.0.2.1 port 22 timed out\r\n", RSA, "timeout"),
        ("ssh: connect to host 192.0.2.1 port 22: No route to host\r\n", RSA, "unreachable"),
        (f"{TAKEN}Connection closed by 192.0.2.1 port 22\r\n", RSA, "reset"),
        (f"{LOGGED_IN}client_loop: send disconnect: Broken pipe\r\n", RSA, "reset"),
        (LOGGED_IN, RSA, "broke-off"),
        ("", RSA, "not-ssh"),
    ],
)
def test_a_reason_is_read_from_the_log(log: str, pinned: str | None, reason: str) -> None:
    assert unread(log.encode(), errors=b"", answered=False, pinned=pinned).reason == reason


@pytest.mark.parametrize("log", ["Received disconnect from 192.0.2.1 port 22:2: ", TAKEN, LOGGED_IN])
@pytest.mark.parametrize(
    "words", ["Host key verification failed.", offer("ssh-dss"), "ssh: Could not resolve hostname x: x"]
)
def test_after_the_first_word_of_the_server_ssh_says_nothing_of_host_keys(log: str, words: str) -> None:
    told = unread(f"{log}x\n{words}".encode(), errors=words.encode(), answered=False, pinned=ED25519)
    assert told.reason in {"reset", "broke-off"}
