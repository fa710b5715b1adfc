"""How long-term credentials were used: from where, with which client, and what root did with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit import sql
from trailfit.model import KeySource, RootUse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from trailfit.model import Window


def key_sources(con: DuckDBPyConnection, window: Window) -> dict[str, tuple[KeySource, ...]]:
    """Read, per long-term access key, its networks and clients; sorted."""
    found: dict[str, list[KeySource]] = {}
    for row in sql.run(con, "key_sources", **window.parameters()).fetchall():
        found.setdefault(row[0], []).append(KeySource(*row))
    return {key: tuple(rows) for key, rows in found.items()}


def root_use(con: DuckDBPyConnection, window: Window) -> dict[str, tuple[RootUse, ...]]:
    """Read, per account, what its root user did; sorted."""
    found: dict[str, list[RootUse]] = {}
    for row in sql.run(con, "root_use", **window.parameters()).fetchall():
        found.setdefault(row[0], []).append(RootUse(*row))
    return {account: tuple(rows) for account, rows in found.items()}
