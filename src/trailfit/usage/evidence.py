"""Gather all that the log says over one window: one call for `recommend` to judge by."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from trailfit import sql
from trailfit.model import Denied, Evidence, KeyUse
from trailfit.usage import coverage, credential_use, grants, use

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duckdb import DuckDBPyConnection

    from trailfit.model import TrailSelector, Window


def gather(
    con: DuckDBPyConnection, window: Window, selectors: Sequence[TrailSelector] = (), shared: Iterable[str] = ()
) -> Evidence:
    """Run the queries that judgement needs over `window`; `selectors` are the snapshot's, if it has any.

    `shared` are the ARNs of the roles of which each session's use is told apart.
    """
    days = window.parameters()
    covered = coverage.read(con, window)
    unread = grants.unread(con, window)
    denied = [
        Denied(principal, action, resource, calls, last, reason)
        for principal, action, resource, _code, reason, calls, last, _event in sql.run(con, "denied", **days).fetchall()
    ]
    sessions: dict[str, dict[str, int]] = {}
    for principal, session, events, _last in sql.run(con, "shared_roles", **days).fetchall():
        sessions.setdefault(principal, {})[session] = events
    return Evidence(
        window=window,
        usage={who: tuple(rows) for who, rows in groupby(use.read(con, window), lambda row: row.principal)},
        denied={
            who: tuple(rows) for who, rows in groupby(sorted(denied, key=_denied_order), lambda row: row.principal)
        },
        last_seen={
            who: last for who, _kind, _events, _uses, last in sql.run(con, "principals_seen", **days).fetchall()
        },
        sessions=sessions,
        key_use={
            key: KeyUse(key, principal, calls, first, last)
            for key, principal, calls, first, last, _service in sql.run(con, "key_use", **days).fetchall()
        },
        gaps=coverage.gaps(con, window),
        coverage=covered,
        silence=coverage.Silences(window, covered, selectors, unread).of,
        days=use.days(con, window),
        action_days=use.action_days(con, window.last),
        changes=grants.changes(con, window),
        assumptions=grants.assumptions(con, window),
        by_session=grants.by_session(con, window, shared),
        unread=unread,
        key_sources=credential_use.key_sources(con, window),
        root_use=credential_use.root_use(con, window),
    )


def _denied_order(row: Denied) -> tuple[str, int, str, str, str]:
    return (row.principal, -row.calls, row.action, row.resource, row.message or "")
