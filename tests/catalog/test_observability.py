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
    "bedrock:InvokeModel",
    "bedrock:ListAsyncInvokes",
    "iot:CreateThing",
    "medical-imaging:GetImageSet",
    "servicediscovery:RegisterInstance",
    "verifiedpermissions:GetSchema",
    "logs:FilterLogEvents",
    "s3:GetBucketLocation",
    "s3tables:GetTableMetadataLocation",
    "sns:GetTopicAttributes",
    "sqs:CreateQueue",
    "sqs:PurgeQueue",
    "states:StartExecution",
    "xray:GetEncryptionConfig",
]
DATA = {
    "s3:GetObject": ("AWS::S3::Object",),
    "s3:ListBucket": ("AWS::S3::Object",),
    "lambda:InvokeFunction": ("AWS::Lambda::Function",),
    "dynamodb:GetItem": ("AWS::DynamoDB::Table",),
    "sqs:SendMessage": ("AWS::SQS::Queue",),
    "sns:Publish": ("AWS::SNS::Topic",),
    "cloudwatch:PutMetricData": ("AWS::CloudWatch::Metric",),
    "cloudwatch:ListMetrics": ("AWS::CloudWatch::Metric",),
    "kinesis:GetRecords": ("AWS::Kinesis::Stream",),
    "kinesisvideo:GetMedia": ("AWS::KinesisVideo::Stream",),
    "medical-imaging:GetImageFrame": ("AWS::MedicalImaging::Datastore",),
    "qbusiness:BatchPutDocument": ("AWS::QBusiness::Application",),
    "sagemaker:InvokeEndpoint": ("AWS::SageMaker::Endpoint",),
    "servicediscovery:DiscoverInstances": ("AWS::ServiceDiscovery::Namespace", "AWS::ServiceDiscovery::Service"),
    "sms-voice:SendTextMessage": ("AWS::SMSVoice::OriginationIdentity",),
    "verifiedpermissions:IsAuthorized": ("AWS::VerifiedPermissions::PolicyStore",),
    "s3:BypassGovernanceRetention": ("AWS::S3::Object",),
    "s3:GetObjectVersion": ("AWS::S3::Object",),
    "dynamodb:PartiQLSelect": ("AWS::DynamoDB::Table",),
    "s3tables:GetTableData": ("AWS::S3Tables::Table",),
    "ses:SendEmail": ("AWS::SES::EmailIdentity",),
    "sqs:GetQueueAttributes": ("AWS::SQS::Queue",),
    "sqs:GetQueueUrl": ("AWS::SQS::Queue",),
    "sqs:ListQueues": ("AWS::SQS::Queue",),
    "ssmmessages:CreateControlChannel": ("AWS::SSMMessages::ControlChannel",),
    "xray:GetSamplingTargets": ("AWS::XRay::Trace",),
}
CARRIED = {
    "iam:PassRole": ("lambda.amazonaws.com", "CreateFunction"),
    "sts:TagSession": ("sts.amazonaws.com", "AssumeRole"),
}
SHOWN_BY = {
    "s3:GetObjectVersion": ("s3.amazonaws.com", "GetObject"),
    "s3:BypassGovernanceRetention": ("s3.amazonaws.com", "DeleteObject"),
    "dynamodb:PartiQLSelect": ("dynamodb.amazonaws.com", "ExecuteStatement"),
}
NEVER = [
    "logs:PutLogEvents",
    "cloudsearch:document",
    "events:PutEvents",
    "execute-api:ManageConnections",
    "firehose:PutRecord",
    "iot:ListThings",
    "neptune-db:GetEngineStatus",
    "kinesisvideo:GetClip",
    "lex:RecognizeText",
    "medical-imaging:GetDICOMInstance",
    "resource-explorer-2:Search",
    "ses:SendRawEmail",
    "sms-voice:SendRcsMessage",
    "xray:GetSamplingRules",
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

    assert (seen.kind, seen.data_types) == ("data", DATA[action])


@pytest.mark.parametrize("action", CARRIED)
def test_other_events_carry_it(action):
    seen = observability(action)

    assert seen.kind == "carried"
    assert seen.data_types == ()
    assert CARRIED[action] in seen.carriers


@pytest.mark.parametrize("action", SHOWN_BY)
def test_data_events_that_show_it_are_named(action):
    assert SHOWN_BY[action] in observability(action).carriers


@pytest.mark.parametrize("action", NEVER)
def test_nothing_shows_it(action):
    assert observability(action).kind == "never"
    assert observability(action).reason


def test_every_action_gets_an_answer_with_a_reason():
    assert all(observability(action).reason for action in actions.every())
