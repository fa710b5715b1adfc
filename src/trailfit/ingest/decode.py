"""From the bytes of log objects to columns: the one hot loop.

The narrow interface: `Decoder.add(data, object)` for each object, `Decoder.take()` for the rows so far as Arrow tables,
each of one unit. Objects as CloudTrail delivers them are read by the native decoder, where there is one; any other
object as a whole by the Python one. The rows are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.cloudtrail.inflate import GZIP
from trailfit.ingest.careful import Careful, Decoded
from trailfit.ingest.fast import Fast
from trailfit.ingest.kernel import library

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from trailfit.model import LogObject

#: Rows that are decoded before they become an Arrow table.
_BATCH = 32_768


class Decoder:
    """Turns log objects into rows; keeps what it learned of shapes from one object to the next."""

    def __init__(self) -> None:
        self._fast = fast()
        self._careful = Careful()
        self._waiting: list[Decoded] = []

    @property
    def pending(self) -> int:
        """Rows added and not yet taken."""
        return self._careful.pending + (self._fast.rows if self._fast else 0)

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to take the rows."""
        return self.pending >= _BATCH or (self._fast is not None and self._fast.is_full)

    @property
    def taken_natively(self) -> int:
        """How many objects the native decoder has read since the last take."""
        return len(self._waiting)

    def add(self, data: bytes, source: LogObject, regions: frozenset[str] | None = None) -> Decoded:
        """Read one log object's bytes; with `regions`, only its records of these regions are kept.

        Never raises for what the bytes hold: see `Decoded.unreadable`. `Decoded.records` is complete after `take`.
        """
        wants_all = regions is None and data.startswith(GZIP)
        if self._fast is None or not wants_all or self._fast.add(data, len(self._waiting)) < 0:
            return self._careful.add(data, source, regions)
        done = Decoded(source)
        self._waiting.append(done)
        return done

    def take(self) -> list[tuple[tuple[str, date], pa.Table]]:
        """Give the rows added so far, tables of one unit each (columns as `columns.rows_schema`); forget them."""
        tables = list(self._careful.take().items())
        if self._fast is not None and self._waiting:
            found, counts = self._fast.take([done.object.uri for done in self._waiting])
            tables += found.items()
            for done, count in zip(self._waiting, counts, strict=True):
                done.records = count
            self._waiting.clear()
            if self._fast.is_large:
                self._fast = fast()
        return tables


def fast() -> Fast | None:
    """Make a native decoder, where there is one."""
    native = library()
    return None if native is None else Fast(native)
