"""A principal and a permission are judged by silence only where they were there for the whole window."""

from datetime import datetime

import pytest
from tests.recommend.account import (
    ACCOUNT,
    ROLE,
    allow,
    answer,
    classes,
    document,
    evidence,
    inline,
    role,
    snapshot,
    used,
)

from trailfit.model import AttachedPolicy, GrantChange, LastAccessed
from trailfit.recommend.age import Grace
from trailfit.recommend.judge import Rules

KEY = "arn:aws:s3:::b/k"
APP = inline(allow("s3:GetObject", "s3:PutObject"))
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/shared"


def change(
    event="PutRolePolicy", kind="role", name="orders-fn", policy="app", changes="grants", day=20, account=ACCOUNT
):
    return GrantChange(account, event, kind, name, policy, changes, datetime(2026, 9, day), "e7")


def managed(**facts):
    return AttachedPolicy("customer_managed", "shared", MANAGED, document(allow("s3:PutObject")), **facts)


@pytest.mark.parametrize(
    ("changes", "policies", "cls"),
    [
        pytest.param([], [APP], "unused", id="nothing changed"),
        pytest.param([change()], [APP], "undetermined", id="the policy was put"),
        pytest.param([change(name="Orders-Fn")], [APP], "undetermined", id="names are told apart without regard to case"),
        pytest.param([change(policy="other")], [APP], "unused", id="another policy was put"),
        pytest.param([change(name="other")], [APP], "unused", id="another role's was"),
        pytest.param([change(account="444455556666")], [APP], "unused", id="a role of this name in another account"),
        pytest.param([change("AttachRolePolicy", policy=MANAGED)], [managed()], "undetermined", id="a policy was attached"),
        pytest.param([change("AttachRolePolicy", policy=MANAGED)], [APP, managed()], "unused", id="an older policy grants it too"),
        pytest.param([change("CreatePolicyVersion", "policy", MANAGED, None)], [managed()], "undetermined", id="a version was made"),
        pytest.param([], [managed(updated=datetime(2026, 9, 20))], "undetermined", id="IAM's own date of the version"),
        pytest.param([change("DeleteRolePermissionsBoundary", policy=None, changes="boundary")], [APP], "undetermined", id="the boundary went"),
        pytest.param([change("UpdateAssumeRolePolicy", policy=None, changes="trust")], [APP], "unused", id="only the trust changed"),
    ],
)  # fmt: skip
def test_what_was_granted_within_the_window_is_undetermined(changes, policies, cls):
    data = answer(snapshot(role(*policies)), evidence(used("s3:GetObject", KEY), changes=changes))

    found, reason = classes(data)["s3:PutObject"]
    assert found == cls
    assert ("changed" in reason) is (cls == "undetermined")


def test_a_recently_granted_permission_stays():
    told = evidence(used("s3:GetObject", KEY), changes=[change()])

    (proposal,) = answer(snapshot(role(APP)), told)["recommendations"]

    statements = proposal["after"][0]["document"]["Statement"]
    assert {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"} in statements


@pytest.mark.parametrize(("days", "judged"), [(0, True), (90, True), (400, False)])
def test_the_grace_period_asks_for_more_than_the_window(days, judged):
    taken = snapshot(role(APP, created=datetime(2026, 6, 1)))

    data = answer(taken, evidence(used("s3:GetObject", KEY)), Rules(Grace(principals=days)))

    assert bool(data["recommendations"]) is judged
    assert [row["subject"] for row in data["unassessed"]] == ([] if judged else [ROLE])
    assert classes(data)["s3:PutObject"][0] == ("unused" if judged else "undetermined")


def test_what_iam_saw_and_the_log_did_not_is_a_contradiction_that_is_shown():
    accessed = (LastAccessed("s3", None, None), LastAccessed("s3", "s3:PutObject", datetime(2026, 9, 9)))

    data = answer(snapshot(role(APP, last_accessed=accessed)), evidence(used("s3:GetObject", KEY)))

    (row,) = [row for row in data["principals"][0]["permissions"] if row["action"] == "s3:PutObject"]
    assert row["class"] == "undetermined"
    assert row["contradiction"] == "IAM saw it used on 2026-09-09, but no event of the window shows it"
    assert row["last_accessed"] == "2026-09-09T00:00:00Z"


def test_what_the_log_shows_and_iam_did_not_see_is_a_contradiction_too():
    accessed = (LastAccessed("s3", "s3:GetObject", None),)

    data = answer(snapshot(role(APP, last_accessed=accessed)), evidence(used("s3:GetObject", KEY)))

    (row,) = [row for row in data["principals"][0]["permissions"] if row["action"] == "s3:GetObject"]
    assert row["class"] == "used"
    assert row["contradiction"] == "the log shows it used on 2026-08-04; IAM's last accessed data saw it never"


def test_nothing_is_proposed_in_an_account_whose_inventory_was_throttled():
    taken = snapshot(role(APP), unfinished=(ACCOUNT,))

    data = answer(taken, evidence(used("s3:GetObject", KEY)))

    assert data["recommendations"] == []
    assert "AWS throttled" in data["unassessed"][0]["reason"]


def test_a_log_that_could_not_be_read_whole_is_said():
    data = answer(snapshot(role(APP)), evidence(used("s3:GetObject", KEY), unread={ACCOUNT: 2}))

    assert data["unassessed"] == [
        {
            "subject": f"account {ACCOUNT}",
            "reason": "2 pieces of its log could not be read: silence proves nothing",
        }
    ]
