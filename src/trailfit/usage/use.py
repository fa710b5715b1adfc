"""Who used what: the rows of ``queries/usage.sql`` as nouns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from trailfit import sql
from trailfit.model import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from trailfit.model import Window

_BATCH = 20_000


def read(con: DuckDBPyConnection, window: Window, principal: str | None = None) -> list[Usage]:
    """Read the usage of one principal, or of all, over `window`; sorted, so always in the same order."""
    rows = _rows(sql.run(con, "usage", principal=principal, **window.parameters()))
    return [
        Usage(
            principal=who,
            principal_kind=kind,
            action=action,
            resource=resource,
            role=role,
            basis=basis,
            calls=calls,
            denied=denied,
            first_used=first,
            last_used=last,
            days=days,
            example_event=event,
        )
        for who, kind, action, resource, role, basis, calls, denied, first, last, days, event in rows
    ]


def _rows(found: DuckDBPyRelation) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a relation, a batch in memory at a time, and equal texts as one: there are many of each."""
    for batch in found.to_arrow_table().to_batches(max_chunksize=_BATCH):
        columns = [
            [sys.intern(each) if isinstance(each, str) else each for each in column.to_pylist()]
            for column in batch.columns
        ]
        yield from zip(*columns, strict=True)


def totals(con: DuckDBPyConnection, window: Window) -> dict[str, tuple[int, int]]:
    """Count each principal's calls that count in `window`, and the distinct (action, resource) among them."""
    return {who: (calls, uses) for who, calls, uses in sql.run(con, "calls", **window.parameters()).fetchall()}


def action_days(con: DuckDBPyConnection, last: date) -> dict[str, dict[str, tuple[date, ...]]]:
    """Read, per principal and action, all days up to `last` on which calls that count were made."""
    found: dict[str, dict[str, tuple[date, ...]]] = {}
    for who, action, dates in sql.run(con, "action_days", to_day=last).fetchall():
        found.setdefault(who, {})[action] = tuple(dates)
    return found


def days(con: DuckDBPyConnection, window: Window) -> dict[str, dict[tuple[str, str], tuple[date, ...]]]:
    """Read, per principal and (action, resource), the days of `window` on which calls that count were made."""
    found: dict[str, dict[tuple[str, str], tuple[date, ...]]] = {}
    for who, action, resource, dates in _rows(sql.run(con, "usage_days", **window.parameters())):
        found.setdefault(who, {})[action, resource] = tuple(dates)
    return found
