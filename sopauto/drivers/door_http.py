"""Door controllers that speak HTTP and JSON: GET, PUT and DELETE of `URL/cards/CARD`.

PUT and DELETE may be repeated, so a lost answer is simply asked for again. What a controller answers is hostile: it is
bounded in bytes and seconds, redirects are not followed, and only the four values of a card are taken from it.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final

from sopauto.access.door import DoorCard
from sopauto.errors import BadInput, StepFailed
from sopauto.procedures.fields import visible
from sopauto.settings import DoorAt

MAX_BYTES: Final = 64 * 1024
NOT_FOUND: Final = 404
PASSING: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""
FIRST_WAIT: Final = 0.2


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A controller that sends us elsewhere would get our token there."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""
        return


class HttpDoor:
    """One controller. Fulfils `access.door.Door`."""

    def __init__(self, name: str, at: DoorAt, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._name = name
        self._at = at
        self._sleep = sleep
        # Doors stand in the own network: no proxy of the environment is asked.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

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
                return self._once(method, card, body)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == NOT_FOUND:
                    return None
                reason = f"answered HTTP {error.code}"
                if error.code not in PASSING:
                    break
            except (OSError, HTTPException) as error:
                cause = getattr(error, "reason", error)
                reason = f"does not answer ({visible(str(cause) or type(error).__name__)})"
        raise self._failed(reason)

    def _once(self, method: str, card: str, body: bytes | None) -> bytes:
        url = f"{self._at.url.rstrip('/')}/cards/{card}"
        request = urllib.request.Request(url, data=body, method=method, headers=self._headers())  # noqa: S310 - settings allow http and https only
        deadline = time.monotonic() + self._at.seconds
        with self._opener.open(request, timeout=self._at.seconds) as answer:
            return self._bounded(answer, deadline)

    def _bounded(self, answer: Any, deadline: float) -> bytes:
        content = b""
        while chunk := answer.read1(MAX_BYTES):
            content += chunk
            if len(content) > MAX_BYTES:
                raise self._failed(f"answered more than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError("it answers too slowly")
        return content

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
