"""The Python API: the same stages as the command line, for notebooks and scripts.

Everything that people look at has a table of its own in Jupyter; DuckDB relations and pandas frames come out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit import pipeline, shown, sql
from trailfit.cloudtrail.lines import event_object
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record
from trailfit.errors import UsageError
from trailfit.ingest.run import run as ingest
from trailfit.ingest.selection import Selection
from trailfit.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pandas import DataFrame

    from trailfit.recommend.backtest import Backtest


class OpenLake:
    """A lake, open for questions. DuckDB relations out: ``.df()`` for pandas, ``.arrow()`` for Arrow.

    It shows the lake as it was when the first question was asked; open it again after an ingest.
    """

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
        """Run SQL over the views (`events`, `usage`, …); bind values as ``$name``, never into the text."""
        return self.connection.sql(text, params=parameters) if parameters else self.connection.sql(text)

    def query(
        self, name: str, *, days: int | None = None, to: date | None = None, **parameters: Any
    ) -> DuckDBPyRelation:
        """Run the named query (`queries()` lists them) over the last `days` days of the lake, 90 unless told."""
        return pipeline.query(self.lake, name, days=days, to=to, con=self.connection, **parameters)

    def queries(self) -> dict[str, str]:
        """Map the name of every query to the question it answers.

        >>> "denied" in open("lake").queries()
        True
        """
        return {name: sql.load(name).question for name in sql.names()}

    def backtest(
        self, train: int, test: int, *, to: date | None = None, levels: Sequence[str] = ("balanced",)
    ) -> list[Backtest]:
        """Tighten on `train` days of the log and replay the `test` days that follow, once for each level."""
        return pipeline.backtest(self.lake, train, test, to=to, levels=levels)

    def __repr__(self) -> str:
        held = self.lake.days()
        return f"<lake {self.lake.root}: {f'{held[0]} to {held[1]}' if held else 'empty'}>"

    def _repr_html_(self) -> str:
        columns = "account, first_day, last_day, days, events, duplicates, skipped"
        rows = self.query("lake_health").project(columns).fetchall()
        return shown.lake(self.lake.root, self.lake.days(), rows)


class Proposal(dict[str, Any]):
    """One recommendation as `recommendations.json` has it; Jupyter shows its policies line by line."""

    def __repr__(self) -> str:
        return f"<{self['disposition']} proposal for {self['principal']}>"

    def _repr_html_(self) -> str:
        return shown.proposal(self)


class Run(dict[str, Any]):
    """What one run found, the content of `recommendations.json`; Jupyter shows its proposals."""

    @property
    def proposals(self) -> list[Proposal]:
        """Every recommendation."""
        return [Proposal(each) for each in self["recommendations"]]

    def proposal(self, principal: str) -> Proposal:
        """Give the recommendation for a principal, by its ARN or its name. Raises UsageError when there is none."""
        for each in self["recommendations"]:
            if principal in (each["principal"], each["principal"].rsplit("/", 1)[-1]):
                return Proposal(each)
        raise UsageError("nothing is proposed for it", where=principal, hint="`permissions()` says why")

    def permissions(self) -> DataFrame:
        """Give the class of every granted action as a frame: principal, action, class, reason, calls, …."""
        import pandas as pd

        return pd.DataFrame(
            [{"principal": each["principal"], **row} for each in self["principals"] for row in each["permissions"]]
        )

    def findings(self) -> DataFrame:
        """Give the findings as a frame: id, kind, principal, severity, confidence, evidence, …."""
        import pandas as pd

        return pd.DataFrame(self["findings"])

    def __repr__(self) -> str:
        summary, window = self["summary"], self["window"]
        return (
            f"<run {window['from']} to {window['to']}: {summary['findings']} findings, "
            f"{summary['recommendations']} proposals ({summary['safe']} safe)>"
        )

    def _repr_html_(self) -> str:
        return shown.run(self)


def open(lake: str | Path) -> OpenLake:  # noqa: A001 - the name users expect, as in gzip.open
    """Open a lake: a folder or ``s3://bucket/prefix``.

    >>> open("lake")
    <lake lake: empty>
    """
    return OpenLake(lake)


def read_logs(
    sources: str | Path | Iterable[str | Path],
    lake: str | Path = "lake",
    *,
    first: date | None = None,
    last: date | None = None,
    jobs: int | None = None,
) -> OpenLake:
    """Read CloudTrail logs (``s3://…``, folders, files) into a lake, each event once, and open it.

    Only the days from `first` to `last`, where given. What could not be read is in the lake's view `skipped`. Run it
    again for what is new.
    """
    given = [sources] if isinstance(sources, str | Path) else sources
    ingest([str(each) for each in given], Lake(str(lake)), selection=Selection(first, last), jobs=jobs)
    return OpenLake(lake)


def decode(record: Mapping[str, Any]) -> dict[str, Any]:
    """Tell how one CloudTrail record is understood, in the form of `trailfit decode`.

    >>> record = {
    ...     "eventVersion": "1.11", "eventID": "1", "eventTime": "2026-10-31T08:00:00Z", "awsRegion": "eu-west-1",
    ...     "eventSource": "sqs.amazonaws.com", "eventName": "DeleteQueue", "recipientAccountId": "111122223333",
    ...     "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada", "userName": "ada"},
    ...     "requestParameters": {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"},
    ... }
    >>> [(use["action"], use["resource"]) for use in decode(record)["uses"]]
    [('sqs:DeleteQueue', 'arn:aws:sqs:eu-west-1:111122223333:orders')]
    """
    return event_object(understand(parse_record(dict(record))))


def rightsize(
    lake: str | Path, out: str | Path = "trailfit-out", *, days: int | None = None, to: date | None = None
) -> Run:
    """Judge the lake's snapshot by its log; write `recommendations.json` to `out` and return its content."""
    return Run(pipeline.recommend(Lake(str(lake)), Path(out), days=days, to=to).data)
