"""What lies about: groups, policies attached to nobody, doubles and old versions."""

from datetime import datetime

import pytest
from tests.recommend.small import (
    OURS,
    account,
    allow,
    aws_managed,
    document,
    findings,
    log,
    managed,
    one,
    policy,
    role,
    use,
    user,
)

from trailfit.model import Group, ManagedPolicy, PolicyVersion

TEAM = f"arn:aws:iam::{OURS}:group/team"
BUCKET = "arn:aws:s3:::b"


def team(*policies, members=()):
    return Group(TEAM, OURS, "team", "/", None, policies, tuple(each.arn for each in members))


def shared(*statements):
    return policy(*statements, kind="group_inline", name="shared", group=TEAM)


def kept(name, *statements, attachments=1, bounds=0, older=(), owner=OURS):
    versions = [PolicyVersion(f"v{len(older) + 1}", True, datetime(2026, 1, 1), document(*statements))]
    versions += [
        PolicyVersion(f"v{at}", False, datetime(2025, 1, at), document(*each)) for at, each in enumerate(older, 1)
    ]
    return ManagedPolicy(
        f"arn:aws:iam::{owner}:policy/{name}", OURS, name, None, None, tuple(versions), attachments, bounds
    )


def test_unused_iam_group_has_no_member():
    found = one(account(groups=(team(),)), kind="UnusedIAMGroup")

    assert found.evidence["why"] == "it has no member"
    assert found.commands == ("aws iam delete-group --group-name team",)


def test_unused_iam_group_has_members_of_whom_none_uses_its_rights():
    rights = shared(allow("s3:GetObject", f"{BUCKET}/*"))
    ann, bob = user("ann", rights, groups=("team",)), user("bob", rights, groups=("team",))
    group = team(rights, members=(ann, bob))
    both = account(ann, bob, groups=(group,))

    assert one(both, log(use(ann, "s3:ListAllMyBuckets", "*")), "UnusedIAMGroup").evidence["members"] == ["ann", "bob"]
    assert findings(both, log(use(bob, "s3:GetObject", f"{BUCKET}/k")), "UnusedIAMGroup") == []
    assert findings(both, log(dark=("s3:GetObject",)), "UnusedIAMGroup") == [], "the log could not have shown it"


def test_unattached_policy_is_held_by_nobody_and_bounds_nobody():
    lost, held, bound = kept("lost", allow(), attachments=0), kept("held", allow()), kept("bound", allow(), bounds=1)

    found = one(account(managed=(lost, held, bound)), kind="UnattachedPolicy")

    assert (found.principal, found.confidence) == (lost.arn, "high")
    assert found.commands == (f"aws iam delete-policy --policy-arn {lost.arn}",)


def test_unattached_policy_without_a_count_of_iams_is_likely_only_and_not_said_of_one_that_a_role_holds():
    unknown = kept("unknown", allow(), attachments=None, bounds=None)

    assert one(account(managed=(unknown,)), kind="UnattachedPolicy").confidence == "medium"
    holder = role("app", managed("unknown", allow()))
    assert findings(account(holder, managed=(unknown,)), kind="UnattachedPolicy") == []


def test_unattached_policy_is_never_one_of_awss():
    foreign = kept("AWSThing", allow(), attachments=0, owner="aws")

    assert findings(account(managed=(foreign,)), kind="UnattachedPolicy") == []


def test_duplicate_policy_means_the_same_in_other_words():
    one_way = [allow(["s3:GetObject", "s3:PutObject"], [f"{BUCKET}/*"])]
    other_way = [
        allow("s3:GetObject", f"{BUCKET}/*"),
        allow("s3:PutObject", [f"{BUCKET}/*", f"{BUCKET}/a/*"], Sid="Put"),
    ]
    policies = (kept("busy", *one_way, attachments=5), kept("again", *other_way), kept("more", *one_way, allow()))

    found = one(account(managed=policies), kind="DuplicatePolicy")

    assert (found.principal, found.evidence["same_as"]) == (policies[1].arn, policies[0].arn)
    assert found.evidence["proof"] == "containment both ways"


@pytest.mark.parametrize(
    "other",
    [
        [allow("s3:GetObject", f"{BUCKET}/*", Condition={"Bool": {"aws:SecureTransport": "true"}})],
        [allow("s3:GetObject", f"{BUCKET}/a/*")],
        [
            allow("s3:GetObject", f"{BUCKET}/*"),
            {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{BUCKET}/secret"},
        ],
    ],
    ids=["condition", "narrower", "deny"],
)
def test_duplicate_policy_is_not_said_of_one_that_grants_less(other):
    policies = (kept("whole", allow("s3:GetObject", f"{BUCKET}/*")), kept("less", *other))

    assert findings(account(managed=policies), kind="DuplicatePolicy") == []


def test_duplicate_policy_reaches_one_principal_twice():
    who = role("app", policy(allow("s3:GetObject"), name="a"), aws_managed("B", allow(["s3:GetObject"])))

    assert one(account(who), kind="DuplicatePolicy").evidence["policies"] == ["a", "arn:aws:iam::aws:policy/B"]


def test_unused_policy_version_tells_which_would_grant_more_than_the_default():
    wide, narrow = [allow("s3:*")], [allow("s3:GetObject", f"{BUCKET}/k")]
    versioned = kept("app", allow("s3:GetObject", f"{BUCKET}/*"), older=(wide, narrow))

    found = one(account(managed=(versioned,)), kind="UnusedPolicyVersion")

    assert found.evidence["grant_more_than_the_default"] == ["v1"]
    assert found.severity == "medium"
    assert found.commands[0] == f"aws iam delete-policy-version --policy-arn {versioned.arn} --version-id v1"
    assert findings(account(managed=(kept("app", allow()),)), kind="UnusedPolicyVersion") == []
