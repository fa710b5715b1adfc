"""The rounds of one ingest: every stretch is read, then the units are made that had to wait; each commits alone."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from trailfit.catalog.edition import edition
from trailfit.engine.local import Engine, Local, default_jobs
from trailfit.errors import LakeError
from trailfit.ingest.commit import Committer
from trailfit.ingest.plan import home, stretches
from trailfit.ingest.rows import Held
from trailfit.ingest.work import Finish, ObjectReport, Outcome, Stretch
from trailfit.ingest.work import run as run_task
from trailfit.lake import Lake, unit_path
from trailfit.model import Unassessed, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trailfit.ingest.listing import Listing
    from trailfit.ingest.run import Ingested, Step
    from trailfit.ingest.selection import Selection
    from trailfit.lake import Manifest


def go(
    lake: Lake,
    manifests: Sequence[Manifest],
    listing: Listing,
    damaged: set[Unit],
    *,
    selection: Selection,
    jobs: int | None,
    payer: bool,
    result: Ingested,
    progress: Callable[[Step], None] | None,
    engine: Engine | None = None,
) -> None:
    """Read what is listed into the lake, and make anew the units that are damaged; `result` is filled.

    Raises LakeError where the lake cannot be written.
    """
    here = (
        Local(jobs or default_jobs(), "trailfit.ingest.preload") if engine is None else contextlib.nullcontext(engine)
    )
    with _staging(lake) as staging, here as workers:
        try:
            _Run(lake, manifests, listing, selection, staging, result, progress, payer).go(workers, damaged)
        except OSError as problem:
            hint = "nothing half-written is visible; run again to go on"
            raise LakeError(
                problem.strerror or str(problem), where=problem.filename or lake.root, hint=hint
            ) from problem


class _Run:
    """One run's state: reports of objects by unit, and what is still to be made."""

    def __init__(
        self,
        lake: Lake,
        manifests: Sequence[Manifest],
        listing: Listing,
        selection: Selection,
        staging: Path,
        result: Ingested,
        progress: Callable[[Step], None] | None,
        payer: bool,
    ) -> None:
        self.lake, self.listing, self.selection, self.staging = lake, listing, selection, staging
        self.result, self.progress, self.payer = result, progress, payer
        self.catalog = edition()
        self.again = frozenset(one.uri for one in listing.todo)
        self.committer = Committer(lake, manifests, selection, self.catalog)
        self.pending: dict[Unit, list[ObjectReport]] = defaultdict(list)
        self.spills: dict[Unit, list[str]] = defaultdict(list)
        self.read_objects = self.read_bytes = 0
        self.made: set[Unit] = set()
        self.failed: set[str] = set()
        self.not_fetched: dict[tuple[str, str], list[str]] = defaultdict(list)

    def go(self, engine: Engine, damaged: set[Unit]) -> None:
        """Read all stretches, then make the units that had to wait."""
        regions = self.listing.regions
        tasks = [
            Stretch(
                objects=tuple(objects),
                selection=self.selection,
                # A unit made from the beginning has to wait until all of its objects were had.
                finish=finish - self.listing.rebuild.keys(),
                held={unit: self._held(unit) for unit in finish},
                staging=str(self.staging / str(number)),
                catalog=self.catalog,
                regions={one.uri: regions[one.uri] for one in objects if one.uri in regions},
                payer=self.payer,
            )
            for number, (objects, finish) in enumerate(stretches(self.listing.todo, engine.jobs))
        ]
        for outcome in engine.run(run_task, tasks):
            self._take(outcome)
        remake = sorted({*self.spills, *(damaged - self.made), *self._rebuilt()})
        finishing = [
            Finish(
                unit, tuple(self.spills.get(unit, ())), self._held(unit), str(self.staging / f"f{number}"), self.catalog
            )
            for number, unit in enumerate(remake)
        ]
        for outcome in engine.run(run_task, finishing):
            self._take(outcome)
        for number, unit in enumerate(sorted(self.pending)):
            self.committer.commit_sources(unit, self.staging / f"s{number}", self.pending[unit])
        self._count()

    def _held(self, unit: Unit) -> Held:
        """Tell what the lake holds of a unit now; records of objects whose rows are added to it are counted anew."""
        manifest = self.committer.current.get(unit)
        if manifest is None or unit in self._rebuilt():
            return Held()
        parts = tuple(f"{self.lake.root}/{unit_path('events', unit)}/{part.name}" for part in manifest.events)
        added = {report.object.uri for report in self.pending[unit]} if self.read_objects else self.again
        return Held(parts, sum(source.records for source in manifest.sources if source.uri not in added))

    def _rebuilt(self) -> set[Unit]:
        """Give the units to make from the beginning: those of which every object was had."""
        return {unit for unit, objects in self.listing.rebuild.items() if not objects & self.failed}

    def _take(self, outcome: Outcome) -> None:
        """Commit what a task made; what it left in spill files, and what it says of objects elsewhere, has to wait."""
        own: dict[Unit, list[ObjectReport]] = defaultdict(list)
        for report in outcome.objects:
            self.read_objects += 1
            self.read_bytes += report.object.size
            if report.problem is not None:
                self.failed.add(report.object.uri)
                self.not_fetched[report.object.uri.rpartition("/")[0], report.problem].append(report.object.uri)
                continue
            self._count_report(report)
            units = {unit for unit, _ in report.records if self.selection.takes_unit(unit.account, unit.day)}
            for unit in units | {home(report.object, (unit for unit, _ in report.records))}:
                own[unit].append(report)
        for unit, path in outcome.spills:
            self.spills[unit].append(path)
        for unit, made, staged in outcome.made:
            # A unit made of spill files has the rows of every object that waited for it.
            reports = own.pop(unit, []) if outcome.objects else self.pending.pop(unit, [])
            anew = unit in self._rebuilt()
            self.committer.commit(unit, made, Path(staged), reports, anew=anew)
            self.result.counts.rebuilt += anew
            self.made.add(unit)
        for unit, reports in own.items():
            self.pending[unit] += reports
        if self.progress is not None:
            self._tell()

    def _tell(self) -> None:
        assert self.progress is not None
        todo = self.listing.todo
        from trailfit.ingest.run import Step

        self.progress(
            Step(self.read_objects, len(todo), self.read_bytes, sum(one.size for one in todo), self.result.counts.read)
        )

    def _count_report(self, report: ObjectReport) -> None:
        counts = self.result.counts
        counts.objects += 1
        counts.bytes += report.object.size
        in_other_regions = report.not_asked - self._not_asked(report)
        counts.read += sum(count for _, count in report.records) + in_other_regions + len(report.unreadable)
        counts.skipped += report.not_asked
        counts.errors += len(report.unreadable)

    def _not_asked(self, report: ObjectReport) -> int:
        return sum(count for unit, count in report.records if not self.selection.takes_unit(unit.account, unit.day))

    def _count(self) -> None:
        """Count what was kept and what was there already."""
        counts = self.result.counts
        counts.kept = self.committer.rows_added
        counts.duplicates = counts.read - counts.kept - counts.skipped - counts.errors
        counts.conflicts = self.committer.conflicts_added
        counts.units = len(self.committer.committed)
        for (folder, reason), objects in sorted(self.not_fetched.items()):
            one = len(objects) == 1
            said = Unassessed(objects[0] if one else folder, reason if one else f"{len(objects):,} objects: {reason}")
            self.result.problems.append(said)


@contextlib.contextmanager
def _staging(lake: Lake) -> Iterator[Path]:
    """Make a folder for work in hand: in a lake on disk, from where parts are renamed into place; else temporary."""
    if lake.root.startswith("s3://"):
        with tempfile.TemporaryDirectory(prefix="trailfit-") as folder:
            yield Path(folder)
        return
    base = Path(lake.root) / ".staging"
    base.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base)
    try:
        yield Path(folder)
    finally:
        with contextlib.suppress(OSError):
            import shutil

            shutil.rmtree(base)
