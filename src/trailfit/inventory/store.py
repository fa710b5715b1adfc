"""A snapshot to the lake and back: one JSON, each distinct policy document in it once, as text: so its order stays.

Deterministic: the same snapshot gives the same bytes. Nouns are written by their fields; a field that an older
trailfit did not write takes its default, one that a newer wrote is refused by the version.
"""

from __future__ import annotations

import json
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from sys import intern
from typing import TYPE_CHECKING, Any

from trailfit import model, views
from trailfit.errors import LakeError
from trailfit.inventory import tables
from trailfit.model import LastAccessed, Snapshot
from trailfit.policy.document import Document

if TYPE_CHECKING:
    from trailfit.lake import Lake

VERSION = 1


def save(lake: Lake, snapshot: Snapshot) -> None:
    """Write a snapshot into the lake, under its own time. Raises `LakeError` where the lake cannot be written."""
    views.write(lake.storage, f"snapshots/{stamp(snapshot)}", tables.tables(snapshot))
    lake.write_snapshot(to_json(snapshot), snapshot.taken)


def load(lake: Lake) -> Snapshot:
    """Return the lake's newest snapshot. Raises `LakeError` where there is none, or one of another version."""
    found = lake.read_snapshot()
    if found is None:
        message = "the lake holds no snapshot"
        raise LakeError(message, where=lake.root, hint="run `trailfit inventory` first")
    return from_json(found)


def stamp(snapshot: Snapshot) -> str:
    """Return the name of a snapshot's folder in the lake."""
    return f"{snapshot.taken:%Y%m%dT%H%M%SZ}"


def stamps(lake: Lake) -> tuple[str, ...]:
    """Return the times of the lake's snapshots, oldest first, as their folders are named (``20261031T080000Z``)."""
    paths = (path for path, _ in lake.storage.walk("snapshots") if path.endswith("/snapshot.json"))
    return tuple(sorted(path.split("/")[-2] for path in paths))


def load_at(lake: Lake, at: str) -> Snapshot:
    """Return the snapshot of one of `stamps`. Raises `LakeError` where there is none."""
    data = lake.storage.read(f"snapshots/{at}/snapshot.json")
    if data is None:
        message = f"the lake holds no snapshot of {at}"
        raise LakeError(message, hint=f"it holds {', '.join(stamps(lake)) or 'none'}")
    return from_json(json.loads(data))


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as plain JSON values."""
    documents: dict[str, int] = {}
    body = _plain(snapshot, documents)
    return {"trailfit_snapshot": VERSION, "documents": list(documents), "snapshot": body}


def from_json(obj: dict[str, Any]) -> Snapshot:
    """Return the snapshot that `to_json` wrote. Raises `LakeError` for anything else."""
    if obj.get("trailfit_snapshot") != VERSION:
        message = f"a snapshot of version {obj.get('trailfit_snapshot')}, not {VERSION}"
        raise LakeError(message, hint="take it again with `trailfit inventory`")
    documents = [Document.parse(document) for document in obj["documents"]]
    snapshot = _noun(Snapshot, obj["snapshot"], documents)
    assert isinstance(snapshot, Snapshot)
    return snapshot


def _plain(value: Any, documents: dict[str, int]) -> Any:
    if isinstance(value, Document):
        return documents.setdefault(json.dumps(value.raw, ensure_ascii=False), len(documents))
    if isinstance(value, LastAccessed):  # hundreds for each principal: one line each
        last = value.last.isoformat() if value.last else None
        return json.dumps([value.service, value.action, last], separators=(",", ":"))
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name), documents) for one in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one, documents) for one in value]
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    return value


@cache
def _hints(noun: type) -> dict[str, Any]:
    return typing.get_type_hints(noun, {**vars(model), "Document": Document, "datetime": datetime, "Mapping": dict})


def _noun(noun: type, obj: dict[str, Any], documents: list[Document]) -> object:
    hints = _hints(noun)
    given = {}
    for one in fields(noun):
        if one.name in obj:
            given[one.name] = _value(hints[one.name], obj[one.name], documents)
        elif one.default is MISSING and one.default_factory is MISSING:
            message = f"a {noun.__name__} in the snapshot has no `{one.name}`"
            raise LakeError(message, hint="take it again with `trailfit inventory`")
    made: object = noun(**given)
    return made


def _value(hint: Any, value: Any, documents: list[Document]) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(one for one in typing.get_args(hint) if one is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(_value(typing.get_args(hint)[0], one, documents) for one in value)
    if hint is Document:
        return documents[value]
    if hint is LastAccessed:
        service, action, last = json.loads(value)
        seen = datetime.fromisoformat(last) if last else None
        return LastAccessed(intern(service), intern(action) if action else None, seen)
    if hint is datetime:
        return datetime.fromisoformat(value)
    return _noun(hint, value, documents) if isinstance(hint, type) and is_dataclass(hint) else value
