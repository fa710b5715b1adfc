"""Hold names as a tree of segments, and ask of each branch whether it is closed or keeps growing.

The children of a node are put together by shape, so that a stack for every pull request never widens the app's own;
each such family is judged by when its members were first seen. A family that is open becomes one pattern, and what
lies below its members is judged as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailfit.policy.generalise_dates import DATE
from trailfit.policy.generalise_shapes import MACHINE, WORDS, as_pattern, common, is_machine, shape
from trailfit.policy.generalise_shards import unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Marks that the caller puts into a name: a part that is open by its type, one that comes and goes, one never widened,
#: and the six characters that Secrets Manager appends. Characters of Unicode's private use.
OPEN, CHURN, CLOSED, SUFFIX = "\ue002", "\ue003", "\ue004", "\ue005"
MARKS = frozenset((DATE, OPEN, CHURN, CLOSED, SUFFIX))
#: The shape of names judged together though their shapes differ; and how small a family may be to be put in.
_POOLED = "\ue012"
_SMALL = 3
_ONE_OFF = "its name was drawn by a machine and used on one day only: the next has another"
_SPLIT = re.compile(r"(?=[/:])")
_WRITTEN = {DATE: "*", OPEN: "*", SUFFIX: "??????", CHURN: "", CLOSED: ""}
_ANY_MARK = re.compile(f"[{''.join(MARKS)}]")
_STARS = re.compile(r"\*(?:[-_./:]?\*)+")


@dataclass(frozen=True, slots=True)
class Level:
    """How readily names are generalised.

    `dates`: names that carry the day stand for those of other days. `novelty` is the least probability of a new
    name within `horizon` days that opens a family of drawn names (above 1: none); `words` the same for names made
    of words, of which at least `least_words` must be known and `born` must have come since the burn-in. `singles`:
    a drawn name seen on one day only stands for more to come. `most`: more members than that are not listed.
    `share`: an action seen on fewer days has what its role's other actions use of the same type; `share_listed`: on
    fewer days, those that stand for one resource.
    """

    dates: bool
    novelty: float
    words: float
    least_words: int
    born: int
    singles: bool
    most: int
    share: int
    share_listed: int
    horizon: int = 90


LEVELS = {
    "exact": Level(
        dates=False, novelty=2, words=2, least_words=1, born=0, singles=False, most=100, share=0, share_listed=0
    ),
    "balanced": Level(
        dates=True, novelty=0.1, words=0.6, least_words=4, born=2, singles=True, most=25, share=8, share_listed=20
    ),
    "relaxed": Level(
        dates=True, novelty=0.04, words=0.3, least_words=3, born=1, singles=True, most=12, share=30, share_listed=60
    ),
}


@dataclass(slots=True)
class Node:
    """A place in the tree: what follows, the names that end here, and when it was first and last seen (ordinals)."""

    children: dict[str, Node] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    first: int = 10**9
    last: int = 0

    def add(self, name: str, arn: str, first: int, last: int) -> None:
        """Put one masked name of `arn` into the tree."""
        node = self
        node._see(first, last)
        for segment in _SPLIT.split(name):
            node = node.children.setdefault(segment, Node())
            node._see(first, last)
        node.ends.append(arn)

    def _see(self, first: int, last: int) -> None:
        self.first, self.last = min(self.first, first), max(self.last, last)

    def names(self) -> Iterator[str]:
        """Give the ARNs at and below this node."""
        yield from self.ends
        for child in self.children.values():
            yield from child.names()


def merge(nodes: list[Node]) -> Node:
    """Make one node of several: their children by name, and all that ends there."""
    if len(nodes) == 1:
        return nodes[0]
    children: dict[str, list[Node]] = {}
    for node in nodes:
        for segment, child in node.children.items():
            children.setdefault(segment, []).append(child)
    return Node(
        {segment: merge(found) for segment, found in children.items()},
        [arn for node in nodes for arn in node.ends],
        min(node.first for node in nodes),
        max(node.last for node in nodes),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern of names, what made it wider than what was seen (empty: nothing did), and the ARNs it stands for."""

    pattern: str
    kind: str
    reason: str
    arns: tuple[str, ...]


class Tree:
    """Walks the tree of one type of resource in one account and region."""

    def __init__(self, level: Level, last_day: int, named: bool) -> None:
        """`last_day` ends the window; `named`: the first segment is a whole name (a bucket), never opened to ``*``."""
        self._level = level
        self._last_day = last_day
        self._named = named
        self._root = Node()

    def add(self, name: str, arn: str, first: int, last: int) -> None:
        """Add one masked name with the first and last day on which `arn` was used."""
        self._root.add(name, arn, first, last)

    def patterns(self) -> list[Found]:
        """Judge the whole tree; sorted, so the same whatever the order of what was added."""
        return sorted(self._below(self._root, "", (), 0), key=lambda each: each.pattern)

    def _below(self, node: Node, path: str, why: tuple[tuple[str, str], ...], depth: int) -> Iterator[Found]:
        if node.ends:
            kind, reason = why[-1] if why else ("exact", "")
            yield Found(_STARS.sub("*", path), kind, reason, tuple(sorted(node.ends)))
        families: dict[str, list[str]] = {}
        for segment in sorted(node.children):
            families.setdefault(self._family(segment), []).append(segment)
        self._pool(families)
        for family in sorted(families):
            members = sorted(families[family])
            opened = self._judge(node, family, members, depth, bool(why))
            if opened is None:
                for segment in members:
                    kinds = why + _marked(segment)
                    yield from self._below(node.children[segment], path + _written(segment), kinds, depth + 1)
            else:
                pattern, kind, reason = opened
                merged = merge([node.children[segment] for segment in members])
                yield from self._below(merged, path + pattern, (*why, (kind, reason)), depth + 1)

    def _pool(self, families: dict[str, list[str]]) -> None:
        """Judge names that are words, some with a number (``acme``, ``acme2``), together: not each shape by itself."""
        small = sorted(f for f, found in families.items() if MACHINE in f and _letters(f) and len(found) <= _SMALL)
        words = sorted(f for f in families if WORDS in f)
        if len(small) < _SMALL and not (small and sum(len(families[f]) for f in words) >= _SMALL):
            return
        separator = small[0][0] if small[0][0] in "/:" else ""
        families[f"{separator}{_POOLED}"] = [segment for family in (*small, *words) for segment in families.pop(family)]

    def _family(self, segment: str) -> str:
        if any(mark in segment for mark in (OPEN, CLOSED, SUFFIX)):
            return f"={segment}"
        separator = segment[0] if segment[:1] in ("/", ":") else ""
        return separator + shape(segment[len(separator) :].replace(DATE, MACHINE))

    def _judge(
        self, node: Node, family: str, members: list[str], depth: int, below_open: bool
    ) -> tuple[str, str, str] | None:
        """Decide whether a family is open: its pattern, its kind and the reason; None when it is closed.

        `below_open`: the folder above has a new name each time, so what lies in it is new each time as well.
        """
        if family.startswith("="):
            return None
        nodes = [node.children[member] for member in members]
        top = self._named and depth == 0
        churns = CHURN in family
        machine = is_machine(family) or churns
        level = self._level
        firsts = sorted(each.first for each in nodes)
        span = self._last_day - node.first + 1
        burn = node.first + span // 3
        rest = max(1, self._last_day - burn)
        born = sum(first > burn for first in firsts)
        new = 1 - (rest / (rest + level.horizon)) ** (born + 0.05)
        days = len({first for first in firsts if first > burn})
        known = f"{len(members)} names"
        if machine:
            pattern = _pattern(family, top)
            if pattern is None:
                return None
            if len(members) == 1:
                one_off = level.singles and not top and (below_open or _is_drawn(family)) and _is_one_day_leaf(nodes[0])
                return (pattern, "one-off", _ONE_OFF) if one_off else None
            if new >= level.novelty:
                return pattern, "growing", f"{known} like this, new ones on {days} of the last {rest} days"
            return (pattern, "many", f"{known} like this: too many to list") if len(members) > level.most else None
        if len(members) < level.least_words and len(members) <= level.most:
            return None
        pattern = _words(members, top)
        if pattern is None:
            return None
        if len(members) >= level.least_words and born >= level.born and new >= level.words:
            return pattern, "growing", f"{known} here, new ones on {days} of the last {rest} days"
        return (pattern, "many", f"{known} here: too many to list") if len(members) > level.most else None


def _is_one_day_leaf(node: Node) -> bool:
    return node.first == node.last and not node.children


def _letters(family: str) -> bool:
    return any(character.isalpha() and character != MACHINE for character in family.rpartition(".")[0] or family)


def _is_drawn(family: str) -> bool:
    """Tell whether nearly all of a name is drawn: no word of it was chosen."""
    words = family.replace(MACHINE, "")
    return sum(character.isalpha() for character in words.rpartition(".")[0] or words) <= 1


def _pattern(family: str, top: bool) -> str | None:
    """Write the pattern of a family of drawn names; None where a whole name would be left open."""
    pattern = unfold(as_pattern(_ANY_MARK.sub("", family)))
    return None if top and not any(character.isalnum() for character in pattern) and CHURN not in family else pattern


def _words(members: list[str], top: bool) -> str | None:
    separator = members[0][0] if members[0][:1] in ("/", ":") else ""
    head, tail = common([member[len(separator) :] for member in members])
    if top and not head:
        return None
    return _written(f"{separator}{head}*{tail}")  # a mark that all names begin with is no character of theirs


def _written(segment: str) -> str:
    return unfold(_ANY_MARK.sub(lambda match: _WRITTEN[match[0]], segment))


def _marked(segment: str) -> tuple[tuple[str, str], ...]:
    """Give the kinds that a mark in a segment stands for; the reasons are the caller's."""
    return tuple((kind, "") for mark, kind in ((DATE, "dated"), (OPEN, "type"), (SUFFIX, "suffix")) if mark in segment)
