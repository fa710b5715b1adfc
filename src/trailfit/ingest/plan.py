"""What is to be read: the listing less what the lake holds, cut into stretches of days."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from trailfit.lake import NO_DAY, UNKNOWN_ACCOUNT, Source
from trailfit.model import LogObject, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from trailfit.ingest.selection import Selection
    from trailfit.ingest.work import ObjectReport

#: Compressed bytes that one task reads, about; smaller where there are few.
_TASK_BYTES = 48 * 1024 * 1024


def unit_name(unit: Unit) -> str:
    """Write a unit as manifests do."""
    return f"{unit.account}/{unit.day.isoformat()}"


def home(one: LogObject, records: Iterable[Unit] = ()) -> Unit:
    """Give the unit that answers for an object: that of its key, else the first that it has records for."""
    if one.account is not None and one.day is not None:
        return Unit(one.account, one.day)
    return min(records, default=Unit(UNKNOWN_ACCOUNT, NO_DAY))


def stretches(objects: Sequence[LogObject], jobs: int) -> list[tuple[list[LogObject], frozenset[Unit]]]:
    """Cut the objects to read into tasks, newest day first, each with the units that it may make at once.

    A unit may be made by the task that reads its day's objects when that task also reads the next day's, or when
    nothing newer of the account is to be read; the others wait for the second round.
    """
    by_account: dict[str, dict[date, list[LogObject]]] = defaultdict(lambda: defaultdict(list))
    for one in objects:
        by_account[one.account or UNKNOWN_ACCOUNT][one.day or NO_DAY].append(one)
    total = sum(one.size for one in objects)
    limit = max(1, min(_TASK_BYTES, total // max(1, jobs * 3) if jobs > 1 else _TASK_BYTES))
    tasks: list[tuple[list[LogObject], frozenset[Unit]]] = []
    for account, days in sorted(by_account.items()):
        batch: list[LogObject] = []
        finish: set[Unit] = set()
        size = 0
        newest = True
        for day in sorted(days, reverse=True):
            todays = sorted(days[day], key=lambda one: one.uri)
            pieces = _pieces(todays, _TASK_BYTES)
            if len(pieces) > 1:
                if batch:
                    tasks.append((batch, frozenset(finish)))
                tasks += [(piece, frozenset()) for piece in pieces]
                batch, finish, size, newest = [], set(), 0, False
                continue
            if batch and size >= limit:
                tasks.append((batch, frozenset(finish)))
                batch, finish, size = [], set(), 0
            if newest or batch:
                finish.add(Unit(account, day))
            newest = False
            batch += todays
            size += sum(one.size for one in todays)
        if batch:
            tasks.append((batch, frozenset(finish)))
    return tasks


def _pieces(objects: list[LogObject], limit: int) -> list[list[LogObject]]:
    """Cut one day's objects into pieces of about `limit` bytes."""
    pieces: list[list[LogObject]] = [[]]
    size = 0
    for one in objects:
        if size >= limit:
            pieces.append([])
            size = 0
        pieces[-1].append(one)
        size += one.size
    return pieces


def entry(report: ObjectReport, unit: Unit, selection: Selection) -> Source:
    """Write an object's line in the manifest of `unit`: its records there, if they were asked for."""
    one = report.object
    taken = selection.takes_unit(unit.account, unit.day)
    if taken and len(report.records) == 1 and report.records[0][0] == unit and not report.unreadable:
        regions = None if report.regions is None else tuple(sorted(report.regions))
        return Source(one.uri, one.etag, one.size, report.records[0][1], regions=regions)
    names = tuple(unit_name(other) for other, _ in report.records)
    only_here = names == (unit_name(unit),) and taken
    return Source(
        uri=one.uri,
        etag=one.etag,
        size=one.size,
        records=dict(report.records).get(unit, 0) if taken else 0,
        units=() if only_here else names,
        regions=None if report.regions is None else tuple(sorted(report.regions)),
        skipped=len(report.unreadable) if unit == home(one, (other for other, _ in report.records)) else 0,
    )
