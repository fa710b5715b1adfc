"""trailfit on itself: the log of its own calls, understood and rightsized by itself, against the policy it ships."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import botocore.session
import pytest

from tests.inventory.test_moto import moto  # noqa: F401 - a fixture
from trailfit import pipeline
from trailfit.lake import Lake
from trailfit.policy.containment import still_allows
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/trailfit"
#: Signing names that are not botocore's names of the service.
_SERVICES = {"states": "stepfunctions", "monitoring": "cloudwatch"}


class Recorder(ThreadingHTTPServer):
    """Stands between every client and AWS's stand-in, and writes down what is called: the client's log."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.calls: list[tuple[str, str, str]] = []  # service, operation, resource


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls.append(called(self.command, self.path, dict(self.headers.items()), body))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward  # noqa: N815 - the names that http.server wants


def called(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str, str]:
    """Say which operation of which service a request is, as CloudTrail would."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]*/([a-z0-9-]+)/", headers.get("Authorization", ""))
    service = scope.group(1) if scope else "s3"
    parts = urlsplit(path)
    if service == "s3":
        bucket, _, key = unquote(parts.path).strip("/").partition("/")
        query = parse_qs(parts.query, keep_blank_values=True)
        if method == "POST" and "delete" in query:
            first = re.search(rb"<Key>([^<]+)</Key>", body)  # all of them lie beneath the lake's prefix
            return "s3", "DeleteObject", f"{bucket}/{first.group(1).decode() if first else ''}"
        names = {"GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject", "HEAD": "HeadObject"}
        if not key:
            return "s3", {"GET": "ListObjects", "HEAD": "HeadBucket"}.get(method, f"{method} bucket"), bucket
        return "s3", names.get(method, method), f"{bucket}/{key}"
    target = headers.get("X-Amz-Target")
    if target:
        return service, target.rpartition(".")[2], "*"
    form = parse_qs(body.decode("utf-8", "replace"))
    if "Action" in form:
        return service, form["Action"][0], "*"
    model = botocore.session.get_session().get_service_model(_SERVICES.get(service, service))
    for name in model.operation_names:
        wanted = model.operation_model(name).http
        uri = re.sub(r"\\\{[^}]*\\?\}", "[^/]+", re.escape(urlsplit(wanted["requestUri"]).path))
        if wanted["method"] == method and re.fullmatch(uri + "/?", parts.path):
            return service, name, "*"
    return service, f"{method} {parts.path}", "*"


@pytest.fixture
def recorder(moto: str) -> Iterator[Recorder]:  # noqa: F811 - the fixture, by its name
    server = Recorder(int(moto.rpartition(":")[2]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def records(calls: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """The calls as CloudTrail would have logged them."""
    issuer = {"type": "Role", "arn": ROLE, "accountId": ACCOUNT, "userName": "trailfit", "principalId": "AROAEXAMPLE"}
    made = []
    for number, (service, operation, resource) in enumerate(calls):
        is_object = service == "s3" and operation not in ("HeadBucket",)
        bucket, _, key = resource.partition("/")
        parameters = {"bucketName": bucket, **({"key": key} if key else {})} if service == "s3" else {}
        resources = [{"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}", "accountId": ACCOUNT}]
        if key:
            resources.append({"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"})
        made.append({
            "eventVersion": "1.09", "eventID": f"00000000-0000-4000-8000-{number:012d}", "awsRegion": "us-east-1",
            "eventTime": f"2026-10-{1 + number % 28:02d}T08:{number % 60:02d}:00Z", "eventName": operation,
            "eventSource": f"{service}.amazonaws.com", "eventType": "AwsApiCall", "recipientAccountId": ACCOUNT,
            "eventCategory": "Data" if is_object else "Management", "managementEvent": not is_object,
            "readOnly": not operation.startswith(("Put", "Delete")), "requestParameters": parameters,
            "resources": resources if service == "s3" else [], "sourceIPAddress": "10.0.0.1", "userAgent": "trailfit",
            "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/trailfit/run",
                             "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": issuer}},
        })  # fmt: skip
    return made


def details(policy: dict[str, Any]) -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    role = {
        "Path": "/", "RoleName": "trailfit", "RoleId": "AROAEXAMPLE", "Arn": ROLE, "CreateDate": "2025-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": trust, "InstanceProfileList": [], "AttachedManagedPolicies": [], "Tags": [],
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": policy}],
    }  # fmt: skip
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []}


def run(folder: Path, environment: dict[str, str], *words: str) -> str:
    """Run trailfit in a process of its own: its clients are kept for the life of a process."""
    command = [sys.executable, "-c", "from trailfit.cli.main import main; main()", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.slow
def test_trailfit_s_own_calls_fit_the_least_policy_that_it_prints(recorder: Recorder, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    keys |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}  # what a run before left must not help
    asked = {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{recorder.server_port}"}
    session = boto3.Session("x", "x", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=asked["AWS_ENDPOINT_URL"])
    for bucket in ("logs", "lake"):
        s3.create_bucket(Bucket=bucket)
    key = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/10/01/{ACCOUNT}_CloudTrail_us-east-1_20261001T0800Z_x.json.gz"
    some = records([("iam", "ListRoles", "*")])
    s3.put_object(Bucket="logs", Key=key, Body=gzip.compress(json.dumps({"Records": some}).encode()))
    session.client("iam", endpoint_url=asked["AWS_ENDPOINT_URL"]).create_role(RoleName="trailfit", AssumeRolePolicyDocument=json.dumps(
        details({})["RoleDetailList"][0]["AssumeRolePolicyDocument"]))  # fmt: skip
    configuration = tmp_path / "trailfit.toml"
    configuration.write_text(
        'lake = "s3://lake/t"\n[ingest]\nsources = ["s3://logs/AWSLogs"]\njobs = 1\n[inventory]\nregions = ["us-east-1"]\n'
    )
    recorder.calls.clear()
    run(tmp_path, asked, "run")
    calls = sorted(set(recorder.calls))
    least = [Document.parse(one) for one in json.loads(run(tmp_path, asked, "doctor", "--policy")).values()]

    # what it called, as a log; read, understood and rightsized by itself
    logs, iam = tmp_path / "own", tmp_path / "iam" / ACCOUNT
    logs.mkdir()
    iam.mkdir(parents=True)
    (logs / "own.json").write_text(json.dumps({"Records": records(calls)}))
    services = sorted({service for service, _, _ in calls if service != "sts"})
    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [f"{one}:*" for one in services], "Resource": "*"}],
    }
    (iam / "get-account-authorization-details.json").write_text(json.dumps(details(wide)))
    config = pipeline.Config(
        lake=str(tmp_path / "lake2"), sources=(str(logs),), from_files=iam.parent, out=tmp_path / "o", jobs=1
    )
    data = pipeline.run(config, lambda _: None).data
    [told] = [one for one in data["principals"] if one["principal"] == ROLE]
    used = [one for one in told["permissions"] if one["class"] == "used"]
    with Lake(config.lake).connect() as con:
        rows = con.sql(
            "select distinct action, resource from usage where counts_as_use and action is not null"
        ).fetchall()
    requests = [Request(ROLE, action, resource, context_complete=False) for action, resource in rows]
    denied = [(one.action, one.resource) for one in still_allows(least, requests)]
    granted = {action for document in least for one in document.raw["Statement"] for action in listed(one["Action"])}
    unused = sorted(granted - {one["action"] for one in used})
    held = sum(one.get("count", 1) for one in told["permissions"])
    print(f"{len(calls)} calls, {len(used)} permissions used of {len(granted)} shipped and of {held} granted")
    print("shipped, and not called here:", *unused)

    assert len(used) >= 15
    assert denied == [], "the policy that trailfit ships lacks what trailfit calls"
