"""Whether CloudTrail can show the use of an action at all: when silence is evidence, and when it never is.

- ``management``: an event of its own, logged by every trail with management events;
- ``data``: only as a data event, off by default, be it its own or (s3:GetObjectVersion, by GetObject with a versionId)
  that of its `carriers`; `data_types` says what the trail must select;
- ``carried``: no event of its own, but shown by the parameters of management events (`carriers`): iam:PassRole by the
  operations that pass roles;
- ``never``: silence proves nothing.

Sources: ``data_events.csv``, ``event_rules.csv``, ``operations.csv``, ``pass_role.csv``, ``unlogged_actions.csv`` and
``unobservable_actions.csv``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from trailfit.catalog import actions, rules
from trailfit.catalog.tables import rows

Kind = Literal["management", "data", "carried", "never"]


@dataclass(frozen=True, slots=True)
class Observability:
    """How the use of one action shows in CloudTrail, and why."""

    kind: Kind
    data_types: tuple[str, ...]
    carriers: tuple[tuple[str, str], ...]
    reason: str


@cache
def _unobservable() -> dict[str, str]:
    """Map the actions that no event is named after to whether calls of other names always show them."""
    return {row["action"].lower(): row["shown"] for row in rows("unobservable_actions")}


@cache
def _unlogged() -> dict[str, str]:
    """Map actions of which silence proves nothing (no event, or perhaps none) to the reason; rows may be patterns."""
    return {action: row["reason"] for row in rows("unlogged_actions") for action in actions.expand(row["action"])}


@cache
def _carriers() -> dict[str, tuple[tuple[str, str], ...]]:
    """Map actions to the operations whose events show them under another name."""
    table: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for service, operation in {*rules.event_rules(), *rules.operation_rules()}:
        for rule in rules.rules_of(service, operation):
            if rule.action and rule.action.lower() != f"{rule.service}:{rule.event_name}".lower():
                table[rule.action.lower()].add((rule.service, rule.event_name))
    for row in rules.pass_roles().values():
        table["iam:passrole"].add((row.service, row.event_name))
    return {action: tuple(sorted(found)) for action, found in table.items()}


@cache
def source_of(service: str) -> str:
    """Give the event source under which a prefix's calls are logged."""
    labels = sorted(label for label, found in rules.event_sources().items() if any(s.service == service for s in found))
    label = service if service not in rules.event_sources() and service in _SELF else (labels[0] if labels else service)
    return f"{label}.amazonaws.com"


_SELF = frozenset({"s3", "events", "connect", "tax", "es", "ses", "lex", "cloudformation", "dynamodb", "chime"})


@lru_cache(maxsize=65536)
def observability(action: str) -> Observability:
    """Tell how the use of an action shows in CloudTrail. An action that the catalogue lacks is ``never``."""
    known = actions.canonical(action)
    if known is None:
        return Observability("never", (), (), "the catalogue has no such action")
    service, name = known.split(":", 1)
    if (unlogged := _unlogged().get(known)) is not None:
        return Observability("never", (), (), unlogged)
    shown = _unobservable().get(known.lower())
    others = _carriers().get(known.lower(), ())
    carriers = tuple((source_of(of), event) for of, event in others)
    data_types = rules.data_events()
    if shown is None and not _silent(service, name):
        if mine := data_types.get((service, name.lower()), ()):
            return Observability("data", mine, carriers, f"its own event is a data event ({', '.join(mine)})")
        return Observability("management", (), carriers, "a management event of its own")
    if not others:
        return Observability("never", (), (), "no CloudTrail event shows it: a permission that other calls only check")
    events = ", ".join(sorted({event for _, event in others})[:5])
    if types := _only_data(service, others):
        return Observability("data", types, carriers, f"the data events {events} show it ({', '.join(types)})")
    if shown != "always" and not _silent(service, name):
        return Observability("carried", (), carriers, f"no event of its own; the parameters of {events} show it")
    return Observability("management", (), carriers, f"the management events {events} show it")


def _only_data(service: str, carriers: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Name the data types without which an action may stay unseen; none where management events show it.

    Where the action's own service has carriers, any of them that is a data event counts: silence of the others says
    nothing about it. Those of other services count only when all are data events (iam:PassRole is passed by hundreds
    of management events, and by a workflow's start, which is a data event of Amazon SWF).
    """
    data_types = rules.data_events()
    own = [data_types.get((of, event.lower()), ()) for of, event in carriers if of == service]
    found = own or [data_types.get((of, event.lower()), ()) for of, event in carriers]
    return tuple(sorted({kind for kinds in found for kind in kinds})) if own or all(found) else ()


def _silent(service: str, name: str) -> bool:
    """Tell whether a rule gives the operation of this very name to other actions, or to none."""
    deciding = [rule for rule in rules.rules_of(service, name) if rules.decides(rule)]
    return bool(deciding) and all(rule.action.lower() != f"{service}:{name}".lower() for rule in deciding)
