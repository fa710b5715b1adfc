"""How long-term credentials are kept: rotation, doubles, leftovers, new networks, MFA; and the root user.

Ages are told at the window's end, never by a clock.
https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
"""

from __future__ import annotations

from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING

from trailfit.catalog.risks import threshold
from trailfit.recommend.findings import SHOWN, make

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from trailfit.model import Credential, Evidence, Finding, KeySource, Snapshot
    from trailfit.recommend.case import Case


def findings(case: Case) -> Iterator[Finding]:
    """Give the findings about the credentials of a user."""
    user = case.principal
    keys = [each for each in user.credentials if each.kind == "access_key"]
    active = [each for each in keys if each.active]
    for key in active:
        yield from _rotation(case, key)
        yield from _new_networks(case, key)
    for key in keys:
        if not key.active:
            yield _inactive(case, key)
    if len(active) > 1:
        told = {"access_keys": [_told(each, case.evidence) for each in active]}
        yield make("TwoActiveAccessKeys", case.arn, told, confidence="high", shift=case.power)
    for password in user.credentials:
        if password.kind == "password" and password.active and password.mfa is False:
            since = {"last_used": _day(password.last_used) or "never", "created": _day(password.created)}
            yield make("ConsoleUserWithoutMFA", case.arn, since, confidence="high", shift=case.power)


def _told(key: Credential, evidence: Evidence) -> dict[str, object]:
    use = evidence.key_use.get(key.id or "")
    return {
        "access_key": key.id,
        "created": _day(key.created),
        "age_days": _age(key, evidence.window.last),
        "last_used": _day(key.last_used) or "never",
        "calls": use.calls if use else 0,
    }


def _day(when: datetime | None) -> str | None:
    return when.date().isoformat() if when else None


def _age(key: Credential, end: date) -> int | None:
    return (end - key.created.date()).days if key.created else None


def _rotation(case: Case, key: Credential) -> Iterator[Finding]:
    """Find an active key older than the threshold; one as old as its user was never rotated."""
    age, due = _age(key, case.evidence.window.last), threshold("key_rotation")
    if age is None or age <= due:
        return
    user = case.principal
    never = user.created is not None and key.created is not None and key.created - user.created <= timedelta(days=1)
    told = {**_told(key, case.evidence), "threshold_days": due, "user_created": _day(user.created)}
    commands = [f"aws iam create-access-key --user-name {quote(user.name)}"]
    if key.id:
        commands.append(_switch(user.name, key.id, "Inactive"))
    yield make(
        "AccessKeyNeverRotated" if never else "StaleAccessKey",
        case.arn,
        told,
        confidence="high",
        resource=_name(key),
        shift=case.power,
        commands=commands,
    )


def _name(key: Credential) -> str:
    """Name a key by its ID, or by its day where the snapshot has none."""
    return key.id or f"access key of {_day(key.created)}"


def _switch(user: str, key: str, status: str) -> str:
    return f"aws iam update-access-key --user-name {quote(user)} --access-key-id {quote(key)} --status {status}"


def _inactive(case: Case, key: Credential) -> Finding:
    name = case.principal.name
    delete = f"aws iam delete-access-key --user-name {quote(name)} --access-key-id {quote(key.id or '')}"
    return make(
        "InactiveAccessKey",
        case.arn,
        _told(key, case.evidence),
        confidence="high",
        resource=_name(key),
        commands=[delete] if key.id else (),
    )


def _new_networks(case: Case, key: Credential) -> Iterator[Finding]:
    """Networks first seen after the baseline, of a key that was in use during it.

    A call that a service made with the key's forwarded credentials comes from the service, not from a network.
    """
    window = case.evidence.window
    rows = [row for row in case.evidence.key_sources.get(key.id or "", ()) if "/" in row.network]
    baseline = min(threshold("network_baseline"), window.days // 3)
    until = window.first + timedelta(days=baseline)
    usual = {row.network for row in rows if row.first_used.date() < until}
    new = sorted({row.network for row in rows} - usual)
    if not usual or not new:
        return
    told = {
        "new_networks": [_network(name, rows) for name in new[:SHOWN]],
        "networks_new": len(new),
        "usual_networks": sorted(usual)[:SHOWN],
        "baseline_until": (until - timedelta(days=1)).isoformat(),
    }
    busy = len(usual) > len(new) * 2 and len(usual) > SHOWN
    yield make(
        "AccessKeyFromNewNetwork",
        case.arn,
        told,
        # A key that comes from many networks anyway will come from another one: then it is only a hint.
        confidence="low" if busy else "medium",
        resource=_name(key),
        shift=case.power,
        commands=[_switch(case.principal.name, key.id or "", "Inactive")],
    )


def _network(name: str, rows: Iterable[KeySource]) -> dict[str, object]:
    mine = [row for row in rows if row.network == name]
    return {
        "network": name,
        "first_seen": _day(min(row.first_used for row in mine)),
        "calls": sum(row.calls for row in mine),
        "clients": sorted({row.user_agent or "" for row in mine})[:3],
    }


def root(snapshot: Snapshot, evidence: Evidence) -> Iterator[Finding]:
    """Give the findings about the accounts' root users.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html
    """
    by_user: dict[str, list[Credential]] = {}
    for credential in snapshot.root:
        by_user.setdefault(credential.user, []).append(credential)
    for arn, credentials in sorted(by_user.items()):
        keys = [each for each in credentials if each.kind == "access_key" and each.active]
        if keys:
            told: dict[str, object] = {"access_keys": [_told(each, evidence) for each in keys]}
            yield make("RootAccessKey", arn, told, confidence="high")
        if any(each.kind == "password" and each.mfa is False for each in credentials):
            yield make("RootWithoutMFA", arn, {"mfa_active": False}, confidence="high")
    partitions = {account: arn.split(":")[1] for arn in by_user for account in [arn.split(":")[4]]}
    accounts = {arn.split(":")[4] for arn in by_user} | set(evidence.root_use)
    for account in sorted(accounts):
        arn = f"arn:{partitions.get(account, 'aws')}:iam::{account}:root"
        yield from _root_use(arn, by_user.get(arn, ()), account, evidence)


def _root_use(arn: str, credentials: Sequence[Credential], account: str, evidence: Evidence) -> Iterator[Finding]:
    rows = evidence.root_use.get(account, ())
    start = evidence.window.first
    reported = sorted(
        f"{each.kind} on {_day(each.last_used)}"
        for each in credentials
        if each.last_used and each.last_used.date() >= start
    )
    if not rows and not reported:
        return
    told = {
        "events": {f"{row.event_source}:{row.event_name}": row.calls for row in rows[: 2 * SHOWN]},
        "last": _day(max((row.last for row in rows), default=None)),
        "example_event": next((row.example_event for row in rows if row.example_event), None),
        "credential_report": reported,
    }
    yield make("RootUse", arn, told, confidence="high" if rows else "medium")
