"""Read ``[[exclude]]`` of `trailfit.toml`: what is left alone, why, and until when."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from trailfit.errors import UsageError
from trailfit.recommend.exclusions import PURPOSES, Exclusion, as_globs, unknown_kinds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Key → the type its value must have.
_KEYS: dict[str, type] = {
    "principal": str, "path": str, "tag": str, "sid": str, "action": str, "kinds": list, "reason": str, "until": date,
    "purpose": str,
}  # fmt: skip
_WHOM = ("principal", "path", "tag", "sid", "action")


def exclusions(tables: Sequence[Any], path: Path) -> tuple[Exclusion, ...]:
    """Read the ``[[exclude]]`` tables of `path`, in order.

    Each says whom or what it covers, a reason, and its last day, or a `purpose` (which lasts). Raises UsageError.
    """
    return tuple(_one(each, number, path) for number, each in enumerate(tables, 1))


def _one(table: Any, number: int, path: Path) -> Exclusion:
    name = f"[[exclude]] {number}"

    def fail(problem: str, hint: str | None = None) -> UsageError:
        return UsageError(f"{name} {problem}", where=str(path), hint=hint)

    if not isinstance(table, dict):
        raise fail("is not a table")
    for key, value in table.items():
        if key not in _KEYS:
            raise fail(f"has `{key}`, which is not a setting", f"one of: {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, datetime):
            raise fail(f"has a `{key}` that is not of type {_KEYS[key].__name__}")
    if not str(table.get("reason", "")).strip():
        raise fail("gives no `reason`", "it is shown in the report")
    if not any(key in table for key in _WHOM):
        raise fail("does not say what it is about", f"at least one of: {', '.join(_WHOM)}")
    purpose = table.get("purpose")
    if purpose is not None and purpose not in PURPOSES:
        raise fail(f"has the purpose `{purpose}`", f"one of: {', '.join(PURPOSES)}")
    if "until" not in table and purpose is None:
        raise fail("has no end", "until = 2026-12-31, or a purpose")
    kinds = tuple(map(str, table.get("kinds", ["*"])))
    for wrong in unknown_kinds(kinds):
        raise fail(f"names `{wrong}`, which is no kind of finding", "docs/findings.md lists them")
    whom = {key: table[key] for key in _WHOM if key in table}
    return Exclusion(
        f"{path.name} {name}", table["reason"].strip(), table.get("until"), as_globs(kinds), purpose=purpose, **whom
    )
