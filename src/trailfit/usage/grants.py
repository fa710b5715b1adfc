"""What the log tells of grants themselves: when they changed, and who took on which role with what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trailfit import sql
from trailfit.catalog.grant_changes import changing
from trailfit.model import Assumption, GrantChange, SessionUse, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from duckdb import DuckDBPyConnection

    from trailfit.model import Window


def changes(con: DuckDBPyConnection, window: Window) -> tuple[GrantChange, ...]:
    """Read the calls of `window` that changed what somebody is granted, the last of each kind, sorted."""
    known = changing()
    found: dict[tuple[str, str, str, str | None], GrantChange] = {}
    rows = sql.run(con, "grant_changes", events=",".join(sorted(known)), **window.parameters()).fetchall()
    for account, event, parameters, last, example in rows:
        what = known[event]
        asked = _object(parameters)
        name = asked.get(what.name)
        if not isinstance(name, str):
            continue
        policy = asked.get(what.policy) if what.policy else None
        key = (account, event, name, policy if isinstance(policy, str) else None)
        if key not in found or found[key].last < last:
            found[key] = GrantChange(account, event, what.kind, name, key[3], what.changes, last, example)
    return tuple(sorted(found.values(), key=lambda one: (one.account, one.kind, one.name, one.policy or "", one.event)))


def assumptions(con: DuckDBPyConnection, window: Window) -> dict[str, tuple[Assumption, ...]]:
    """Read who took on which role in `window`, by the role's ARN."""
    found: dict[str, list[Assumption]] = {}
    for role, caller, kind, subject, event, calls, restricted, policies, arns, first, last, example in sql.run(
        con, "assumptions", **window.parameters()
    ).fetchall():
        found.setdefault(role, []).append(
            Assumption(
                role=role, caller=caller, kind=kind, subject=subject, event=event, calls=calls, restricted=restricted,
                session_policies=tuple(sorted(policies or ())), policy_arns=tuple(sorted(_arns(arns or ()))),
                first=first, last=last, example_event=example,
            )
        )  # fmt: skip
    return {role: tuple(rows) for role, rows in sorted(found.items())}


def by_session(con: DuckDBPyConnection, window: Window, roles: Iterable[str]) -> dict[str, dict[str, SessionUse]]:
    """Read what each session of `roles` used in `window`, by role and session name."""
    asked = sorted(roles)
    if not asked:
        return {}
    usage: dict[tuple[str, str], list[Usage]] = {}
    days: dict[tuple[str, str], dict[tuple[str, str], set[date]]] = {}
    for who, session, action, resource, role, basis, calls, first, last, dates, example in sql.run(
        con, "session_usage", principals="\n".join(asked), **window.parameters()
    ).fetchall():
        key = (who, session)
        usage.setdefault(key, []).append(
            Usage(who, "role", action, resource, role, basis, calls, 0, first, last, len(dates), example)
        )
        days.setdefault(key, {}).setdefault((action, resource), set()).update(dates)
    found: dict[str, dict[str, SessionUse]] = {}
    for (who, session), rows in sorted(usage.items()):
        seen = {pair: tuple(sorted(dates)) for pair, dates in days[who, session].items()}
        found.setdefault(who, {})[session] = SessionUse(tuple(rows), seen)
    return found


def unread(con: DuckDBPyConnection, window: Window) -> dict[str, int]:
    """Count, by account, what of the log of `window` could not be read."""
    return {account: pieces for account, pieces, *_ in sql.run(con, "unread", **window.parameters()).fetchall()}


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _arns(texts: Iterable[str]) -> set[str]:
    """Take the ARNs out of ``policyArns``: ``[{"arn": …}]``, as AssumeRole logs them."""
    found = set()
    for text in texts:
        try:
            value = json.loads(text)
        except ValueError:
            continue
        for one in value if isinstance(value, list) else ():
            arn = one.get("arn") if isinstance(one, dict) else one
            if isinstance(arn, str):
                found.add(arn)
    return found
