"""From grants to the text of policies: few statements, few characters, within IAM's quotas, stable.

Nothing here grants more than it was given: a wildcard is written only where every action of `universe` that it
matches was asked for, or may come along by `permitted`. What AWS adds later it cannot know; so whoever shortens a
policy proves the result again (`containment`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trailfit.catalog import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

RawStatement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quota:
    """How many characters a document may have, white space not counted, and how many such documents there may be.

    `together`: the characters are those of all inline policies of the principal together.
    """

    characters: int
    documents: int | None = None
    together: bool = False


@cache
def quotas() -> dict[str, Quota]:
    """Read the quotas by kind: `managed`, `trust`, and the inline policies of a `role`, `user` or `group`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length;
    the number of managed policies attached to a role or user is its default, and can be raised on request.
    """
    return {
        row["kind"]: Quota(
            int(row["characters"]), int(row["documents"]) if row["documents"] else None, row["together"] == "true"
        )
        for row in tables.rows("policy_quotas")
    }


def size(document: Mapping[str, Any]) -> int:
    """Count characters as IAM does: "IAM does not count white space when calculating the size of a policy".

    White space within strings is counted here, to be on the safe side.

    >>> size({"Version": "2012-10-17"})
    24
    """
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def statements(grants: Iterable[tuple[str, str]], condition: Mapping[str, Any] | None = None) -> list[RawStatement]:
    """Write (action, resource) grants as Allow statements: actions with equal resources together, all sorted.

    >>> statements([("s3:PutObject", "b"), ("s3:GetObject", "b")])
    [{'Effect': 'Allow', 'Action': ['s3:GetObject', 's3:PutObject'], 'Resource': 'b'}]
    """
    resources: dict[str, set[str]] = {}
    for action, resource in grants:
        resources.setdefault(action, set()).add(resource)
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, found in resources.items():
        actions.setdefault(("*",) if "*" in found else tuple(sorted(found)), []).append(action)
    written = []
    for where, together in sorted((tuple(sorted(each)), where) for where, each in actions.items()):
        statement: RawStatement = {"Effect": "Allow", "Action": _short(where), "Resource": _short(together)}
        if condition:
            statement["Condition"] = condition
        written.append(statement)
    return written


def _short(values: Sequence[str]) -> str | list[str]:
    """Write one value alone and several as a list."""
    return values[0] if len(values) == 1 else list(values)


# --- fewer characters -------------------------------------------------------------------------------------

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[^A-Z]+")


def minimise(
    actions: Iterable[str],
    universe: Iterable[str],
    permitted: Callable[[str], bool] = lambda _: False,
) -> list[str]:
    """Write the actions in the fewest characters that whole words and a final `*` allow.

    `universe` are all actions there are (a catalogue's); `permitted` says of an action not asked for whether it may
    come along. Case of actions is kept; the list is sorted.

    >>> minimise(["s3:GetA", "s3:GetB"], ["s3:GetA", "s3:GetB", "s3:PutA"])
    ['s3:Get*']
    """
    wanted = set(actions)
    chosen: list[str] = []
    every: dict[str, dict[str, bool]] = {}
    for action in sorted({*universe, *wanted}):
        service, _, name = action.partition(":")
        every.setdefault(service, {})[name] = action in wanted
    for service, names in every.items():
        if any(names.values()):
            words = {name: tuple(_WORD.findall(name)) for name in names}
            free = {name: asked or permitted(f"{service}:{name}") for name, asked in names.items()}
            chosen += [f"{service}:{name}" for name in _cover("", 0, names, words, free)]
    return sorted(chosen)


def _cover(
    prefix: str, depth: int, names: Mapping[str, bool], words: Mapping[str, tuple[str, ...]], free: Mapping[str, bool]
) -> list[str]:
    """Cover the wanted ones of `names`, which all begin with `prefix` (their first `depth` words), most cheaply."""
    wanted = [name for name, asked in names.items() if asked]
    if len(wanted) <= 1:
        return wanted
    branches: dict[str, dict[str, bool]] = {}
    ends: list[str] = []
    for name, asked in names.items():
        if len(words[name]) == depth:
            ends += [name] if asked else []
        else:
            branches.setdefault(words[name][depth], {})[name] = asked
    apart = ends + [
        each for word, branch in branches.items() for each in _cover(prefix + word, depth + 1, branch, words, free)
    ]
    # All that stands apart begins with the prefix, and there are two names or a longer one: the wildcard is shorter.
    return [f"{prefix}*"] if all(free[name] for name in names) else apart


# --- several documents ------------------------------------------------------------------------------------


def split(written: Sequence[RawStatement], limit: int, version: str = "2012-10-17") -> list[dict[str, Any]]:
    """Put statements into as many documents as it takes for each to have at most `limit` characters.

    Statements are kept in order of their first action; where one document is too small they part by the alphabet,
    not by size, so that a statement more or less moves few others. A statement too large alone is parted by its
    longer list. Raises `ValueError` where a single action on a single resource does not fit.
    """
    ordered = sorted(
        (part for each in written for part in _parts(each, limit, version)),
        key=lambda each: (_first(each), json.dumps(each, sort_keys=True)),
    )
    return _merged(_parted(ordered, limit, version, 0), limit, version) if ordered else []


def document(written: Sequence[RawStatement], version: str = "2012-10-17") -> dict[str, Any]:
    """Make a document of statements."""
    return {"Version": version, "Statement": list(written)}


def _first(statement: RawStatement) -> str:
    """Give the first of the statement's actions, for its place in the order."""
    actions: str | list[str] = statement["Action"] if "Action" in statement else statement["NotAction"]
    return (actions if isinstance(actions, str) else actions[0]).lower()


def _fits(written: Sequence[RawStatement], limit: int, version: str) -> bool:
    return size(document(written, version)) <= limit


def _parts(statement: RawStatement, limit: int, version: str) -> list[RawStatement]:
    """Halve the longer of a statement's lists until each part fits; only an Allow of listed things may be parted."""
    if _fits([statement], limit, version):
        return [statement]
    lists: list[tuple[int, str]] = []
    for key in ("Action", "Resource"):
        listed = statement.get(key)
        if isinstance(listed, list) and len(listed) > 1:
            lists.append((len(json.dumps(listed)), key))
    if not lists:
        message = f"a statement has {size(document([statement], version))} characters; the limit is {limit}"
        raise ValueError(message)
    _, key = max(lists)
    longer: list[str] = statement[key]
    middle = len(longer) // 2
    halves: list[RawStatement] = [{**statement, key: _short(half)} for half in (longer[:middle], longer[middle:])]
    for number, half in enumerate(halves):
        if "Sid" in half:
            half["Sid"] = f"{half['Sid']}{number + 1}"
    return [part for half in halves for part in _parts(half, limit, version)]


def _parted(ordered: Sequence[RawStatement], limit: int, version: str, depth: int) -> list[list[RawStatement]]:
    """Part statements by the letter at `depth` of their first action until each group fits."""
    if _fits(ordered, limit, version):
        return [list(ordered)]
    groups: dict[str, list[RawStatement]] = {}
    for statement in ordered:
        groups.setdefault(_first(statement)[depth : depth + 1], []).append(statement)
    if len(groups) == 1 and "" in groups:
        return [[statement] for statement in ordered]
    return [part for group in groups.values() for part in _parted(group, limit, version, depth + 1)]


def _merged(groups: Iterable[list[RawStatement]], limit: int, version: str) -> list[dict[str, Any]]:
    """Join neighbours as long as they fit, so that there are no more documents than need be."""
    joined: list[list[RawStatement]] = []
    for group in groups:
        if joined and _fits([*joined[-1], *group], limit, version):
            joined[-1] = [*joined[-1], *group]
        else:
            joined.append(list(group))
    return [document(each, version) for each in joined]
