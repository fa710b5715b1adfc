"""What events mean: a table of cases, each with what it shows; and that no event makes `understand` fail."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailfit.catalog import actions, rules
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.names import operation
from trailfit.cloudtrail.record import parse_record

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases" / "meaning.jsonl").open(encoding="utf-8")]
ACCOUNT = "111122223333"
ROLE = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/fn/s",
    "accountId": ACCOUNT,
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/app/fn"}},
}
BASE = {"awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT, "userIdentity": ROLE}


def event_of(source, name, parameters=None, **more):
    return understand(
        parse_record(BASE | {"eventSource": source, "eventName": name, "requestParameters": parameters} | more)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['event']['eventName']}: {case['why']}"[:70])
def test_case(case):
    event = understand(parse_record(BASE | case["event"]))

    assert [[use.action, use.resource, use.role] for use in event.uses] == case["uses"]
    assert (event.outcome, event.counts_as_use) == (case["outcome"], case["counts_as_use"])


def test_every_hand_kept_rule_has_a_case():
    seen = {
        (use[0], case["event"]["eventSource"], operation(use[0].split(":")[0], case["event"]["eventName"]).lower())
        for case in CASES
        for use in case["uses"]
    }
    shown = {(action, name) for action, _, name in seen} | {
        (action, name) for action, _, event in seen for name in (event, operation("lambda", event).lower())
    }
    free = {case["event"]["eventName"].lower() for case in CASES if case["outcome"] == "no_authorization"}
    missing = [
        f"{rule.service}:{rule.event_name} {rule.action}"
        for found in rules.event_rules().values()
        for rule in found
        if (rule.action, rule.event_name.lower()) not in shown
        and rule.event_name.lower() not in (free if not rule.action else ())
    ]

    assert missing == []


def test_denied_call_is_not_use():
    event = event_of("s3.amazonaws.com", "GetObject", {"bucketName": "b", "key": "k"}, errorCode="AccessDenied")

    assert (event.outcome, event.counts_as_use) == ("denied", False)
    assert event.why


def test_denial_names_the_kind_of_policy():
    message = (
        "User: arn:aws:iam::111122223333:user/u is not authorized to perform: s3:GetObject on resource: "
        "arn:aws:s3:::b/k with an explicit deny in a service control policy"
    )
    event = event_of("s3.amazonaws.com", "GetObject", None, errorCode="AccessDenied", errorMessage=message)

    assert event.why == "denied: an explicit deny in a service control policy"
    assert [(use.action, use.resource) for use in event.uses] == [("s3:GetObject", "arn:aws:s3:::b/k")]


def test_unknown_event_is_said_and_still_shows_that_its_principal_is_alive():
    event = event_of("s3.amazonaws.com", "Foo")

    assert event.uses == ()
    assert event.why == "unknown: no catalogue action for s3:Foo"
    assert event.counts_as_use


def test_role_keeps_its_path_and_session_is_apart():
    event = event_of("s3.amazonaws.com", "ListBuckets")

    assert (event.principal, event.principal_kind, event.session) == (
        f"arn:aws:iam::{ACCOUNT}:role/app/fn",
        "role",
        "s",
    )


@pytest.mark.parametrize("category", ["NetworkActivity", "Insight"])
def test_repeating_categories_are_nobodys_use(category):
    event = event_of("kms.amazonaws.com", "ListKeys", eventCategory=category)

    assert not event.counts_as_use
    assert category in event.why


@pytest.mark.parametrize("kind", ["AwsServiceEvent", "AwsConsoleSignIn", "AwsVpceEvents"])
def test_events_that_are_no_calls_are_nobodys_use(kind):
    assert not event_of("ec2.amazonaws.com", "StopInstances", eventType=kind).counts_as_use


def test_forward_access_session_counts_and_tells_the_service():
    event = event_of(
        "kms.amazonaws.com",
        "Decrypt",
        userIdentity=ROLE | {"invokedBy": "secretsmanager.amazonaws.com"},
        resources=[{"ARN": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"}],
    )

    assert event.counts_as_use
    assert event.uses[0].context == (("kms:ViaService", "secretsmanager.eu-west-1.amazonaws.com"),)


def test_passed_role_tells_to_whom():
    event = event_of(
        "lambda.amazonaws.com", "CreateFunction20150331", {"functionName": "f", "role": "arn:aws:iam::1:role/r"}
    )
    passed = next(use for use in event.uses if use.action == "iam:PassRole")

    assert passed.resource == "arn:aws:iam::1:role/r"
    assert passed.context == (("iam:PassedToService", "lambda.amazonaws.com"),)


def test_listing_proves_its_prefix():
    event = event_of("s3.amazonaws.com", "ListObjects", {"bucketName": "b", "prefix": "x/"})

    assert event.uses[0].context == (("s3:prefix", "x/"),)


def test_data_type_comes_from_the_catalogue():
    event = event_of("dynamodb.amazonaws.com", "GetItem", {"tableName": "t"}, eventCategory="Data")

    assert event.data_type == "AWS::DynamoDB::Table"


def test_aggregated_record_is_understood_as_nobodys():
    event = understand(
        parse_record(
            {
                "eventVersion": "1.0",
                "accountId": ACCOUNT,
                "eventId": "e1",
                "eventCategory": "Aggregated",
                "eventType": "AwsAggregatedEvent",
                "awsRegion": "eu-west-1",
                "eventSource": "s3.amazonaws.com",
                "timeWindow": {"windowStart": "2026-10-30 23:45:00"},
            }
        )
    )

    assert (event.event_id, event.account, event.time) == ("e1", ACCOUNT, "2026-10-30T23:45:00Z")
    assert not event.counts_as_use


def test_equal_requests_of_two_accounts_stay_apart():
    one = event_of("sqs.amazonaws.com", "ListQueueTags", {"queueUrl": "q"})
    other = event_of("sqs.amazonaws.com", "ListQueueTags", {"queueUrl": "q"}, recipientAccountId="999988887777")

    assert one.uses[0].resource.split(":")[4] == ACCOUNT
    assert other.uses[0].resource.split(":")[4] == "999988887777"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("arn:aws:s3:::b/k"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.just("items"), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = sorted({(rule.service, rule.event_name) for found in rules.event_rules().values() for rule in found})


@given(
    name=st.sampled_from(NAMES),
    keys=st.dictionaries(
        st.sampled_from(["bucketName", "key", "tags", "instancesSet", "transactItems", "statement"]), JSON
    ),
    resources=JSON,
    code=st.none() | st.sampled_from(["AccessDenied", "ThrottlingException", "NoSuchKey"]) | st.text(max_size=5),
    message=st.none() | st.text(max_size=30),
)
def test_no_record_makes_it_fail_nor_name_an_action_that_does_not_exist(name, keys, resources, code, message):
    event = event_of(
        f"{name[0]}.amazonaws.com", name[1], keys, resources=resources, errorCode=code, errorMessage=message
    )

    assert all(actions.canonical(use.action) == use.action for use in event.uses)
    assert all(use.resource == "*" or use.resource.startswith("arn:") for use in event.uses)
    assert event.counts_as_use == (event.outcome == "allowed")
