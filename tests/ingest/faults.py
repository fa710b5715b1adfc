"""A proxy that breaks things between a client and an S3 server: throttling, resets, cut bodies, silence, dead credentials."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
KMS = (
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::111122223333:assumed-role/trailfit/x is "
    b"not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/k because no identity-based "
    b"policy allows the kms:Decrypt action</Message></Error>"
)
EXPIRED = (
    b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
)

#: Decides, from method and path, what goes wrong with a request: one of KINDS, or None.
Fault = Callable[[str, str], str | None]
KINDS = ("slow_down", "server_error", "reset", "cut", "stall")


def at_random(share: float, seed: int, kinds: tuple[str, ...] = KINDS) -> Fault:
    """Break that share of the requests, in a way that follows from the seed and the order of requests."""
    rng = random.Random(seed)
    lock = threading.Lock()

    def decide(_method: str, _path: str) -> str | None:
        with lock:
            return rng.choice(kinds) if rng.random() < share else None

    return decide


class Proxy:
    """Listens on a free port of the loopback and passes requests on to `host:port`, but for what `fault` says."""

    def __init__(self, host: str, port: int, fault: Fault, *, stall: float = 1.0) -> None:
        self.fault = fault
        self.requests: list[tuple[str, str]] = []
        self.payers: list[str | None] = []
        self.broken = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else b""
                proxy.requests.append((self.command, self.path))
                proxy.payers.append(self.headers.get("x-amz-request-payer"))
                kind = proxy.fault(self.command, self.path)
                if kind is not None:
                    proxy.broken += 1
                if kind == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()
                    return
                if kind == "stall":
                    time.sleep(stall)
                answers = {
                    "slow_down": (503, SLOW_DOWN),
                    "server_error": (500, b""),
                    "denied": (403, DENIED),
                    "kms": (403, KMS),
                    "expired": (400, EXPIRED),
                }
                if kind in answers:
                    self.answer(*answers[kind], [("content-type", "application/xml")])
                    return
                upstream = http.client.HTTPConnection(host, port, timeout=60)
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    upstream.putheader(name, value)
                upstream.endheaders(body)
                response = upstream.getresponse()
                data = response.read()
                headers = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP]
                self.answer(
                    response.status, data, headers, cut=kind == "cut", head=response.getheader("content-length")
                )
                upstream.close()

            def answer(
                self,
                status: int,
                data: bytes,
                headers: list[tuple[str, str]],
                *,
                cut: bool = False,
                head: str | None = None,
            ) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", head if self.command == "HEAD" and head else str(len(data)))
                self.end_headers()
                if self.command == "HEAD":
                    return
                self.wfile.write(data[: len(data) // 2] if cut else data)
                if cut:
                    self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


HOP = {"content-length", "transfer-encoding", "connection", "date", "server"}
