"""A unit's rollups on their way: one a part of its events, added up share by share, never all at once.

What belongs together has one principal and one resource, so rows are cut by a checksum of these two: each share of
them can be added up by itself, and holds about as much as one part of events does, however large the unit is.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.ingest.rollup import merge, usage_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

#: Rows of rollups that are added up at once, about.
SHARE_ROWS = 65_536


class Rollups:
    """Rollups of disjoint events. `number` says how many come; `folder` takes the spill files."""

    def __init__(self, folder: Path, number: int) -> None:
        self._number = number
        self._only: Any = None
        self._counts = [0] * number
        self._paths = [str(folder / f"rollup-{bucket}.arrow") for bucket in range(number)]
        self._writers: list[Any] = []
        self._sinks: list[Any] = []

    def add(self, rollup: pa.Table) -> None:
        """Add the rollup of one part."""
        import pyarrow as pa

        if self._number == 1:
            self._only = rollup
            return
        if not self._writers:
            Path(self._paths[0]).parent.mkdir(parents=True, exist_ok=True)
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._sinks = [pa.OSFile(path, "wb") for path in self._paths]
            self._writers = [pa.ipc.new_stream(sink, usage_schema(), options=options) for sink in self._sinks]
        codes = bucket_of(rollup, self._number)
        for bucket in range(self._number):
            chosen = rollup.filter(pa.array(codes == bucket))
            if len(chosen):
                self._counts[bucket] += len(chosen)
                self._writers[bucket].write_table(chosen.combine_chunks())

    def shares(self) -> list[list[int]]:
        """Cut the buckets into runs that are added up together; how depends on the rows alone."""
        if self._only is not None:
            return [[0]]
        for writer, sink in zip(self._writers, self._sinks, strict=True):
            writer.close()
            sink.close()
        shares: list[list[int]] = []
        size = 0
        for bucket, count in enumerate(self._counts):
            if not count:
                continue
            if not shares or size + count > SHARE_ROWS:
                shares.append([])
                size = 0
            shares[-1].append(bucket)
            size += count
        return shares

    def merged(self, share: list[int]) -> pa.Table:
        """Add one share up, and delete what was spilled of it."""
        if self._only is not None:
            return self._only
        found = merge([table for bucket in share for table in _read(self._paths[bucket])])
        for bucket in share:
            Path(self._paths[bucket]).unlink()
        return found


def bucket_of(rollup: pa.Table, number: int) -> Any:
    """Tell each row's bucket: a function of its principal's and its resource's text."""
    import numpy as np

    mixed = np.zeros(len(rollup), np.int64)
    for name in ("principal", "resource"):
        encoded = rollup[name].combine_chunks().dictionary_encode()
        encoded = encoded.combine_chunks() if hasattr(encoded, "combine_chunks") else encoded
        sums = np.array([zlib.crc32(text.encode()) for text in encoded.dictionary.to_pylist()] + [0], np.int64)
        codes = encoded.indices.fill_null(len(sums) - 1).to_numpy(zero_copy_only=False)
        mixed = mixed * 31 + sums[codes]
    return mixed % number


def _read(path: str) -> Iterator[pa.Table]:
    import pyarrow as pa

    with pa.OSFile(path, "rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])
