"""Files to pieces: what a folder holds, recognised by content.

A piece is one answer of an AWS operation: a file as the AWS CLI prints it, placebo's recording of it
(``{"status_code", "data"}``), a credential report's CSV, or a line of our own collection
(`trailfit.inventory.collect`). Its kind is told from the names at its top, never from the file's name alone.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.inventory import compute
from trailfit.inventory.values import ACCOUNT, REGION
from trailfit.model import Unassessed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Kind, and the names of which all must stand at the top of the answer. The first row that fits wins.
SIGNATURES: tuple[tuple[str, frozenset[str]], ...] = (
    ("authorization", frozenset({"RoleDetailList"})),
    ("authorization", frozenset({"UserDetailList"})),
    ("authorization", frozenset({"GroupDetailList"})),
    ("credential_report", frozenset({"Content", "ReportFormat"})),
    ("credential_report", frozenset({"Content", "GeneratedTime"})),
    ("credential_report", frozenset({"Content"})),
    ("last_accessed", frozenset({"JobStatus"})),
    ("access_keys", frozenset({"AccessKeyMetadata"})),
    ("access_key_last_used", frozenset({"AccessKeyLastUsed"})),
    ("trails", frozenset({"trailList"})),
    ("selectors", frozenset({"TrailARN", "EventSelectors"})),
    ("selectors", frozenset({"TrailARN", "AdvancedEventSelectors"})),
    ("trail_status", frozenset({"IsLogging"})),
    ("organization_tree", frozenset({"Id", "Children"})),
)
#: What every line of our own collection holds.
_LINE = frozenset({"account", "region", "kind", "params"})
_CSV_HEADER = "user,arn,user_creation_time"


@dataclass(frozen=True, slots=True)
class Piece:
    """One answer of AWS: its kind, where it was read, the account and region its folder names, the answer.

    `params` are the request's parameters where they are known (our own collection), `error` the refusal.
    """

    kind: str
    where: str
    account: str | None
    region: str | None
    data: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


def walk(folder: Path) -> Iterator[Piece | Unassessed]:
    """Yield the pieces of every ``.json``, ``.jsonl`` and ``.csv`` file below `folder` (or of one file), in order.

    A file that cannot be read, or that is nothing we know, is an `Unassessed` naming it. One file's pieces
    are in memory at a time.
    """
    paths = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    base = folder.parent if folder.is_file() else folder
    for path in paths:
        if path.suffix.lower() in {".json", ".jsonl", ".csv"}:
            where = path.relative_to(base).as_posix()
            yield from _file(path, where, folder if folder.is_dir() else folder.parent)


def _file(path: Path, where: str, base: Path) -> Iterator[Piece | Unassessed]:
    account, region = _place(path, base)
    try:
        if path.suffix.lower() == ".jsonl":
            yield from _collected(path, where)
            return
        content = path.read_text(encoding="utf-8-sig")
        if content.startswith(_CSV_HEADER):
            yield Piece("credential_report", where, account, region, {"Content": content})
        elif path.suffix.lower() == ".csv":
            yield Unassessed(where, "not a credential report: its first line is another")
        else:
            yield from _answers(_loads(content), where, account, region)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        yield Unassessed(where, f"cannot be read: {problem}")


def _loads(text: str) -> Any:
    """Read JSON; raises ValueError also for an escape of half a character, which no file of ours could hold."""
    found = json.loads(text)
    if "\\ud" in text.lower():
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _place(path: Path, base: Path) -> tuple[str | None, str | None]:
    """Return the account and the region that the folders (and the name) of a path give; the nearest wins."""
    account = region = None
    for part in (*base.parts[-1:], *path.relative_to(base).with_suffix("").parts):
        account = part if ACCOUNT.fullmatch(part) else account
        region = part if REGION.fullmatch(part) else region
    return account, region


def _collected(path: Path, where: str) -> Iterator[Piece | Unassessed]:
    """Yield the answers in a file of our own collection; its last line says that the step was ended."""
    line: dict[str, Any] = {}
    with path.open(encoding="utf-8") as lines:
        for text in lines:
            line = _loads(text)
            if not isinstance(line, dict) or not line.keys() >= _LINE:
                message = "not a line of a collection of trailfit's"
                raise ValueError(message)
            yield Piece(
                "error" if "error" in line else line["kind"], where, line["account"], line["region"],
                line.get("data") or {}, params=line["params"], error=line.get("error"),
            )  # fmt: skip
    if line.get("kind") != "end":
        yield Piece("stopped", where, line.get("account"), line.get("region"), {})
        yield Unassessed(where, "the collection stopped here: run it again to go on")


def _answers(obj: object, where: str, account: str | None, region: str | None) -> Iterator[Piece | Unassessed]:
    if isinstance(obj, dict) and "status_code" in obj and "data" in obj:
        obj = obj["data"]
    if not isinstance(obj, dict):
        yield Unassessed(where, "not an answer of an AWS operation that trailfit knows")
        return
    error = obj.get("Error")
    if isinstance(error, dict) and "Code" in error and "JobStatus" not in obj:
        yield Unassessed(where, f"AWS answered {error['Code']}")
        return
    obj = _canonical(obj)
    kind = _kind(obj)
    if kind is None:
        yield Unassessed(where, "not an answer of an AWS operation that trailfit knows")
    else:
        yield Piece(kind, where, account, region, obj, params=_named(obj, where))


def _named(obj: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what a file says of its own request: an ARN at its top (ours to add), else its name."""
    arn = obj.get("Arn")
    return {"Arn": arn} if isinstance(arn, str) else {"file": Path(where).stem}


_NAMES = {name.casefold(): name for _, names in SIGNATURES for name in names} | {"policies": "Policies"}


def _canonical(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Give the names at the top AWS's own casing: tools that print other casings are about."""
    return {name if name in _NAMES.values() else _NAMES.get(name.casefold(), name): v for name, v in obj.items()}


def _kind(obj: Mapping[str, Any]) -> str | None:
    present = obj.keys()
    for kind, names in SIGNATURES:
        if names <= present and (kind != "credential_report" or isinstance(obj["Content"], str | bytes)):
            return kind
    if "PolicyVersionList" in next(iter(_dicts(obj.get("Policies"))), {}):
        return "authorization"
    return "compute" if compute.rows_for(obj) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def report_text(content: str) -> str:
    """Return a credential report's CSV: the API gives it in base64, boto3's recordings as text.

    Raises ValueError where it is neither.
    """
    if content.startswith(_CSV_HEADER):
        return content
    try:
        decoded = base64.b64decode(content, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise ValueError(str(problem)) from problem
    if not decoded.startswith(_CSV_HEADER):
        message = "its first line is not that of a credential report"
        raise ValueError(message)
    return decoded
