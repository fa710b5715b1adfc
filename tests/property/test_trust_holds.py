"""Whatever a trust policy says and whoever came: what is proposed lets in nobody new, and all who came."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recommend.account import ACCOUNT, OTHER, ROLE, allow, document, evidence, inline, role, used
from trailfit.model import Assumption, Window
from trailfit.policy.containment import no_new_access
from trailfit.policy.evaluate import Request, grants
from trailfit.recommend.age import Ages, Grace
from trailfit.recommend.trust import judge_trust

WINDOW: Window = evidence().window
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/ci.example"
AWS = st.sampled_from(
    [
        "*", ACCOUNT, f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{ACCOUNT}:role/ci/a", f"arn:aws:iam::{OTHER}:role/b",
        f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:sts::{ACCOUNT}:assumed-role/a/s", "AROAEXAMPLEEXAMPLE12",
    ]
)  # fmt: skip
SERVICE = st.sampled_from(["lambda.amazonaws.com", "states.amazonaws.com", "firehose.amazonaws.com"])
PRINCIPAL = st.one_of(
    st.just("*"),
    st.fixed_dictionaries({}, optional={"AWS": st.lists(AWS, min_size=1, max_size=3, unique=True),
                                        "Service": st.lists(SERVICE, min_size=1, max_size=2, unique=True),
                                        "Federated": st.just(OIDC)}).filter(bool),
)  # fmt: skip
CONDITION = st.sampled_from(
    [None, None, {"StringEquals": {"sts:ExternalId": "x"}}, {"StringLike": {"ci.example:sub": "repo:*"}},
     {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}]
)  # fmt: skip
ACTION = st.sampled_from(
    ["sts:AssumeRole", "sts:*", ["sts:AssumeRole", "sts:TagSession"], "sts:AssumeRoleWithWebIdentity"]
)


@st.composite
def statement(draw):
    told = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        "Principal": draw(PRINCIPAL),
        "Action": draw(ACTION),
    }
    condition = draw(CONDITION)
    return {**told, "Condition": condition} if condition else told


CALLERS = st.lists(
    st.sampled_from(
        [
            (f"arn:aws:iam::{ACCOUNT}:role/ci/a", "role", "AssumeRole", None),
            (f"arn:aws:iam::{OTHER}:role/b", "role", "AssumeRole", None),
            (f"arn:aws:iam::{ACCOUNT}:user/ann", "user", "AssumeRole", None),
            (f"arn:aws:iam::{OTHER}:root", "account", "AssumeRole", "AROAUNKNOWN:s"),
            ("lambda.amazonaws.com", "service", "AssumeRole", None),
            ("states.amazonaws.com", "service", "AssumeRole", None),
            (f"{OIDC}:repo:a", "web_identity", "AssumeRoleWithWebIdentity", "repo:a"),
        ]
    ),
    max_size=4, unique=True,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(statement(), min_size=1, max_size=3), CALLERS)
def test_a_tightened_trust_policy_lets_in_nobody_new_and_all_who_came(statements, callers):
    when = WINDOW.first.isoformat()
    day = evidence(used("s3:GetObject", "arn:aws:s3:::b/k")).last_seen[ROLE]
    seen = tuple(
        Assumption(ROLE, caller, kind, subject, event, 1, 0, (), (), day, day, f"e-{when}")
        for caller, kind, event, subject in callers
    )
    old = document(*statements)
    who = role(inline(allow("s3:GetObject")), trust=old)
    told = evidence(used("s3:GetObject", "arn:aws:s3:::b/k"), assumptions={ROLE: seen})

    found = judge_trust(who, (), told, Ages(who, {}, WINDOW, Grace()), {})  # a proof that fails would raise

    if found.recommendation is None:
        return
    (change,) = found.recommendation.after
    assert no_new_access([change.document], [old]).holds is not False
    for caller, kind, event, subject in callers:
        for context in ({"sts:ExternalId": "x", "aws:PrincipalOrgID": "o-1", "ci.example:sub": subject or ""}, {}):
            name = {"aws:PrincipalArn": caller} if kind in ("role", "user") else {}
            request = Request(session(caller, kind), f"sts:{event}", ROLE, {**context, **name}, ACCOUNT)
            if grants(request, [old]):
                assert grants(request, [change.document]), (caller, statements, change.document)


def session(caller, kind):
    """Give a caller as it stands before a trust policy: a role as its session, a federated user as the provider."""
    if kind == "role":
        account, name = re.fullmatch(r"arn:aws:iam::(\d+):role/(?:.*/)?(.+)", caller).groups()
        return f"arn:aws:sts::{account}:assumed-role/{name}/s"
    return OIDC if kind == "web_identity" else caller
