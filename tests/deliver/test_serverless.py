"""The Serverless Framework: its statements are edited in place, what it adds by itself is left to it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from trailfit.deliver import serverless
from trailfit.deliver.cloudformation import Proposal
from trailfit.deliver.plan import plan
from trailfit.errors import EditError

from . import sample
from .corpus import ROOT
from .sample import ACCOUNT, allow, document

TEXT = """\
service: orders # the shop's
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  iam:
    role:
      managedPolicies:
        - arn:aws:iam::aws:policy/AmazonSQSFullAccess
        - arn:aws:iam::aws:policy/AmazonSNSFullAccess
      statements:
        - Effect: Allow # the table
          Action:
            - dynamodb:GetItem
            - dynamodb:DeleteItem
          Resource: !GetAtt Table.Arn
        - Effect: Allow
          Action: s3:*
          Resource: arn:aws:s3:::${self:custom.bucket}/*
custom:
  bucket: orders-${sls:stage}
resources:
  Resources:
    Table:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders
"""
LOGS = allow(["logs:CreateLogStream", "logs:CreateLogGroup"], f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/orders-dev*:*")  # fmt: skip
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"
DEPLOYED = document(LOGS, allow(["dynamodb:GetItem", "dynamodb:DeleteItem"], TABLE), allow("s3:*", "arn:aws:s3:::orders-dev/*"))  # fmt: skip
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders-dev-eu-west-1-lambdaRole"


def inline(content: dict[str, Any], name: str = "dev-orders-lambda") -> dict[str, Any]:
    return {"kind": "inline", "name": name, "document": content}


def edited(after: dict[str, Any], text: str = TEXT, before: dict[str, Any] = DEPLOYED) -> str:
    return serverless.edit(text, [Proposal(ACCOUNT, [inline(before)], [inline(after)])])


TIGHT = document(LOGS, allow(["dynamodb:GetItem"], TABLE), allow("s3:GetObject", "arn:aws:s3:::orders-dev/*"))


def test_only_the_statements_of_the_file_change_and_references_stay() -> None:
    new = edited(TIGHT)

    assert new == TEXT.replace("            - dynamodb:DeleteItem\n", "").replace(
        "Action: s3:*", "Action: s3:GetObject"
    )
    assert edited(TIGHT, new, TIGHT) == new


def test_what_the_framework_adds_is_not_written_down() -> None:
    assert "logs:" not in edited(TIGHT)
    assert "logs:" not in edited(document(allow("logs:CreateLogStream", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/orders-dev-x:*")))  # fmt: skip


def test_the_older_place_of_the_statements_is_known_too() -> None:
    head, _, rest = TEXT.partition("  iam:\n")
    lines = rest.partition("      statements:\n")[2].partition("custom:")
    text = f"{head}  iamRoleStatements:\n{lines[0]}custom:{lines[2]}"
    [service] = serverless.services(text)

    assert service.where == "provider.iamRoleStatements"
    assert "DeleteItem" not in edited(TIGHT, text)


def test_a_managed_policy_is_taken_out_of_its_list() -> None:
    policy = {"kind": "aws_managed", "name": "AmazonSQSFullAccess", "arn": "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
              "document": document(allow("sqs:*", "*"))}  # fmt: skip
    new = serverless.edit(TEXT, [Proposal(ACCOUNT, [inline(DEPLOYED), policy], [inline(DEPLOYED)])])

    assert new == TEXT.replace("        - arn:aws:iam::aws:policy/AmazonSQSFullAccess\n", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT.replace("Action: s3:*", "Action: s3:Get*"), "as it is deployed"),
        (TEXT.replace("Action: s3:*", "Action: ${self:custom.actions}"), "variables make the actions"),
        (re.sub(r"statements:\n.*custom:", "statements: ${file(iam.yml)}\ncustom:", TEXT, flags=re.DOTALL), "variables or other files"),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_safely_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(EditError, match=reason):
        edited(TIGHT, text)


def test_more_than_today_is_never_written() -> None:
    with pytest.raises(EditError, match="would grant something new"):
        edited(document(LOGS, allow("*", "*")))


@pytest.mark.parametrize(
    ("role", "found"),
    [(ROLE, True), (ROLE.replace("orders-dev", "orders-my-stage"), True), (ROLE.replace("orders-", "others-"), False)],
)
def test_the_role_is_known_by_the_name_that_the_framework_gives_it(role: str, found: bool) -> None:
    change = sample.recommendation(role, [inline(DEPLOYED)], [inline(TIGHT)])
    done = plan(
        {**sample.recommendations(), "principals": [], "recommendations": [change]}, {"api/serverless.yml": TEXT}
    )

    assert [path for one in done.roles for path in one.files if not path.startswith("policies/")] == (["api/serverless.yml"] if found else [])  # fmt: skip


@pytest.mark.skipif(not ROOT.is_dir(), reason="the corpus is not here (TRAILFIT_CORPUS)")
def test_the_services_of_the_corpus_are_found_and_edited() -> None:
    files = sorted(ROOT.rglob("serverless.yml"))
    for path in files:
        text = path.read_text("utf-8")
        [_service] = serverless.services(text)
        found = serverless.statements(serverless.parse_yaml(text))
        assert found is not None
        held = [
            {**one, "Resource": re.sub(r"\$\{[^}]*\}", "x", one["Resource"])} for one in found[1].value
        ]  # fmt: skip
        before, after = document(LOGS, *held), document(LOGS, *held[1:])
        new = serverless.edit(text, [Proposal(ACCOUNT, [inline(before)], [inline(after)])])
        assert len(text.splitlines()) - len(new.splitlines()) >= 2
        assert serverless.edit(new, [Proposal(ACCOUNT, [inline(after)], [inline(after)])]) == new
    assert len(files) == 2
