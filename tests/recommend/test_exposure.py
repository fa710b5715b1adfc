"""Trust policies: who may come in, and what narrows it."""

from datetime import datetime

import pytest
from tests.recommend.small import OTHER, OURS, account, allow, findings, log, one, policy, role, trust, use

from trailfit.deliver import recommendations
from trailfit.model import Assumption, Guardrails
from trailfit.policy.document import Document
from trailfit.recommend import output
from trailfit.recommend.judge import judge

GITHUB = "token.actions.githubusercontent.com"


def trusting(principal, **rest):
    return role("app", policy(allow("s3:PutObject")), trusts=trust(principal, **rest))


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        (None, "critical"),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}, "medium"),
        ({"StringEquals": {"sts:ExternalId": "s3cret"}}, "high"),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}, "critical"),
        ({"StringLike": {"aws:PrincipalOrgID": "*"}}, "critical"),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, "critical"),
    ],
)
def test_wildcard_trust_is_as_grave_as_what_narrows_it(condition, severity):
    who = trusting("*", **({"Condition": condition} if condition else {}))

    assert one(account(who), kind="WildcardTrust").severity == severity


def test_wildcard_trust_is_said_of_everybody_but_some():
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "sts:AssumeRole"}
    who = role("app", trusts=Document.parse({"Version": "2012-10-17", "Statement": [statement]}))

    assert one(account(who), kind="WildcardTrust").evidence["principal"] == "NotPrincipal"


def test_wildcard_trust_is_not_said_of_a_service_nor_of_an_own_role():
    for principal in ({"Service": "ec2.amazonaws.com"}, {"AWS": f"arn:aws:iam::{OURS}:role/other"}):
        assert findings(account(trusting(principal)), kind="WildcardTrust") == []


@pytest.mark.parametrize("named", [OTHER, f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{OTHER}:role/vendor"])
def test_external_trust_names_the_account_that_is_not_ours(named):
    found = one(account(trusting({"AWS": named})), kind="ExternalTrust")

    assert (found.resource, found.evidence["principals"]) == (OTHER, [named])
    assert found.confidence == "medium"


def test_external_trust_knows_the_accounts_of_the_organization():
    ours = (Guardrails(OURS, (), ()), Guardrails(OTHER, (), ()))
    who = trusting({"AWS": OTHER})

    assert findings(account(who, guardrails=ours), kind="ExternalTrust") == []
    assert one(account(who, guardrails=ours[:1]), kind="ExternalTrust").confidence == "high"


def test_confused_deputy_is_a_third_party_without_an_external_id():
    bare, with_id = (
        trusting({"AWS": OTHER}),
        trusting({"AWS": OTHER}, Condition={"StringEquals": {"sts:ExternalId": "c-17"}}),
    )

    assert one(account(bare), kind="ConfusedDeputy").evidence["keys_missing"] == ["sts:ExternalId"]
    assert findings(account(with_id), kind="ConfusedDeputy") == []


@pytest.mark.parametrize("service", ["states.amazonaws.com", "states.eu-west-1.amazonaws.com"])
def test_confused_deputy_is_a_service_that_can_say_for_whom_it_acts_and_is_not_asked(service):
    bare = trusting({"Service": service})
    asked = trusting({"Service": service}, Condition={"StringEquals": {"aws:SourceAccount": OURS}})

    found = one(account(bare), kind="ConfusedDeputy")

    assert found.evidence["keys_missing"] == ["aws:SourceAccount", "aws:SourceArn"]
    assert "aws:SourceAccount" in found.remedy
    assert findings(account(asked), kind="ConfusedDeputy") == []


def test_confused_deputy_is_not_said_of_a_service_that_no_source_says_can_be_asked():
    assert findings(account(trusting({"Service": "ec2.amazonaws.com"})), kind="ConfusedDeputy") == []


def federated(**condition):
    return role(
        "deploy",
        trusts=trust(
            {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/{GITHUB}"},
            action="sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}, **condition},
        ),
    )


@pytest.mark.parametrize(
    "condition", [{}, {"StringLike": {f"{GITHUB}:sub": "repo:*"}}, {"StringLike": {f"{GITHUB}:sub": "*"}}]
)
def test_federated_trust_too_wide_lets_any_repository_in(condition):
    assert one(account(federated(**condition)), kind="FederatedTrustTooWide").resource == GITHUB


@pytest.mark.parametrize("subject", ["repo:example-shop/shop:environment:production", "repo:example-shop/*"])
def test_federated_trust_too_wide_is_not_said_where_the_subject_is_limited(subject):
    limited = federated(StringLike={f"{GITHUB}:sub": subject})

    assert findings(account(limited), kind="FederatedTrustTooWide") == []


def test_federated_trust_too_wide_is_not_said_of_a_provider_of_ones_own():
    provider = f"arn:aws:iam::{OURS}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
    who = role("pod", trusts=trust({"Federated": provider}, action="sts:AssumeRoleWithWebIdentity"))

    assert findings(account(who), kind="FederatedTrustTooWide") == []


def test_what_a_role_may_do_shifts_the_severity_of_its_exposure():
    reader = role("reader", policy(allow("s3:ListBucket")), trusts=trust({"AWS": OTHER}))
    ruler = role("ruler", policy(allow("iam:*")), trusts=trust({"AWS": OTHER}))
    told = log(use(reader, "s3:ListBucket", "arn:aws:s3:::b"))

    severities = {each.principal: each.severity for each in findings(account(reader, ruler), told, "ExternalTrust")}

    assert severities == {reader.arn: "low", ruler.arn: "high"}


def test_unused_trust_names_whom_the_trust_policy_lets_in_and_who_never_came():
    build, ci = (f"arn:aws:iam::{OURS}:role/{name}" for name in ("build", "ci"))
    who = trusting({"AWS": [build, ci]})
    day = datetime(2026, 8, 4), datetime(2026, 10, 30)
    came = Assumption(who.arn, build, "role", None, "AssumeRole", 3, 0, (), (), *day, "e9")
    told = log(use(who, "s3:PutObject", "arn:aws:s3:::b/k"), assumptions={who.arn: (came,)})

    found = one(account(who, role("build"), role("ci")), told, "UnusedTrust", of=who.arn)

    assert ci in str(found.evidence)
    assert build not in str(found.evidence)


def test_an_empty_sid_is_as_good_as_none():
    who = role("app", policy(allow("s3:*", Sid="")), trusts=trust({"AWS": [OTHER, "*"]}, Sid=""))
    judgement = judge(account(who), log(use(who, "s3:GetObject", "arn:aws:s3:::b/k")))

    recommendations.check(output.as_dict(judgement))
    assert {each.evidence["statement"] for each in judgement.findings if "statement" in each.evidence} == {0}
