"""The ground truth of the demo organisation: what each principal needs, and what a right answer says of it.

`truth.json` names every need (action and resource pattern) of every principal with its cadences, whether the log
shows it and whether it could; the findings that must be made; and what must not be called unused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trailfit.demo.apis import APIS, Api
from trailfit.demo.behaviour import pattern
from trailfit.demo.cast import HOME, PROD, STAGING, Account, Json, Role, Trail, User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trailfit.demo.behaviour import Call, Habit
    from trailfit.demo.history import Calendar
    from trailfit.demo.tally import Tally

NEW = 30
"""Roles and users younger than this, in days, are too new to judge."""


def write(
    path: Path, accounts: Sequence[Account], trails: Sequence[Trail], tally: Tally, calendar: Calendar, seed: int
) -> None:
    """Write the ground truth beside the log."""
    principals = [_principal(who, trails, tally) for account in accounts for who in account.principals]
    truth = {
        "seed": seed,
        "from": str(calendar.start),
        "to": str(calendar.end),
        "accounts": {account.id: account.name for account in accounts},
        "events": tally.events,
        "records": tally.records,
        "worked_example": _worked_example(),
        "principals": principals,
        "findings": [item for account in accounts for item in _findings(account, tally)],
        "not_unused": [item for account in accounts for item in _not_unused(account, tally)],
    }
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def _worked_example() -> Json:
    """Say what the example that the project stands for must come to, and its sibling that logs."""
    table = f"arn:aws:dynamodb:{HOME}:{PROD}:table/"
    group = f"arn:aws:logs:{HOME}:{PROD}:log-group:/aws/lambda/invoices-writer"
    return {
        "role": f"arn:aws:iam::{PROD}:role/orders-writer-role",
        "detach": ["arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"],
        "allow": {"dynamodb:PutItem": [f"{table}orders"]},
        "sibling": {
            "role": f"arn:aws:iam::{PROD}:role/invoices-writer-role",
            "allow": {
                "dynamodb:PutItem": [f"{table}invoices"],
                "logs:CreateLogGroup": [group],
                "logs:CreateLogStream": [f"{group}:*"],
                "logs:PutLogEvents": [f"{group}:*"],
            },
        },
    }


def _principal(who: Role | User, trails: Sequence[Trail], tally: Tally) -> Json:
    needs: dict[tuple[str, str], Json] = {}
    for habit in who.habits:
        for item in habit.calls:
            api = APIS[item.api]
            if item.fault not in {"", "missing"} or not api.resource:
                continue
            logged = _logs(trails, who.account, api)
            resource = resource_of(who, habit, item)
            entry = {"cadences": [], "observable": logged, "calls_of_action": tally.calls[who.arn, api.action]}
            need = needs.setdefault((api.action, resource), entry)
            if habit.cadence.kind not in need["cadences"]:
                need["cadences"].append(habit.cadence.kind)
    for unseen in who.unseen:
        entry = {"cadences": [unseen.cadence], "observable": unseen.observable, "calls_of_action": 0}
        needs.setdefault((unseen.action, unseen.resource), entry)
    return {
        "arn": who.arn,
        "kind": "role" if isinstance(who, Role) else "user",
        "defined_in": who.defined_in if isinstance(who, Role) else "console",
        "created_days_ago": who.created_days_ago,
        "events": tally.logged[who.arn],
        "denied": {action: count for (arn, action), count in sorted(tally.denied.items()) if arn == who.arn and count},
        "needs": [
            {"action": action, "resource": resource, **need} for (action, resource), need in sorted(needs.items())
        ],
    }


def resource_of(who: Role | User, habit: Habit, item: Call) -> str:
    """Give the pattern of all resources that a habit's call may name."""
    region = item.region or habit.region or HOME
    variables = {name: pattern(text) for name, text in item.variables.items()}
    return APIS[item.api].resource.format_map({"account": who.account, "region": region, **variables})


def _logs(trails: Sequence[Trail], account: str, api: Api) -> bool:
    reaching = [trail for trail in trails if trail.organisation or trail.account == account]
    return any(api.data_type in trail.data_types if api.data_type else trail.management for trail in reaching)


def _findings(account: Account, tally: Tally) -> list[Json]:
    """Say what must be found: whole roles, users, keys and passwords that nobody used in the window."""
    found = [
        {"kind": "UnusedIAMRole", "principal": role.arn}
        for role in account.roles
        if role.arn not in tally.principals and role.created_days_ago > NEW
    ]
    for user in account.users:
        if user.arn not in tally.principals:
            found.append({"kind": "UnusedIAMUser", "principal": user.arn})
        if user.password and user.arn not in tally.passwords:
            found.append({"kind": "UnusedIAMUserPassword", "principal": user.arn})
        idle = [user.key_id(key.label) for key in user.keys if key.active]
        found += [
            {"kind": "UnusedIAMUserAccessKey", "principal": user.arn, "resource": key_id}
            for key_id in idle
            if key_id not in tally.keys
        ]
    return found


def _not_unused(account: Account, tally: Tally) -> list[Json]:
    """Say what must not be called unused, and why it might have been."""
    spared: list[Json] = []
    for role in account.roles:
        reasons = {
            "its calls were all denied, but it is assumed and lives": role.name == "metrics-prober-role",
            "break-glass: rarely used by design": role.name == "break-glass-role",
            "service-linked: AWS's to edit": role.path.startswith("/aws-service-role/"),
            "too new to judge": role.created_days_ago < NEW,
            "no data events are logged in this account": account.id == STAGING
            and role.arn in tally.principals
            and not tally.logged[role.arn],
        }
        spared += [
            {"principal": role.arn, "kind": "UnusedIAMRole", "reason": text} for text, so in reasons.items() if so
        ]
    for who in account.principals:
        for need in who.unseen:
            if not need.observable:
                reason = "part of other calls, without an event" if need.part else "this log cannot show the call"
                spared.append({"principal": who.arn, "action": need.action, "reason": reason})
        used = {APIS[item.api].action: habit for habit in who.habits for item in habit.calls if _spares(item)}
        for action, habit in sorted(used.items()):
            if not tally.calls[who.arn, action]:
                reason = "this log cannot show the call"
            elif habit.cadence.kind in {"monthly", "quarterly"}:
                reason = f"a {habit.cadence.kind} job"
            else:
                continue
            spared.append({"principal": who.arn, "action": action, "reason": reason})
    return spared


def _spares(item: Call) -> bool:
    return item.fault in {"", "missing"} and bool(APIS[item.api].resource)
