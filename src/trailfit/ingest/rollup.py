"""The daily rollup of a unit: one row for each distinct use, with its calls, first and last time, and an example.

Every event is in it: one without uses gives a row whose action is NULL, so that coverage can be told from it; one
with several uses gives a row a use. As with events, the columns that repeat together are one on the way, and become
the lake's when a part is written.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailfit.ingest.columns import CALL, HOW, WHO, packed
from trailfit.ingest.parts import codes, one, ranks, spread, unpacked, unpacked_text

if TYPE_CHECKING:
    from collections.abc import Iterable

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
#: Those of them that one column stands for on the way.
_SETS = {"who": WHO, "call": CALL, "how": HOW}
_PACKED = {packed_in: tuple(name for name in GRAIN if name in names) for packed_in, names in _SETS.items()}
_NO_USE = packed([None] * len(HOW))


def usage_schema() -> pa.Schema:
    """Give the Arrow schema of a unit's rollup: the lake's columns, those with few values dictionary-encoded."""
    import pyarrow as pa

    from trailfit.lake import COLUMNS

    word = pa.dictionary(pa.int32(), pa.string())
    kinds = {"VARCHAR": word, "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us"), "BIGINT": pa.int64()}
    plain = {"resource", "example_event"}
    return pa.schema([(name, pa.string() if name in plain else kinds[kind]) for name, kind in COLUMNS["usage"].items()])


def rollup_schema() -> pa.Schema:
    """Give the Arrow schema of a rollup on its way."""
    import pyarrow as pa

    word, moment = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("us")
    texts = [("who", word), ("call", word), ("how", word), ("resource", pa.string()), ("shared", pa.bool_())]
    figures = [("calls", pa.int64()), ("first_used", moment), ("last_used", moment), ("example_event", pa.string())]
    return pa.schema([*texts, *figures])


def roll_up(rows: pa.Table) -> pa.Table:
    """Roll events up; `rows` must be `parts.in_order`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(rows):
        return rollup_schema().empty_table()
    lists = one(rows["uses"])
    number = np.diff(lists.offsets.to_numpy())
    parents = np.repeat(np.arange(len(rows)), np.maximum(number, 1))
    flat = lists.flatten()
    how, resource = flat.field("how"), flat.field("resource")
    if not number.all():
        # An event without uses takes the place of one use, which names nothing.
        index = np.cumsum(np.where(np.repeat(number, np.maximum(number, 1)) > 0, 1, 0)) - 1
        missing = pa.array(index, mask=np.repeat(number, np.maximum(number, 1)) == 0)
        resource = resource.take(missing)
        words = pa.concat_arrays([how.dictionary, pa.array([_NO_USE])])
        how = pa.DictionaryArray.from_arrays(pc.fill_null(how.indices.take(missing), len(words) - 1), words)
    at = pa.array(parents)
    columns = {
        "who": _coarser(one(rows["who"]), "who").take(at),
        "call": _coarser(one(rows["call"]), "call").take(at),
        "how": _coarser(how, "how"),
        "resource": resource,
        "shared": one(pc.is_valid(rows["shared_event_id"])).take(at),
        "calls": pa.array(np.ones(len(parents), np.int64)),
        "first_used": one(rows["event_time"]).take(at),
        "last_used": one(rows["event_time"]).take(at),
        "example_event": one(rows["event_id"]),
    }
    # Of a group's rows the first is the earliest, and of these the one with the smallest event ID.
    return _added_up(columns, parents)


def merge(rollups: pa.Table) -> pa.Table:
    """Add rollups of disjoint sets of events, in one table, up to one."""
    import numpy as np
    import pyarrow.compute as pc

    keys = [("first_used", "ascending"), ("example_event", "ascending")]
    order = pc.sort_indices(rollups.select(["first_used", "example_event"]), sort_keys=keys)
    rollups = rollups.take(order)
    return _added_up({name: one(rollups[name]) for name in rollups.column_names}, np.arange(len(rollups)))


def _added_up(columns: dict[str, Any], events: Any) -> pa.Table:
    """Add up rows of one group; `events` is where each row's example stands. The first row of a group gives it."""
    import numpy as np
    import pyarrow as pa

    order, starts = _groups(columns)
    rows = order[starts]
    last = columns["last_used"].to_numpy().astype("int64")[order]
    made = {name: columns[name].take(pa.array(rows)) for name in ("who", "call", "how", "resource", "shared")}
    made |= {
        "calls": pa.array(np.add.reduceat(columns["calls"].to_numpy()[order], starts)),
        "first_used": columns["first_used"].take(pa.array(rows)),
        "last_used": pa.array(np.maximum.reduceat(last, starts)).view(pa.timestamp("us")),
        "example_event": columns["example_event"].take(pa.array(events[rows])),
    }
    schema = rollup_schema()
    return pa.table([made[name] for name in schema.names], schema=schema)


def _groups(columns: dict[str, Any]) -> tuple[Any, Any]:
    """Give an order by `GRAIN` that leaves equal rows as they come, and where in it each group begins."""
    import numpy as np
    import pyarrow.compute as pc

    sets = {name: unpacked(columns[name]) for name in _PACKED}
    place = {name: codes(columns[name]) for name in _PACKED}
    keys: list[Any] = []
    room = 0
    for packed_in, names in _runs():
        if packed_in is not None:
            at = [_PACKED[packed_in].index(name) for name in names]
            rank, size = ranks([tuple((row[i] is None, row[i]) for i in at) for row in sets[packed_in]])
            rank = rank[place[packed_in]]
        elif names == ["shared"]:
            rank, size = columns["shared"].to_numpy(zero_copy_only=False).astype(np.int64), 2
        else:
            encoded = columns["resource"].dictionary_encode()
            order = pc.sort_indices(encoded.dictionary).to_numpy()
            size = len(order) + 1
            rank = np.empty(size, np.int64)
            rank[order] = np.arange(len(order))
            rank[-1] = len(order)
            rank = rank[encoded.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)]
        if keys and room * size < 2**62:
            keys[-1], room = keys[-1] * size + rank, room * size
        else:
            keys.append(rank)
            room = size
    order = np.argsort(keys[0], kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1])
    new = np.zeros(len(order), bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[order][1:] != key[order][:-1]
    return order, np.flatnonzero(new)


def _runs() -> Iterable[tuple[str | None, list[str]]]:
    """Cut `GRAIN` into runs of columns that one packed column stands for."""
    runs: list[tuple[str | None, list[str]]] = []
    for name in GRAIN:
        packed_in = next((key for key, names in _PACKED.items() if name in names), None)
        if runs and packed_in is not None and runs[-1][0] == packed_in:
            runs[-1][1].append(name)
        else:
            runs.append((packed_in, [name]))
    return runs


def expand_usage(rollup: pa.Table) -> pa.Table:
    """Put a rollup into the lake's columns."""
    import pyarrow as pa

    columns: dict[str, Any] = {name: one(rollup[name]) for name in rollup.column_names}
    for packed_in, names in _PACKED.items():
        columns |= spread(columns[packed_in], names)
    schema = usage_schema()
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _coarser(column: Any, packed_in: str) -> pa.DictionaryArray:
    """Keep of the columns that a packed column stands for those of the grain."""
    import numpy as np
    import pyarrow as pa

    texts = [_coarse(text, packed_in) for text in column.dictionary.to_pylist()]
    place = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    renumbered = np.array([place[text] for text in texts] or [0], np.int32)[codes(column)]
    return pa.DictionaryArray.from_arrays(pa.array(renumbered), pa.array(list(place), pa.string()))


@lru_cache(maxsize=16_384)
def _coarse(text: str, packed_in: str) -> str:
    """Keep of one packed set what the grain has; of access keys only those of the long term, ``AKIA…``.

    Each session has a key of its own.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    row = dict(zip(_SETS[packed_in], unpacked_text(text), strict=True))
    key = row.get("access_key_id")
    if key is not None and not key.startswith("AKIA"):
        row["access_key_id"] = None
    return packed([row[name] for name in _PACKED[packed_in]])
