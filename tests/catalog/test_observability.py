"""When silence about an action is evidence, and when it never is."""

import pytest

from trailfit.catalog import actions
from trailfit.catalog.observability import observability

MANAGEMENT = [
    "ec2:StopInstances",
    "kms:Decrypt",
    "iam:CreateRole",
    "s3:GetBucketPolicy",
    "secretsmanager:GetSecretValue",
]
DATA = {
    "s3:GetObject": ("AWS::S3::Object",),
    "s3:ListBucket": ("AWS::S3::Object",),
    "lambda:InvokeFunction": ("AWS::Lambda::Function",),
    "dynamodb:GetItem": ("AWS::DynamoDB::Table",),
    "sqs:SendMessage": ("AWS::SQS::Queue",),
    "sns:Publish": ("AWS::SNS::Topic",),
    "cloudwatch:PutMetricData": ("AWS::CloudWatch::Metric",),
}
CARRIED = {
    "iam:PassRole": ("lambda.amazonaws.com", "CreateFunction"),
    "s3:GetObjectVersion": ("s3.amazonaws.com", "GetObject"),
    "dynamodb:PartiQLSelect": ("dynamodb.amazonaws.com", "ExecuteStatement"),
    "s3:BypassGovernanceRetention": ("s3.amazonaws.com", "DeleteObject"),
    "sts:TagSession": ("sts.amazonaws.com", "AssumeRole"),
}
NEVER = [
    "logs:PutLogEvents",
    "firehose:PutRecord",
    "kafka-cluster:WriteData",
    "ssmmessages:CreateDataChannel",
    "nosuch:Action",
]


@pytest.mark.parametrize("action", MANAGEMENT)
def test_management_event_of_its_own(action):
    assert observability(action).kind == "management"
    assert observability(action).data_types == ()


@pytest.mark.parametrize("action", DATA)
def test_only_data_events_show_it(action):
    seen = observability(action)

    assert seen.data_types == DATA[action]
    assert seen.kind in ("data", "carried")


@pytest.mark.parametrize("action", CARRIED)
def test_other_events_carry_it(action):
    seen = observability(action)

    assert seen.kind == "carried"
    assert CARRIED[action] in seen.carriers


@pytest.mark.parametrize("action", NEVER)
def test_nothing_shows_it(action):
    assert observability(action).kind == "never"
    assert observability(action).reason


def test_every_action_gets_an_answer_with_a_reason():
    assert all(observability(action).reason for action in actions.every())
