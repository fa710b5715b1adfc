"""Read `trailfit.toml`: a key that nobody knows is an error, so that a slip of the pen is not silence."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.cli.exclude import exclusions
from trailfit.deliver.forge.remote import is_url
from trailfit.deliver.owner import Mapped
from trailfit.deliver.pull_requests import Settings
from trailfit.errors import UsageError
from trailfit.inventory.settings import Settings as InventorySettings
from trailfit.pipeline import Config
from trailfit.policy.generalise_tree import LEVELS
from trailfit.recommend.age import Grace
from trailfit.recommend.judge import Rules
from trailfit.recommend.learnt import Levels
from trailfit.recommend.outlook import Bar

if TYPE_CHECKING:
    import click

FILE_NAME = "trailfit.toml"

#: Table → key → the type its value must have.
_KEYS: dict[str, dict[str, type]] = {
    "": {
        "lake": str, "out": str, "ingest": dict, "inventory": dict, "recommend": dict, "report": dict,
        "pr": dict, "map": list, "exclude": list, "grace": dict, "consolidate": dict,
        "safe": dict,
    },
    "ingest": {"sources": list, "jobs": int},
    "inventory": {"from_files": str, "accounts": list, "role_name": str, "profile": str, "regions": list},
    "recommend": {"days": int, "to": date, "level": str, "principals": dict, "services": dict},
    "safe": {"p_break": float, "denied": float, "untested": bool},
    "grace": {"principals": int, "permissions": int},
    "consolidate": {"roles": list},
    "report": {"delete_after": int},
    "pr": {
        "repo": str, "forge": str, "base": str, "by": str, "unsafe": str, "labels": list, "reviewers": bool,
    },
    "map": {"principal": str, "path": str, "where": str},
}  # fmt: skip
#: What a setting may be, where few words may.
_CHOICES = {"pr.forge": ("github", "gitlab"), "pr.by": ("run", "account"), "pr.unsafe": ("report", "draft")}


def find(ctx: click.Context) -> Config | None:
    """Read the configuration that --config names, else trailfit.toml where there is one; None where there is none."""
    told = (ctx.find_root().obj or {}).get("config")
    if told is None and not Path(FILE_NAME).is_file():
        return None
    return read(Path(told or FILE_NAME))


def read(path: Path) -> Config:
    """Read a configuration; relative paths are relative to its folder. Raises UsageError with the place."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UsageError(f"cannot be read: {problem.strerror}", where=str(path), hint="give --config FILE") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"is not TOML: {problem}", where=str(path)) from None
    _check(told, "", path)
    for table in ("ingest", "inventory", "recommend", "safe", "grace", "consolidate", "report", "pr"):
        _check(told.get(table, {}), table, path)
    for one in told.get("map", ()):
        if not isinstance(one, dict) or one.keys() != _KEYS["map"].keys():
            raise UsageError("a [[map]] needs `principal`, `path` and `where`", where=str(path))
        _check(one, "map", path)
    if "lake" not in told:
        raise UsageError("says no `lake`", where=str(path))
    base = path.parent
    ingest, inventory = told.get("ingest", {}), told.get("inventory", {})
    recommend, pull_request = told.get("recommend", {}), told.get("pr", {})
    return Config(
        lake=_place(base, told["lake"]),
        sources=tuple(_place(base, source) for source in ingest.get("sources", ())),
        from_files=base / inventory["from_files"] if "from_files" in inventory else None,
        inventory=_inventory(inventory),
        profile=inventory.get("profile"),
        out=base / told.get("out", "trailfit-out"),
        days=recommend.get("days"),
        to=recommend.get("to"),
        repo=_repo(base, pull_request["repo"]) if "repo" in pull_request else None,
        delete_after=told.get("report", {}).get("delete_after", 30),
        pull_request=_settings(pull_request, told.get("map", ())),
        jobs=ingest.get("jobs"),
        levels=_levels(recommend, path),
        bar=_bar(told.get("safe", {}), path),
        rules=Rules(
            grace=Grace(**told.get("grace", {})),
            consolidate=tuple(map(str, told.get("consolidate", {}).get("roles", ()))),
            exclusions=exclusions(told.get("exclude", ()), path),
        ),
    )


def _check(table: dict[str, Any], name: str, path: Path) -> None:
    known = _KEYS[name]
    for key, value in table.items():
        full = f"{name}.{key}" if name else key
        if key not in known:
            raise UsageError(f"`{full}` is not a setting", where=str(path), hint=f"one of: {', '.join(known)}")
        wanted = (int, float) if known[key] is float else known[key]
        if not isinstance(value, wanted) or (isinstance(value, bool) and known[key] is not bool):
            raise UsageError(f"`{full}` must be of type {known[key].__name__}", where=str(path))
        if full in _CHOICES and value not in _CHOICES[full]:
            hint = f"one of: {', '.join(_CHOICES[full])}"
            raise UsageError(f"`{full}` cannot be `{value}`", where=str(path), hint=hint)


def _bar(table: dict[str, Any], path: Path) -> Bar:
    """Read what a proposal must reach to be safe; shares are from 0 to 1."""
    for key in ("p_break", "denied"):
        if not 0 <= table.get(key, 0) <= 1:
            raise UsageError(f"`safe.{key}` is a share from 0 to 1, not {table[key]}", where=str(path))
    return Bar(**table)


def _inventory(table: dict[str, Any]) -> InventorySettings | None:
    """Read how AWS is asked; None where ``[inventory]`` says nothing of it, or names files: then AWS is not asked."""
    if "from_files" in table or not table.keys() & {"accounts", "role_name", "profile", "regions"}:
        return None
    accounts, regions = (tuple(map(str, table.get(name, ()))) for name in ("accounts", "regions"))
    return InventorySettings(table.get("role_name"), accounts, regions)


def _levels(table: dict[str, Any], path: Path) -> Levels:
    """Read the levels: ``level``, and by principal (a glob over ARNs, in order) and by service."""
    principals, services = table.get("principals", {}), table.get("services", {})
    for told in (table.get("level", "balanced"), *principals.values(), *services.values()):
        if told not in LEVELS:
            raise UsageError(f"`{told}` is not a level", where=str(path), hint=f"one of: {', '.join(LEVELS)}")
    return Levels(table.get("level", "balanced"), tuple(principals.items()), services)


def _settings(table: dict[str, Any], mapped: list[dict[str, str]]) -> Settings:
    """Read ``[pr]`` and ``[[map]]``; what is not told has its default."""
    told = {key: value for key, value in table.items() if key not in ("repo", "labels")}
    if "labels" in table:
        told["labels"] = tuple(map(str, table["labels"]))
    return Settings(**told, mapped=tuple(Mapped(**one) for one in mapped))


def _repo(base: Path, text: str) -> str:
    return text if is_url(text) else str(base / text)


def _place(base: Path, text: str) -> str:
    return text if "://" in text else str(base / text)
