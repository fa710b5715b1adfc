"""Read `trailfit.toml`: a key that nobody knows is an error, so that a slip of the pen is not silence."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING, Any

from trailfit.errors import UsageError
from trailfit.pipeline import Config
from trailfit.policy.generalise_tree import LEVELS
from trailfit.recommend.learnt import Levels

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "trailfit.toml"

#: Table → key → the type its value must have.
_KEYS: dict[str, dict[str, type]] = {
    "": {"lake": str, "out": str, "ingest": dict, "inventory": dict, "recommend": dict, "pr": dict},
    "ingest": {"sources": list, "jobs": int},
    "inventory": {"from_files": str},
    "recommend": {"days": int, "to": date, "level": str, "principals": dict, "services": dict},
    "pr": {"repo": str},
}


def read(path: Path) -> Config:
    """Read a configuration; relative paths are relative to its folder. Raises UsageError with the place."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UsageError(f"cannot be read: {problem.strerror}", where=str(path), hint="give --config FILE") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"is not TOML: {problem}", where=str(path)) from None
    _check(told, "", path)
    for table in ("ingest", "inventory", "recommend", "pr"):
        _check(told.get(table, {}), table, path)
    if "lake" not in told:
        raise UsageError("says no `lake`", where=str(path))
    base = path.parent
    ingest, inventory = told.get("ingest", {}), told.get("inventory", {})
    recommend, pull_request = told.get("recommend", {}), told.get("pr", {})
    return Config(
        lake=_place(base, told["lake"]),
        sources=tuple(_place(base, source) for source in ingest.get("sources", ())),
        from_files=base / inventory["from_files"] if "from_files" in inventory else None,
        out=base / told.get("out", "trailfit-out"),
        days=recommend.get("days"),
        to=recommend.get("to"),
        repo=base / pull_request["repo"] if "repo" in pull_request else None,
        jobs=ingest.get("jobs"),
        levels=_levels(recommend, path),
    )


def _check(table: dict[str, Any], name: str, path: Path) -> None:
    known = _KEYS[name]
    for key, value in table.items():
        full = f"{name}.{key}" if name else key
        if key not in known:
            raise UsageError(f"`{full}` is not a setting", where=str(path), hint=f"one of: {', '.join(known)}")
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise UsageError(f"`{full}` must be of type {known[key].__name__}", where=str(path))


def _levels(table: dict[str, Any], path: Path) -> Levels:
    """Read the levels: ``level``, and by principal (a glob over ARNs, in order) and by service."""
    principals, services = table.get("principals", {}), table.get("services", {})
    for told in (table.get("level", "balanced"), *principals.values(), *services.values()):
        if told not in LEVELS:
            raise UsageError(f"`{told}` is not a level", where=str(path), hint=f"one of: {', '.join(LEVELS)}")
    return Levels(table.get("level", "balanced"), tuple(principals.items()), services)


def _place(base: Path, text: str) -> str:
    return text if "://" in text else str(base / text)
