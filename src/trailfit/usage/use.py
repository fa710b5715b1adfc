"""Who used what: the rows of ``queries/usage.sql`` as nouns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit import sql
from trailfit.model import Usage

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from trailfit.model import Window


def read(con: DuckDBPyConnection, window: Window, principal: str | None = None) -> list[Usage]:
    """Read the usage of one principal, or of all, over `window`; sorted, so always in the same order."""
    rows = sql.run(con, "usage", principal=principal, **window.parameters()).fetchall()
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
    for who, action, resource, dates in sql.run(con, "usage_days", **window.parameters()).fetchall():
        found.setdefault(who, {})[action, resource] = tuple(dates)
    return found
