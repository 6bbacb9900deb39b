"""What the OpenSSH client says when it fails, and why a scan did not read the server then.

`ssh -E` keeps ssh's own words in a log, apart from what the server prints. Even there some words are the server's (what
it offers, why it disconnects, that a password is due for a change), with line breaks if it likes: so a reason counts
only in the part of the log in which ssh itself can say it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sopauto.inventory.scanning.scan import Unread
from sopauto.machines.host_keys import key_type
from sopauto.procedures.fields import visible

HOST_KEY_TAKEN: Final = re.compile("^(?:Host key fingerprint is|Warning: Permanently added) ", re.MULTILINE)
"""From here on the server's words may be in the log, and the host key is no matter any more (needs VisualHostKey)."""
LOGGED_IN: Final = re.compile("^Authenticated to ", re.MULTILINE)
"""From here on all is the server's word (needs LogLevel VERBOSE)."""
DISCONNECTED: Final = "Received disconnect from "
"""What follows is the server's word."""
NOTHING_IN_COMMON: Final = re.compile(
    r"^Unable to negotiate with .*?: no matching (?P<what>.*?) found\. Their offer: (?P<offer>(?s:.*))", re.MULTILINE
)
CONNECTING: Final = (
    (re.compile("^Bad remote protocol version", re.MULTILINE), "not-ssh"),  # the rest of its line is the server's word
    (re.compile("^ssh: Could not resolve hostname", re.MULTILINE), "dns"),
    (re.compile("^(?:@ +WARNING: REMOTE HOST IDENTIF|Host key verification failed)", re.MULTILINE), "host-key"),
    (re.compile(r"^Protocol major versions differ: 2 vs\. 1\s*$", re.MULTILINE), "too-old"),
    (re.compile("^Bad server host key: Invalid key length", re.MULTILINE), "too-old"),
    (re.compile("^ssh_dispatch_run_fatal: .*: DH GEX group out of range", re.MULTILINE), "too-old"),
    (re.compile("Connection refused"), "refused"),
    (re.compile("timed out|timeout"), "timeout"),
    (re.compile("No route to host|Network is unreachable"), "unreachable"),
    (re.compile("Connection (reset|closed)|Broken pipe|banner line"), "reset"),
)
"""What ssh says until it took the host key, and what is meant; the first that is found holds."""
LOGGING_IN: Final = (
    (re.compile("Permission denied|Too many authentication failures"), "login"),
    (re.compile("timed out|timeout"), "timeout"),
)
"""What is said from then on until the login. All of it may be the server's word: it may refuse us as it likes."""
CUT: Final = re.compile(
    "^(?:Connection to .* closed by remote host|Read from remote host |client_loop: send disconnect|"
    "Received disconnect from |Connection (?:closed|reset) by )",
    re.MULTILINE,
)
SHOWN: Final = re.compile(r"sent by the remote host is\s+(SHA256:[A-Za-z0-9+/]{43})")


def unread(log: bytes, *, errors: bytes, answered: bool, pinned: str | None) -> Unread:
    """Return why ssh gave up: `log` is what it said itself, `errors` what came on its error output.

    `answered`: an answer has begun. `pinned`: the host key that the server had to show.
    """
    connecting, *taken = HOST_KEY_TAKEN.split(_text(log), maxsplit=1)
    if not taken:
        return _not_connected(connecting, pinned)
    login, *session = LOGGED_IN.split(taken[0], maxsplit=1)
    if not session:
        return Unread(_first(LOGGING_IN, login, "reset"), _detail(login))
    return _session_ended(session[0], _text(errors), answered=answered)


def _not_connected(log: str, pinned: str | None) -> Unread:
    own, disconnected, _ = log.partition(DISCONNECTED)
    nothing = NOTHING_IN_COMMON.search(own)
    if nothing:
        return _nothing_in_common(nothing["what"], nothing["offer"].strip(), pinned)
    reason = _first(CONNECTING, own, "reset" if disconnected else "not-ssh")
    shown = SHOWN.search(own) if reason == "host-key" else None
    return Unread(reason, f"the server shows {shown[1]}" if shown else _detail(log))


def _nothing_in_common(what: str, offer: str, pinned: str | None) -> Unread:
    """Tell a key of another type than the pinned one from a server that proves the right one by old means only."""
    kind = key_type(pinned or "")
    if what == "host key type" and kind and kind not in offer.split(","):
        return Unread("host-key", visible(f"the server shows no {kind} key, only {offer}"))
    return Unread("too-old", visible(f"{what}: only {offer}"))


def _session_ended(log: str, errors: str, *, answered: bool) -> Unread:
    """Tell a connection that was cut from a command that failed; the server may say either, so no more hangs on it."""
    cut = CUT.search(errors) or CUT.search(log)
    return Unread("reset" if cut and not answered else "broke-off", _detail(errors) or (cut[0] if cut else ""))


def _first(table: Sequence[tuple[re.Pattern[str], str]], text: str, otherwise: str) -> str:
    return next((reason for pattern, reason in table if pattern.search(text)), otherwise)


def _detail(text: str) -> str:
    """Return why the server says it disconnected, or else the last line."""
    _, disconnected, why = text.partition(DISCONNECTED)
    return visible(disconnected + why.strip() if disconnected else text.strip().rpartition("\n")[2].strip())


def _text(told: bytes) -> str:
    return told.decode("utf-8", "backslashreplace")
