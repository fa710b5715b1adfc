"""How much a set of policies grants of what exists: the measure that a proposal should make smaller.

Surface = sum over actions of weight x share of the resources of the action's type that the policies allow. What
exists is all that anybody touched, and beside each ARN three decoys (siblings of like names), so that a pattern
which is too wide shows even in a small account. Conditions are left out: an Allow counts as if its conditions were met.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import resource_types, templates_of
from trailfit.catalog.weights import weight
from trailfit.policy.pattern import arn, compiled, tokens
from trailfit.recommend.granted import actions_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trailfit.policy.document import Document

_MOST = 400
"""ARNs of one type that stand for all: a sample, taken evenly from the sorted names."""
_HOLE = re.compile(r"\$\{\w+\}")


class Inventory:
    """What exists, by type of resource (``service:type``), with decoys."""

    def __init__(self, resources: Iterable[str]) -> None:
        """Take the ARNs that anybody touched; what is no full ARN tells nothing and is left out."""
        kinds: dict[str, set[str]] = defaultdict(set)
        for resource in set(resources):
            for kind in _kinds(resource):
                kinds[kind].add(resource)
        self._members = {kind: _with_decoys(_sampled(sorted(found))) for kind, found in sorted(kinds.items())}
        self._shares: dict[tuple[str, tuple[str, ...], tuple[str, ...]], float] = {}

    def surface(self, documents: Sequence[Document]) -> float:
        """Measure what the documents' Allow statements grant; Deny statements take nothing off."""
        allowed: dict[str, tuple[set[str], set[str]]] = {}
        for document in documents:
            for statement in listed_statements(document):
                if statement["Effect"] != "Allow":
                    continue
                for action, _ in actions_of(statement):
                    positive, negative = allowed.setdefault(action, (set(), set()))
                    positive.update(listed(statement.get("Resource", "*")))
                    negative.update(listed(statement.get("NotResource", [])))
        return sum(
            weight(action) * self._share(action, tuple(sorted(positive)), tuple(sorted(negative)))
            for action, (positive, negative) in sorted(allowed.items())
        )

    def _share(self, action: str, patterns: tuple[str, ...], excluded: tuple[str, ...]) -> float:
        kinds = _kinds_of(action)
        known = [kind for kind in kinds if kind in self._members]
        if not known:
            return 1.0 if "*" in patterns or not kinds else 0.0
        total = 0.0
        for kind in known:
            key = kind, patterns, excluded
            if key not in self._shares:
                members = self._members[kind]
                count = sum(_matches(patterns, each) and not _matches(excluded, each) for each in members)
                self._shares[key] = count / len(members)
            total += self._shares[key]
        return total / len(known)


def listed_statements(document: Document) -> list[Any]:
    """List a document's statements as they stand in its JSON."""
    found: list[Any] = listed(document.raw["Statement"])
    return found


def _matches(patterns: tuple[str, ...], resource: str) -> bool:
    return any(pattern == "*" or _form(pattern).match(resource) for pattern in patterns)


@cache
def _form(pattern: str) -> re.Pattern[str]:
    read = tokens(_HOLE.sub("*", pattern), variables=False)
    return compiled(arn(read) or read)


@cache
def _kinds_of(action: str) -> tuple[str, ...]:
    service = action.partition(":")[0]
    return tuple(f"{service}:{each.name.lower()}" for each in resource_types(action))


@cache
def _templates(service: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Give a service's resource types with the form of their ARNs; the holes of a path take no slash but the last."""
    found = []
    for name, template in templates_of(service).items():
        pieces = _HOLE.split(template)
        text = "[^:/]*".join(re.escape(piece) for piece in pieces[:-1]) + ("[^:]*" if len(pieces) > 1 else "")
        found.append((name, re.compile(text + re.escape(pieces[-1]) + r"\Z")))
    return tuple(found)


def _kinds(resource: str) -> list[str]:
    parts = resource.split(":", 5)
    if len(parts) != 6 or "*" in resource:
        return []
    service = parts[2]
    if service == "s3" and not parts[3]:
        return ["s3:object" if "/" in parts[5] else "s3:bucket"]
    return [f"{service}:{name}" for name, form in _templates(service) if form.match(resource)]


def _sampled(members: list[str]) -> list[str]:
    return members if len(members) <= _MOST else [members[at * len(members) // _MOST] for at in range(_MOST)]


def _with_decoys(members: list[str]) -> tuple[str, ...]:
    """Set three siblings beside each ARN: a longer name, another parent, a name that begins otherwise."""
    found = set(members)
    for member in members:
        head, name = ":".join(member.split(":", 5)[:5]), member.split(":", 5)[5]
        stem, mark, last = name.rpartition("/") if "/" in name else name.rpartition(":")
        found.add(f"{member}-other")
        found.add(f"{head}:{stem}-other{mark}{last}" if mark else f"{head}:other-{name}")
        found.add(f"{head}:{stem}{mark}other-{last}")
    return tuple(sorted(found))
