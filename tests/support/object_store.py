"""A store of S3 on this machine: a server of moto, behind a proxy that counts requests and can be made to fail."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote
from urllib.request import Request, urlopen

import pytest

Fault = Literal["slow-down", "hang", "drop", "deny"]
BUCKET = "scans"

_ACCOUNT = "123456789012"  # of moto

_SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_HOP_BY_HOP = frozenset(("connection", "transfer-encoding", "content-length", "date", "server"))


class ObjectStore:
    """The proxy, and a client of boto3 that does not use it.

    Attributes:
        url: The URL of the proxy, for AWS_ENDPOINT_URL.
        requests: Number of requests by method and path, for example `GET /scans/a.png`.
    """

    def __init__(self, server: str) -> None:
        """Start the proxy before the server at this address, such as 127.0.0.1:5000."""
        import boto3

        self.server = server
        self._fault: Fault | None = None
        self._fault_ends = 0.0
        self._only = ""
        self._times = math.inf
        self.requests: Counter[str] = Counter()
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._proxy.daemon_threads = True
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._proxy.server_port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=f"http://{server}",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            region_name="us-east-1",
        )
        self.client.create_bucket(Bucket=BUCKET)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that uses this store."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def put(self, files: Mapping[str, bytes], bucket: str = BUCKET) -> None:
        """Write objects, by their keys."""
        for key, data in files.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def put_many(self, keys: Iterable[str], bucket: str) -> None:
        """Write small objects without a request for each."""
        from moto.s3.models import s3_backends

        for key in keys:
            s3_backends[_ACCOUNT]["aws"].put_object(bucket, key, b"x")

    def fail(self, fault: Fault, seconds: float = 3600.0, only: str = "", times: float = math.inf) -> None:
        """Let requests fail for some seconds, and some times: all, or those whose method and path contain `only`."""
        self._fault, self._only, self._times = fault, only, times
        self._fault_ends = time.monotonic() + seconds

    def recover(self) -> None:
        """End the fault."""
        self._fault = None

    def fault_of(self, request: str) -> Fault | None:
        """Return how this request fails now."""
        if not self.fault_seconds() or self._only not in request or self._times <= 0:
            return None
        self._times -= 1
        return self._fault

    def fault_seconds(self) -> float:
        """Return the seconds until the fault ends."""
        return max(0.0, self._fault_ends - time.monotonic()) if self._fault else 0.0

    def gets(self, suffix: str = "") -> int:
        """Return the number of requests that read an object whose key ends so."""
        return sum(
            count
            for request, count in self.requests.items()
            if request.startswith("GET") and "?" not in request and request.endswith(suffix)
        )

    def close(self) -> None:
        """End the proxy."""
        self._proxy.shutdown()
        self._proxy.server_close()


def _handler(store: ObjectStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request = f"{self.command} {unquote(self.path)}"
            body = self._body()
            store.requests[request] += 1
            fault = store.fault_of(request)
            if fault:
                self._fail(fault)
                return
            server = HTTPConnection(store.server, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "transfer-encoding"}
            server.request(self.command, self.path, body, headers)
            answer = server.getresponse()
            self._answer(answer.status, answer.read(), dict(answer.getheaders()))
            server.close()

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

        def _body(self) -> bytes:
            """Return the body of the request, which may be chunked (RFC 9112, 7.1)."""
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return b"".join(chunks)

        def _fail(self, fault: Fault) -> None:
            if fault == "hang":
                time.sleep(store.fault_seconds())
            if fault in ("hang", "drop"):
                self.close_connection = True
                self.connection.close()
            elif fault == "slow-down":
                self._answer(503, _SLOW_DOWN, {"Content-Type": "application/xml"})
            else:
                self._answer(403, _DENIED, {"Content-Type": "application/xml"})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            length = headers.get("Content-Length", len(body)) if self.command == "HEAD" else len(body)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """Run a store with an empty bucket, and let this process use it."""
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    S3FileSystem.clear_instance_cache()  # an instance keeps the address of its server
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()  # of an earlier server
    store = ObjectStore(f"{host}:{port}")
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    try:
        yield store
    finally:
        store.close()
        server.stop()
