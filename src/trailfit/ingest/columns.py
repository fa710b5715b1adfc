"""Rows of codes, and Arrow tables made of them: columns with few values never become text more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    import pyarrow as pa

    from trailfit.cloudtrail.event import Event, Use

_LARGE = 12_000
_WHO = ("principal", "principal_kind", "session", "access_key_id", "invoked_by")
_CALL = (
    "region", "event_source", "event_name", "event_category", "event_type", "data_type", "read_only", "outcome",
    "error_code", "error_message", "counts_as_use", "why",
)  # fmt: skip


class Codes(dict[Any, int]):
    """Values to codes 0, 1, 2, … in the order in which they were first seen."""

    def __missing__(self, value: Any) -> int:
        code = self[value] = len(self)
        return code


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
        """Give the code of who called: the columns of `_WHO`."""
        return self._who[who]

    def code_call(self, event: Event) -> int:
        """Give the code of what was called, with which outcome."""
        return self._call[
            event.region, event.event_source, event.event_name, event.event_category, event.event_type, event.data_type,
            event.read_only, event.outcome, event.error_code, event.error_message, event.counts_as_use, event.why,
        ]  # fmt: skip

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
        """Give the rows as a table a unit, columns as in the lake, and forget them."""
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
            **_expand(_WHO, self._who, np.array(who, np.int32)),
            **_expand(_CALL, self._call, np.array(call, np.int32)),
            "source_ip": _dictionary(list(self.code_ip), np.array(ips, np.int32)),
            "user_agent": _dictionary(list(self.code_agent), np.array(agents, np.int32)),
            "shared_event_id": pa.array(shared, pa.string()),
            "request_parameters": _texts(requests),
            "uses": _uses(list(self._uses), np.array(uses, np.int64)),
            "record_check": pa.array(np.array(checks, np.int64)),
            "source_object": _dictionary(list(self._sources), np.array(sources, np.int32)),
        }
        table = pa.table({field.name: columns[field.name] for field in events_schema()}, schema=events_schema())
        codes = np.array(units, np.int32)
        names = list(self.code_unit)
        present = np.unique(codes)
        if len(present) == 1:
            return {names[present[0]]: table}
        return {names[code]: table.filter(pa.array(codes == code)) for code in present}


def events_schema() -> pa.Schema:
    """Give the Arrow schema of a unit's events: the lake's columns, those with few values dictionary-encoded."""
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


def _expand(names: Sequence[str], rows: Iterable[tuple[Any, ...]], codes: Any) -> dict[str, Any]:
    """Make the columns of a small table of distinct rows, each repeated as `codes` say."""
    import numpy as np
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        if isinstance(next((value for value in values if value is not None), ""), bool):
            columns[name] = pa.array(values, pa.bool_()).take(pa.array(codes))
            continue
        small = Codes()
        inner = np.array([small[value] for value in values], np.int32)
        columns[name] = _dictionary(list(small), inner[codes])
    return columns


def _dictionary(values: list[str | None], codes: Any) -> pa.DictionaryArray:
    """Make a dictionary column; None among the values becomes null."""
    import pyarrow as pa

    if None in values:
        null = values.index(None)
        values = [*values]
        values[null] = ""
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == null), pa.array(values, pa.string()))
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values, pa.string()))


def _texts(values: Sequence[bytes | None]) -> pa.Array:
    """Make a text column of bytes; those that are not UTF-8 are mended with U+FFFD."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if value is None else value.decode("utf-8", "replace") for value in values], pa.string())


def _uses(distinct: list[tuple[Use, ...]], codes: Any) -> pa.ListArray:
    """Make the list column `uses`; `codes` point into the distinct tuples of uses."""
    import json

    import numpy as np
    import pyarrow as pa

    present, inverse = np.unique(codes, return_inverse=True)
    chosen = [distinct[code] for code in present]
    flat = [use for uses in chosen for use in uses]
    contexts = [json.dumps(dict(use.context), sort_keys=True) if use.context else None for use in flat]
    values = pa.StructArray.from_arrays(
        [
            pa.array([use.action for use in flat], pa.string()),
            pa.array([use.resource for use in flat], pa.string()),
            pa.array([use.role for use in flat], pa.string()),
            pa.array([use.basis for use in flat], pa.string()),
            pa.array(contexts, pa.string()),
        ],
        ["action", "resource", "role", "basis", "context"],
    )
    offsets = np.zeros(len(chosen) + 1, np.int32)
    np.cumsum([len(uses) for uses in chosen], out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values).take(pa.array(inverse))
