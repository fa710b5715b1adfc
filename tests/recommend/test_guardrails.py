"""The guardrails: what is found, with which evidence and remedy, and what is not."""

import pytest
from tests.recommend.small import OLD as WHEN
from tests.recommend.small import (
    OURS,
    account,
    allow,
    aws_managed,
    findings,
    key,
    log,
    one,
    policy,
    role,
    source,
    trust,
    use,
    user,
)

from trailfit.model import Denied, Function

TABLE = f"arn:aws:dynamodb:eu-west-1:{OURS}:table/orders"


def function(name, wearer, kind="AWS::Lambda::Function", arn=None, **facts):
    arn = arn or f"arn:aws:lambda:eu-west-1:{OURS}:function:{name}"
    return Function(arn, name, OURS, "eu-west-1", wearer.arn, kind=kind, **facts)


def test_wildcard_action_tells_what_it_covers_and_what_of_it_was_used():
    who = role("app", policy(allow("dynamodb:*", TABLE, Sid="Table")))

    found = one(account(who), log(use(who, "dynamodb:PutItem", TABLE)), "WildcardAction")

    assert found.evidence["patterns"] == ["dynamodb:*"]
    assert found.evidence["actions_covered"] > 50
    assert found.evidence["narrowed_to"] == ["dynamodb:PutItem"]
    assert found.evidence["statement"] == "Table"
    assert (found.severity, found.confidence) == ("high", "high")
    assert found.remedy


@pytest.mark.parametrize(
    ("action", "severity"), [("*", "critical"), ("s3:*", "high"), ("ec2:Describe*", "medium"), ("s3:List*", "medium")]
)
def test_wildcard_action_is_as_grave_as_what_it_covers(action, severity):
    assert one(account(role("app", policy(allow(action)))), kind="WildcardAction").severity == severity


def test_wildcard_resource_is_no_finding_where_an_action_takes_no_resource():
    who = role("app", policy(allow("sts:GetCallerIdentity"), allow("s3:ListAllMyBuckets")))

    assert findings(account(who), kind="WildcardResource") == []


def test_wildcard_resource_names_the_resources_that_were_used():
    who = role("app", policy(allow(["dynamodb:PutItem", "dynamodb:ListTables"])))

    found = one(account(who), log(use(who, "dynamodb:PutItem", TABLE)), "WildcardResource")

    assert found.evidence["actions_that_could_be_limited"] == 1
    assert found.evidence["narrowed_to"] == [TABLE]


def test_allow_not_action_and_not_wildcard_action_is_said_of_an_allow_with_not_action():
    who = role("app", policy(allow(NotAction=["iam:*"])))

    found = one(account(who), kind="AllowNotAction")

    assert found.evidence["left_out"] == ["iam:*"]
    assert findings(account(who), kind="WildcardAction") == []


def test_allow_not_resource_is_found_and_a_deny_with_one_is_not():
    bad = policy(allow("s3:GetObject", NotResource="arn:aws:s3:::secret/*"))
    good = policy({**allow("s3:GetObject", NotResource="arn:aws:s3:::open/*"), "Effect": "Deny"}, name="deny")

    assert one(account(role("app", bad, good)), kind="AllowNotResource").resource == "app#0"


def test_aws_managed_policy_comes_with_its_replacement():
    who = role("writer", aws_managed("AmazonDynamoDBFullAccess", allow("dynamodb:*")))

    found = one(account(who), log(use(who, "dynamodb:PutItem", TABLE)), "AWSManagedPolicy")

    assert found.evidence["replacement"] == {"dynamodb:PutItem": [TABLE]}
    assert found.commands == (
        "aws iam detach-role-policy --role-name writer --policy-arn arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
    )


def test_aws_managed_policy_for_basic_execution_becomes_the_functions_own_log_group():
    logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    who = role("writer", aws_managed("AWSLambdaBasicExecutionRole", allow(logs)))
    group = f"arn:aws:logs:eu-west-1:{OURS}:log-group:/aws/lambda/writer"

    found = one(account(who, functions=(function("writer", who),)), log(dark=logs), "AWSManagedPolicy")

    assert found.evidence["replacement"] == {logs[0]: [group], logs[1]: [f"{group}:*"], logs[2]: [f"{group}:*"]}


def test_aws_managed_policy_that_nothing_uses_is_to_be_detached():
    found = one(account(role("idle", aws_managed("AmazonSQSFullAccess", allow("sqs:*")))), kind="AWSManagedPolicy")

    assert found.evidence["replacement"] == {}
    assert found.remedy.startswith("detach it")


def test_user_with_static_keys_is_told_who_uses_them_from_where_and_what_to_use_instead():
    name = "AKIAEXAMPLE000000001"
    rows = (
        source(name, "198.51.100.0/24", WHEN, agent="aws-cli/2.31 os/linux#6.11.0-azure", calls=9),
        source(name, "203.0.113.0/24", WHEN, agent="aws-cli/2.31 os/macos#24.6", calls=1),
    )

    found = one(account(user("ci", credentials=(key(name),))), log(key_sources={name: rows}), "UserWithStaticKeys")

    assert [each["network"] for each in found.evidence["used_from"]] == ["198.51.100.0/24", "203.0.113.0/24"]
    assert found.evidence["use_instead"] == ["IAM Identity Center", "OIDC federation (AssumeRoleWithWebIdentity)"]
    assert found.evidence["calls"] == 10


def test_user_with_static_keys_is_not_said_of_a_user_whose_keys_are_inactive():
    assert findings(account(user("ann", credentials=(key(active=False),))), kind="UserWithStaticKeys") == []


def test_shared_role_names_everybody_who_wears_it_and_what_triggers_them():
    who = role("shared")
    worn = (
        function("one", who, triggers=(f"arn:aws:sqs:eu-west-1:{OURS}:in",)),
        function("rule", who, "AWS::Events::Rule", f"arn:aws:events:eu-west-1:{OURS}:rule/nightly"),
    )

    found = one(account(who, functions=worn), kind="SharedRole")

    assert found.evidence["shared_by"] == 2
    assert found.evidence["triggers"] == [f"arn:aws:sqs:eu-west-1:{OURS}:in"]
    assert found.evidence["kinds"] == ["AWS::Events::Rule", "AWS::Lambda::Function"]


def test_shared_role_is_not_said_of_revisions_of_one_task_nor_of_instances_of_one_profile():
    task = [
        ("AWS::ECS::TaskDefinition", f"arn:aws:ecs:eu-west-1:{OURS}:task-definition/web:{revision}")
        for revision in (1, 2)
    ]
    fleet = [("AWS::EC2::Instance", f"arn:aws:ec2:eu-west-1:{OURS}:instance/i-{number}") for number in (1, 2)]
    for kinds in (task, fleet):
        who = role("worn")
        worn = tuple(function(arn, who, kind, arn) for kind, arn in kinds)

        assert findings(account(who, functions=worn), kind="SharedRole") == []


PASS = "iam:PassRole"


@pytest.mark.parametrize("resource", ["*", f"arn:aws:iam::{OURS}:role/*", "arn:aws:iam::*:role/*"])
def test_pass_role_on_any_role_names_the_roles_that_were_really_passed(resource):
    who, passed = role("deploy", policy(allow(PASS, resource))), f"arn:aws:iam::{OURS}:role/app"

    found = one(account(who), log(use(who, PASS, passed)), "PassRoleOnAnyRole")

    assert found.evidence["roles_passed"] == [passed]
    assert found.severity == "high"


@pytest.mark.parametrize(
    "statements",
    [
        [allow(PASS, f"arn:aws:iam::{OURS}:role/app-*")],
        [allow(PASS), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}],
        [allow("*")],
    ],
    ids=["named", "denied", "told by WildcardAction"],
)
def test_pass_role_on_any_role_is_not_said_where_roles_are_named_or_it_is_denied(statements):
    assert findings(account(role("deploy", policy(*statements))), kind="PassRoleOnAnyRole") == []


def test_pass_role_on_any_role_weighs_less_where_the_service_is_limited():
    limited = allow(PASS, Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})

    assert one(account(role("deploy", policy(limited))), kind="PassRoleOnAnyRole").severity == "low"


def test_denied_calls_are_told():
    who = role("app", policy(allow()))

    told = log(use(who, "s3:GetObject", "arn:aws:s3:::b/k"))
    told = type(told)(**{
        **{name: getattr(told, name) for name in told.__slots__},
        "denied": {who.arn: (Denied(who.arn, "s3:PutObject", "arn:aws:s3:::b/k", 4, None, None),)},
    })  # fmt: skip

    assert one(account(who), told, "DeniedCalls").evidence == {"calls": 4, "actions": ["s3:PutObject"]}


def test_findings_have_a_remedy_and_a_risk_that_is_severity_times_confidence():
    who = role("app", policy(allow("*")), trusts=trust({"AWS": "*"}))

    for each in findings(account(who)):
        assert each.remedy
        assert 0 < each.risk <= 100


def test_a_wildcard_that_a_deny_cuts_off_is_told_as_granted_in_vain():
    who = role("app", policy(allow("*")), policy({"Effect": "Deny", "Action": "*", "Resource": "*"}, name="none"))

    for kind in ("WildcardAction", "WildcardResource"):
        found = one(account(who), kind=kind)
        assert found.severity in {"low", "medium"}
        assert "in_vain" in found.evidence


def test_a_wildcard_that_no_known_action_matches_is_not_told_as_granted_in_vain():
    found = one(account(role("app", policy(allow("madeup:Foo*")))), kind="WildcardAction")

    assert found.evidence["actions_covered"] == 0
    assert "in_vain" not in found.evidence
