"""The demo's IAM files are what the AWS CLI prints: held against the shapes of botocore's own service models."""

import csv
import json
from datetime import datetime

import pytest

from trailfit.demo.organisation import ACCOUNTS
from trailfit.inventory.from_files import read

ANSWERS = [
    ("iam", "GetAccountAuthorizationDetails", "get-account-authorization-details.json"),
    ("iam", "GetServiceLastAccessedDetails", "service-last-accessed/*.json"),
    ("iam", "ListAccessKeys", "list-access-keys/*.json"),
    ("lambda", "ListFunctions", "list-functions.json"),
    ("cloudtrail", "DescribeTrails", "describe-trails.json"),
    ("cloudtrail", "GetEventSelectors", "get-event-selectors-*.json"),
]
DOCUMENTS = {"AssumeRolePolicyDocument", "PolicyDocument", "Document"}
"""Strings in the API's model, which the CLI prints as JSON."""
PLAIN = {"integer": int, "long": int, "boolean": bool}
REALLY = {"PermissionsBoundaryAttachmentType": {"Policy"}}
"""What IAM really answers (seen in every recorded answer) where its model has another word."""


def unlike(value, shape, where):
    """Name every place where a value is not of its shape."""
    if shape.type_name == "structure":
        for key, inner in value.items():
            if key not in shape.members:
                yield f"{where}.{key} is no member"
            elif key not in DOCUMENTS:
                yield from unlike(inner, shape.members[key], f"{where}.{key}")
        yield from (f"{where}.{name} is missing" for name in shape.required_members if name not in value)
    elif shape.type_name == "list":
        for number, inner in enumerate(value):
            yield from unlike(inner, shape.member, f"{where}[{number}]")
    elif shape.type_name == "timestamp":
        datetime.fromisoformat(value)
    elif shape.type_name == "string":
        if shape.enum and value not in {*shape.enum, *REALLY.get(shape.name, ())}:
            yield f"{where}: {value} is not one of {shape.enum}"
        elif not isinstance(value, str) or len(value) < shape.metadata.get("min", 0):
            yield f"{where}: {value!r}"
    elif type(value) is not PLAIN[shape.type_name]:
        yield f"{where}: {value!r}"


@pytest.mark.parametrize(("service", "operation", "pattern"), ANSWERS)
def test_every_answer_has_the_shape_of_its_operation(made, service, operation, pattern):
    from botocore.session import get_session

    shape = get_session().get_service_model(service).operation_model(operation).output_shape
    answers = sorted(made.iam.glob(f"*/{pattern}"))
    assert answers
    for path in answers:
        assert list(unlike(json.loads(path.read_text()), shape, path.name)) == []


def test_the_credential_report_has_awss_columns_and_a_row_a_user(made):
    for account in ACCOUNTS:
        with (made.iam / account.id / "credential-report.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["user"] for row in rows] == ["<root_account>", *(user.name for user in account.users)]
        assert len(rows[0]) == 22
        assert all(None not in row and None not in row.values() for row in rows)
    carol = {row["user"]: row for row in csv.DictReader((made.iam / "111122223333/credential-report.csv").open())}[
        "carol"
    ]
    assert carol["password_enabled"] == "true"
    assert carol["access_key_1_last_used_date"] < "2026-08"
    assert carol["access_key_2_active"] == "false"


def test_the_snapshot_reads_whole_and_nothing_in_it_is_left_over(made):
    snapshot = read(made.iam)
    assert snapshot.accounts == tuple(account.id for account in ACCOUNTS)
    assert {who.arn for who in snapshot.principals} == {who.arn for account in ACCOUNTS for who in account.principals}
    assert all(policy.document for who in snapshot.principals for policy in who.policies)
    assert len(snapshot.functions) == sum(len(account.functions) for account in ACCOUNTS)
    keys = {key.id for who in snapshot.principals for key in who.credentials if key.kind == "access_key"}
    assert keys == {user.key_id(key.label) for account in ACCOUNTS for user in account.users for key in user.keys}
    assert {policy.name for policy in snapshot.unattached} == {"feature-flags", "read-feature-flags"}


def test_thirty_roles_of_every_kind_and_six_users_with_keys(made):
    snapshot = read(made.iam)
    roles = [who for who in snapshot.principals if who.kind == "role"]
    users = [who for who in snapshot.principals if who.kind == "user"]
    assert 30 <= len(roles) <= 45
    assert len([user for user in users if user.credentials]) >= 6
    assert sum(role.path.startswith("/aws-reserved/sso.amazonaws.com/") for role in roles) >= 2
    assert sum(bool(role.boundary) for role in roles) == 1
    shared = {}
    for function in snapshot.functions:
        shared.setdefault(function.role, set()).add(function.name)
    assert max(map(len, shared.values())) == 4


def test_last_used_agrees_with_the_log_and_silence_before_it(made):
    roles = {role["RoleName"]: role for role in details(made, "111122223333")["RoleDetailList"]}
    assert roles["orders-writer-role"]["RoleLastUsed"]["LastUsedDate"].startswith("2026-10-3")
    assert roles["unused-migration-role"]["RoleLastUsed"]["LastUsedDate"] < "2026-08"
    assert roles["gift-cards-role"]["CreateDate"].startswith("2026-10-21")


def details(made, account):
    return json.loads((made.iam / account / "get-account-authorization-details.json").read_text())


def test_last_accessed_knows_of_calls_that_no_log_shows_but_not_of_passed_roles(made):
    def services(account, name):
        answer = json.loads((made.iam / account / "service-last-accessed" / f"{name}.json").read_text())
        return {item["ServiceNamespace"]: item.get("LastAuthenticated") for item in answer["ServicesLastAccessed"]}

    assert services("111122223333", "metrics-prober-role")["cloudwatch"].startswith("2026-10-31")
    assert services("111122223333", "metrics-prober-role")["sqs"] is None
    assert services("222233334444", "orders-sandbox-role")["dynamodb"].startswith("2026-10")
    assert services("111122223333", "github-deploy")["iam"] is None


def test_members_stand_under_guardrails_and_the_management_account_does_not(made):
    guardrails = {each.account: each for each in read(made.iam).guardrails}
    assert guardrails["111122223333"].scp == ()
    for member in ("222233334444", "444455556666"):
        levels = guardrails[member].scp
        assert [[policy.name for policy in level.policies] for level in levels] == [
            ["FullAWSAccess", "keep-the-trail"],
            ["FullAWSAccess"],
            ["FullAWSAccess"],
        ]
