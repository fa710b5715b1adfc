"""Make a unit: every event once, sorted, with its rollup, as Parquet in a staging folder.

An event is the same as another when event ID and the record's text are; two records that share an event ID but
differ are both kept, and counted as a conflict. Of copies, the one from the first log object (by name) stays. The
bytes depend on the set of records alone, not on the order or the number of runs they came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.ingest.columns import rows_schema
from trailfit.ingest.parts import collapse, events_schema, expand, in_order, joined, once
from trailfit.ingest.rollup import expand_usage, roll_up
from trailfit.ingest.rollups import Rollups
from trailfit.lake import Part
from trailfit.storage.places import open_storage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

#: Rows of one part at the most, about; a unit with more is split into buckets by event ID.
PART_ROWS = 65_536
_ROW_GROUP = 32_768
_OF_USE = ("action", "resource", "role", "basis", "context")
_TIMES = ("event_time", "first_used", "last_used")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: parts, rows, how many event IDs different records carry, first and last time."""

    events: tuple[Part, ...]
    usage: tuple[Part, ...]
    rows: int
    conflicts: int
    first: str | None
    last: str | None


def make(buckets: Iterable[Iterable[pa.Table]], number: int, folder: Path, catalog: str) -> Made:
    """Write a unit to ``folder/events`` and ``folder/usage``; its rows come in `number` buckets by event ID."""
    parts: list[Part] = []
    rollups = Rollups(folder, number)
    conflicts = 0
    spans: list[tuple[str, str]] = []
    for index, tables in enumerate(buckets):
        rows, doubled = once(joined(list(tables), rows_schema()))
        if not len(rows):
            continue
        conflicts += doubled
        rows = in_order(rows)
        parts.append(write(expand(rows), folder / "events", f"part-{index}-of-{number}.parquet", catalog))
        rollups.add(roll_up(rows))
        spans.append(_span(rows))
    shares = rollups.shares
    usage = [
        write(expand_usage(rollup), folder / "usage", f"part-{share}-of-{shares}.parquet", catalog)
        for share in range(shares)
        if len(rollup := rollups.merged(share))
    ]
    rollups.close()
    first = min((span[0] for span in spans), default=None)
    last = max((span[1] for span in spans), default=None)
    return Made(tuple(parts), tuple(usage), sum(part.rows for part in parts), conflicts, first, last)


def write(table: pa.Table, folder: Path, name: str, catalog: str) -> Part:
    """Write one Parquet file, zstd, with the catalogue's version in its metadata."""
    import pyarrow.parquet as pq

    from trailfit.lake import FORMAT

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    metadata = {"trailfit.catalog": catalog, "trailfit.lake": str(FORMAT)}
    # What hardly repeats is not worth a dictionary.
    plain = {"event_id", "shared_event_id", "request_parameters", "record_check", "event_time"}
    plain |= {"example_event", "first_used", "last_used"}
    encoded = [column for column in table.column_names if column not in plain and column != "uses"]
    pq.write_table(
        table.replace_schema_metadata(metadata),
        path,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROW_GROUP,
        use_dictionary=[*encoded, *(f"uses.list.element.{field}" for field in _OF_USE)],
        store_schema=False,
        # Readers skip row groups by these; of the others the smallest and largest value tell nothing.
        write_statistics=[*encoded, *(name for name in table.column_names if name in _TIMES)],
        write_page_index=False,
    )
    return Part(name, path.stat().st_size, len(table))


def read_part(source: str | Any) -> pa.Table:
    """Read a part of a unit's events, a path or an s3:// URI, back as rows on their way."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = events_schema()
    if source.startswith("s3://"):
        folder, _, name = source.rpartition("/")
        source = pa.BufferReader(open_storage(folder).read(name))
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    table = pq.read_table(source, read_dictionary=words, partitioning=None).select(schema.names).cast(schema)
    return collapse(table.unify_dictionaries())


def _span(rows: pa.Table) -> tuple[str, str]:
    import pyarrow.compute as pc

    found = pc.min_max(rows["event_time"]).as_py()
    return found["min"].isoformat() + "Z", found["max"].isoformat() + "Z"
