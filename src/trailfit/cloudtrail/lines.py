"""Events as the JSON lines that `trailfit decode` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailfit.cloudtrail.event import Event


def event_object(event: Event) -> dict[str, object]:
    """Make the object that stands for an event: the fields of the contract, in its order."""
    uses = []
    for use in event.uses:
        one: dict[str, object] = {
            "action": use.action,
            "resource": use.resource,
            "role": use.role,
            "basis": use.basis,
        }
        if use.context:
            one["context"] = dict(use.context)
        uses.append(one)
    return {
        "event_id": event.event_id,
        "time": event.time,
        "account": event.account,
        "region": event.region,
        "event_source": event.event_source,
        "event_name": event.event_name,
        "principal": event.principal,
        "principal_kind": event.principal_kind,
        "session": event.session,
        "access_key_id": event.access_key_id,
        "outcome": event.outcome,
        "error_code": event.error_code,
        "counts_as_use": event.counts_as_use,
        "why": event.why,
        "uses": uses,
    }


def event_line(event: Event) -> str:
    """Write an event as one JSON line."""
    return json.dumps(event_object(event), ensure_ascii=False)


def unreadable_line(reason: str, where: str) -> str:
    """Write what could not be read as one JSON line."""
    return json.dumps({"error": reason, "where": where}, ensure_ascii=False)
