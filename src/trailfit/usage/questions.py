"""Ask the lake a named query, in a window where it takes one.

Apart from `trailfit.pipeline`, which offers it too: a question takes a tenth of a second, to load the rest three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit import sql
from trailfit.errors import UsageError
from trailfit.usage.window import resolve

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from trailfit.lake import Lake


def query(
    lake: Lake,
    name: str,
    *,
    con: DuckDBPyConnection,
    days: int | None = None,
    to: date | None = None,
    **parameters: Any,
) -> DuckDBPyRelation:
    """Run a named query over the lake's views. Windowed queries take `days` and `to`."""
    asked = sql.load(name)
    if asked.is_windowed:
        window = resolve(lake, days=days, to=to).parameters()
        parameters = {**{end: day for end, day in window.items() if end in asked.parameters}, **parameters}
    elif days is not None or to is not None:
        raise UsageError(f"query `{name}` asks of the whole lake: it takes no window")
    return sql.run(con, name, **parameters)
