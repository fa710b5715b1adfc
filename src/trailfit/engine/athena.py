"""The lake as tables of Athena: DDL with partition projection, so that no partition is ever added or crawled.

Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.engine.dialect import column_type
from trailfit.errors import UsageError
from trailfit.lake import COLUMNS, TABLES, Lake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trailfit.lake import Table

_TYPES = {"VARCHAR": "string", "BOOLEAN": "boolean", "TIMESTAMP": "timestamp", "BIGINT": "bigint", "DATE": "date"}


def ddl(lake: Lake, database: str) -> list[str]:
    """Write the statements that register a lake's tables, over the accounts and from the first day that it holds.

    Raises UsageError for a lake that is not in S3, or holds no event.
    """
    held = lake.days()
    if not lake.root.startswith("s3://"):
        raise UsageError("Athena reads only from S3", where=lake.root, hint="name the lake as s3://bucket/prefix")
    if held is None:
        raise UsageError("holds no event", where=lake.root, hint="run `trailfit ingest` first")
    accounts = sorted({manifest.account for manifest in lake.manifests()})
    return [
        f"CREATE DATABASE IF NOT EXISTS `{_name(database)}`",
        *(_table(lake.root, database, table, accounts, held[0]) for table in TABLES),
    ]


def _table(root: str, database: str, table: Table, accounts: Sequence[str], first: date) -> str:
    columns = ",\n".join(f"  `{name}` {column_type(kind, _TYPES)}" for name, kind in COLUMNS[table].items())
    place = f"{root}/{table}"
    properties = {
        "projection.enabled": "true",
        "projection.account.type": "enum",
        "projection.account.values": ",".join(accounts),
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": f"{first.isoformat()},NOW",
        "storage.location.template": f"{place}/account=${{account}}/date=${{date}}/",
    }
    told = ",\n".join(f"  '{name}' = {_quoted(value)}" for name, value in properties.items())
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{_name(database)}`.`{table}` (\n{columns}\n)\n"
        "PARTITIONED BY (`account` string, `date` date)\nSTORED AS PARQUET\n"
        f"LOCATION {_quoted(place + '/')}\nTBLPROPERTIES (\n{told}\n)"
    )


def _name(name: str) -> str:
    if not name.replace("_", "").isalnum():
        raise UsageError(f"`{name}` is no name of a database", hint="letters, digits and _")
    return name


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
