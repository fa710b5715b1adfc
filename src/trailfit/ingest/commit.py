"""Commit units: the manifest of what was made, the table of what was skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.ingest.plan import entry, home
from trailfit.ingest.unit import Made, write
from trailfit.lake import FORMAT, Lake, Manifest, Part, Source, unit_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trailfit.ingest.selection import Selection
    from trailfit.ingest.work import ObjectReport
    from trailfit.model import Unit


class Committer:
    """Knows the lake's manifests and replaces them one by one."""

    def __init__(self, lake: Lake, manifests: Sequence[Manifest], selection: Selection, catalog: str) -> None:
        self.lake = lake
        self.current = {manifest.unit: manifest for manifest in manifests}
        self.committed: set[Unit] = set()
        self.rows_added = 0
        self.conflicts_added = 0
        self._selection = selection
        self._catalog = catalog

    def commit_sources(self, unit: Unit, staged: Path, reports: Sequence[ObjectReport]) -> None:
        """Commit objects without rows for this unit: it stays as it is but for its sources and what was skipped."""
        before = self.current.get(unit)
        same = Made((), (), 0, 0, None, None)
        if before is not None:
            same = Made(before.events, before.usage, before.rows, before.conflicts, before.first, before.last)
        self.commit(unit, same, staged, reports)

    def commit(
        self, unit: Unit, made: Made, staged: Path, reports: Sequence[ObjectReport], *, anew: bool = False
    ) -> None:
        """Commit one unit: what was made of it, and the objects read for it in this run.

        A unit keeps the name of the catalogue that its oldest rows were understood with, until it is made `anew`.
        """
        before = self.current.get(unit)
        # Made anew, a unit has records only of what was read now; the others are its sources without any.
        sources = {one.uri: one for one in before.sources if not (anew and one.records)} if before else {}
        for report in reports:
            sources[report.object.uri] = entry(report, unit, self._selection)
        records = sum(source.records for source in sources.values())
        manifest = Manifest(
            format=FORMAT,
            account=unit.account,
            day=unit.day.isoformat(),
            catalog=before.catalog if before and before.rows and not anew else self._catalog,
            records=records,
            rows=made.rows,
            duplicates=records - made.rows,
            conflicts=made.conflicts,
            first=made.first,
            last=made.last,
            sources=tuple(sorted(sources.values(), key=_uri)),
            events=made.events,
            usage=made.usage,
            skipped=self._skipped(unit, before, reports, staged),
        )
        self.lake.commit(manifest, staged, before)
        self.current[unit] = manifest
        self.committed.add(unit)
        self.rows_added += made.rows - (before.rows if before else 0)
        self.conflicts_added += made.conflicts - (before.conflicts if before else 0)

    def _skipped(
        self, unit: Unit, before: Manifest | None, reports: Sequence[ObjectReport], staged: Path
    ) -> tuple[Part, ...]:
        """Write the table of what could not be read: of objects read now, and of others as it was."""
        now = {report.object.uri for report in reports}
        rows: list[dict[str, Any]] = []
        if before is not None and before.skipped:
            rows = [row for row in self._held(unit, before) if row["object"] not in now]
        for report in reports:
            if unit == home(report.object, (other for other, _ in report.records)):
                rows += [
                    {"object": report.object.uri, "record": number, "reason": reason}
                    for number, reason in report.unreadable
                ]
        if not rows:
            return ()
        import pyarrow as pa

        rows.sort(key=lambda row: (row["object"], row["record"], row["reason"]))
        schema = pa.schema([("object", pa.string()), ("record", pa.int64()), ("reason", pa.string())])
        return (write(pa.Table.from_pylist(rows, schema), staged / "skipped", "part-0-of-1.parquet", self._catalog),)

    def _held(self, unit: Unit, before: Manifest) -> list[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows: list[dict[str, Any]] = []
        for part in before.skipped:
            data = self.lake.storage.read(f"{unit_path('skipped', unit)}/{part.name}")
            rows += pq.read_table(pa.BufferReader(data or b"")).to_pylist()
        return rows


def _uri(source: Source) -> str:
    return source.uri
