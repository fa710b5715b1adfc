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

    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from trailfit.engine.spark import Spark
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
    return sql.run(con, name, **_asked(lake, name, days, to, parameters))


def query_on(
    spark: Spark, lake: Lake, name: str, *, days: int | None = None, to: date | None = None, **parameters: Any
) -> pa.Table:
    """Run a named query on Spark, over the same views; the rows as an Arrow table."""
    asked = _asked(lake, name, days, to, parameters)
    spark.view(lake)
    return spark.query(name, **asked)


def _asked(lake: Lake, name: str, days: int | None, to: date | None, given: dict[str, Any]) -> dict[str, Any]:
    """Give a query's parameters: the window's ends where it takes them, and what the caller gives."""
    asked = sql.load(name)
    if not asked.is_windowed:
        if days is not None or to is not None:
            raise UsageError(f"query `{name}` asks of the whole lake: it takes no window")
        return given
    window = resolve(lake, days=days, to=to).parameters()
    return {**{end: day for end, day in window.items() if end in asked.parameters}, **given}
