"""Door controllers that speak HTTP and JSON: GET, PUT and DELETE of `URL/cards/CARD`.

PUT and DELETE may be repeated, so a lost answer is simply asked for again. What a controller answers is hostile: it is
bounded in bytes and seconds, redirects are not followed, and only the four values of a card are taken from it.

That a card is unknown is believed of one answer only: JSON that says so of this very card,
`{"card": …, "known": false}`, with status 404 or 200. Any other 404 may as well come from a proxy, a wrong address or
a login page: it is a fault.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Any, Final
from urllib.parse import urlsplit

from sopauto.access.doors.door import DoorCard
from sopauto.access_settings import DoorAt
from sopauto.errors import BadInput, StepFailed
from sopauto.procedures.fields import visible

MAX_BYTES: Final = 64 * 1024
NOT_FOUND: Final = 404
OK: Final = 200
DONE: Final = frozenset({200, 201, 204})
PASSING: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""
FIRST_WAIT: Final = 0.2
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    media_type: str
    content: bytes


class HttpDoor:
    """One controller. Fulfils `access.door.Door`."""

    def __init__(self, name: str, at: DoorAt, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._name = name
        self._at = at
        self._sleep = sleep
        self._url = urlsplit(at.url)

    def read(self, card: str) -> DoorCard | None:
        """Return a card as the controller has it (None: it does not know it).

        Raises: StepFailed (it cannot be reached, or answers nonsense), BadInput (its token is not set).
        """
        answer = self._ask("GET", card)
        if answer.status not in {OK, NOT_FOUND}:
            raise self._failed(f"answered HTTP {answer.status} and no card")
        told = self._told(answer)
        try:
            if _says_unknown(told, card):
                return None
            if answer.status == NOT_FOUND:
                raise self._failed(f"answered HTTP {NOT_FOUND} and does not say that it does not know {card}")
            if "known" in told and told["known"] is not True:
                raise ValueError("it says that it does not know the card that it tells of")
            found = DoorCard.from_json(told)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._failed("answered something that is no card") from None
        if found.card != card:
            raise self._failed(f"was asked for {card} and told of {visible(found.card)}")
        return found

    def put(self, card: DoorCard) -> None:
        """Let a card in; raises StepFailed, BadInput."""
        if self._ask("PUT", card.card, json.dumps(card.as_json()).encode()).status == NOT_FOUND:
            raise self._failed(f"refused card {card.card} (HTTP {NOT_FOUND})")

    def remove(self, card: str) -> None:
        """Forget a card; one that the controller says it does not know is forgotten already.

        Raises: StepFailed, BadInput.
        """
        answer = self._ask("DELETE", card)
        if answer.status == NOT_FOUND and not _says_unknown(self._told(answer), card):
            raise self._failed(f"answered HTTP {NOT_FOUND} and does not say that it does not know {card}")

    def _told(self, answer: _Answer) -> Any:
        """Return the JSON of an answer; raises StepFailed (it is something else)."""
        kind = answer.media_type.partition(";")[0].strip().lower()
        if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
            shown = visible(kind) or "no content type"
            raise self._failed(f"answered HTTP {answer.status} with {shown}, not with {JSON}: that is no card")
        try:
            return json.loads(answer.content, object_pairs_hook=_once_each)
        except (ValueError, RecursionError):
            raise self._failed("answered something that is no card") from None

    def _ask(self, method: str, card: str, body: bytes | None = None) -> _Answer:
        """Return the answer (done, or 404), asking again while the fault may pass."""
        reason = ""
        for attempt in range(self._at.tries):
            if attempt:
                self._sleep(FIRST_WAIT * 2 ** (attempt - 1))
            try:
                answer = self._once(method, card, body)
            except (OSError, HTTPException) as error:
                reason = f"does not answer ({visible(str(error) or type(error).__name__)})"
                continue
            if answer.status == NOT_FOUND or answer.status in DONE:
                return answer
            reason = f"answered HTTP {answer.status}"
            if answer.status not in PASSING:
                break
        raise self._failed(reason)

    def _once(self, method: str, card: str, body: bytes | None) -> _Answer:
        """Return the answer to one request. No redirect is followed, and no proxy of the environment is asked.

        Raises: OSError, HTTPException (no answer in time), StepFailed (a flood), BadInput (its token is not set).
        """
        headers = self._headers()
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=self._at.seconds)
        connection.connect()
        # The timeout is that of each reading; who answers a byte at a time is cut off as a whole.
        late = threading.Event()
        watch = threading.Timer(self._at.seconds, _cut, (connection.sock, late))
        watch.start()
        try:
            connection.request(method, f"{self._url.path.rstrip('/')}/cards/{card}", body, headers)
            answer = connection.getresponse()
            content = answer.read(MAX_BYTES + 1)
        except (OSError, HTTPException):
            if not late.is_set():  # what is cut off by us may end as a reset connection
                raise
        finally:
            watch.cancel()
            connection.close()
        if late.is_set():
            raise TimeoutError(f"no whole answer within {self._at.seconds:g} s")
        if len(content) > MAX_BYTES:
            raise self._failed(f"answered more than {MAX_BYTES} bytes")
        if answer.length:
            raise IncompleteRead(content, answer.length)
        return _Answer(status=answer.status, media_type=answer.headers.get("Content-Type", ""), content=content)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        variable = self._at.token_env
        if variable is None:
            return headers
        token = os.environ.get(variable, "")
        if not token or not token.isascii() or not token.isprintable():
            raise BadInput(f"${variable} does not hold a token", where=f"door {self._name}", mend="set the variable")
        return {**headers, "Authorization": f"Bearer {token}"}

    def _failed(self, what: str) -> StepFailed:
        return StepFailed(what, where=f"door {self._name}", mend="is the controller up? then run again")


def _says_unknown(told: Any, card: str) -> bool:
    """Tell whether an answer says of this very card that the controller does not know it, and nothing against that."""
    if not isinstance(told, dict) or told.get("card") != card or told.get("known") is not False:
        return False
    return all(told.get(name) is None for name in ("zones", "valid_from", "valid_until"))


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; raises ValueError where a key stands twice, since each reader would believe another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _cut(opened: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):  # it ended by itself just now
        opened.shutdown(socket.SHUT_RDWR)
