"""What is new: the sources' listing, less what the lake's manifests name."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.ingest.held import WHOLE, is_done, known
from trailfit.ingest.source import Found, open_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from trailfit.ingest.held import Known, Version
    from trailfit.ingest.selection import Selection
    from trailfit.lake import Manifest
    from trailfit.model import LogObject, Unassessed, Unit


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to read, and how much of what there is the lake holds already.

    `regions` are, by object, the only regions to take from it: of objects whose key names none. `rebuild` are the
    units to make from the beginning, each with the names of all objects that it has records of.
    """

    todo: list[LogObject]
    done: int
    problems: list[Unassessed]
    regions: dict[str, frozenset[str]]
    rebuild: dict[Unit, frozenset[str]]


def stale_units(manifests: Sequence[Manifest], selection: Selection) -> dict[Unit, str]:
    """Give the units asked for that were made with another catalogue than this one, with that one's name."""
    from trailfit.catalog.edition import edition

    now = edition()
    old = [manifest for manifest in manifests if manifest.rows and manifest.catalog != now]
    return {one.unit: one.catalog for one in old if selection.takes_unit(one.account, one.unit.day)}


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from going again and again through names by the ten thousand, none of them garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def list_new(
    sources: Sequence[str],
    selection: Selection,
    manifests: Sequence[Manifest],
    *,
    payer: bool = False,
    stale: Collection[Unit] = (),
) -> Listing:
    """List the sources and leave out what the lake holds, but for what the units in `stale` are made of.

    Raises SourceError for a source that does not exist.
    """
    needed = {
        manifest.unit: [(one.uri, one.etag, one.size) for one in manifest.sources if one.records]
        for manifest in manifests
        if stale and manifest.unit in stale
    }
    return _list_new(sources, selection, known(manifests), payer, needed)


def _list_new(
    sources: Sequence[str],
    selection: Selection,
    held: dict[Version, Known],
    payer: bool,
    needed: dict[Unit, list[Version]],
) -> Listing:
    todo: dict[str, LogObject] = {}
    done = 0
    problems: list[Unassessed] = []
    regions: dict[str, frozenset[str]] = {}
    wanted = {version for versions in needed.values() for version in versions}
    there: dict[Version, LogObject] = {}
    for text in sources:
        for found in open_source(text, payer=payer).list(selection):
            if not isinstance(found, Found):
                problems.append(found)
                continue
            new = [version for version in found.versions if held.get(version) is not WHOLE]
            done += len(found.versions) - len(new)
            for version in new:
                one = found.log_object(version)
                if is_done(one, held.get(version), selection):
                    done += 1
                else:
                    todo[one.uri] = one
            if wanted:
                there |= {version: found.log_object(version) for version in found.versions if version in wanted}
    rebuild = {unit: versions for unit, versions in needed.items() if all(one in there for one in versions)}
    again = {there[version].uri: there[version] for versions in rebuild.values() for version in versions}
    done -= len(again.keys() - todo.keys())
    todo |= again
    for one in todo.values():
        if selection.regions is not None and one.region is None:
            entry = held.get((one.uri, one.etag, one.size))
            regions[one.uri] = selection.regions | (entry.regions if entry and entry.regions else frozenset())
    made_of = {unit: frozenset(uri for uri, _, _ in versions) for unit, versions in rebuild.items()}
    return Listing(list(todo.values()), done, problems, regions, made_of)
