"""The Python API: the same stages as the command line, for notebooks and scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit import pipeline, sql
from trailfit.cloudtrail.lines import event_object
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record
from trailfit.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from duckdb import DuckDBPyConnection, DuckDBPyRelation


class OpenLake:
    """A lake, open for questions. DuckDB relations out: ``.df()`` for pandas, ``.arrow()`` for Arrow."""

    def __init__(self, root: str | Path) -> None:
        self.lake = Lake(str(root))
        self._con: DuckDBPyConnection | None = None

    @property
    def connection(self) -> DuckDBPyConnection:
        """The DuckDB connection, with the lake's views."""
        if self._con is None:
            self._con = self.lake.connect()
        return self._con

    def sql(self, text: str, **parameters: Any) -> DuckDBPyRelation:
        """Run SQL over the views `events`, `usage` and `skipped`; bind values as ``$name``, never into the text."""
        return self.connection.sql(text, params=parameters) if parameters else self.connection.sql(text)

    def query(
        self, name: str, *, days: int | None = None, to: date | None = None, **parameters: Any
    ) -> DuckDBPyRelation:
        """Run the named query (`queries()` lists them) over the last `days` days of the lake, 90 unless told."""
        return pipeline.query(self.lake, name, days=days, to=to, con=self.connection, **parameters)

    def queries(self) -> dict[str, str]:
        """Map the name of every query to the question it answers."""
        return {name: sql.load(name).question for name in sql.names()}

    def __repr__(self) -> str:
        held = self.lake.days()
        return f"<lake {self.lake.root}: {f'{held[0]} to {held[1]}' if held else 'empty'}>"


def open(lake: str | Path) -> OpenLake:  # noqa: A001 - the name users expect, as in gzip.open
    """Open a lake: a folder or ``s3://bucket/prefix``."""
    return OpenLake(lake)


def decode(record: Mapping[str, Any]) -> dict[str, Any]:
    """Tell how one CloudTrail record is understood, in the form of `trailfit decode`."""
    return event_object(understand(parse_record(dict(record))))


def rightsize(
    lake: str | Path, out: str | Path = "trailfit-out", *, days: int | None = None, to: date | None = None
) -> dict[str, Any]:
    """Judge the lake's snapshot by its log; write `recommendations.json` to `out` and return its content."""
    return pipeline.recommend(Lake(str(lake)), Path(out), days=days, to=to).data
