"""A part of a unit's events: rows in order, each once, then in the lake's columns; and a part read back.

The bytes of a part depend on its set of rows alone: the order is total, every dictionary holds just the values in use,
in alphabetical order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from trailfit.ingest.columns import CALL, HOW, WHO, dictionary, packed, rows_schema, uses_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_decode = msgspec.json.Decoder(tuple[str | bool | None, ...]).decode
_FLAGS = frozenset({"read_only", "counts_as_use"})


def events_schema() -> pa.Schema:
    """Give the Arrow schema of a part of events: the lake's columns, those with few values dictionary-encoded."""
    import pyarrow as pa

    from trailfit.lake import COLUMNS

    word = pa.dictionary(pa.int32(), pa.string())
    use = pa.struct([(name, pa.string()) for name in ("action", "resource", "role", "basis", "context")])
    kinds = {"VARCHAR": word, "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us"), "BIGINT": pa.int64()}
    plain = {"event_id", "shared_event_id", "request_parameters"}
    return pa.schema(
        [
            (name, pa.list_(use) if name == "uses" else pa.string() if name in plain else kinds[kind])
            for name, kind in COLUMNS["events"].items()
        ]
    )


def joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Put tables together, their dictionaries made one."""
    import pyarrow as pa

    if not tables:
        return schema.empty_table()
    whole = tables[0] if len(tables) == 1 else pa.concat_tables(tables).unify_dictionaries()
    return pa.table([one(column) for column in whole.columns], schema=schema)


def one(column: Any) -> Any:
    """Make one array of a chunked column whose dictionaries are one."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    made = column.combine_chunks()
    return made.chunk(0) if isinstance(made, pa.ChunkedArray) else made


def once(rows: pa.Table) -> tuple[pa.Table, int]:
    """Drop copies of the same record; also count the event IDs that different records carry."""
    import numpy as np
    import pyarrow as pa

    encoded = one(rows["event_id"]).dictionary_encode()
    if len(encoded.dictionary) == len(rows):
        return rows, 0
    number = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    checks = rows["record_check"].to_numpy()
    objects = _text_ranks(one(rows["source_object"]))
    order = np.lexsort((objects, checks, number))
    first = np.ones(len(order), bool)
    first[1:] = (number[order][1:] != number[order][:-1]) | (checks[order][1:] != checks[order][:-1])
    kept = order[first]
    named = number[kept][number[kept] >= 0]
    conflicts = int((np.bincount(named) > 1).sum()) if len(named) else 0
    return rows.take(pa.array(np.sort(kept))), conflicts


def in_order(rows: pa.Table) -> pa.Table:
    """Sort by principal, event source, event name, time, event ID: a total order of a unit's rows."""
    import numpy as np
    import pyarrow as pa

    who, call, times = one(rows["who"]), one(rows["call"]), rows["event_time"].to_numpy().astype("int64")
    source, name = CALL.index("event_source"), CALL.index("event_name")
    principals, _ = ranks([(row[0] is not None, row[0]) for row in unpacked(who)])
    calls, number = ranks([(row[source], row[name]) for row in unpacked(call)])
    key = principals[codes(who)] * number + calls[codes(call)]
    if len(times):
        span = int(times.max() - times.min()) + 1
        if int(key.max()) >= 2**62 // span:
            _, key = np.unique(key, return_inverse=True)
        key = key * span + (times - times.min())
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    places = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    if len(places):
        tied = order[places]
        ids = _text_ranks(one(rows["event_id"]).take(pa.array(tied)))
        order[places] = tied[np.lexsort((rows["record_check"].to_numpy()[tied], ids, key[tied]))]
    return rows.take(pa.array(order))


def unpacked(column: Any) -> list[Any]:
    """Read the values of a column of packed sets."""
    return [unpacked_text(text) for text in column.dictionary.to_pylist()]


@lru_cache(maxsize=16_384)
def unpacked_text(text: str) -> Any:
    """Read one packed set."""
    return _decode(text)


def codes(column: Any) -> Any:
    """Give each row's place in the dictionary of a column without nulls."""
    return column.indices.to_numpy(zero_copy_only=False)


def ranks(values: Sequence[Any]) -> tuple[Any, int]:
    """Rank values from 0, equal ones alike; also tell how many distinct ones there are."""
    import numpy as np

    place = {value: rank for rank, value in enumerate(sorted(set(values)))}
    return np.array([place[value] for value in values], np.int64), max(1, len(place))


def _text_ranks(column: Any) -> Any:
    """Give each row the rank of its text in alphabetical order; null comes last."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[len(order)] = len(order)
    return rank[pc.fill_null(encoded.indices, len(order)).to_numpy(zero_copy_only=False)]


def expand(rows: pa.Table) -> pa.Table:
    """Put rows into the lake's columns."""
    import pyarrow as pa

    columns: dict[str, Any] = {name: one(rows[name]) for name in rows.column_names}
    columns |= spread(columns["who"], WHO)
    columns |= spread(columns["call"], CALL)
    for name in ("source_ip", "user_agent", "source_object"):
        columns[name] = _sorted(columns[name])
    uses = columns["uses"]
    start, end = uses.offsets[0].as_py(), uses.offsets[-1].as_py()
    flat = uses.values.slice(start, end - start)
    fields = {"resource": flat.field("resource"), **spread(flat.field("how"), HOW)}
    schema = events_schema()
    kind = schema.field("uses").type
    values = pa.StructArray.from_arrays(
        [_plain(fields[kind.value_type.field(at).name]) for at in range(kind.value_type.num_fields)],
        fields=[kind.value_type.field(at) for at in range(kind.value_type.num_fields)],
    )
    columns["uses"] = pa.ListArray.from_arrays(uses.offsets.cast(pa.int32()) if not start else _shifted(uses), values)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _shifted(lists: Any) -> Any:
    import pyarrow as pa

    offsets = lists.offsets.to_numpy()
    return pa.array(offsets - offsets[0])


def _plain(column: Any) -> Any:
    import pyarrow as pa

    return column.dictionary.take(column.indices) if pa.types.is_dictionary(column.type) else column


def spread(column: Any, names: Sequence[str]) -> dict[str, Any]:
    """Make the columns that a column of packed sets stands for."""
    import numpy as np
    import pyarrow as pa

    at = codes(column)
    in_use = np.bincount(at, minlength=len(column.dictionary)) > 0
    sets = list(zip(*unpacked(column), strict=True)) or [()] * len(names)
    return {
        name: pa.array(values, pa.bool_()).take(column.indices)
        if name in _FLAGS
        else _in_alphabet(pa.array(values, pa.string()), at, in_use)
        for name, values in zip(names, sets, strict=True)
    }


def _sorted(column: Any) -> pa.DictionaryArray:
    """Make a dictionary column anew, its dictionary just the values in use, sorted."""
    import numpy as np
    import pyarrow as pa

    values = pa.concat_arrays([column.dictionary, pa.nulls(1, pa.string())])
    at = column.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
    return _in_alphabet(values, at, np.bincount(at, minlength=len(values)) > 0)


def _in_alphabet(values: Any, at: Any, in_use: Any) -> pa.DictionaryArray:
    """Make a dictionary column of the `values` (which may repeat, and hold null) at the places `at`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = values.dictionary_encode()
    number = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    wanted = np.zeros(len(encoded.dictionary) + 1, bool)
    wanted[number[in_use]] = True
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    order = order[wanted[order]]
    place = np.full(len(wanted), -1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    made = place[number][at]
    indices = pa.array(made, mask=made < 0) if wanted[-1] else pa.array(made)
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary.take(pa.array(order)))


def collapse(events: pa.Table) -> pa.Table:
    """Put a part that was read back into rows on their way: the opposite of `expand`."""
    import numpy as np
    import pyarrow as pa

    columns: dict[str, Any] = {name: one(events[name]) for name in events.column_names}
    lists = columns["uses"]
    flat = lists.flatten()
    how = _pack([flat.field(name).dictionary_encode() for name in HOW])
    offsets = np.append(0, np.cumsum(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)))
    columns["uses"] = pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), uses_array(how, flat.field("resource"))
    )
    columns["who"] = _pack([columns[name] for name in WHO])
    columns["call"] = _pack([columns[name] for name in CALL])
    schema = rows_schema()
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _pack(columns: list[Any]) -> pa.DictionaryArray:
    """Make the column of packed sets that stands for several columns."""
    import numpy as np
    import pyarrow as pa

    combined = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        size = len(encoded.dictionary) + 1
        own = encoded.indices.fill_null(size - 1).to_numpy(zero_copy_only=False)
        _, combined = np.unique(combined * size + own, return_inverse=True)
    _, first, combined = np.unique(combined, return_index=True, return_inverse=True)
    sets = zip(*(column.take(pa.array(first)).to_pylist() for column in columns), strict=True)
    return dictionary([packed(values) for values in sets], combined.astype(np.int32))
