"""What is new: the sources' listing, less what the lake's manifests name."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.ingest.plan import WHOLE, is_done, known
from trailfit.ingest.source import open_source
from trailfit.model import LogObject, Unassessed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.ingest.selection import Selection
    from trailfit.lake import Manifest


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to read, and how much of what there is the lake holds already.

    `regions` are, by object, the only regions to take from it: of objects whose key names none.
    """

    todo: list[LogObject]
    done: int
    problems: list[Unassessed]
    regions: dict[str, frozenset[str]]


def list_new(
    sources: Sequence[str], selection: Selection, manifests: Sequence[Manifest], *, payer: bool = False
) -> Listing:
    """List the sources and leave out what the lake holds. Raises SourceError for a source that does not exist."""
    collecting = gc.isenabled()
    # Names by the ten thousand, none of them garbage, which the collector would go through again and again.
    gc.disable()
    try:
        return _list_new(sources, selection, manifests, payer)
    finally:
        if collecting:
            gc.enable()


def _list_new(sources: Sequence[str], selection: Selection, manifests: Sequence[Manifest], payer: bool) -> Listing:
    held = known(manifests)
    todo: dict[str, LogObject] = {}
    done = 0
    problems: list[Unassessed] = []
    regions: dict[str, frozenset[str]] = {}
    for text in sources:
        for found in open_source(text, payer=payer).list(selection):
            if isinstance(found, Unassessed):
                problems.append(found)
                continue
            new = [version for version in found.versions if held.get(version) is not WHOLE]
            done += len(found.versions) - len(new)
            for version in new:
                one, entry = found.log_object(version), held.get(version)
                if is_done(one, entry, selection):
                    done += 1
                    continue
                todo[one.uri] = one
                if selection.regions is not None and one.region is None:
                    before = entry.regions if entry else None
                    regions[one.uri] = selection.regions | (before or frozenset())
    return Listing(list(todo.values()), done, problems, regions)
