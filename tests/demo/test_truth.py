"""The demo's ground truth holds: in its log, in its policies, and against what trailfit knows of AWS."""

import gzip
import json
from collections import Counter
from datetime import date
from fnmatch import fnmatchcase

import pytest

from trailfit.catalog.actions import is_action
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record
from trailfit.demo.apis import APIS
from trailfit.demo.history import Calendar, happen
from trailfit.demo.iam_files import aws_managed
from trailfit.demo.organisation import ACCOUNTS
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants


@pytest.fixture(scope="module")
def events():
    """A quarter's turn, with the monthly and quarterly jobs in it."""
    calendar = Calendar(date(2026, 10, 31), 90)
    days = [day for day in calendar if date(2026, 9, 27) <= day <= date(2026, 10, 5)]
    return [event for day in days for event in happen(ACCOUNTS, day, calendar, 7, 0.3)]


@pytest.fixture(scope="module")
def truth(made):
    return json.loads(made.truth.read_text())


@pytest.fixture(scope="module")
def policies():
    """Every principal's identity policies and boundary, straight from the cast."""
    found = {}
    for account in ACCOUNTS:
        own = {policy.name: policy.document for policy in account.policies}
        groups = {group.name: group for group in account.groups}
        for who in account.principals:
            owners = [who, *(groups[name] for name in getattr(who, "groups", ()))]
            documents = [document for owner in owners for document in owner.inline.values()]
            documents += [
                own.get(name) or aws_managed()[name]["document"] for owner in owners for name in owner.managed
            ]
            boundary = getattr(who, "boundary", None)
            found[who.arn] = (
                tuple(Document.parse(document) for document in documents),
                (Document.parse(own[boundary]),) if boundary else None,
            )
    return found


def context(event):
    via = event.record["userIdentity"].get("invokedBy", "")
    known = {"aws:RequestedRegion": event.region}
    return known | ({"kms:ViaService": via.replace(".", f".{event.region}.", 1)} if via else {})


def test_every_api_of_the_demo_needs_an_action_that_iam_has():
    assert [api.action for api in APIS.values() if not is_action(api.action)] == []


def test_every_event_is_within_its_principals_needs(events, truth):
    needs = {who["arn"]: [(n["action"], n["resource"]) for n in who["needs"]] for who in truth["principals"]}
    for event in events:
        if event.used:
            assert any(
                event.action == action and covers(resource, event.resource)
                for action, resource in needs[event.principal]
            ), (event.principal, event.action, event.resource)


def test_the_policies_grant_what_was_allowed_and_not_what_was_denied(events, policies):
    for event in events:
        if event.principal and event.resource and "/aws-service-role/" not in event.principal:
            identity, boundary = policies[event.principal]
            request = Request(event.principal, event.action, event.resource, context(event))
            assert grants(request, identity, boundary) is not event.fault.startswith("denied"), event.record


def test_records_mean_what_the_truth_says(events):
    """The demo's own small table and the catalogue were made apart: they must name the same action and outcome."""
    wrong = Counter()
    for event in events:
        if not event.principal or not event.resource:
            continue
        understood = understand(parse_record(event.record))
        if understood.principal != event.principal:
            wrong[event.principal, understood.principal] += 1
        if event.action not in {use.action for use in understood.uses}:
            wrong[event.record["eventSource"], event.record["eventName"], event.fault] += 1
        if understood.counts_as_use != event.used:
            wrong[event.action, event.fault, understood.why] += 1
    assert wrong == Counter()


def test_used_resources_are_those_that_the_truth_names(events):
    """Where a request does not name its resource whole, trailfit may say a wider pattern, never another resource."""
    for event in events:
        if event.used:
            uses = understand(parse_record(event.record)).uses
            named = [use.resource for use in uses if use.action == event.action]
            assert any(covers(name, event.resource) or covers(event.resource, name) for name in named), (event, named)


def covers(outer, inner):
    return fnmatchcase(inner, outer.replace("[", "[[]"))


def test_the_worked_example_is_one_action_on_one_table(made, truth):
    role = truth["worked_example"]["role"]
    calls = Counter()
    for path in made.logs.rglob("example-prod-trail/**/*.json.gz"):
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {})
            if issuer.get("arn") == role:
                calls[record["eventName"], record["requestParameters"]["tableName"], record.get("errorCode")] += 1
    assert set(calls) == {("PutItem", "orders", None)}
    entry = next(who for who in truth["principals"] if who["arn"] == role)
    assert entry["events"] == sum(calls.values())
    assert [(need["action"], need["resource"]) for need in entry["needs"]] == [
        (action, resource) for action, resources in truth["worked_example"]["allow"].items() for resource in resources
    ]


def test_the_truths_counts_are_the_files_counts(made, truth):
    ids, records = set(), 0
    for path in made.logs.rglob("*.json.gz"):
        listed = json.loads(gzip.decompress(path.read_bytes())).get("Records", [])
        records += len(listed)
        ids |= {record["eventID"] for record in listed}
    assert (len(ids), records) == (truth["events"], truth["records"])


def test_what_nobody_used_is_named_and_nothing_else(truth):
    found = {(item["kind"], item["principal"].rpartition("/")[2]) for item in truth["findings"]}
    assert found == {
        ("UnusedIAMRole", "unused-migration-role"),
        ("UnusedIAMRole", "lake-admin-role"),
        ("UnusedIAMRole", "vendor-cost-role"),
        ("UnusedIAMRole", "open-data-role"),
        ("UnusedIAMRole", "preview-deploy"),
        ("UnusedIAMRole", "emergency-restore-role"),
        ("UnusedIAMUser", "carol"),
        ("UnusedIAMUserPassword", "bob"),
        ("UnusedIAMUserPassword", "carol"),
        ("UnusedIAMUserAccessKey", "carol"),
        ("UnusedIAMUserAccessKey", "legacy-app"),
    }
    spared = {(item["principal"].rpartition("/")[2], item.get("action")) for item in truth["not_unused"]}
    assert ("orders-sandbox-role", "dynamodb:PutItem") in spared
    assert ("quarterly-audit-role", "s3:PutObject") in spared
    assert ("metrics-prober-role", None) in spared
    assert ("github-deploy", "iam:PassRole") in spared


def test_a_need_seen_by_no_trail_is_marked_so(truth):
    staging = "arn:aws:iam::222233334444:role/orders-sandbox-role"
    entry = next(who for who in truth["principals"] if who["arn"] == staging)
    assert entry["events"] == 0
    assert [(need["observable"], need["calls_of_action"]) for need in entry["needs"]] == [(False, 0)]
