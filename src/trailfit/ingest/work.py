"""What a worker does: read, decode and write one stretch of an account's days, newest day first.

CloudTrail delivers an event on its own day or later, never earlier. Going from the newest day to the oldest, all
of a day's late events are known when the day's own objects have been read, and the unit is made at once. What
belongs to days outside the stretch is left in spill files for a second round.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.ingest.decode import Decoder
from trailfit.ingest.rows import Held, Rows
from trailfit.ingest.unit import Made, make
from trailfit.lake import NO_DAY, UNKNOWN_ACCOUNT
from trailfit.model import LogObject, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from trailfit.ingest.careful import Decoded
    from trailfit.ingest.selection import Selection


@dataclass(frozen=True, slots=True)
class Stretch:
    """Objects to read, and the units to make of them at once. `staging` is the task's own folder."""

    objects: tuple[LogObject, ...]
    selection: Selection
    finish: frozenset[Unit]
    held: dict[Unit, Held]
    staging: str
    catalog: str
    regions: dict[str, frozenset[str]]
    payer: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """A unit to make of spill files and of what the lake holds of it already."""

    unit: Unit
    spills: tuple[str, ...]
    held: Held
    staging: str
    catalog: str


@dataclass(slots=True)
class Outcome:
    """What a task did: reports on its objects, units made (each staged in a folder), spill files by unit."""

    objects: list[ObjectReport] = field(default_factory=list)
    made: list[tuple[Unit, Made, str]] = field(default_factory=list)
    spills: list[tuple[Unit, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """One object: its records by unit, how many of them were not asked for, what could not be read of it.

    `problem` says why it could not be fetched at all.
    """

    object: LogObject
    records: tuple[tuple[Unit, int], ...]
    unreadable: tuple[tuple[int, str], ...]
    not_asked: int = 0
    regions: frozenset[str] | None = None
    problem: str | None = None


def run_stretch(task: Stretch) -> Outcome:
    """Read a stretch's objects and make its units."""
    outcome = Outcome()
    folder = Path(task.staging)
    folder.mkdir(parents=True, exist_ok=True)
    decoder = Decoder()
    rows: dict[Unit, Rows] = defaultdict(lambda: Rows(folder))
    waiting: list[tuple[Decoded, frozenset[str] | None]] = []

    def keep() -> None:
        for (account, day), table in decoder.take():
            if task.selection.takes_unit(account, day):
                rows[Unit(account, day)].add(table)
        outcome.objects += [_report(done, task.selection, regions) for done, regions in waiting]
        waiting.clear()

    for _, objects in groupby(task.objects, key=_key_day):
        batch = list(objects)
        for one, data, problem in fetch(batch, payer=task.payer):
            if data is None:
                outcome.objects.append(ObjectReport(one, (), (), problem=problem))
                continue
            regions = task.regions.get(one.uri)
            waiting.append((decoder.add(data, one, regions), regions))
            if decoder.is_full:
                keep()
        keep()
        unit = Unit(batch[0].account or UNKNOWN_ACCOUNT, batch[0].day or NO_DAY)
        if unit in task.finish and unit in rows:
            outcome.made.append(_make(unit, rows.pop(unit), task.held.get(unit, Held()), folder, task.catalog))
    for unit in sorted(rows):
        if unit in task.finish:
            outcome.made.append(_make(unit, rows[unit], task.held.get(unit, Held()), folder, task.catalog))
        else:
            outcome.spills += [(unit, path) for path in rows[unit].spill()]
    return outcome


def run_finish(task: Finish) -> Outcome:
    """Make one unit of its spill files."""
    folder = Path(task.staging)
    folder.mkdir(parents=True, exist_ok=True)
    rows = Rows(folder)
    for path in task.spills:
        rows.add_file(path)
    return Outcome(made=[_make(task.unit, rows, task.held, folder, task.catalog)])


def run(task: Stretch | Finish) -> Outcome:
    """Do a task: the function that the engine calls in its processes."""
    import gc

    # Rows are tuples without cycles by the ten thousand, which the collector would go through again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return run_finish(task) if isinstance(task, Finish) else run_stretch(task)
    finally:
        if collecting:
            gc.enable()


def fetch(objects: list[LogObject], *, payer: bool) -> Iterator[tuple[LogObject, bytes | None, str | None]]:
    """Yield objects with their bytes, many at a time where they are in S3."""
    if objects[0].uri.startswith("s3://"):
        from trailfit.ingest.bucket import read_objects

        return read_objects(objects, payer=payer)
    from trailfit.ingest.source import read_files

    return read_files(objects)


def _key_day(one: LogObject) -> tuple[str, date]:
    return one.account or UNKNOWN_ACCOUNT, one.day or NO_DAY


def _report(done: Decoded, selection: Selection, regions: frozenset[str] | None) -> ObjectReport:
    records = tuple(sorted((Unit(*unit), count) for unit, count in done.records.items()))
    not_asked = sum(count for unit, count in records if not selection.takes_unit(unit.account, unit.day))
    return ObjectReport(done.object, records, tuple(done.unreadable), not_asked + done.not_asked, regions)


def _make(unit: Unit, rows: Rows, held: Held, folder: Path, catalog: str) -> tuple[Unit, Made, str]:
    import pyarrow as pa

    staged = folder / f"{unit.account}-{unit.day.isoformat()}"
    rows.add_held(held)
    buckets, number = rows.buckets()
    # What decoding needed is free again, but not given back: without this it stays ours beside what comes now.
    pa.default_memory_pool().release_unused()
    made: Any = make(buckets, number, staged, catalog)
    rows.close()
    pa.default_memory_pool().release_unused()
    return unit, made, str(staged)
