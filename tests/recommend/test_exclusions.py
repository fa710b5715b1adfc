"""What is left alone: by rule, by tag, with a reason and an end, and always told."""

from datetime import date, datetime

import pytest
from tests.recommend.small import (
    OURS,
    WINDOW,
    account,
    allow,
    findings,
    key,
    log,
    managed,
    password,
    policy,
    role,
    tagged,
    use,
    user,
)

from trailfit.deliver import recommendations
from trailfit.model import ManagedPolicy
from trailfit.recommend import output
from trailfit.recommend.exclusions import Exclusion
from trailfit.recommend.judge import Rules, judge

LAST = WINDOW.last
BUCKET = "arn:aws:s3:::b"


def rule(**facts):
    return Exclusion("trailfit.toml [[exclude]] 1", "known and wanted", facts.pop("until", LAST), **facts)


def judged(snapshot, *rules, evidence=None):
    return judge(snapshot, evidence or log(), rules=Rules(exclusions=rules))


def idle(name="idle", **facts):
    return role(name, policy(allow("sqs:*", Sid="Queues")), **facts)


@pytest.mark.parametrize(
    "narrowed",
    [
        {"principal": f"arn:aws:iam::{OURS}:role/team/*"},
        {"path": "/team/"},
        {"tag": "team=plat*"},
        {"principal": "arn:aws:iam::*:role/*", "kinds": ("Unused*", "Wildcard*")},
    ],
    ids=lambda each: next(iter(each)),
)
def test_an_exclusion_takes_findings_out_and_tells_of_them(narrowed):
    who = tagged(idle(path="/team/"), team="platform")

    told = judged(account(who), rule(**narrowed))

    assert {each.kind for each in told.findings} & {"UnusedIAMRole", "WildcardAction"} == set()
    excluded = {each.finding.kind: (each.reason, each.until) for each in told.excluded}
    assert excluded["UnusedIAMRole"] == ("known and wanted", LAST)
    assert told.recommendations == ()
    assert told.exclusions[0]["state"] == "in force"
    assert told.exclusions[0]["findings"] == len(told.excluded)


@pytest.mark.parametrize(
    "narrowed", [{"principal": "*:role/other"}, {"path": "/other/"}, {"tag": "team=other"}, {"kinds": ("SharedRole",)}]
)
def test_an_exclusion_about_something_else_changes_nothing(narrowed):
    who = tagged(idle(path="/team/"), team="platform")

    told = judged(account(who), rule(**narrowed))

    assert told.excluded == ()
    assert [each.action for each in told.recommendations] == ["DELETE_ROLE"]


def test_an_exclusion_past_its_end_covers_nothing_and_says_so():
    told = judged(account(idle()), rule(principal="*", until=date(2026, 10, 30)))

    assert told.excluded == ()
    assert "UnusedIAMRole" in {each.kind for each in told.findings}
    assert told.exclusions[0]["state"] == "expired"
    assert told.exclusions[0]["findings"] == len(told.findings)


def test_an_excluded_statement_stays_as_it_is_written():
    kept, other = allow(["s3:GetObject", "s3:PutObject"], "*", Sid="Keep"), allow(["sqs:SendMessage", "sqs:ListQueues"])
    who = role("app", policy(kept, other))
    told = log(use(who, "s3:GetObject", f"{BUCKET}/k"), use(who, "sqs:ListQueues", "*"))

    judgement = judged(account(who), rule(sid="Keep"), evidence=told)

    (proposal,) = judgement.recommendations
    assert proposal.after[0].document.raw["Statement"][0] == kept
    assert "SendMessage" not in proposal.after[0].document.to_json()
    classes = {each.action: each.cls for each in judgement.permissions[who.arn]}
    assert classes == {
        "s3:GetObject": "used", "s3:PutObject": "kept", "sqs:SendMessage": "unused", "sqs:ListQueues": "used"
    }  # fmt: skip
    assert {each.finding.kind for each in judgement.excluded} == {"WildcardResource"}


def test_an_excluded_action_keeps_all_its_resources_although_it_was_used_on_some():
    who = role("app", policy(allow(["s3:GetObject", "s3:DeleteObject", "s3:PutObject"], f"{BUCKET}/*")))
    told = log(use(who, "s3:GetObject", f"{BUCKET}/k"), use(who, "s3:DeleteObject", f"{BUCKET}/k"))

    judgement = judged(account(who), rule(action="s3:Delete*"), evidence=told)

    (proposal,) = judgement.recommendations
    statements = proposal.after[0].document.raw["Statement"]
    assert {each["Action"]: each["Resource"] for each in statements} == {
        "s3:DeleteObject": f"{BUCKET}/*", "s3:GetObject": f"{BUCKET}/k"
    }  # fmt: skip
    (reason,) = [each.reason for each in judgement.permissions[who.arn] if each.action == "s3:DeleteObject"]
    assert reason == "excluded by trailfit.toml [[exclude]] 1: known and wanted"


def test_an_exclusion_of_the_kind_keeps_a_role_but_still_tells_who_may_come_in():
    who = tagged(idle(), **{"trailfit:keep": "break-glass"})

    told = judged(account(who))

    assert told.recommendations == ()
    assert {each.cls for each in told.permissions[who.arn]} == {"kept"}
    assert {each.reason for each in told.excluded} == {"declared as break-glass"}
    assert "UnusedIAMRole" in {each.finding.kind for each in told.excluded}


def test_a_purpose_does_not_hide_a_user_without_mfa():
    who = tagged(user("glass", credentials=(password(owner="glass", mfa=False),)), **{"trailfit:keep": "break-glass"})

    assert "ConsoleUserWithoutMFA" in {each.kind for each in judged(account(who)).findings}


def test_a_name_alone_asks_and_never_decides():
    told = judged(account(idle("acme-break-glass")))

    asked = next(each for each in told.findings if each.kind == "ConfirmPurpose")
    assert (asked.severity, asked.confidence, asked.evidence["suggests"]) == ("low", "low", "break-glass")
    (proposal,) = told.recommendations
    assert (proposal.action, proposal.disposition) == ("DELETE_ROLE", "unsafe")
    assert "trailfit:keep" in proposal.reasons[-1]
    assert asked.id in proposal.finding_ids


def test_confirm_purpose_makes_a_safe_proposal_one_for_a_person():
    who = role("dr-restore", policy(allow(["sqs:ListQueues", "sqs:SendMessage"])))

    (proposal,) = judged(account(who), evidence=log(use(who, "sqs:ListQueues", "*"))).recommendations

    assert proposal.disposition == "unsafe"


@pytest.mark.parametrize(
    "value",
    [
        "UnusedIAMRole+WildcardAction until=2026-12-31 reason=kept for the audit",
        "UnusedIAMRole,WildcardAction;until=2026-12-31;reason=kept for the audit",
        "UnusedIAMRole WildcardAction until=2026-12-31 reason=kept for the audit",
    ],
)
def test_a_tag_excludes_kinds_until_a_day(value):
    told = judged(account(tagged(idle(), **{"trailfit:exempt": value})))

    assert {each.finding.kind for each in told.excluded} == {"UnusedIAMRole", "WildcardAction"}
    assert {(each.by, each.reason, each.until) for each in told.excluded} == {
        ("tag trailfit:exempt", "kept for the audit", date(2026, 12, 31))
    }


@pytest.mark.parametrize("value", ["*;until=2026-12-31", "all until=2026-12-31"])
def test_a_tag_excludes_everything(value):
    told = judged(account(tagged(idle(), **{"trailfit:exempt": value})))

    assert told.findings == ()
    assert {each.reason for each in told.excluded} == {"no reason is given"}


@pytest.mark.parametrize(
    ("tag", "value", "said"),
    [
        ("trailfit:exempt", "all", "it has no until"),
        ("trailfit:exempt", "all until=soon", "`soon` is no day"),
        ("trailfit:exempt", "UnusedRole until=2026-12-31", "`UnusedRole` is no kind"),
        ("trailfit:exempt", "until=2026-12-31", "is no kind"),
        ("trailfit:keep", "forever", "break-glass, disaster-recovery"),
    ],
)
def test_a_tag_that_cannot_be_read_excludes_nothing_and_is_told(tag, value, said):
    told = judged(account(tagged(idle(), **{tag: value})))

    assert told.excluded == ()
    assert any(said in each.reason for each in told.unassessed)


def test_a_tag_on_one_role_says_nothing_of_another():
    mine, other = tagged(idle("mine"), **{"trailfit:exempt": "all until=2026-12-31"}), idle("other")

    told = judged(account(mine, other))

    assert {each.principal for each in told.findings} == {other.arn}


def test_a_policy_and_a_key_can_be_excluded_by_arn():
    lost = ManagedPolicy(f"arn:aws:iam::{OURS}:policy/lost", OURS, "lost", None, None, (), 0, 0)
    who = user(credentials=(key(created=datetime(2025, 1, 1)),))

    told = judged(account(who, managed=(lost,)), rule(principal="*:policy/lost"), rule(principal="*:user/ann"))

    assert told.findings == ()
    assert len(told.excluded) >= 3


def test_a_service_linked_role_is_never_touched_nor_found():
    linked = role("AWSServiceRoleForX", policy(allow("*")), path="/aws-service-role/x.amazonaws.com/")

    told = judged(account(linked))

    assert (told.findings, told.recommendations) == ((), ())
    assert told.exempt


def test_excluded_findings_stand_in_the_json_and_hold_to_its_schema():
    who = tagged(idle(), **{"trailfit:exempt": "UnusedIAMRole until=2026-12-31"})

    data = output.as_dict(judged(account(who), rule(principal="*", kinds=("Wildcard*",), until=date(2026, 1, 1))))

    recommendations.check(data)
    assert [each["finding"]["kind"] for each in data["excluded"]] == ["UnusedIAMRole"]
    assert {each["by"]: each["state"] for each in data["exclusions"]} == {
        "trailfit.toml [[exclude]] 1": "expired", "tag trailfit:exempt": "in force"
    }  # fmt: skip


def test_excluding_everything_leaves_no_finding_of_any_kind():
    rich = role("rich", policy(allow("*")), managed("own", allow("s3:*")), trusts=None)

    assert findings(account(rich), exclusions=[rule(principal="*")]) == []
