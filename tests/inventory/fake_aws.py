"""A small AWS over HTTP, for what moto cannot: truncated pages, throttling, refusals, last accessed jobs.

It speaks every protocol of the operations asked (query, ec2, json, rest-json, smithy-rpc-v2-cbor) from botocore's own
service models: requests are read and answers written by shape, and each answer is first checked by
botocore's ParamValidator against the operation's output shape. An answer that AWS could not give fails the test.

The account is told by the access key: ``AKIA``/``ASIA`` and the twelve digits.
"""

import json
import re
import struct
import threading
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.session
import botocore.validate
from botocore.parsers import RpcV2CBORParser

from trailfit.inventory.calls import calls

_LOADER = botocore.loaders.Loader()


class Refuse(Exception):  # noqa: N818 - a refusal is what the fake answers, no failure of it
    """An error that AWS answers."""

    def __init__(self, code, message="no", status=400):
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@cache
def _model(service):
    return botocore.model.ServiceModel(_LOADER.load_service_model(service, "service-2"), service)


@cache
def _services():
    """Signing name → service, of every service that the inventory calls."""
    return {_model(service).signing_name: service for service in {call.service for call in calls()} | {"sts"}}


@cache
def _paging(service):
    return _LOADER.load_service_model(service, "paginators-1")["pagination"]


@cache
def _routes(service):
    """(method, pattern of the path, operation) of a REST service, the most specific first."""
    found = []
    for name in _model(service).operation_names:
        http = _model(service).operation_model(name).http
        uri = http["requestUri"].split("?")[0].rstrip("/") or "/"
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(uri))
        found.append((http["method"], re.compile(pattern + "/?"), name))
    return sorted(found, key=lambda route: -len(route[1].pattern))


class FakeAWS:
    """`answer(account, region, operation, params)` gives each answer; the fake cuts it into pages of `page_size`.

    `before(account, operation)` may raise `Refuse` for any request, before it is answered. `seen` counts the
    requests by (service, operation).
    """

    def __init__(self, answer, *, page_size=100, before=lambda account, operation: None):
        self.answer, self.page_size, self.before = answer, page_size, before
        self.seen = Counter()
        self.failures = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = fake.handle(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = handle_one  # noqa: N815 - http.server's names

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        assert not self.failures, self.failures

    def handle(self, method, path, headers, body):
        scope = re.search(r"Credential=([A-Z]{4})(\d{12})/\d{8}/([\w-]+)/([\w-]+)/", headers["Authorization"])
        account, region, service = scope[2], scope[3], _services()[scope[4]]
        model = _model(service)
        operation, params = _request(service, method, path, headers, body)
        shape = model.operation_model(operation)
        with self.lock:
            self.seen[service, operation] += 1
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            self.before(account, operation)
            full = self.answer(account, region, operation, params)
            page = _page(service, operation, full, params, self.page_size)
            report = botocore.validate.ParamValidator().validate(page, shape.output_shape)
            if report.has_errors():
                self.failures.append(f"{operation}: {report.generate_report()}")
            return _written(model, shape, page)
        except Refuse as refused:
            return _refusal(model, refused)
        except Exception as problem:  # noqa: BLE001 - it fails the test, in __exit__
            self.failures.append(f"{operation}: {type(problem).__name__}: {problem}")
            return _refusal(model, Refuse("BrokenFake", str(problem)))
        finally:
            with self.lock:
                self.under_way -= 1


def _request(service, method, path, headers, body):
    model = _model(service)
    protocol = model.resolved_protocol
    if protocol in {"query", "ec2"}:
        form = dict(parse_qsl(body.decode()))
        return form.pop("Action"), form
    if protocol == "json":
        return headers["X-Amz-Target"].rsplit(".", 1)[1], json.loads(body or b"{}")
    if protocol == "smithy-rpc-v2-cbor":
        parsed = _cbor_read(body) if body else {}
        return path.rsplit("/", 1)[1], parsed
    url = urlsplit(path)
    for verb, pattern, operation in _routes(service):
        match = pattern.fullmatch(url.path) if verb == method else None
        if match:
            members = model.operation_model(operation).input_shape.members
            query = {
                m.serialization.get("name", n): n
                for n, m in members.items()
                if m.serialization.get("location") == "querystring"
            }
            params = {name: unquote(value) for name, value in match.groupdict().items()}
            params |= {query[name]: value for name, value in parse_qsl(url.query) if name in query}
            return operation, params | (json.loads(body) if body else {})
    raise AssertionError(f"{service}: no operation for {method} {path}")


def _cbor_read(body):
    import io

    return RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body)))


def _page(service, operation, full, params, size):
    """Cut an answer into pages where botocore knows the operation to be paginated."""
    paging = _paging(service).get(operation)
    if paging is None:
        return full
    output = paging["output_token"]
    lists = [name for name in _list(paging["result_key"]) if name in full]
    start = int(params.get(paging["input_token"]) or 0)
    page, passed, kept = dict(full), 0, 0
    for name in lists:
        items = full[name]
        page[name] = items[max(start - passed, 0) : max(start - passed, 0) + max(size - kept, 0)]
        kept += len(page[name])
        passed += len(items)
    if start + size < passed:
        page[output] = str(start + size)
    if "more_results" in paging:
        page[paging["more_results"]] = start + size < passed
    return page


def _list(value):
    return value if isinstance(value, list) else [value]


# --- answers, by shape ------------------------------------------------------------------------------------


def _written(model, operation, page):
    protocol, shape = model.resolved_protocol, operation.output_shape
    if protocol == "query":
        result = f"{operation.name}Result"
        inner = f"<{result}>{_xml_members(shape, page, ec2=False)}</{result}>"
        inner += "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        content = f"<{operation.name}Response>{inner}</{operation.name}Response>"
        return 200, {"Content-Type": "text/xml"}, content.encode()
    if protocol == "ec2":
        content = f"<{operation.name}Response>{_xml_members(shape, page, ec2=True)}</{operation.name}Response>"
        return 200, {"Content-Type": "text/xml"}, content.encode()
    if protocol == "smithy-rpc-v2-cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return 200, headers, _cbor(page)
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(_json(shape, page)).encode()


def _refusal(model, refused):
    protocol = model.resolved_protocol
    error = f"<Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message>"
    if protocol == "query":
        content = f"<ErrorResponse><Error>{error}</Error><RequestId>r</RequestId></ErrorResponse>"
        return refused.status, {"Content-Type": "text/xml"}, content.encode()
    if protocol == "ec2":
        content = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>r</RequestID></Response>"
        return refused.status, {"Content-Type": "text/xml"}, content.encode()
    body = {"__type": refused.code, "message": refused.message}
    if protocol == "smithy-rpc-v2-cbor":
        return refused.status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, _cbor(body)
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": refused.code}
    return refused.status, headers, json.dumps(body).encode()


def _xml_members(shape, value, *, ec2):
    parts = []
    for name, member in shape.members.items():
        if name in value:
            parts.append(_xml(member.serialization.get("name", name), member, value[name], ec2=ec2))
    return "".join(parts)


def _xml(name, shape, value, *, ec2):
    if shape.type_name == "structure":
        inner = _xml_members(shape, value, ec2=ec2)
    elif shape.type_name == "list":
        item = shape.member.serialization.get("name", "item" if ec2 else "member")
        inner = "".join(_xml(item, shape.member, one, ec2=ec2) for one in value)
        if shape.serialization.get("flattened"):
            return inner
    elif shape.type_name == "timestamp":
        inner = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    elif shape.type_name == "boolean":
        inner = "true" if value else "false"
    elif shape.type_name == "blob":
        inner = b64encode(value).decode()
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def _json(shape, value):
    if shape.type_name == "structure":
        return {
            member.serialization.get("name", name): _json(member, value[name])
            for name, member in shape.members.items()
            if name in value
        }
    if shape.type_name == "list":
        return [_json(shape.member, one) for one in value]
    if shape.type_name == "map":
        return {key: _json(shape.value, one) for key, one in value.items()}
    return value.timestamp() if isinstance(value, datetime) else value


def _cbor(value):
    """Encode what answers are made of: https://www.rfc-editor.org/rfc/rfc8949."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _cbor_head(0, value)
    if isinstance(value, str):
        return _cbor_head(3, len(value.encode())) + value.encode()
    if isinstance(value, datetime):
        return b"\xc1\xfb" + struct.pack(">d", value.astimezone(UTC).timestamp())
    if isinstance(value, list):
        return _cbor_head(4, len(value)) + b"".join(map(_cbor, value))
    return _cbor_head(5, len(value)) + b"".join(_cbor(key) + _cbor(one) for key, one in value.items())


def _cbor_head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")
