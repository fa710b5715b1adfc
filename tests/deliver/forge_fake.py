"""Forges on this machine: a real bare repository behind `git http-backend`, and the REST answers over it.

What GitHub's own description (the models of githubkit-schemas) does not allow is refused as a request and never sent
as an answer. GitLab publishes no such package: its answers are written by hand, after its documentation.
"""

from __future__ import annotations

import atexit
import base64
import json
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pydantic
from githubkit_schemas.v2026_03_10 import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "ghp_not0a0real0token0but0shaped0like1"
NOW = "2026-11-01T09:00:00Z"


@dataclass
class Fault:
    """What the forge answers instead, so many times, to requests of a method whose path fits."""

    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1
    after: bool = False  # the work is done, and only the answer is lost


def minimal(schema: dict[str, Any], whole: dict[str, Any]) -> Any:
    """The least value that a JSON schema allows: what the test says nothing of."""
    if "$ref" in schema:
        return minimal(whole["$defs"][schema["$ref"].rsplit("/", 1)[1]], whole)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            nothing = any(one.get("type") == "null" for one in schema[key])
            return None if nothing else minimal(schema[key][0], whole)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: minimal(schema["properties"][name], whole) for name in schema.get("required", ())}
    if kind == "string":
        return {"date-time": NOW, "uri": "http://example.invalid/"}.get(schema.get("format", ""), "")
    return {"array": [], "integer": 0, "number": 0, "boolean": False, "null": None}.get(kind)


def answer(model: Any, **said: Any) -> Any:
    """An answer of GitHub's form with what is said in it."""
    adapter = pydantic.TypeAdapter(model)
    schema = adapter.json_schema(by_alias=True)
    whole = _merged(minimal(schema, schema), said)
    adapter.validate_python(whole)
    return whole


def _merged(base: Any, more: Any) -> Any:
    if isinstance(base, dict) and isinstance(more, dict):
        return {key: _merged(base.get(key), more[key]) if key in more else base[key] for key in {**base, **more}}
    return more


class Server(ThreadingHTTPServer):
    """One forge with one project."""

    daemon_threads = True

    def __init__(self, kind: str, folder: Path, project: str, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kind, self.project, self.prefix = kind, project, prefix
        self.root = folder
        self.bare = folder / f"{project}.git"
        self.token = TOKEN
        self.requests: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str, Any]] = []
        self.known_users = {"ada": 7, "grace": 8}
        self.before_push: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def clone_url(self) -> str:
        return f"{self.url}/{self.project}.git"

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(self.bare), *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def tip(self, branch: str) -> str | None:
        found = subprocess.run(
            ["git", "-C", str(self.bare), "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        return found.stdout.strip() or None

    def decide(self, number: int, *, merged: bool = False) -> None:
        """What a person does on the forge's page."""
        one = self.requests[number - 1]
        one["state"], one["merged"] = ("merged" if merged else "closed"), (NOW if merged else None)
        if merged:
            self.git("update-ref", "refs/heads/main", self.tip(one["branch"]) or "")

    def writes(self) -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.seen if method not in ("GET", "GIT")]


class Handler(BaseHTTPRequestHandler):
    """Git by CGI, and the two APIs."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(length)
        if ".git/" in parts.path:
            self.git(parts.path, parts.query, data)
            return
        path = unquote(parts.path).removeprefix(self.server.prefix)
        body = json.loads(data) if data else None
        self.server.seen.append((self.command, path, body))
        fault = next(
            (
                one
                for one in self.server.faults
                if one.times and one.method == self.command and re.search(one.path, path)
            ),
            None,
        )
        if fault is not None and not fault.after:
            fault.times -= 1
            self.send(fault.status, fault.body, fault.headers)
            return
        if not parts.path.startswith(self.server.prefix):
            self.send(404, {"message": "Not Found"})
            return
        api = GitHubApi if self.server.kind == "github" else GitLabApi
        status, told = api(self.server, self.headers).answer(self.command, path, parse_qs(parts.query), body)
        if fault is not None:
            fault.times -= 1
            status, told = fault.status, fault.body
        self.send(status, told)

    do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815 - the names that http.server wants

    def send(self, status: int, told: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if told is None else told.encode() if isinstance(told, str) else json.dumps(told).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def git(self, path: str, query: str, data: bytes) -> None:
        self.server.seen.append(("GIT", path, None))
        told = self.headers.get("Authorization", "")
        user = {"github": "x-access-token", "gitlab": "oauth2"}[self.server.kind]
        right = base64.b64encode(f"{user}:{self.server.token}".encode()).decode()
        if told != f"Basic {right}":
            self.send(401, "no", {"WWW-Authenticate": 'Basic realm="forge"'})
            return
        if "git-receive-pack" in query:
            self.server.before_push()
        environment = {
            "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "REQUEST_METHOD": self.command, "QUERY_STRING": query, "REMOTE_USER": "trailfit",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(data)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "PATH": "/usr/bin:/bin",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=data, env=environment, capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200 OK").split()[0])
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class GitHubApi:
    """The part of GitHub's REST API that trailfit calls."""

    def __init__(self, server: Server, headers: Any) -> None:
        self.server, self.headers = server, headers

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return 401, answer(models.BasicError, message="Bad credentials")
        base = f"/repos/{self.server.project}"
        if path == base:
            return 200, answer(models.FullRepository, full_name=self.server.project, default_branch="main")
        if not path.startswith(f"{base}/"):
            return 404, answer(models.BasicError, message="Not Found")
        rest = path.removeprefix(base)
        if (method, rest) == ("GET", "/pulls"):
            state = query.get("state", ["open"])[0]
            found = [self.simple(one) for one in self.server.requests if state in ("all", one["state"])]
            return 200, found[::-1]
        if (method, rest) == ("POST", "/pulls"):
            return self.create(body)
        number = re.fullmatch(r"/(?:pulls|issues)/(\d+)(/labels|/requested_reviewers)?", rest)
        if number is None or int(number.group(1)) > len(self.server.requests):
            return 404, answer(models.BasicError, message="Not Found")
        one = self.server.requests[int(number.group(1)) - 1]
        if number.group(2) == "/labels":
            pydantic.TypeAdapter(models.ReposOwnerRepoIssuesIssueNumberLabelsPostBodyOneof0).validate_python(body)
            one["labels"] = sorted({*one["labels"], *body["labels"]})
            return 200, [answer(models.Label, name=name) for name in one["labels"]]
        if number.group(2) == "/requested_reviewers":
            strict(models.ReposOwnerRepoPullsPullNumberRequestedReviewersPostBodyAnyof0, body)
            unknown = [name for name in body.get("reviewers", ()) if name not in self.server.known_users]
            if unknown or body.get("team_reviewers"):
                message = "Reviews may only be requested from collaborators."
                return 422, answer(models.ValidationErrorSimple, message=message, documentation_url="http://x/")
            one["reviewers"] += body["reviewers"]
            return 201, self.simple(one)
        if method == "PATCH":
            strict(models.ReposOwnerRepoPullsPullNumberPatchBody, body)
            one |= {key: body[key] for key in ("title", "body") if key in body}
        return 200, self.full(one)

    def create(self, body: Any) -> tuple[int, Any]:
        try:
            strict(models.ReposOwnerRepoPullsPostBody, body)
        except pydantic.ValidationError as problem:
            return 422, self.invalid(str(problem))
        head, base = self.server.tip(body["head"]), self.server.tip(body["base"])
        if len(body.get("body", "")) > 65_536:
            return 422, self.invalid("body is too long (maximum is 65536 characters)")
        if head is None:
            return 422, self.invalid("invalid", field="head")
        if any(one["branch"] == body["head"] and one["state"] == "open" for one in self.server.requests):
            return 422, self.invalid(f"A pull request already exists for {body['head']}.")
        if head == base:
            return 422, self.invalid(f"No commits between {body['base']} and {body['head']}")
        one = {"number": len(self.server.requests) + 1, "branch": body["head"], "base": body["base"], "title": body["title"],
               "body": body["body"], "draft": body.get("draft", False), "state": "open", "labels": [], "reviewers": [],
               "merged": None, "fork": False}  # fmt: skip
        self.server.requests.append(one)
        return 201, self.full(one)

    @staticmethod
    def invalid(message: str, **field: str) -> Any:
        error = {"resource": "PullRequest", "code": "custom", "message": message, **field}
        return answer(
            models.ValidationError, message="Validation Failed", documentation_url="http://x/", errors=[error]
        )

    def said(self, one: dict[str, Any]) -> dict[str, Any]:
        owner = "mallory/x" if one["fork"] else self.server.project
        sides = {
            name: {"ref": ref, "sha": self.server.tip(ref) or "0" * 40, "repo": {"full_name": owner}}
            for name, ref in (("head", one["branch"]), ("base", one["base"]))
        }
        return {
            "number": one["number"], "title": one["title"], "body": one["body"], "draft": one["draft"], **sides,
            "html_url": f"{self.server.url}/{self.server.project}/pull/{one['number']}",
            "state": "open" if one["state"] == "open" else "closed", "merged_at": one["merged"],
        }  # fmt: skip

    def simple(self, one: dict[str, Any]) -> Any:
        said = self.said(one)
        side = {"head": models.PullRequestSimplePropHead, "base": models.PullRequestSimplePropBase}
        return self.whole(models.PullRequestSimple, said, side, one)

    def full(self, one: dict[str, Any]) -> Any:
        side = {"head": models.PullRequestPropHead, "base": models.PullRequestPropBase}
        return self.whole(models.PullRequest, self.said(one), side, one)

    def whole(self, model: Any, said: dict[str, Any], sides: dict[str, Any], one: dict[str, Any]) -> Any:
        for name, part in sides.items():
            repository = answer(models.Repository, **said[name].pop("repo"))
            made = answer(part, **said[name], repo=repository)
            said[name] = made
        label = (
            models.PullRequestPropLabelsItems
            if model is models.PullRequest
            else models.PullRequestSimplePropLabelsItems
        )
        said["labels"] = [answer(label, name=name) for name in one["labels"]]
        return answer(model, **said)


def strict(model: Any, body: Any) -> None:
    """Take a body only if the model does, and knows every key of it."""
    pydantic.TypeAdapter(model).validate_python(body)
    known = {field.alias or name for name, field in model.model_fields.items()}
    assert set(body) <= known, f"{set(body) - known} are no parameters of GitHub's"


class GitLabApi:
    """The part of GitLab's REST API that trailfit calls, written after its documentation."""

    def __init__(self, server: Server, headers: Any) -> None:
        self.server, self.headers = server, headers

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if self.headers.get("PRIVATE-TOKEN") != self.server.token:
            return 401, {"message": "401 Unauthorized"}
        if path == "/users":
            name = query["username"][0]
            number = self.server.known_users.get(name)
            return 200, [{"id": number, "username": name}] if number else []
        base = f"/projects/{self.server.project}"
        if path == base:
            return 200, {"id": 1, "path_with_namespace": self.server.project, "default_branch": "main"}
        if not path.startswith(f"{base}/merge_requests"):
            return 404, {"message": "404 Project Not Found"}
        rest = path.removeprefix(f"{base}/merge_requests")
        if (method, rest) == ("GET", ""):
            wanted = query["state"][0]
            found = [one for one in self.server.requests if wanted == "all" or self.read(one)["state"] == wanted]
            return 200, [self.read(one) for one in found[::-1]]
        if (method, rest) == ("POST", ""):
            return self.create(body)
        if not re.fullmatch(r"/\d+", rest) or int(rest[1:]) > len(self.server.requests):
            return 404, {"message": "404 Not found"}
        one = self.server.requests[int(rest[1:]) - 1]
        if method == "PUT":
            assert set(body) <= {"title", "description", "add_labels", "reviewer_ids"}, body
            one["title"], one["body"] = body.get("title", one["title"]), body.get("description", one["body"])
            one["labels"] = sorted({*one["labels"], *filter(None, body.get("add_labels", "").split(","))})
            one["reviewers"] = body.get("reviewer_ids", one["reviewers"])
        return 200, self.read(one)

    def create(self, body: Any) -> tuple[int, Any]:
        needed, more = {"source_branch", "target_branch", "title"}, {"description", "labels", "remove_source_branch"}
        if not needed <= set(body) or set(body) - needed - more:
            return 400, {"error": f"{', '.join(needed ^ set(body))} is missing or unknown"}
        if len(body["description"]) > 1_048_576:
            return 400, {"message": {"description": ["is too long (maximum is 1048576 characters)"]}}
        if self.server.tip(body["source_branch"]) is None:
            return 400, {"message": ["Source branch does not exist"]}
        same = [
            one for one in self.server.requests if one["branch"] == body["source_branch"] and one["state"] == "open"
        ]
        if same:
            return 409, {
                "message": [f"Another open merge request already exists for this source branch: !{same[0]['number']}"]
            }
        one = {"number": len(self.server.requests) + 1, "branch": body["source_branch"], "base": body["target_branch"],
               "title": body["title"], "body": body["description"], "state": "open", "reviewers": [], "merged": None,
               "labels": [name for name in body["labels"].split(",") if name], "fork": False}  # fmt: skip
        self.server.requests.append(one)
        return 201, self.read(one)

    def read(self, one: dict[str, Any]) -> Any:
        return {
            "id": 1000 + one["number"], "iid": one["number"], "title": one["title"], "description": one["body"],
            "state": "opened" if one["state"] == "open" else one["state"], "draft": one["title"].startswith("Draft: "),
            "source_branch": one["branch"], "target_branch": one["base"], "labels": one["labels"],
            "source_project_id": 2 if one["fork"] else 1, "target_project_id": 1, "sha": self.server.tip(one["branch"]),
            "web_url": f"{self.server.url}/{self.server.project}/-/merge_requests/{one['number']}",
            "merged_at": "2026-11-01T10:00:00.000+01:00" if one["merged"] else None,
        }  # fmt: skip


@contextmanager
def forge(
    kind: str, folder: Path, files: dict[str, str], project: str = "shop/infra", prefix: str = ""
) -> Iterator[Server]:
    """A forge whose project holds the files on its branch main."""
    served = folder / "served"
    server = Server(kind, served, project, prefix or ("/api/v4" if kind == "gitlab" else ""))
    shutil.copytree(_bare(tuple(sorted(files.items()))), server.bare)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def _bare(files: tuple[tuple[str, str], ...]) -> Path:
    """A bare repository of the files, made once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="trailfit-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    work = folder / "work"
    for path, text in files:
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(text)
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for command in (["init", "-q", "--initial-branch=main"], ["add", "."], [*who, "commit", "-q", "-m", "Start"]):
        subprocess.run(["git", "-C", str(work), *command], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(folder / "bare")], check=True)
    subprocess.run(["git", "-C", str(folder / "bare"), "config", "http.receivepack", "true"], check=True)
    return folder / "bare"
