"""The rows of one unit on their way: in memory while they are few, in spill files when they are many."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.ingest import spills
from trailfit.ingest.columns import rows_schema
from trailfit.ingest.parts import joined, one
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
        self.records += spills.count(path)

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
        if number > 1:
            self.spill()
        return (self._bucket(bucket, number) for bucket in range(number)), number

    def _bucket(self, bucket: int, number: int) -> Iterator[pa.Table]:
        yield from self._tables
        for path in self._files:
            yield from spills.read(path, bucket, number)

    def close(self) -> None:
        """Delete the spill files."""
        for path in self._files:
            Path(path).unlink(missing_ok=True)

    def _write(self) -> None:
        import pyarrow as pa

        path = str(self._folder / f"spill-{next(_names)}.arrow")
        whole = joined(self._tables, rows_schema())
        self._tables.clear()
        self._bytes = 0
        spills.write(path, whole, hash_of(whole))
        del whole
        pa.default_memory_pool().release_unused()
        self._files.append(path)


def hash_of(rows: pa.Table) -> Any:
    """Give each row a hash: a function of its event ID's text alone, so that copies share a bucket."""
    return spills.hashed(one(rows["event_id"]))
