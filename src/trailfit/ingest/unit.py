"""Make a unit: every event once, sorted, with its rollup, as Parquet in a staging folder.

An event is the same as another when event ID and the record's text are; two records that share an event ID but
differ are both kept, and counted as a conflict. Of copies, the one from the first log object (by name) stays. The
bytes depend on the set of records alone, not on the order or the number of runs they came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.ingest.columns import events_schema
from trailfit.ingest.rollup import roll_up
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
        events, doubled = once(_joined(list(tables)))
        if not len(events):
            continue
        conflicts += doubled
        events = in_order(events)
        parts.append(write(canonical(events), folder / "events", f"part-{index}-of-{number}.parquet", catalog))
        rollups.add(roll_up(events))
        spans.append(_span(events))
    shares = rollups.shares()
    usage = [
        write(rollups.merged(share), folder / "usage", f"part-{index}-of-{len(shares)}.parquet", catalog)
        for index, share in enumerate(shares)
    ]
    first = min((span[0] for span in spans), default=None)
    last = max((span[1] for span in spans), default=None)
    return Made(tuple(parts), tuple(usage), sum(part.rows for part in parts), conflicts, first, last)


def once(events: pa.Table) -> tuple[pa.Table, int]:
    """Drop copies of the same record; also count the event IDs that different records carry."""
    import numpy as np
    import pyarrow as pa

    ids = events["event_id"].combine_chunks()
    codes = (
        ids.dictionary_encode().indices
        if isinstance(ids, pa.Array)
        else ids.combine_chunks().dictionary_encode().indices
    )
    number = np.asarray(codes.fill_null(-1))
    distinct = len(np.unique(number))
    if distinct == len(events) and codes.null_count == 0:
        return events, 0
    checks = events["record_check"].to_numpy()
    objects = _text_ranks(events["source_object"])
    order = np.lexsort((objects, checks, number))
    first = np.ones(len(order), bool)
    first[1:] = (number[order][1:] != number[order][:-1]) | (checks[order][1:] != checks[order][:-1])
    kept = order[first]
    named = number[kept][number[kept] >= 0]
    conflicts = int((np.bincount(named) > 1).sum()) if len(named) else 0
    return events.take(pa.array(np.sort(kept))), conflicts


def in_order(events: pa.Table) -> pa.Table:
    """Sort by principal, event source, event name, time, event ID: a total order of a unit's rows."""
    import numpy as np
    import pyarrow as pa

    call = [_text_ranks(events[name]) for name in ("event_name", "event_source", "principal")]
    times = events["event_time"].to_numpy().astype("int64")
    ids = _text_ranks(events["event_id"])
    order = np.lexsort((events["record_check"].to_numpy(), ids, times, *call))
    return events.take(pa.array(order))


def canonical(events: pa.Table) -> pa.Table:
    """Make every dictionary hold the values in use, in alphabetical order, so that equal rows give equal bytes."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    for position, field in enumerate(events.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        column = _array(events.column(position))
        codes = pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)
        in_use = (
            np.bincount(codes[column.is_valid().to_numpy(zero_copy_only=False)], minlength=len(column.dictionary)) > 0
        )
        present = np.flatnonzero(in_use)
        values = column.dictionary.take(pa.array(present))
        order = pc.sort_indices(values).to_numpy()
        renumbered = np.zeros(max(1, len(column.dictionary)), np.int32)
        renumbered[present[order]] = np.arange(len(present), dtype=np.int32)
        indices = pa.array(renumbered[codes], mask=column.is_null().to_numpy(zero_copy_only=False))
        events = events.set_column(
            position, field, pa.DictionaryArray.from_arrays(indices, values.take(pa.array(order)))
        )
    return events


def _array(column: Any) -> Any:
    """Make one array of a chunked column."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    joined = (
        column.unify_dictionaries().combine_chunks() if pa.types.is_dictionary(column.type) else column.combine_chunks()
    )
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def _text_ranks(column: Any) -> Any:
    """Give each row the rank of its text in alphabetical order; null comes first."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = _array(column)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    rank[len(order)] = 0
    return rank[pc.fill_null(encoded.indices, len(order)).to_numpy(zero_copy_only=False)]


def write(table: pa.Table, folder: Path, name: str, catalog: str) -> Part:
    """Write one Parquet file, zstd, with the catalogue's version in its metadata."""
    import pyarrow.parquet as pq

    from trailfit.lake import FORMAT

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    metadata = {"trailfit.catalog": catalog, "trailfit.lake": str(FORMAT)}
    plain = {"event_id", "shared_event_id", "request_parameters", "record_check", "event_time"}
    encoded = [column for column in table.column_names if column not in plain and column != "uses"]
    pq.write_table(
        table.replace_schema_metadata(metadata),
        path,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROW_GROUP,
        use_dictionary=[*encoded, *(f"uses.list.element.{field}" for field in _OF_USE)],
        store_schema=False,
        write_page_index=False,
    )
    return Part(name, path.stat().st_size, len(table))


def read_part(source: str | Any) -> pa.Table:
    """Read a part of a unit's events, a path or an s3:// URI, back in the schema it was made with."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = events_schema()
    if source.startswith("s3://"):
        folder, _, name = source.rpartition("/")
        source = pa.BufferReader(open_storage(folder).read(name))
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    return pq.read_table(source, read_dictionary=words, partitioning=None).select(schema.names).cast(schema)


def _joined(tables: list[Any]) -> Any:
    """Put tables together, their dictionaries made one."""
    import pyarrow as pa

    if not tables:
        return events_schema().empty_table()
    if len(tables) == 1:
        return tables[0].combine_chunks()
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _span(events: Any) -> tuple[str, str]:
    import pyarrow.compute as pc

    found = pc.min_max(events["event_time"]).as_py()
    return found["min"].isoformat() + "Z", found["max"].isoformat() + "Z"
