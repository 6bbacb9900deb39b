"""A door controller on loopback: a real HTTP server, with the faults that real ones have."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MAX_BODY = 64 * 1024


@dataclass(slots=True, kw_only=True)
class Controller:
    """Keeps cards by number.

    `faults` are taken one per request: `lost` does it and breaks off, `half` does it and breaks off in the answer,
    `busy` answers 503. `answer` replaces what a GET answers, with `status` and `media_type`.
    With `token` set, others are refused.
    """

    token: str = ""
    cards: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answer: bytes | None = None
    status: int = 200
    media_type: str = "application/json"
    location: str = ""
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/api"

    def __enter__(self) -> Self:
        """Begin to answer, on the same port as before."""
        handler = type("Handler", (_Handler,), {"controller": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        """Go down: nothing answers at the port any more."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    controller: Controller

    def do_GET(self) -> None:
        """Answer a card."""
        self._handle(self._get)

    def do_PUT(self) -> None:
        """Keep a card."""
        self._handle(self._put)

    def do_DELETE(self) -> None:
        """Forget a card."""
        self._handle(self._delete)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _handle(self, act: Callable[[str], tuple[int, bytes]]) -> None:
        controller, card = self.controller, self.path.rpartition("/")[2]
        controller.requests.append(f"{self.command} {card}")
        fault = controller.faults.pop(0) if controller.faults else ""
        if controller.token and self.headers.get("Authorization") != f"Bearer {controller.token}":
            self._send(401, b"")
        elif controller.location:
            self._send(302, b"", location=controller.location)
        elif fault == "busy":
            self._send(503, b"")
        else:
            status, body = act(card)
            if fault == "half":
                self._send(status, body[: len(body) // 2], length=len(body))
            elif fault != "lost":
                self._send(status, body)

    def _get(self, card: str) -> tuple[int, bytes]:
        if self.controller.answer is not None:
            return self.controller.status, self.controller.answer
        found = self.controller.cards.get(card)
        return (200, json.dumps(found).encode()) if found else (404, _unknown(card))

    def _put(self, card: str) -> tuple[int, bytes]:
        length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY)
        self.controller.cards[card] = json.loads(self.rfile.read(length))
        return 200, b"{}"

    def _delete(self, card: str) -> tuple[int, bytes]:
        return (204, b"") if self.controller.cards.pop(card, None) else (404, _unknown(card))

    def _send(self, status: int, body: bytes, *, location: str = "", length: int | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", self.controller.media_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


def _unknown(card: str) -> bytes:
    return json.dumps({"card": card, "known": False}).encode()
