"""The lake's small tables: IAM as a snapshot has it, and what a run judged. Parquet beside them; views over the newest.

::

    LAKE/snapshots/20261031T080000Z/{principals,policies,credentials,functions}.parquet
    LAKE/judged/2026-10-31/{permissions,findings}.parquet          by the last day of the run's window
    LAKE/validated/newest/integrity.parquet                        what following CloudTrail's digests found

`queries/views/lake.sql` opens the same in a plain DuckDB shell; a test holds the two together.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

from trailfit import sql
from trailfit.storage.places import BucketStorage, Storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb
    import pyarrow as pa

_TEXT = "VARCHAR"
_TEXTS = "VARCHAR[]"
_TIME = "TIMESTAMP"

Table = Literal["principals", "policies", "credentials", "functions", "permissions", "findings", "integrity"]

#: Columns of each table in their order, with DuckDB's type names. Documents, tags and evidence are JSON text.
COLUMNS: dict[Table, dict[str, str]] = {
    "principals": {
        "principal": _TEXT, "account": _TEXT, "kind": _TEXT, "name": _TEXT, "path": _TEXT, "created": _TIME,
        "last_used": _TIME, "last_used_known": "BOOLEAN", "boundary": _TEXT, "trust": _TEXT, "groups": _TEXTS,
        "tags": _TEXT, "instance_profiles": _TEXTS,
    },
    "policies": {
        "principal": _TEXT, "account": _TEXT, "kind": _TEXT, "name": _TEXT, "arn": _TEXT, "from_group": _TEXT,
        "document": _TEXT, "created": _TIME, "updated": _TIME,
    },
    "credentials": {
        "principal": _TEXT, "account": _TEXT, "kind": _TEXT, "id": _TEXT, "active": "BOOLEAN", "created": _TIME,
        "last_used": _TIME, "last_used_service": _TEXT, "last_used_region": _TEXT, "mfa": "BOOLEAN",
    },
    "functions": {
        "function": _TEXT, "account": _TEXT, "region": _TEXT, "kind": _TEXT, "name": _TEXT, "role": _TEXT,
        "triggers": _TEXTS,
    },
    "permissions": {
        "principal": _TEXT, "account": _TEXT, "action": _TEXT, "class": _TEXT, "reason": _TEXT, "actions": "BIGINT",
        "calls": "BIGINT", "first_used": _TIME, "last_used": _TIME, "from_day": "DATE", "to_day": "DATE",
    },
    "findings": {
        "id": _TEXT, "kind": _TEXT, "principal": _TEXT, "severity": _TEXT, "confidence": _TEXT, "resource": _TEXT,
        "evidence": _TEXT, "from_day": "DATE", "to_day": "DATE",
    },
    "integrity": {"source": _TEXT, "result": _TEXT, "kind": _TEXT, "object": _TEXT, "why": _TEXT},
}  # fmt: skip

#: The folder that a table lies in, and the file whose presence makes a folder whole: it is written last.
_HOMES: dict[Table, tuple[str, str]] = {
    "principals": ("snapshots", "snapshot.json"),
    "policies": ("snapshots", "snapshot.json"),
    "credentials": ("snapshots", "snapshot.json"),
    "functions": ("snapshots", "snapshot.json"),
    "permissions": ("judged", "findings.parquet"),
    "findings": ("judged", "findings.parquet"),
    "integrity": ("validated", "integrity.parquet"),
}


def write(storage: Storage, folder: str, tables: Mapping[Table, Iterable[Sequence[Any]]]) -> None:
    """Write tables to `folder` of the lake, in the order given. A row is a sequence in the order of `COLUMNS`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, rows in tables.items():
        schema = _schema(name)
        columns = list(zip(*rows, strict=True)) or [()] * len(schema)
        arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)]
        buffer = io.BytesIO()
        pq.write_table(pa.table(arrays, schema=schema), buffer, compression="zstd")
        storage.write(f"{folder}/{name}.parquet", buffer.getvalue())


def create(con: duckdb.DuckDBPyConnection, storage: Storage) -> None:
    """Create the view of every table, over the newest folder that is whole; empty where the lake has none."""
    homes = {home: _newest(storage, *home) for home in sorted(set(_HOMES.values()))}
    for name, columns in COLUMNS.items():
        folder = homes[_HOMES[name]]
        path = f"{folder}/{name}.parquet"
        if folder is None or not any(found == path for found, _ in storage.walk(folder)):
            empty = ", ".join(f"NULL::{kind} AS {column}" for column, kind in columns.items())
            con.execute(f"CREATE VIEW {name} AS SELECT {empty} WHERE false")
        elif isinstance(storage, BucketStorage):
            con.register(name, _table(storage.read(path) or b""))
        else:
            quoted = f"{storage.root}/{path}".replace("'", "''")
            # hive_partitioning off: a lake's own folder may be called `a=b`.
            con.execute(f"CREATE VIEW {name} AS FROM read_parquet('{quoted}', hive_partitioning = false)")
    con.execute(sql.derived_views())


def _newest(storage: Storage, top: str, whole: str) -> str | None:
    folders = [path.removesuffix(f"/{whole}") for path, _ in storage.walk(top) if path.endswith(f"/{whole}")]
    return max(folders, default=None)


def _table(data: bytes) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(data))


def _schema(name: Table) -> pa.Schema:
    import pyarrow as pa

    kinds = {
        _TEXT: pa.string(), _TEXTS: pa.list_(pa.string()), _TIME: pa.timestamp("us"), "BOOLEAN": pa.bool_(),
        "BIGINT": pa.int64(), "DATE": pa.date32(),
    }  # fmt: skip
    return pa.schema([(column, kinds[kind]) for column, kind in COLUMNS[name].items()])
