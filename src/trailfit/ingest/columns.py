"""The rows of events on their way to the lake: columns of codes, and tables made of them.

Many columns of an event repeat together: all that tells who called, all of the call but its request, all of a use but
its resource. On the way each such set is one dictionary column, whose values are the set as a JSON list (`WHO`, `CALL`,
`HOW`); only a part that is written has them as columns of their own (`parts.expand`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pyarrow as pa

    from trailfit.cloudtrail.event import Event, Use

_LARGE = 12_000
#: The columns of the lake that `who`, `call` and the uses' `how` stand for.
WHO = ("principal", "principal_kind", "session", "access_key_id", "invoked_by")
CALL = (
    "region", "event_source", "event_name", "event_category", "event_type", "data_type", "read_only", "outcome",
    "error_code", "error_message", "counts_as_use", "why",
)  # fmt: skip
HOW = ("action", "role", "basis", "context")


class Codes(dict[Any, int]):
    """Values to codes 0, 1, 2, … in the order in which they were first seen."""

    def __missing__(self, value: Any) -> int:
        code = self[value] = len(self)
        return code


def packed(values: Sequence[object]) -> str:
    """Write a set of values that repeats together as one text."""
    return msgspec.json.encode(values).decode()


def packed_call(event: Event) -> str:
    """Write what was called, with which outcome: the columns of `CALL`."""
    return packed([getattr(event, name) for name in CALL])


def packed_how(use: Use) -> str:
    """Write all of a use but its resource: the columns of `HOW`."""
    context = json.dumps(dict(use.context), sort_keys=True) if use.context else None
    return packed([use.action, use.role, use.basis, context])


class Columns:
    """Rows as tuples of codes and values, in the order of the unpacking in `take`."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.code_unit = Codes()
        self.code_ip = Codes()
        self.code_agent = Codes()
        self._who = Codes()
        self._call = Codes()
        self._uses = Codes()
        self._sources = Codes()

    def code_source(self, uri: str) -> int:
        """Give the code of a log object."""
        return self._sources[uri]

    def code_who(self, *who: str | None) -> int:
        """Give the code of who called: the columns of `WHO`."""
        return self._who[packed(who)]

    def code_call(self, event: Event) -> int:
        """Give the code of what was called, with which outcome."""
        return self._call[packed_call(event)]

    def code_uses(self, uses: tuple[Use, ...]) -> int:
        """Give the code of what an event used."""
        return self._uses[uses]

    def forget_uses(self) -> bool:
        """Forget the uses where many were seen, and tell whether it did: of all values they repeat the least."""
        if len(self._uses) <= _LARGE:
            return False
        self._uses.clear()
        return True

    @property
    def is_large(self) -> bool:
        """Tell whether so many distinct values were seen, uses apart, that it is time to forget them."""
        return max(len(self._call), len(self._who), len(self.code_ip), len(self.code_agent)) > _LARGE

    def take(self) -> dict[tuple[str, date], pa.Table]:
        """Give the rows as a table a unit, columns as in `rows_schema`, and forget them."""
        import numpy as np
        import pyarrow as pa

        if not self.rows:
            return {}
        ids, times, units, who, call, uses, ips, agents, shared, requests, checks, sources = zip(
            *self.rows, strict=True
        )
        self.rows.clear()
        columns: dict[str, Any] = {
            "event_id": pa.array(ids, pa.string()),
            "event_time": pa.array(np.array(times, np.int64)).view(pa.timestamp("us")),
            "who": dictionary(list(self._who), np.array(who, np.int32)),
            "call": dictionary(list(self._call), np.array(call, np.int32)),
            "source_ip": dictionary(list(self.code_ip), np.array(ips, np.int32)),
            "user_agent": dictionary(list(self.code_agent), np.array(agents, np.int32)),
            "shared_event_id": pa.array(shared, pa.string()),
            "request_parameters": _texts(requests),
            "uses": _uses(list(self._uses), np.array(uses, np.int64)),
            "record_check": pa.array(np.array(checks, np.int64)),
            "source_object": dictionary(list(self._sources), np.array(sources, np.int32)),
        }
        return by_unit(columns, np.array(units, np.int32), list(self.code_unit))


def by_unit(columns: dict[str, Any], codes: Any, units: Sequence[tuple[str, date]]) -> dict[tuple[str, date], pa.Table]:
    """Make tables of rows, one a unit; `codes` tell each row's place in `units`."""
    import numpy as np
    import pyarrow as pa

    schema = rows_schema()
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    present = np.flatnonzero(np.bincount(codes)).tolist()
    if len(present) == 1:
        return {units[present[0]]: table}
    return {units[code]: table.filter(pa.array(codes == code)) for code in present}


def rows_schema() -> pa.Schema:
    """Give the Arrow schema of rows on their way."""
    import pyarrow as pa

    word = pa.dictionary(pa.int32(), pa.string())
    use = pa.struct([("how", word), ("resource", pa.string())])
    return pa.schema(
        [
            ("event_id", pa.string()),
            ("event_time", pa.timestamp("us")),
            ("who", word),
            ("call", word),
            ("source_ip", word),
            ("user_agent", word),
            ("shared_event_id", pa.string()),
            ("request_parameters", pa.string()),
            ("uses", pa.list_(use)),
            ("record_check", pa.int64()),
            ("source_object", word),
        ]
    )


def dictionary(values: Sequence[str | None], codes: Any) -> pa.DictionaryArray:
    """Make a dictionary column of the values that `codes` name; None among them becomes null."""
    import numpy as np
    import pyarrow as pa

    seen = np.zeros(len(values), bool)
    seen[codes] = True
    present = np.flatnonzero(seen)
    codes = (np.cumsum(seen, dtype=np.int32) - 1)[codes].astype(np.int32)
    used = [values[code] for code in present.tolist()]
    mask = None
    if None in used:
        null = used.index(None)
        used[null] = ""
        mask = codes == null
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=mask), pa.array(used, pa.string()))


def _texts(values: Sequence[bytes | None]) -> pa.Array:
    """Make a text column of bytes; those that are not UTF-8 are mended with U+FFFD."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if value is None else value.decode("utf-8", "replace") for value in values], pa.string())


def _uses(distinct: list[tuple[Use, ...]], codes: Any) -> pa.ListArray:
    """Make the list column `uses`; `codes` point into the distinct tuples of uses."""
    import numpy as np
    import pyarrow as pa

    present, inverse = np.unique(codes, return_inverse=True)
    chosen = [distinct[code] for code in present]
    flat = [use for uses in chosen for use in uses]
    code_how = Codes()
    how = np.array([code_how[packed_how(use)] for use in flat], np.int32)
    values = uses_array(dictionary(list(code_how), how), pa.array([use.resource for use in flat], pa.string()))
    offsets = np.zeros(len(chosen) + 1, np.int32)
    np.cumsum([len(uses) for uses in chosen], out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values).take(pa.array(inverse))


def uses_array(how: Any, resources: Any) -> pa.StructArray:
    """Put the parts of uses together."""
    import pyarrow as pa

    return pa.StructArray.from_arrays([how, resources], ["how", "resource"])
