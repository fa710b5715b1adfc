"""Print a table of results in the form that was asked for. Text from a log is made harmless for each sink."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

#: A spreadsheet runs a cell that begins with one of these: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show(table: pa.Table, form: str) -> None:
    """Print `table` as ``table``, ``json``, ``csv`` or ``parquet`` (bytes) to standard output."""
    if form == "parquet":
        import pyarrow.parquet as pq

        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        sys.stdout.buffer.write(sink.getvalue())
        return
    rows = list(zip(*(_values(column) for column in table.columns), strict=True))
    if form == "json":
        told = [dict(zip(table.column_names, row, strict=True)) for row in rows]
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows([_cell(value) for value in row] for row in rows)
    else:
        _columns(table.column_names, rows)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Give a column's values as JSON has them; text and numbers, most of what there is, are so already."""
    import pyarrow as pa

    values: list[Any] = column.to_pylist()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return values
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """Give a value as JSON has it: times in ISO 8601 with a Z."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _cell(value: Any) -> Any:
    text = value if isinstance(value, str) else "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _columns(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print aligned columns for people: numbers to the right, control characters spelled out."""
    if not rows:
        click.echo("no rows", err=True)
        return
    cells = [[_visible(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[at]) for row in cells)) for at, name in enumerate(names)]
    right = [all(isinstance(row[at], int | float) or row[at] is None for row in rows) for at in range(len(names))]

    def line(row: list[str]) -> str:
        parts = (
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, right, strict=True)
        )
        return "  ".join(parts).rstrip()

    click.echo(line(names))
    click.echo("  ".join("-" * width for width in widths))
    for row in cells:
        click.echo(line(row))


def _visible(value: Any) -> str:
    text = "" if value is None else str(value) if not isinstance(value, list | dict) else json.dumps(value)
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
