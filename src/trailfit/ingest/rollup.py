"""The daily rollup of a unit: one row for each distinct use, with its calls, first and last time, and an example.

Every event is in it: one without uses gives a row whose action is NULL, so that coverage can be told from it; one
with several uses gives a row a use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

#: The columns whose distinct combinations are the rollup's rows, in its sort order.
GRAIN = (
    "principal",
    "event_source",
    "event_name",
    "action",
    "resource",
    "region",
    "event_category",
    "data_type",
    "read_only",
    "principal_kind",
    "access_key_id",
    "role",
    "basis",
    "context",
    "outcome",
    "counts_as_use",
    "why",
    "shared",
)
_OF_USE = ("action", "resource", "role", "basis", "context")


def usage_schema() -> pa.Schema:
    """Give the Arrow schema of a unit's rollup: the lake's columns."""
    import pyarrow as pa

    from trailfit.lake import COLUMNS

    kinds = {"VARCHAR": pa.string(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us"), "BIGINT": pa.int64()}
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS["usage"].items()])


def roll_up(events: pa.Table) -> pa.Table:
    """Roll events up; `events` must hold columns as `columns.events_schema` says, in any order of rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(events):
        return usage_schema().empty_table()
    events = events.combine_chunks()
    parents, per_use = _per_use(events["uses"])
    keys: dict[str, Any] = {}
    for name in GRAIN:
        if name in _OF_USE:
            keys[name] = per_use[name]
        elif name == "shared":
            keys[name] = pc.is_valid(_one(events["shared_event_id"])).take(parents)
        elif name == "access_key_id":
            keys[name] = _long_term(_one(events[name])).take(parents)
        else:
            keys[name] = _one(events[name]).take(parents)
    group, first_row = _groups([keys[name] for name in GRAIN])
    number = len(first_row)
    times = events["event_time"].to_numpy().astype("int64")[parents.to_numpy()]
    calls = np.bincount(group, minlength=number)
    first = np.full(number, np.iinfo(np.int64).max)
    np.minimum.at(first, group, times)
    last = np.full(number, np.iinfo(np.int64).min)
    np.maximum.at(last, group, times)
    example = _examples(events, parents.to_numpy(), group, times, first)
    columns: dict[str, Any] = {name: _plain(keys[name].take(pa.array(first_row))) for name in GRAIN}
    columns |= {
        "calls": pa.array(calls.astype(np.int64)),
        "first_used": pa.array(first).view(pa.timestamp("us")),
        "last_used": pa.array(last).view(pa.timestamp("us")),
        "example_event": example,
    }
    return ordered(pa.table({field.name: columns[field.name] for field in usage_schema()}, schema=usage_schema()))


def merge(rollups: list[pa.Table]) -> pa.Table:
    """Add rollups of disjoint sets of events up to one."""
    import pyarrow as pa

    table = pa.concat_tables(rollups)
    if len(rollups) == 1:
        return table
    # The example of a group is that of its earliest part: sorted so, it is the first of its rows.
    table = table.sort_by([("first_used", "ascending"), ("example_event", "ascending")])
    wanted = [("calls", "sum"), ("first_used", "min"), ("last_used", "max"), ("example_event", "first")]
    grouped = table.group_by(list(GRAIN), use_threads=False).aggregate(wanted)
    names = {f"{name}_{how}": name for name, how in wanted}
    grouped = grouped.rename_columns([names.get(name, name) for name in grouped.column_names])
    return ordered(grouped.select(usage_schema().names).cast(usage_schema()))


def ordered(rollup: pa.Table) -> pa.Table:
    """Sort a rollup by its grain, which is unique in it."""
    import pyarrow.compute as pc

    keys = [(name, "ascending") for name in GRAIN]
    flags = {name: pc.cast(rollup[name], "int8") for name in ("read_only", "counts_as_use", "shared")}
    sortable = rollup
    for name, column in flags.items():
        sortable = sortable.set_column(sortable.schema.get_field_index(name), name, column)
    return rollup.take(pc.sort_indices(sortable, sort_keys=keys))


def _per_use(uses: Any) -> tuple[Any, dict[str, Any]]:
    """Give the row number behind each use, and the uses' fields; an event without any is one row of nulls."""
    import numpy as np
    import pyarrow as pa

    lists = _one(uses)
    lengths = np.diff(lists.offsets.to_numpy())
    many = np.maximum(lengths, 1)
    parents = np.repeat(np.arange(len(lists)), many)
    flat = lists.flatten()
    if (lengths == 0).any():
        positions = np.repeat(np.cumsum(lengths) - lengths, many) + _within(many)
        missing = np.repeat(lengths == 0, many)
        index = pa.array(positions, mask=missing)
        fields = {name: flat.field(name).dictionary_encode().take(index) for name in _OF_USE}
    else:
        fields = {name: flat.field(name).dictionary_encode() for name in _OF_USE}
    return pa.array(parents), fields


def _within(lengths: Any) -> Any:
    """Count within runs of the given lengths, from 0: lengths 2, 1, 3 give 0, 1, 0, 0, 1, 2."""
    import numpy as np

    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def _groups(keys: list[Any]) -> tuple[Any, Any]:
    """Give each row the number of its combination of keys; also the first row of each combination."""
    import numpy as np

    group: Any = None
    for key in keys:
        codes, size = _codes(key)
        if group is None:
            group = codes
            continue
        group = group * size + codes
        # Kept dense, so that the product of many columns never leaves 64 bits.
        _, group = np.unique(group, return_inverse=True)
    _, first_row, group = np.unique(group, return_index=True, return_inverse=True)
    return group, first_row


def _codes(key: Any) -> tuple[Any, int]:
    """Give each row the number of its value; null is a value of its own. Also tell how many there may be."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(key.type):
        return pc.fill_null(pc.cast(key, pa.int8()), 2).to_numpy(zero_copy_only=False).astype(np.int64), 3
    encoded = key if pa.types.is_dictionary(key.type) else key.dictionary_encode()
    size = len(encoded.dictionary) + 1
    return pc.fill_null(encoded.indices, size - 1).to_numpy(zero_copy_only=False).astype(np.int64), size


def _examples(events: Any, parents: Any, group: Any, times: Any, first: Any) -> Any:
    """Give each group's example: of its earliest events, the one with the smallest event ID."""
    import numpy as np
    import pyarrow as pa

    rows = np.flatnonzero(times == first[group])
    ids = _one(events["event_id"]).take(pa.array(parents[rows]))
    table = pa.table({"group": pa.array(group[rows]), "id": ids})
    # Whole order only where a group has several events in its first second.
    chosen = table.group_by("group", use_threads=False).aggregate([("id", "min")]).sort_by("group")
    return _one(chosen["id_min"])


def _long_term(keys: Any) -> Any:
    """Keep the IDs of long-term access keys (``AKIA…``); others become null. Each session has a key of its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    small = keys if pa.types.is_dictionary(keys.type) else keys.dictionary_encode()
    kept = pc.if_else(pc.starts_with(small.dictionary, "AKIA"), small.dictionary, pa.scalar(None, pa.string()))
    return kept.take(small.indices).dictionary_encode()


def _one(column: Any) -> Any:
    """Make one array of a chunked column."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column


def _plain(column: Any) -> Any:
    import pyarrow as pa

    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
