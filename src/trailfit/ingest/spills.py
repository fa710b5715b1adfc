"""Tables on disk on their way into parts: each lies sorted by a hash, so that any range of hashes is a slice of it.

Parts are ranges of hashes. How many there are follows from the number of rows, known only at the end; a table
sorted so can be cut into any number then. It lies in short batches, and only those that a range touches are read:
were it mapped, the pages around every slice of every column would count as ours, more of them the larger the unit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_HASH = "hash"
#: Rows of a batch, and where the schema's metadata say with which hash each batch begins.
_BATCH_ROWS = 4096
_STARTS = b"trailfit.starts"
_SPREAD = 0x9E3779B97F4A7C15


def write(path: str, table: pa.Table, hashes: Any) -> None:
    """Write a table to `path`, with its rows' hashes (32 bits each)."""
    import numpy as np
    import pyarrow as pa

    order = np.argsort(hashes, kind="stable")
    starts = hashes[order[::_BATCH_ROWS]].astype(np.uint32)
    table = table.append_column(_HASH, pa.array(hashes)).take(pa.array(order)).combine_chunks()
    table = table.replace_schema_metadata({_STARTS: starts.tobytes().hex()})
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=_BATCH_ROWS)


def count(path: str) -> int:
    """Count the rows of a file."""
    import pyarrow as pa

    with pa.OSFile(path) as file:
        reader = pa.ipc.open_file(file)
        return sum(reader.get_batch(place).num_rows for place in range(reader.num_record_batches))


def read(path: str, bucket: int, number: int) -> Iterator[pa.Table]:
    """Give the rows of one of `number` buckets."""
    import numpy as np
    import pyarrow as pa

    low, high = (-(-(at << 32) // number) for at in (bucket, bucket + 1))
    with pa.OSFile(path) as file:
        reader = pa.ipc.open_file(file)
        starts = np.frombuffer(bytes.fromhex(reader.schema.metadata[_STARTS].decode()), np.uint32).astype(np.uint64)
        first = max(0, int(np.searchsorted(starts, np.uint64(low), "left")) - 1)
        last = int(np.searchsorted(starts, np.uint64(high), "left"))
        for place in range(first, last):
            batch = reader.get_batch(place)
            hashes = batch.column(batch.num_columns - 1).to_numpy().astype(np.uint64)
            start, end = np.searchsorted(hashes, np.array([low, high], np.uint64))
            if end > start:
                found = pa.Table.from_batches([batch.slice(start, end - start)]).drop_columns([_HASH])
                yield found.replace_schema_metadata(None)


def buckets_of(hashes: Any, number: int) -> Any:
    """Tell the bucket of each hash: `number` ranges of one size."""
    import numpy as np

    return (hashes.astype(np.uint64) * np.uint64(number) >> np.uint64(32)).astype(np.int64)


def hashed(texts: Any) -> Any:
    """Give each text of an array a number of 32 bits that follows from its last 8 bytes and its length; null has one.

    The last letters of event IDs are random, those of ARNs tell resources apart.
    """
    import numpy as np
    import pyarrow as pa

    texts = pa.concat_arrays([texts, pa.array([], pa.string())])
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    mixed = np.diff(ends).astype(np.uint64)
    for back in range(1, 9):
        place = ends[1:] - back
        letter = np.where(place >= ends[:-1], letters[np.maximum(place, 0)], 0)
        mixed = mixed * np.uint64(257) + letter.astype(np.uint64)
    return mix(mixed)


def mix(numbers: Any) -> Any:
    """Spread numbers of 64 bits evenly over 32."""
    import numpy as np

    mixed = numbers * np.uint64(_SPREAD)
    mixed ^= mixed >> np.uint64(29)
    return (mixed * np.uint64(_SPREAD) >> np.uint64(32)).astype(np.uint32)
