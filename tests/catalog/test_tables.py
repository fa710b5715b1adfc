"""Each row of the catalogue names what exists, can be read, has a source, and can come true."""

import re

import pytest

from trailfit.catalog import actions, rules, tables
from trailfit.cloudtrail.arns import template
from trailfit.cloudtrail.conditions import condition
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record
from trailfit.cloudtrail.resource_texts import parse
from trailfit.cloudtrail.transforms import transform

RULES = [rule for table in (rules.event_rules(), rules.operation_rules()) for found in table.values() for rule in found]
ROLES = re.compile(r"required|conditional|dependent|one_of:\w+|")


@pytest.mark.parametrize("name", tables.names())
def test_every_row_has_a_source(name):
    assert all(row["source"] for row in tables.rows(name))


@pytest.mark.parametrize("name", ["event_rules", "operations"])
def test_rows_are_unique(name):
    rows = [tuple(row.values())[:7] for row in tables.rows(name)]

    assert len(rows) == len(set(rows))


def test_every_action_is_in_the_catalogue_and_in_its_casing():
    named = [rule.action for rule in RULES if rule.action]

    assert [action for action in named if actions.canonical(action) != action] == []


def test_every_pattern_of_unlogged_actions_names_some():
    assert [row["action"] for row in tables.rows("unlogged_actions") if not actions.expand(row["action"])] == []


@pytest.mark.parametrize("name", ["unobservable_actions", "observed_actions"])
def test_every_listed_action_is_in_the_catalogue(name):
    assert [row["action"] for row in tables.rows(name) if not actions.is_action(row["action"])] == []


def test_every_role_is_one_of_the_contract():
    assert all(ROLES.fullmatch(rule.role) for rule in RULES)
    assert all(bool(rule.action) == bool(rule.role) for rule in RULES)


def test_every_condition_and_resource_can_be_read():
    for rule in RULES:
        condition(rule.when)
        given = parse(rule.resource)
        known = actions.templates_of(rule.action.partition(":")[0])
        for kind, bound in given.types:
            text = kind if kind.startswith("arn:") else known[kind.lower()]
            assert set(bound) <= set(template(text).variables), rule


def test_every_resource_parameter_names_a_type_its_variable_and_a_transform():
    for row in tables.rows("resource_parameters"):
        text = actions.templates_of(row["service"])[row["resource_type"].lower()]
        assert row["variable"] in template(text).variables
        transform(row["transform"])


def test_every_prefix_is_in_the_catalogue():
    assert {row["service"] for row in tables.rows("event_sources")} <= actions.services()


def satisfied(when):
    """Make request parameters under which a condition holds."""
    parameters = {}
    for term in filter(None, when.split(" and ")):
        found = re.fullmatch(r"(!)?([^\s=!~]+)(?:(!?[=~])(.*))?", term)
        absent, path, op, value = found.groups()
        if absent or op in ("!=", "!~"):
            continue
        text = SAMPLES.get(value, value.split("|")[0] if op == "=" else None) if op else "x"
        node = parameters
        *way, last = path.replace("@values", "any").split(".")
        for key in way:
            node = node.setdefault(key, {})
        node[last] = text
    return parameters


SAMPLES = {
    r".*\?versionId=": "b/k?versionId=1",
    "arn:aws[a-z-]*:s3-object-lambda:": "arn:aws:s3-object-lambda:eu-west-1:111122223333:accesspoint/x",
    r"\s*(exists\s*\(\s*)?select\b": "select * from t",
    r"\s*insert\b": "insert into t value {}",
    r"\s*update\b": "update t set x=1",
    r"\s*delete\b": "delete from t",
}


def understood(service, event_name, parameters):
    source = next(
        (row["label"] for row in tables.rows("event_sources") if row["service"] == service and not row["when"]), service
    )
    if service in ("application-autoscaling",):
        source, parameters = "autoscaling", parameters | {"serviceNamespace": "ecs"}
    return understand(
        parse_record(
            {
                "eventSource": f"{source}.amazonaws.com",
                "eventName": event_name,
                "awsRegion": "eu-west-1",
                "recipientAccountId": "111122223333",
                "requestParameters": parameters,
            }
        )
    )


def test_every_rule_can_come_true():
    silent = []
    for rule in RULES:
        if rule not in rules.rules_of(rule.service, rule.event_name):
            continue  # a hand-kept rule decides instead
        event = understood(rule.service, rule.event_name, satisfied(rule.when))
        found = (
            event.outcome == "no_authorization"
            if not rule.action
            else any((use.action, use.role) == (rule.action, rule.role) for use in event.uses)
        )
        if not found:
            silent.append((rule.service, rule.event_name, rule.action, rule.when))

    assert silent == []


def test_every_passed_role_shows():
    silent = []
    for row in rules.pass_roles().values():
        for path in row.paths + row.profile_paths:
            event = understood(row.service, row.event_name, satisfied(path))
            if not any(use.action == "iam:PassRole" for use in event.uses):
                silent.append((row.service, row.event_name, path))

    assert silent == []
