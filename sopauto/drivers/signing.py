"""Signatures by `ssh-keygen -Y sign`: with a key file, with a key in the agent, or with a FIDO key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import Signed
from sopauto.journal.sshsig import NAMESPACE, BadSignatureError, verify

SECONDS: Final = 120
"""How long somebody may take for a passphrase or a touch."""


class SshKeygenSigner:
    """Signs as one person. Fulfils `journal.entry.Signer`.

    `allowed` are the person's public keys of today; `key` is a private key file, or a public one (`.pub`) whose private
    half the agent holds. Without `key`: the agent's, then those in `~/.ssh`. `namespace`: what the signatures are for.
    """

    def __init__(
        self, *, person: str, allowed: Collection[str], key: Path | None = None, namespace: str = NAMESPACE
    ) -> None:
        self._namespace = namespace
        self._person = person
        self._allowed = frozenset(allowed)
        self._key = key

    def sign(self, message: bytes) -> Signed:
        """Sign a message; it never stands in a command line.

        Raises: BadInput (the key file cannot be used), Refused (no key of this person is at hand).
        """
        path, public = self._chosen
        with TemporaryDirectory(prefix="sopauto-key-") as directory:
            if path is None:
                path = Path(directory) / "agent.pub"
                path.write_text(f"{public}\n")
            signature = _run("ssh-keygen", "-q", "-Y", "sign", "-n", self._namespace, "-f", str(path), given=message)
        try:
            verify(message, signature, public, namespace=self._namespace)
        except BadSignatureError as error:
            raise Refused(f"the signature of {self._person} does not hold: {error}", where=str(path)) from None
        return Signed(signature=signature, key=public)

    @cached_property
    def asks(self) -> bool:
        """Whether each signature asks the person for something: the touch of a FIDO key, a passphrase."""
        path, public = self._chosen
        if public.startswith("sk-"):
            return True
        if path is None or path.suffix == ".pub" or public in _in_agent():
            return False
        return _ended("ssh-keygen", "-y", "-P", "", "-f", str(path)).returncode != 0

    @cached_property
    def _chosen(self) -> tuple[Path | None, str]:
        return self._choose()

    def _choose(self) -> tuple[Path | None, str]:
        """Return the key file (None: the agent's own) and its public key."""
        if not self._allowed:
            raise Refused(f"{self._person} has no key today", mend="add the public key to the people file")
        if self._key is not None:
            public = _public_of(self._key)
            if public not in self._allowed:
                raise Refused(
                    f"this is not a key of {self._person} today", where=str(self._key), mend="sign with your own key"
                )
            return self._key, public
        for path, public in self._at_hand():
            if public in self._allowed:
                return path, public
        raise Refused(
            f"no key of {self._person} is in the agent or in ~/.ssh", mend="`ssh-add` it, or name it with `--key FILE`"
        )

    def _at_hand(self) -> Iterator[tuple[Path | None, str]]:
        for public in _in_agent():
            yield None, public
        for path in sorted((Path.home() / ".ssh").glob("*.pub")):
            if path.with_suffix("").exists():
                yield path.with_suffix(""), " ".join(path.read_text(errors="replace").split()[:2])


def _in_agent() -> list[str]:
    """Return the public keys that the agent holds (none: there is no agent)."""
    if not os.environ.get("SSH_AUTH_SOCK"):
        return []
    return [" ".join(line.split()[:2]) for line in _ended("ssh-add", "-L").stdout.decode(errors="replace").splitlines()]


def _public_of(path: Path) -> str:
    """Return the public key of a key file; raises BadInput."""
    if not path.is_file():
        raise BadInput("there is no such key file", where=str(path), mend="name it with `--key FILE` or SOPAUTO_KEY")
    beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    text = beside.read_text(errors="replace") if beside.exists() else _run("ssh-keygen", "-y", "-f", str(path))
    if len(text.split()) < 2:  # noqa: PLR2004 - type and blob
        raise BadInput("this is no key file", where=str(path), mend="name a private key, or a .pub that the agent has")
    return " ".join(text.split()[:2])


def _run(*command: str, given: bytes = b"") -> str:
    """Return what a program prints; raises BadInput, with its own last words."""
    ended = _ended(*command, given=given)
    if ended.returncode != 0:
        words = ended.stderr.decode(errors="replace").strip().splitlines() or ["it failed without a word"]
        raise BadInput(f"{command[0]}: {words[-1]}", where=command[-1], mend="check the key's file and passphrase")
    return ended.stdout.decode(errors="replace")


def _ended(*command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Return how a program ended; raises BadInput (there is none, it got no answer)."""
    try:
        return subprocess.run(command, input=given, capture_output=True, check=False, timeout=SECONDS)
    except FileNotFoundError:
        raise BadInput(f"there is no {command[0]}", mend="install openssh-client") from None
    except subprocess.TimeoutExpired:
        raise BadInput(f"{command[0]} got no answer in {SECONDS} s", where=command[-1], mend="try again") from None
