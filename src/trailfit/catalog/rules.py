"""The rules by which events need actions, typed: what `cloudtrail` compiles and `observability` turns round.

Tables: ``event_sources.csv`` (event source → IAM prefix), ``event_aliases.csv`` (event name → operation),
``event_rules.csv`` (operation → actions), ``pass_role.csv``, ``resource_parameters.csv``, ``data_events.csv``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from trailfit.catalog.tables import rows


@dataclass(frozen=True, slots=True)
class EventRule:
    """One action that one event needs, when its condition on the request holds.

    `action` is empty in a row that says the event needs no permission. `when`, `resource` and `context` are texts in
    the small languages that ``cloudtrail.conditions`` and ``cloudtrail.arns`` compile.
    """

    service: str
    event_name: str
    action: str
    role: str
    when: str
    resource: str
    context: str
    source: str


@dataclass(frozen=True, slots=True)
class EventAlias:
    """An event name (a regular expression, matched whole) and the operation it stands for."""

    service: str
    event_name: re.Pattern[str]
    operation: str
    source: str


@dataclass(frozen=True, slots=True)
class EventSource:
    """An event source's first label and the IAM prefix of its calls, when its condition holds."""

    label: str
    service: str
    when: str
    source: str


@dataclass(frozen=True, slots=True)
class PassRole:
    """Where an operation's request names the roles (or the instance profiles) it passes, and to which service."""

    service: str
    event_name: str
    paths: tuple[str, ...]
    profile_paths: tuple[str, ...]
    passed_to: tuple[str, ...]
    source: str


@cache
def event_rules() -> dict[tuple[str, str], tuple[EventRule, ...]]:
    """Map (IAM prefix, operation in lower case) to its rules, in the table's order."""
    table: dict[tuple[str, str], list[EventRule]] = defaultdict(list)
    for row in rows("event_rules"):
        table[row["service"], row["event_name"].lower()].append(EventRule(**row))
    return {key: tuple(found) for key, found in table.items()}


@cache
def operation_rules() -> dict[tuple[str, str], tuple[EventRule, ...]]:
    """Map (IAM prefix, operation in lower case) to the rules that `refresh` made from what AWS publishes."""
    table: dict[tuple[str, str], list[EventRule]] = defaultdict(list)
    for row in rows("operations"):
        table[row["service"], row["event_name"].lower()].append(EventRule(**row))
    return {key: tuple(found) for key, found in table.items()}


@cache
def rules_of(service: str, operation: str) -> tuple[EventRule, ...]:
    """List the rules of an operation: those kept by hand, then what the made ones add.

    Where a hand-kept rule decides (it requires an action, one of several, or none), no made one does; conditional and
    dependent actions are added where no hand-kept rule speaks of them.
    """
    key = (service, operation.lower())
    kept, made = event_rules().get(key, ()), operation_rules().get(key, ())
    said = {rule.action for rule in kept}
    decided = any(decides(rule) for rule in kept)
    return kept + tuple(rule for rule in made if not (decided if decides(rule) else rule.action in said))


@cache
def response_readers() -> frozenset[str]:
    """Name the events of which a rule reads the response, as they are written."""
    return frozenset(row["event_name"] for row in rows("event_rules") if "$response." in row["resource"])


def decides(rule: EventRule) -> bool:
    """Tell whether a rule says what the operation itself needs (and not what it needs besides)."""
    return not rule.action or rule.role == "required" or rule.role.startswith("one_of")


@cache
def event_aliases() -> dict[str, tuple[EventAlias, ...]]:
    """Map an IAM prefix to its aliases, in the table's order."""
    table: dict[str, list[EventAlias]] = defaultdict(list)
    for row in rows("event_aliases"):
        alias = EventAlias(row["service"], re.compile(row["event_name"]), row["operation"], row["source"])
        table[row["service"]].append(alias)
    return {key: tuple(found) for key, found in table.items()}


@cache
def event_sources() -> dict[str, tuple[EventSource, ...]]:
    """Map an event source's label to its prefixes; those with a condition come first."""
    table: dict[str, list[EventSource]] = defaultdict(list)
    for row in rows("event_sources"):
        table[row["label"]].append(EventSource(**row))
    return {key: tuple(sorted(found, key=lambda s: not s.when)) for key, found in table.items()}


@cache
def pass_roles() -> dict[tuple[str, str], PassRole]:
    """Map (IAM prefix, operation in lower case) to where its request names roles."""
    return {
        (row["service"], row["event_name"].lower()): PassRole(
            row["service"],
            row["event_name"],
            tuple(row["paths"].split()),
            tuple(row["profile_paths"].split()),
            tuple(row["passed_to"].split()),
            row["source"],
        )
        for row in rows("pass_role")
    }


@cache
def resource_parameters() -> dict[tuple[str, str, str], tuple[tuple[str, str], ...]]:
    """Map (prefix, resource type in lower case, variable) to (path, transform) pairs, best first."""
    table: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in rows("resource_parameters"):
        table[row["service"], row["resource_type"].lower(), row["variable"]].append((row["path"], row["transform"]))
    return {key: tuple(found) for key, found in table.items()}


@cache
def data_events() -> dict[tuple[str, str], tuple[str, ...]]:
    """Map (IAM prefix, operation in lower case) to the types under which CloudTrail logs it as a data event."""
    table: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows("data_events"):
        table[row["service"], row["event_name"].lower()].append(row["data_type"])
    return {key: tuple(found) for key, found in table.items()}
