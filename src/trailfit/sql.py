"""Run ``queries/NAME.sql`` with named parameters: the only place SQL is sent.

A query's first two comment lines are its question and its grain. Parameters are DuckDB's ``$name``; a
value is always bound, never spliced into the text (values come from logs, and logs are hostile).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection, DuckDBPyRelation

# In the wheel the folder lies beside this file; in a checkout it is the repository's own top-level folder.
_PACKAGED = Path(__file__).parent / "queries"
QUERIES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "queries"

_NAME = re.compile(r"[a-z0-9_]+\Z")
_DERIVED = "-- Views over these views.\n"


@dataclass(frozen=True, slots=True)
class Query:
    """A named query: its text, the question it answers, the grain of a row, its parameters and what they mean.

    `notes` has no word on `from_day` and `to_day`, the window that `--days` and `--to` set.
    """

    name: str
    question: str
    grain: str
    text: str
    parameters: tuple[str, ...]
    notes: Mapping[str, str]

    @property
    def is_windowed(self) -> bool:
        """Tell whether it asks of a window of days, not of the whole lake."""
        return "from_day" in self.parameters or "to_day" in self.parameters


@cache
def load(name: str) -> Query:
    """Read the query called `name`. Raises UsageError when there is none."""
    path = QUERIES / f"{name}.sql"
    if not _NAME.match(name) or not path.is_file():
        raise UsageError(f"no query is called `{name}`", hint=f"one of: {', '.join(names())}")
    text = path.read_text(encoding="utf-8")
    question, grain, *_ = (line.removeprefix("--").strip() for line in text.splitlines())
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    parameters = tuple(sorted(set(re.findall(r"\$([a-z_]+)", body))))
    notes = dict(re.findall(r"^-- \$([a-z_]+): (.+)$", text, re.MULTILINE))
    return Query(name, question, grain.removeprefix("Grain:").strip(), text, parameters, notes)


def names() -> list[str]:
    """List the names of all queries, sorted."""
    return sorted(path.stem for path in QUERIES.glob("*.sql"))


def derived_views() -> str:
    """Give the views that are made of other views: the last part of ``queries/views/lake.sql``."""
    text = (QUERIES / "views" / "lake.sql").read_text(encoding="utf-8")
    return text.partition(_DERIVED)[2]


def run(con: DuckDBPyConnection, name: str, **parameters: Any) -> DuckDBPyRelation:
    """Run the query called `name` over the lake's views.

    A parameter that the query has and the caller does not give is null; one that the query does not have
    raises UsageError.
    """
    query = load(name)
    unknown = sorted(set(parameters) - set(query.parameters))
    if unknown:
        raise UsageError(
            f"query `{name}` has no parameter {', '.join(f'`{each}`' for each in unknown)}",
            hint=f"it has: {', '.join(query.parameters) or 'none'}",
        )
    bound = {each: parameters.get(each) for each in query.parameters}
    return con.sql(query.text, params=bound) if bound else con.sql(query.text)


def free(con: DuckDBPyConnection, text: str, parameters: dict[str, Any]) -> DuckDBPyRelation:
    """Run a user's own SQL over the lake's views; raises UsageError with DuckDB's message when it is wrong."""
    import duckdb

    try:
        found = con.sql(text, params=parameters) if parameters else con.sql(text)
    except duckdb.Error as problem:
        raise UsageError(str(problem)) from None
    if found is None:
        raise UsageError("that statement gives no rows", hint="ask with SELECT")
    return found
