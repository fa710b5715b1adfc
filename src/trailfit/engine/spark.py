"""Run tasks and queries on Spark: the same functions on its executors, the same queries in its dialect.

pip's pyspark is enough; it reads no ``s3a://``, so executors read and write S3 by trailfit's own client. A task may run
twice, or be lost and run again: each attempt stages what it makes in a folder of its own, the driver commits one of
them, and a commit replaces a unit whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from trailfit import sql
from trailfit.engine.dialect import column_type, to_spark
from trailfit.errors import TrailfitError, UsageError
from trailfit.lake import COLUMNS, Lake, unit_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

_Result = TypeVar("_Result")

#: Tasks sent at once for each slot of the cluster: the driver holds no more outcomes than these give.
_WAVES = 4
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # The lake's times are UTC without a zone, as in DuckDB.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "false",
    # Account IDs are text, with their leading zeros.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_TYPES = {"VARCHAR": "STRING", "BOOLEAN": "BOOLEAN", "TIMESTAMP": "TIMESTAMP_NTZ", "BIGINT": "BIGINT", "DATE": "DATE"}


class Spark:
    """A Spark session as an engine. `master` is Spark's address of the cluster; None takes the environment's.

    Raises UsageError where pyspark or Java is missing, TrailfitError where no session can be had.
    """

    def __init__(self, master: str | None = None, settings: dict[str, str] | None = None) -> None:
        try:
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError:
            raise UsageError("--engine spark needs pyspark", hint="pip install 'trailfit[spark]'") from None
        builder = SparkSession.builder.appName("trailfit")
        if master is not None:
            builder = builder.master(master)
        for name, value in {**_SETTINGS, **(settings or {})}.items():
            builder = builder.config(name, value)
        try:
            self._session = builder.getOrCreate()
        except (PySparkException, OSError, RuntimeError) as problem:
            hint = "is Java (17 or later) installed, and the master's address right?"
            raise TrailfitError(f"no Spark session: {problem}", where=master, hint=hint) from None
        self._session.sparkContext.setLogLevel("ERROR")
        self.jobs = self._session.sparkContext.defaultParallelism

    def __enter__(self) -> Spark:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.stop()

    def run(self, function: Callable[[Any], _Result], tasks: Sequence[Any]) -> Iterator[_Result]:
        """Yield the result of every task. A task is a dataclass with `staging`: each attempt gets one of its own."""
        wave = self.jobs * _WAVES
        for start in range(0, len(tasks), wave):
            some = tasks[start : start + wave]
            yield from self._session.sparkContext.parallelize(some, len(some)).map(_attempt(function)).collect()

    def query(self, name: str, **parameters: Any) -> pa.Table:
        """Run a named query over the views that `view` made; the rows as an Arrow table."""
        asked = sql.load(name)
        bound = {each: parameters.get(each) for each in asked.parameters}
        return self._session.sql(to_spark(asked.text), args=bound).toArrow()

    def view(self, lake: Lake) -> None:
        """Create the lake's views in the session, over the units committed so far."""
        manifests = lake.manifests()
        for table in ("events", "usage"):
            files = [
                f"{lake.root}/{unit_path(table, manifest.unit)}/{part.name}"
                for manifest in manifests
                for part in manifest.parts(table)
            ]
            schema = ", ".join(f"{column} {column_type(kind, _TYPES)}" for column, kind in COLUMNS[table].items())
            self._view(table, f"{schema}, account STRING, date DATE", files, f"{lake.root}/{table}")
        with lake.connect() as con:
            small = ["skipped", "units", *(row[0] for row in con.execute(_SMALL).fetchall())]
            for name in dict.fromkeys(small):
                rows = con.sql(f"select * from {name}").to_arrow_table()  # noqa: S608 - names of our own views
                self._session.createDataFrame(rows).createOrReplaceTempView(name)

    def _view(self, name: str, schema: str, files: list[str], base: str) -> None:
        if not files:
            frame = self._session.createDataFrame([], schema)
        elif base.startswith("s3://"):
            frame = self._session.createDataFrame([(file,) for file in files], "file STRING")
            frame = frame.repartition(len(files)).mapInArrow(_reader(base), schema)
        else:
            frame = self._session.read.schema(schema).option("basePath", base).parquet(*files)
        frame.createOrReplaceTempView(name)


#: The lake's views that are small, and the derived ones, which Spark takes ready made.
_SMALL = """
    select view_name from duckdb_views()
    where not internal and view_name not in ('events', 'usage')
    order by view_name
"""


def _attempt(function: Callable[[Any], _Result]) -> Callable[[Any], _Result]:
    """Wrap a task's function for an executor: its staging folder is that of this attempt alone."""

    def run(task: Any) -> _Result:
        from pyspark import TaskContext

        context = TaskContext.get()
        number = context.taskAttemptId() if context is not None else 0
        return function(replace(task, staging=f"{task.staging}-{number}"))

    return run


def _reader(base: str) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Give the function that reads parts from S3 on an executor, by trailfit's own client."""

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        import io
        from datetime import date as day

        import pyarrow as pa
        import pyarrow.parquet as pq

        from trailfit.storage.places import open_storage

        storage = open_storage(base)
        for batch in batches:
            for file in batch.column(0).to_pylist():
                path = file.removeprefix(f"{base}/")
                held = dict(piece.split("=", 1) for piece in path.split("/") if "=" in piece)
                table = pq.read_table(io.BytesIO(storage.read(path) or b""), partitioning=None)
                plain = pa.table([_plain(column) for column in table.columns], names=table.column_names)
                account = pa.array([held["account"]] * len(plain), pa.string())
                when = pa.array([day.fromisoformat(held["date"])] * len(plain), pa.date32())
                yield from plain.append_column("account", account).append_column("date", when).to_batches()

    return read


def _plain(column: Any) -> Any:
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
