"""Door controllers that speak HTTP and JSON: GET, PUT and DELETE of `URL/cards/CARD`.

PUT and DELETE may be repeated, so a lost answer is simply asked for again. What a controller answers is hostile: it is
bounded in bytes and seconds, redirects are not followed, and only the four values of a card are taken from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

from sopauto.access.door import DoorCard
from sopauto.access_settings import DoorAt
from sopauto.errors import BadInput, StepFailed
from sopauto.procedures.fields import visible

MAX_BYTES: Final = 64 * 1024
NOT_FOUND: Final = 404
DONE: Final = frozenset({200, 201, 204})
PASSING: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""
FIRST_WAIT: Final = 0.2


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
        if answer is None:
            return None
        try:
            found = DoorCard.from_json(json.loads(answer))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._failed("answered something that is no card") from None
        if found.card != card:
            raise self._failed(f"was asked for {card} and told of {visible(found.card)}")
        return found

    def put(self, card: DoorCard) -> None:
        """Let a card in; raises StepFailed, BadInput."""
        if self._ask("PUT", card.card, json.dumps(card.as_json()).encode()) is None:
            raise self._failed(f"refused card {card.card} (HTTP {NOT_FOUND})")

    def remove(self, card: str) -> None:
        """Forget a card; one that the controller does not know is forgotten already. Raises StepFailed, BadInput."""
        self._ask("DELETE", card)

    def _ask(self, method: str, card: str, body: bytes | None = None) -> bytes | None:
        """Return the answer's body (None: 404), asking again while the fault may pass."""
        reason = ""
        for attempt in range(self._at.tries):
            if attempt:
                self._sleep(FIRST_WAIT * 2 ** (attempt - 1))
            try:
                status, content = self._once(method, card, body)
            except (OSError, HTTPException) as error:
                reason = f"does not answer ({visible(str(error) or type(error).__name__)})"
                continue
            if status == NOT_FOUND:
                return None
            if status in DONE:
                return content
            reason = f"answered HTTP {status}"
            if status not in PASSING:
                break
        raise self._failed(reason)

    def _once(self, method: str, card: str, body: bytes | None) -> tuple[int, bytes]:
        """Return status and body of one request. No redirect is followed, and no proxy of the environment is asked.

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
        finally:
            watch.cancel()
            connection.close()
        if late.is_set():
            raise TimeoutError(f"no whole answer within {self._at.seconds:g} s")
        if len(content) > MAX_BYTES:
            raise self._failed(f"answered more than {MAX_BYTES} bytes")
        if answer.length:
            raise IncompleteRead(content, answer.length)
        return answer.status, content

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


def _cut(opened: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):  # it ended by itself just now
        opened.shutdown(socket.SHUT_RDWR)
