"""Ingest: list, compare with the lake, read what is new, commit unit by unit.

`run` is the stage: everything else in this package is a step of it. An object is done when every unit that it has
records for names it in its manifest; so whatever is killed, the next run reads again what was not wholly committed,
and a unit is the same however often its records are added to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailfit.ingest.listing import collector_paused, list_new, stale_units
from trailfit.ingest.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trailfit.engine.local import Engine
    from trailfit.lake import Lake
    from trailfit.model import Unassessed, Unit


@dataclass(slots=True)
class Counts:
    """What became of every record read in one run: read = kept + duplicates + skipped + errors.

    `skipped` were not asked for (other days, accounts, regions); `errors` could not be read, each named in the
    lake's `skipped` table. `conflicts` are event IDs that different records carry: all of those were kept. `rebuilt`
    are the units made from the beginning; their records count as read, and only what they gained as kept.
    """

    objects: int = 0
    objects_done_before: int = 0
    bytes: int = 0
    read: int = 0
    kept: int = 0
    duplicates: int = 0
    skipped: int = 0
    errors: int = 0
    conflicts: int = 0
    units: int = 0
    rebuilt: int = 0


@dataclass(slots=True)
class Ingested:
    """The result of a run: counts, what could not be listed or fetched and why, and which units are out of date.

    `stale` are the units whose events were understood with another catalogue, by its name.
    """

    counts: Counts = field(default_factory=Counts)
    problems: list[Unassessed] = field(default_factory=list)
    stale: dict[Unit, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: how much of what is to be read has been read."""

    objects: int
    of_objects: int
    bytes: int
    of_bytes: int
    records: int


def run(
    sources: Sequence[str],
    lake: Lake,
    *,
    selection: Selection | None = None,
    jobs: int | None = None,
    wait: float = 0.0,
    payer: bool = False,
    progress: Callable[[Step], None] | None = None,
    rebuild: bool = False,
    engine: Engine | None = None,
) -> Ingested:
    """Read CloudTrail logs from `sources` (``s3://…``, folders, files) into `lake`; every event once.

    `selection` says which days, accounts and regions; None reads all. Waits `wait` seconds for another ingest to end.
    With `rebuild`, units that were made with another catalogue are made from the beginning, where all of their objects
    are still there; the others stay as they are. `engine` does the work; by default the processors of this machine.
    Raises SourceError for a source that does not exist, LakeError for a lake that is locked or cannot be written.
    """
    selection = selection or Selection()
    with lake.lock(wait):
        with collector_paused():
            manifests = lake.manifests()
            damaged = lake.sweep(manifests)
            stale = stale_units(manifests, selection)
            listing = list_new(sources, selection, manifests, payer=payer, stale=stale if rebuild else ())
        result = Ingested(problems=list(listing.problems), stale=stale)
        result.counts.objects_done_before = listing.done
        if not listing.todo and not damaged:
            return result
        # Loaded when there is something to do: to find that nothing is new takes less than to load what reads it.
        from trailfit.ingest import rounds

        rounds.go(
            lake,
            manifests,
            listing,
            damaged,
            selection=selection,
            jobs=jobs,
            payer=payer,
            result=result,
            progress=progress,
            engine=engine,
        )
        result.stale = stale_units(lake.manifests(), selection) if stale else {}
        return result
