"""From judged permissions to new policies: each case is a principal's policies, its uses, and what must come out."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from trailfit.model import AttachedPolicy, Evidence, Function, Principal, Silence, Snapshot, Usage, Window
from trailfit.policy.document import Document
from trailfit.recommend import output
from trailfit.recommend.judge import judge

ROLE = "arn:aws:iam::111122223333:role/app/orders-fn"
WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))
CASES = json.loads((Path(__file__).parents[1] / "cases" / "tightening.json").read_text(encoding="utf-8"))


def attached(policy):
    return AttachedPolicy(
        kind=policy["kind"],
        name=policy["name"],
        arn=policy.get("arn"),
        document=Document.parse(policy["document"]),
        group=policy.get("group"),
    )


def used(action, resource, calls=3, role="required"):
    return Usage(
        principal=ROLE, principal_kind="role", action=action, resource=resource, role=role, basis="test",
        calls=calls, denied=0 if calls else 4, first_used=datetime(2026, 8, 4, 8) if calls else None,
        last_used=datetime(2026, 10, 30, 8) if calls else None, days=80, example_event="e1",
    )  # fmt: skip


def evidence(uses, *, unlogged=(), unobservable=(), gaps=()):
    def silence(account, action):
        if action in unobservable:
            return Silence(False, "no event ever shows it", "unobservable")
        if action in unlogged:
            return Silence(False, "data events are not logged", "uncovered")
        return Silence(True, "management events are logged on all 90 days, and none was this", "logged")

    return Evidence(
        window=WINDOW, usage={ROLE: uses} if uses else {}, denied={}, last_seen={ROLE: datetime(2026, 10, 30)},
        sessions={}, key_use={}, gaps={"111122223333": tuple(gaps)}, coverage=(), silence=silence,
    )  # fmt: skip


def snapshot(policies, *, functions=(), path="/app/", **facts):
    principal = Principal(
        arn=ROLE, account="111122223333", kind="role", name="orders-fn", path=path,
        created=facts.pop("created", datetime(2024, 1, 1)), policies=tuple(attached(each) for each in policies), **facts,
    )  # fmt: skip
    return Snapshot(datetime(2026, 11, 1), ("111122223333",), (principal,), functions=functions)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_policies_become_what_the_case_says(case):
    uses = [used(*pair) for pair in case["used"]]
    functions = tuple(
        Function(f"arn:aws:lambda:eu-west-1:111122223333:function:{name}", name, "111122223333", "eu-west-1", ROLE)
        for name in case.get("functions", ())
    )
    told = evidence(uses, unlogged=case.get("unlogged", ()), unobservable=case.get("unobservable", ()))

    data = output.as_dict(judge(snapshot(case["policies"], functions=functions), told))

    proposals = [each for each in data["recommendations"] if each["principal"] == ROLE]
    if case["after"] is None:
        assert proposals == []
        return
    (proposal,) = proposals
    assert [(each["kind"], each["name"], each["document"]["Statement"]) for each in proposal["after"]] == [
        (each["kind"], each["name"], each["statement"]) for each in case["after"]
    ]
    assert [each["name"] for each in proposal["before"]] == case["before"]
    assert proposal["disposition"] == case.get("disposition", "safe")
    assert proposal["proofs"]["no_new_access"]["holds"] is True
    assert proposal["proofs"]["still_allows"]["holds"] is True


def test_denied_call_is_not_use():
    policies = [inline("s3:GetObject", "s3:PutObject")]

    data = output.as_dict(judge(snapshot(policies), evidence([used("s3:PutObject", "arn:aws:s3:::b/k", calls=0)])))

    assert [each["after"] for each in data["recommendations"]] == [[]]
    assert {row["action"]: row["class"] for row in data["principals"][0]["permissions"]} == {
        "s3:GetObject": "unused",
        "s3:PutObject": "unused",
    }


def inline(*actions, resource="*"):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"kind": "inline", "name": "app", "document": {"Version": "2012-10-17", "Statement": [statement]}}


def test_nothing_is_proposed_where_days_are_missing():
    told = evidence([used("s3:GetObject", "arn:aws:s3:::b/k")], gaps=[date(2026, 9, 1)])

    data = output.as_dict(judge(snapshot([inline("s3:*")]), told))

    assert data["recommendations"] == []
    assert [row["reason"] for row in data["unassessed"]] == [
        "management events are missing on 1 of 90 days (2026-09-01)"
    ]


def test_nothing_is_proposed_for_an_account_that_was_never_logged():
    told = evidence([])
    told = Evidence(**{**{name: getattr(told, name) for name in Evidence.__slots__}, "gaps": {}, "last_seen": {}})

    data = output.as_dict(judge(snapshot([inline("s3:*")]), told))

    assert data["recommendations"] == []
    assert "silence proves nothing" in data["unassessed"][0]["reason"]


def test_nothing_is_proposed_when_a_policy_is_not_in_the_snapshot():
    whole = snapshot([inline("s3:*")])
    missing = AttachedPolicy("customer_managed", "elsewhere", "arn:aws:iam::111122223333:policy/elsewhere", None)
    one = whole.principals[0]
    partly = Snapshot(
        whole.taken,
        whole.accounts,
        (Principal(one.arn, one.account, "role", one.name, one.path, one.created, (*one.policies, missing)),),
    )

    data = output.as_dict(judge(partly, evidence([used("s3:GetObject", "arn:aws:s3:::b/k")])))

    assert data["recommendations"] == []
    assert data["unassessed"][0]["reason"] == "the snapshot holds no document for elsewhere"


def test_a_role_created_within_the_window_is_not_judged():
    young = snapshot([inline("s3:*")], created=datetime(2026, 10, 1))

    data = output.as_dict(judge(young, evidence([used("s3:GetObject", "arn:aws:s3:::b/k")])))

    assert data["recommendations"] == []
    assert {row["class"] for row in data["principals"][0]["permissions"]} <= {"used", "undetermined"}


def test_a_service_linked_role_is_exempt_by_rule():
    linked = snapshot([inline("s3:*")], path="/aws-service-role/rds.amazonaws.com/")

    data = output.as_dict(judge(linked, evidence([])))

    assert data["recommendations"] == data["unassessed"] == []
    assert data["exempt"][0]["reason"] == "a service-linked role: only its service can change it"


def test_a_role_without_any_sign_of_use_is_unused_and_only_a_person_may_remove_it():
    told = evidence([])
    told = Evidence(**{**{name: getattr(told, name) for name in Evidence.__slots__}, "last_seen": {}})

    data = output.as_dict(judge(snapshot([inline("s3:*")]), told))

    (proposal,) = data["recommendations"]
    assert (proposal["action"], proposal["disposition"]) == ("DELETE_ROLE", "unsafe")
    assert "UnusedIAMRole" in {finding["kind"] for finding in data["findings"]}


def test_a_role_that_iam_saw_used_in_the_window_is_not_unused():
    told = evidence([])
    told = Evidence(**{**{name: getattr(told, name) for name in Evidence.__slots__}, "last_seen": {}})

    data = output.as_dict(judge(snapshot([inline("s3:*")], last_used=datetime(2026, 9, 1)), told))

    assert "UnusedIAMRole" not in {finding["kind"] for finding in data["findings"]}


def test_every_permission_has_exactly_one_class():
    data = output.as_dict(judge(snapshot([inline("s3:*")]), evidence([used("s3:GetObject", "arn:aws:s3:::b/k")])))

    rows = data["principals"][0]["permissions"]
    counted = data["recommendations"][0]["permissions"]
    assert len({row["action"] for row in rows if "count" not in row}) == len(
        [row for row in rows if "count" not in row]
    )
    assert sum(counted.values()) == sum(row.get("count", 1) for row in rows)


def test_the_order_of_events_does_not_matter():
    uses = [used("s3:GetObject", f"arn:aws:s3:::b/{n}") for n in range(40)]

    texts = {
        output.as_text(output.as_dict(judge(snapshot([inline("s3:*")]), evidence(order))))
        for order in (uses, list(reversed(uses)))
    }

    assert len(texts) == 1
