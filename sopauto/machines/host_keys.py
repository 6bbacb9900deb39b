"""Host keys in OpenSSH's own notation (`ssh-ed25519 AAAA…`): fingerprints, and what a changed key means."""

from __future__ import annotations

import base64
import binascii
import hashlib

from sopauto.errors import BadInput, StepFailed


def fingerprint(key: str) -> str:
    """Return a public key's fingerprint as `ssh-keygen -l` shows it (`SHA256:…`).

    Raises: BadInput, when the text is no public key.
    """
    try:
        blob = base64.b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        raise BadInput("not a public key in OpenSSH's notation", where="host_key", mend="write `ssh-… AAAA…`") from None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def refuse_changed(pinned: str | None, shown: str, *, server: str) -> None:
    """Stop when a server shows another host key than the one pinned at its first contact (design rule 7).

    Raises: StepFailed, which names both fingerprints.
    """
    if pinned is None or pinned.split()[:2] == shown.split()[:2]:
        return
    raise StepFailed(
        f"the host key changed: pinned {key_type(pinned)} {fingerprint(pinned)}, "
        f"shown {key_type(shown)} {fingerprint(shown)}",
        where=server,
        mend="nothing was sent; ask the server's contact before anybody logs in",
    )


def key_type(key: str) -> str:
    """Return the type of a public key, such as `ssh-ed25519`; empty when there is none."""
    return key.split(maxsplit=1)[0] if key.split() else ""
