"""The rows of one unit on their way: in memory while they are few, in spill files when they are many."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.ingest.columns import events_schema
from trailfit.ingest.unit import PART_ROWS, read_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

#: Bytes of Arrow data that a unit keeps in memory at the most.
_IN_MEMORY = 24 * 1024 * 1024

_names = itertools.count()


@dataclass(frozen=True, slots=True)
class Held:
    """What the lake holds of a unit: its parts, and the records counted for sources that are not read again."""

    parts: tuple[str, ...] = ()
    records: int = 0


class Rows:
    """Tables of one unit. `folder` takes the spill files; `records` are those counted for parts that the lake holds.

    The number of buckets follows from the records counted, which do not depend on how many runs they came in.
    """

    def __init__(self, folder: Path) -> None:
        self.records = 0
        self._folder = folder
        self._tables: list[Any] = []
        self._bytes = 0
        self._files: list[str] = []

    def add(self, table: pa.Table) -> None:
        """Add rows."""
        self.records += len(table)
        self._hold(table)

    def _hold(self, table: pa.Table) -> None:
        self._tables.append(table)
        self._bytes += table.nbytes
        if self._bytes > _IN_MEMORY:
            self._write()

    def add_file(self, path: str) -> None:
        """Add the rows of a spill file."""
        self._files.append(path)
        self.records += sum(len(table) for table in _read(path))

    def add_held(self, held: Held) -> None:
        """Add the rows that the lake holds of the unit."""
        self.records += held.records
        for path in held.parts:
            self._hold(read_part(path))

    def spill(self) -> list[str]:
        """Write out what is in memory; list all spill files."""
        if self._tables:
            self._write()
        return self._files

    def buckets(self) -> tuple[Iterator[Iterator[pa.Table]], int]:
        """Give the rows in buckets by event ID, each small enough for the memory, and how many buckets there are."""
        number = max(1, -(-self.records // PART_ROWS))
        if number == 1:
            return iter([itertools.chain(self._tables, *(_read(path) for path in self._files))]), 1
        return self._split(number), number

    def close(self) -> None:
        """Delete the spill files."""
        for path in self._files:
            Path(path).unlink(missing_ok=True)

    def _write(self) -> None:
        import pyarrow as pa

        path = str(self._folder / f"spill-{next(_names)}.arrow")
        _write(path, self._tables)
        self._tables.clear()
        self._bytes = 0
        pa.default_memory_pool().release_unused()
        self._files.append(path)

    def _split(self, number: int) -> Iterator[Iterator[pa.Table]]:
        """Write every bucket to a file of its own, in one pass over the rows; then give them back one by one."""
        import pyarrow as pa

        paths = [str(self._folder / f"bucket-{next(_names)}.arrow") for _ in range(number)]
        schema = events_schema()
        sinks = [pa.OSFile(path, "wb") for path in paths]
        # Dictionaries differ from table to table, which a stream of batches allows.
        writers = [pa.ipc.new_stream(sink, schema) for sink in sinks]
        for table in itertools.chain(self._tables, *(_read(path) for path in self._files)):
            codes = bucket_of(table, number)
            for bucket in range(number):
                chosen = table.filter(pa.array(codes == bucket))
                if len(chosen):
                    writers[bucket].write_table(chosen.unify_dictionaries().combine_chunks())
        for writer, sink in zip(writers, sinks, strict=True):
            writer.close()
            sink.close()
        self._tables.clear()
        for path in paths:
            yield _read(path)
            Path(path).unlink()


def bucket_of(table: pa.Table, number: int) -> Any:
    """Tell each row's bucket: a function of its event ID's text alone, so that copies share one.

    Event IDs are random UUIDs, so their last letters spread them evenly; rows without one share a bucket.
    """
    import numpy as np
    import pyarrow as pa

    ids = pa.concat_arrays([*table["event_id"].chunks, pa.array([], pa.string())])
    _, offsets, data = ids.buffers()
    ends = np.frombuffer(offsets, np.int32)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    mixed = np.zeros(len(ids), np.int64)
    for back in range(1, 9):
        place = ends[1:] - back
        mixed = mixed * 31 + np.where(place >= ends[:-1], text[np.maximum(place, 0)], 0)
    return (mixed % number).astype(np.int32)


def _write(path: str, tables: list[Any]) -> None:
    import pyarrow as pa

    with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, events_schema()) as writer:
        for table in tables:
            writer.write_table(table.combine_chunks())


def _read(path: str) -> Iterator[pa.Table]:
    import pyarrow as pa

    with pa.OSFile(path, "rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])
