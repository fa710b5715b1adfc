"""Principals, snapshots and evidence for tests of judgement: one account, one role, everything logged."""

from dataclasses import replace
from datetime import date, datetime

from trailfit.model import AttachedPolicy, Evidence, Principal, Silence, Snapshot, Usage, Window
from trailfit.policy.document import Document
from trailfit.recommend import output
from trailfit.recommend.judge import judge

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/orders-fn"
WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(*statements):
    return Document.parse({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions, resource="*", **more):
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource, **more}


def inline(*statements, name="app", **facts):
    return AttachedPolicy("inline", name, None, document(*statements), **facts)


def role(*policies, arn=ROLE, **facts):
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    path = "/" + "".join(f"{part}/" for part in arn.split(":role/")[1].split("/")[:-1])
    facts = {"created": datetime(2024, 1, 1), "trust": document(LAMBDA), **facts}
    return Principal(arn=arn, account=account, kind="role", name=name, path=path, policies=policies, **facts)


def snapshot(*principals, **facts):
    accounts = tuple(sorted({each.account for each in principals}))
    return Snapshot(datetime(2026, 11, 1), accounts, principals, **facts)


def used(action, resource, calls=3, who=ROLE, **facts):
    return Usage(
        **{
            "principal": who, "principal_kind": "role", "action": action, "resource": resource, "role": "required",
            "basis": "test", "calls": calls, "denied": 0, "first_used": datetime(2026, 8, 4, 8),
            "last_used": datetime(2026, 10, 30, 8), "days": 80, "example_event": "e1", **facts,
        }
    )  # fmt: skip


def evidence(*uses, unlogged=(), **facts):
    """Everything is logged all window long, but the actions `unlogged`."""

    def silence(account, action):
        if action in unlogged:
            return Silence(False, "data events are not logged", "uncovered")
        return Silence(True, "management events are logged on all 90 days, and none was this", "logged")

    by_who = {}
    for use in uses:
        by_who.setdefault(use.principal, []).append(use)
    told = Evidence(
        window=WINDOW, usage=by_who, denied={}, last_seen={who: datetime(2026, 10, 30) for who in by_who}, sessions={},
        key_use={}, gaps={ACCOUNT: (), OTHER: ()}, coverage=(), silence=silence,
    )  # fmt: skip
    return replace(told, **facts)


def answer(taken, told, rules=None):
    return output.as_dict(judge(taken, told, rules=rules))


def classes(data, who=ROLE):
    (listed,) = [each for each in data["principals"] if each["principal"] == who]
    return {row["action"]: (row["class"], row["reason"]) for row in listed["permissions"]}


def granted(proposal):
    """Give the (action, resource) pairs that a proposal's new policies allow."""
    found = set()
    for change in proposal["after"]:
        for statement in change["document"]["Statement"]:
            actions, resources = statement["Action"], statement.get("Resource", "-")
            for action in [actions] if isinstance(actions, str) else actions:
                for resource in [resources] if isinstance(resources, str) else resources:
                    found.add((action, resource))
    return found
