"""moto's S3 behind a server that keeps connections open, as S3 does: ``python tests/bench/s3_server.py`` prints its port.

moto's own server closes each connection after one answer, and then what is measured is how fast a client connects.
Signatures are made by the client but not checked here; Ceph (`ceph.py`) checks them.
"""

from __future__ import annotations

import io
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from wsgiref.handlers import SimpleHandler

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

APP = DomainDispatcherApplication(create_backend_app)


class _Answer(SimpleHandler):
    """Runs moto on one request; the answer is whole before it is sent."""

    http_version = "1.1"
    wsgi_file_wrapper = None


class Handler(BaseHTTPRequestHandler):
    """Turns an HTTP request into moto's WSGI call."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = io.BytesIO(self.rfile.read(int(self.headers.get("content-length") or 0)))
        host, port = self.server.server_address[:2]
        environ = {
            "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": self.path,
            "SERVER_NAME": str(host), "SERVER_PORT": str(port), "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": "",
            "CONTENT_TYPE": self.headers.get("content-type") or "", "CONTENT_LENGTH": str(len(body.getvalue())),
        }  # fmt: skip
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        out = io.BytesIO()
        _Answer(body, out, io.StringIO(), environ, multithread=True).run(APP)
        self.wfile.write(out.getvalue())

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815 - names of http.server

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.request_queue_size = 128
    print(server.server_address[1], flush=True)
    server.serve_forever()
