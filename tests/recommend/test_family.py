"""A permission set is one principal in all its accounts; consolidated roles keep what one of them needs."""

from dataclasses import replace
from datetime import datetime

from tests.recommend.account import (
    ACCOUNT,
    OTHER,
    allow,
    answer,
    classes,
    evidence,
    granted,
    inline,
    role,
    snapshot,
    used,
)

from trailfit.model import Assignment, AttachedPolicy, PermissionSet, Silence
from trailfit.policy.document import Document
from trailfit.recommend.judge import Rules

SET = "arn:aws:sso:::permissionSet/ssoins-1234/ps-abcd"
NAME = "AWSReservedSSO_Dev_0123456789abcdef"
HERE, THERE = (f"arn:aws:iam::{each}:role/aws-reserved/sso.amazonaws.com/{NAME}" for each in (ACCOUNT, OTHER))
KEY, QUEUE = "arn:aws:s3:::b/k", f"arn:aws:sqs:eu-west-1:{OTHER}:q"
INLINE = inline(allow("s3:GetObject", "s3:PutObject", "sqs:SendMessage"), name="inline")
MANAGED = AttachedPolicy(
    "aws_managed", "Queues", "arn:aws:iam::aws:policy/Queues",
    Document.parse({"Version": "2012-10-17", "Statement": [allow("sqs:*")]}),
)  # fmt: skip


def judged(told, *, accounts=(ACCOUNT, OTHER), policies=(INLINE,)):
    assignments = tuple(Assignment(each, "GROUP", "g") for each in accounts)
    one = PermissionSet(SET, "Dev", policies, None, assignments, (HERE, THERE))
    return answer(snapshot(role(*policies, arn=HERE), role(*policies, arn=THERE), permission_sets=(one,)), told)


def test_what_its_roles_used_in_any_account_is_used():
    data = judged(evidence(used("s3:GetObject", KEY, who=HERE), used("sqs:SendMessage", QUEUE, who=THERE)))

    (proposal,) = data["recommendations"]
    assert proposal["principal"] == SET
    assert granted(proposal) == {("s3:GetObject", KEY), ("sqs:SendMessage", QUEUE)}
    assert [(each["kind"], each["name"]) for each in proposal["after"]] == [("inline", "inline")]
    assert proposal["proofs"]["no_new_access"]["holds"] is True
    assert proposal["rollback"][0].startswith("aws sso-admin put-inline-policy-to-permission-set")
    assert "arn:aws:sso:::instance/ssoins-1234" in proposal["rollback"][0]
    assert classes(data, SET)["s3:PutObject"][0] == "unused"


def test_the_roles_themselves_are_left_alone():
    data = judged(evidence(used("s3:GetObject", KEY, who=HERE)))

    assert sorted(row["subject"] for row in data["exempt"]) == [HERE, THERE]
    assert {each["principal"] for each in data["recommendations"]} == {SET}


def test_a_permission_set_has_one_inline_policy():
    told = evidence(used("s3:GetObject", KEY, who=HERE), used("sqs:ReceiveMessage", QUEUE, who=THERE))

    (proposal,) = judged(told, policies=(INLINE, MANAGED))["recommendations"]

    assert [(each["kind"], each["name"]) for each in proposal["after"]] == [("inline", "inline")]
    assert granted(proposal) == {("s3:GetObject", KEY), ("sqs:ReceiveMessage", QUEUE)}
    assert proposal["proofs"]["no_new_access"]["holds"] is True
    assert any("attach-managed-policy-to-permission-set" in line for line in proposal["rollback"])


def test_silence_is_evidence_only_where_it_is_in_every_account():
    def silence(account, _action):
        return Silence(account == ACCOUNT, "logged" if account == ACCOUNT else "not logged there")

    data = judged(evidence(used("s3:GetObject", KEY, who=HERE), silence=silence))

    assert classes(data, SET)["s3:PutObject"] == ("undetermined", "not logged there")


def test_an_account_that_nobody_looked_into_leaves_it_open():
    told = evidence(used("s3:GetObject", KEY, who=HERE))

    data = judged(told, accounts=(ACCOUNT, OTHER, "777788889999"))
    assert data["recommendations"] == []
    assert data["unassessed"][0]["subject"] == SET

    data = judged(replace(told, gaps={ACCOUNT: ()}))
    assert data["recommendations"] == []
    assert "no event is in the lake" in data["unassessed"][0]["reason"]


def test_a_permission_set_that_nobody_used_is_for_a_person_to_delete():
    data = judged(evidence())

    (proposal,) = data["recommendations"]
    assert (proposal["action"], proposal["principal"]) == ("DELETE_PERMISSION_SET", SET)


DEPLOY, TWIN = (f"arn:aws:iam::{each}:role/deploy-shop" for each in (ACCOUNT, OTHER))
POLICY = inline(allow("sqs:SendMessage", "sqs:DeleteQueue", "s3:GetObject"))


def consolidated(*names):
    told = evidence(used("s3:GetObject", KEY, who=DEPLOY), used("sqs:SendMessage", QUEUE, who=TWIN))
    taken = snapshot(role(POLICY, arn=DEPLOY), role(POLICY, arn=TWIN, created=datetime(2024, 1, 1)))
    data = answer(taken, told, Rules(consolidate=names))
    return {each["principal"]: granted(each) for each in data["recommendations"]}, data


def test_consolidated_roles_keep_what_one_of_them_uses():
    proposals, data = consolidated("deploy-*")

    assert proposals[DEPLOY] == {("s3:GetObject", KEY), ("sqs:SendMessage", QUEUE.replace(OTHER, ACCOUNT))}
    assert proposals[TWIN] == {("s3:GetObject", KEY), ("sqs:SendMessage", QUEUE)}
    cls, reason = classes(data, DEPLOY)["sqs:SendMessage"]
    assert cls == "kept"
    assert OTHER in reason


def test_roles_that_are_not_consolidated_are_judged_each_by_its_own():
    proposals, _ = consolidated("other-*")

    assert proposals == {DEPLOY: {("s3:GetObject", KEY)}, TWIN: {("sqs:SendMessage", QUEUE)}}
