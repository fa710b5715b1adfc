"""What the lake holds already: which versions of which log objects, and whether all that is asked of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trailfit.ingest.selection import Selection
    from trailfit.lake import Manifest
    from trailfit.model import LogObject

#: A log object's name, etag and size: which bytes it was.
Version = tuple[str, str, int]


@dataclass(slots=True)
class Known:
    """A version of a log object as manifests know it: the units it has records for, and those that hold them."""

    regions: frozenset[str] | None
    needs: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


#: A version of which one unit holds all that it has: nearly every object of a trail.
WHOLE = Known(None)


def known(manifests: Iterable[Manifest]) -> dict[Version, Known]:
    """Read off the manifests which objects the lake holds, which units each has records for, and which hold them."""
    found: dict[Version, Known] = {}
    for manifest in manifests:
        name = f"{manifest.account}/{manifest.day}"
        for source in manifest.sources:
            version = (source.uri, source.etag, source.size)
            if not source.units and source.regions is None:
                found[version] = WHOLE
                continue
            entry = found.get(version)
            if entry is None:
                entry = found[version] = Known(None if source.regions is None else frozenset(source.regions))
            if entry is WHOLE:
                continue
            if source.records:
                entry.taken.add(name)
                entry.needs.add(name)
            entry.needs.update(source.units)
    return found


def is_done(one: LogObject, entry: Known | None, selection: Selection) -> bool:
    """Tell whether the lake holds all that is asked of an object; `entry` is what it knows of this version of it."""
    if entry is None:
        return False
    if (
        entry.regions is not None
        and one.region is None
        and not (selection.regions and selection.regions <= entry.regions)
    ):
        return False
    return all(name in entry.taken or not _asked(name, selection) for name in entry.needs)


def _asked(name: str, selection: Selection) -> bool:
    account, _, day = name.partition("/")
    return selection.takes_unit(account, date.fromisoformat(day))
