"""A unit's rollups on their way: one a part of its events, added up share by share, never all at once.

What belongs together has one principal and one resource, so rows are cut by a hash of these two: each share of
them can be added up by itself, and holds about as much as one part of events does, however large the unit is.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.ingest import spills
from trailfit.ingest.parts import codes, joined, one, unpacked
from trailfit.ingest.rollup import merge, rollup_schema

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of rollups that are added up at once, about.
SHARE_ROWS = 65_536


class Rollups:
    """Rollups of disjoint events. `number` says how many come; `folder` takes the spill files."""

    def __init__(self, folder: Path, number: int) -> None:
        self._number = number
        self._folder = folder
        self._only: Any = None
        self._rows = 0
        self._paths: list[str] = []

    def add(self, rollup: pa.Table) -> None:
        """Add the rollup of one part."""
        if self._number == 1:
            self._only = rollup
            return
        self._rows += len(rollup)
        self._paths.append(str(self._folder / f"rollup-{len(self._paths)}.arrow"))
        spills.write(self._paths[-1], rollup, hash_of(rollup))

    @property
    def shares(self) -> int:
        """How many shares they are added up in: it follows from the rows alone."""
        return 1 if self._only is not None else -(-self._rows // SHARE_ROWS)

    def merged(self, share: int) -> pa.Table:
        """Add one share up."""
        if self._only is not None:
            return self._only
        tables = [table for path in self._paths for table in spills.read(path, share, self.shares)]
        return merge(joined(tables, rollup_schema())) if tables else rollup_schema().empty_table()

    def close(self) -> None:
        """Delete the spill files."""
        for path in self._paths:
            Path(path).unlink()


def hash_of(rollup: pa.Table) -> Any:
    """Give each row a hash: a function of its principal's and its resource's text."""
    import numpy as np

    who = one(rollup["who"])
    principals = np.array([zlib.crc32((row[0] or "").encode()) for row in unpacked(who)] or [0], np.uint64)
    return spills.mix(
        spills.hashed(one(rollup["resource"])).astype(np.uint64) << np.uint64(32) | principals[codes(who)]
    )
