"""The server of `batchocr review --serve`: it gives out the page and saves decisions, on this computer only.

Another page in the same browser, or another user of the computer, does not know the token in the URL. The Host header
is checked because a name can be made to point to this computer (DNS rebinding).
"""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from batchocr.errors import OutputError, UsageError
from batchocr.review.corrections.check_line import Fault
from batchocr.review.page.render import json_for_html
from batchocr.review.page.saved import KEY, SavedDecisions

ADDRESS = "127.0.0.1"
MAX_BYTES = 64_000_000
"""Size of a request at most: more than 100,000 decisions."""
SAVE_URL = "decisions"
"""Where the page sends decisions, beside the page."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger(__name__)


class ReviewServer(ThreadingHTTPServer):
    """A server of one page and the decisions that are made on it."""

    def __init__(self, html: str, saved: SavedDecisions, port: int) -> None:
        """Open the port; `serve_forever` answers requests.

        Args:
            html: The page, made with `served=True`.
            saved: Where decisions go.
            port: The port on 127.0.0.1; 0 is a free one.

        Raises:
            UsageError: The port is in use, or not allowed.
        """
        head, body, rest = html.partition("<body>")
        self.head, self.rest = (head + body).encode(), rest.encode()
        self.saved = saved
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as fault:
            raise UsageError(f"--port {port}: cannot be used ({fault.strerror}): give another one, or 0") from fault

    @property
    def host(self) -> str:
        """What the Host header must be."""
        return f"{ADDRESS}:{self.server_port}"

    @property
    def url(self) -> str:
        """The address of the page, with the token."""
        return f"http://{self.host}/{self.token}/"

    def page(self) -> bytes:
        """Return the page with the decisions that are saved now."""
        data = json_for_html({"key": KEY, "rows": self.saved.rows(), "by": self.saved.by})
        block = f'<script type="application/json" id="saved" data-save-url="{SAVE_URL}">{data}</script>'
        return self.head + block.encode() + self.rest


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version = "batchocr"
    sys_version = ""
    timeout = 60  # seconds without data

    def do_GET(self) -> None:
        if self._is_allowed(""):
            self._answer(HTTPStatus.OK, self.server.page(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        if not self._is_allowed(SAVE_URL):
            return None
        if self.headers.get("Origin") not in (None, f"http://{self.server.host}"):
            return self._refuse(HTTPStatus.FORBIDDEN, "another page sent this")
        if self.headers.get_content_type() != "application/json":
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return self._refuse(HTTPStatus.LENGTH_REQUIRED, "the length is missing")
        if len(length) > 12 or int(length) > MAX_BYTES:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BYTES} bytes")
        try:
            put, drop = _changes(self.rfile.read(int(length)))
            count = self.server.saved.update(put, drop)
        except (Fault, ValueError, RecursionError) as fault:
            return self._refuse(HTTPStatus.BAD_REQUEST, str(fault))
        except OutputError as fault:
            log.error("%s", fault)
            return self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(fault))
        return self._answer(HTTPStatus.OK, json.dumps({"saved": count}).encode(), "application/json")

    def _is_allowed(self, place: str) -> bool:
        """Return whether a request has the right Host, token and path; otherwise refuse it."""
        token, slash, asked = self.path.removeprefix("/").partition("/")
        same_host = secrets.compare_digest(self.headers.get("Host", "").encode(), self.server.host.encode())
        same_token = secrets.compare_digest(token.encode(), self.server.token.encode())
        if not (same_host and same_token):
            self._refuse(HTTPStatus.FORBIDDEN, "use the address that `batchocr review --serve` printed")
        elif not slash or asked != place:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
        else:
            return True
        return False

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._answer(status, f"{why}\n".encode(), "text/plain; charset=utf-8")

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the address has the token."""


def _changes(content: bytes) -> tuple[list[list[str]], list[list[str]]]:
    """Return the lists `put` and `drop` of a request: rows of text.

    Raises:
        ValueError: It is not JSON, or has something else.
    """
    changes = json.loads(content)
    if not isinstance(changes, dict):
        raise ValueError("not an object with put and drop")
    found: list[list[list[str]]] = []
    for rows in (changes.get("put"), changes.get("drop")):
        if not isinstance(rows, list):
            raise ValueError("put and drop must be lists")
        if not all(isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in rows):
            raise ValueError("each row must be a list of texts")
        found.append(rows)
    return found[0], found[1]
