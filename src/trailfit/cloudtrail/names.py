"""From an event's source and name to an IAM prefix and an operation.

Event sources are mostly the IAM prefix (``s3.amazonaws.com``); the others, and those shared by two services, stand
in ``catalog/event_sources.csv``. Event names are mostly the operation;
``catalog/event_aliases.csv`` has the others, such as the API versions that Lambda and CloudFront put behind them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from trailfit.catalog import actions, rules
from trailfit.cloudtrail.conditions import condition

if TYPE_CHECKING:
    from trailfit.cloudtrail.conditions import Condition


@lru_cache(maxsize=4096)
def prefixes(event_source: str) -> tuple[tuple[Condition | None, str], ...]:
    """List the IAM prefixes of an event source, each with its condition on the request; the last has none."""
    label = event_source.lower().partition(".amazonaws")[0]
    table = rules.event_sources()
    found = table.get(label) or table.get(label.partition(".")[0])
    if not found:
        return ((None, label if label in actions.services() else label.rpartition(".")[2]),)
    return tuple((condition(row.when), row.service) for row in found)


@lru_cache(maxsize=16384)
def operation(service: str, event_name: str) -> str:
    """Give the operation that an event name stands for, itself unless an alias says otherwise.

    A name that a rule or the catalogue knows as it is stays whole: ``GetFindingV2`` is no ``GetFinding`` of version 2.
    """
    if rules.rules_of(service, event_name) or actions.is_action(f"{service}:{event_name}"):
        return event_name
    for alias in rules.event_aliases().get(service, ()):
        if found := alias.event_name.fullmatch(event_name):
            return found.expand(alias.operation)
    return event_name
