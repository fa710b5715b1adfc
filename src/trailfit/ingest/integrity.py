"""Keep what validation found in the lake, as the table `integrity`: of every source, what it said last."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from trailfit import views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailfit.ingest.validate import Validated
    from trailfit.lake import Lake

_FOLDER = "validated/newest"


def keep(lake: Lake, results: Mapping[str, Validated]) -> None:
    """Replace these sources' rows: one `validated` each, one `tampering` a finding, one `not validated` a problem.

    Raises LakeError where the lake cannot be written, or another ingest is writing it.
    """
    with lake.lock():
        rows = [row for row in _held(lake) if row[0] not in results]
        for source, found in results.items():
            counts = f"{found.digests:,} digests, {found.logs:,} log files, {len(found.findings):,} findings"
            rows.append((source, "validated", None, None, counts))
            rows += [(source, "tampering", one.kind, one.object, one.detail) for one in found.findings]
            rows += [(source, "not validated", None, one.subject, one.reason) for one in found.problems]
        rows.sort(key=lambda row: tuple(cell or "" for cell in row))
        views.write(lake.storage, _FOLDER, {"integrity": rows})


def _held(lake: Lake) -> list[tuple[str | None, ...]]:
    import pyarrow.parquet as pq

    data = lake.storage.read(f"{_FOLDER}/integrity.parquet")
    if data is None:
        return []
    return [tuple(row.values()) for row in pq.read_table(io.BytesIO(data)).to_pylist()]
